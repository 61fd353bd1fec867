"""Every setting of 融聊. Values that differ by installation come from the environment; see docs/operating.md."""

import base64
import sys
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from rongliao import environment as env
from rongliao import logs, static_files

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))

# Names. A bank puts its own here; nothing else in the project spells them.
BRAND = env.text("BRAND", "融聊")
BRAND_EN = env.text("BRAND_EN", "Rongliao")
BANK_NAME = env.text("BANK_NAME", "远山银行")
BANK_NAME_EN = env.text("BANK_NAME_EN", "Yuanshan Bank")
# What people agree to when they register: <kind>/<version>.<language>.txt (accounts/agreements.py).
AGREEMENTS_DIR = env.text("AGREEMENTS_DIR", str(BASE_DIR / "accounts" / "data" / "agreements"))

# Our account numbers begin with it. The demo's is nobody's.
BANK_BIN = env.text("BANK_BIN", "629906")

# The demo world: printed log-ins, one-time codes on the page, a business date that can be moved on.
DEMO = env.flag("DEMO")
DEBUG = env.flag("DEBUG")
DEVELOPMENT_SECRET = "development-only-" + "0" * 40
SECRET_KEY = env.text("SECRET_KEY", DEVELOPMENT_SECRET)

# Two origins: chat lives on one, money is confirmed on the other.
_APP = env.origin("APP_ORIGIN", "http://localhost:8000")
_BANK = env.origin("BANK_ORIGIN", "http://localhost:8001")
APP_ORIGIN, BANK_ORIGIN = str(_APP), str(_BANK)
APP_NETLOC, BANK_NETLOC = _APP.netloc, _BANK.netloc
if APP_ORIGIN == BANK_ORIGIN:
    raise ImproperlyConfigured("APP_ORIGIN and BANK_ORIGIN must differ: the bank sheet has an origin of its own")
if DEMO and not (_APP.loopback and _BANK.loopback):
    raise ImproperlyConfigured("DEMO=1 is for this machine alone: APP_ORIGIN and BANK_ORIGIN must be on loopback")
EXTRA_HOSTS = env.words("EXTRA_HOSTS")
ALLOWED_HOSTS = [*{_APP.host, _BANK.host}, *EXTRA_HOSTS]
TRUST_PROXY = env.flag("TRUST_PROXY")
SECURE_COOKIES = _APP.scheme == "https"

# Keys for personal data: "id:base64 of 32 bytes", newest first; old ones stay for reading.
_DEVELOPMENT_FIELD_KEY = "dev:" + base64.b64encode(b"\x01" * 32).decode()
FIELD_KEYS = env.words("FIELD_KEYS", _DEVELOPMENT_FIELD_KEY)
BLIND_INDEX_KEY = env.text("BLIND_INDEX_KEY", "development-only-blind-index-key")
AUDIT_KEY = env.text("AUDIT_KEY", "development-only-audit-key")
PIN_PEPPER = env.text("PIN_PEPPER", "development-only-pin-pepper")
# Signs what is said between us and the networks outside (finance/networks).
NETWORKS_SECRET = env.text("NETWORKS_SECRET", "development-only-networks-secret")

_COMMANDS_WITHOUT_GUARD = {"makemigrations", "spectacular", "collectstatic", "compilemessages"}
TESTING = "pytest" in sys.modules
# OWASP's Password Storage Cheat Sheet: argon2id with at least 19 MiB. Tests sign in and enter PINs some thousand times.
_LEAST_HASH_KIB = 19 * 1024
PASSWORD_HASH_KIB = env.whole("PASSWORD_HASH_KIB", 1024 if TESTING else 100 * 1024)
PIN_HASH_KIB = env.whole("PIN_HASH_KIB", 1024 if TESTING else 32 * 1024)
if not DEMO and not TESTING and not (len(sys.argv) > 1 and sys.argv[1] in _COMMANDS_WITHOUT_GUARD):
    _unsafe = [
        name
        for name, bad in {
            "SECRET_KEY": SECRET_KEY == DEVELOPMENT_SECRET or len(SECRET_KEY) < 40,
            "FIELD_KEYS": _DEVELOPMENT_FIELD_KEY in FIELD_KEYS,
            "BLIND_INDEX_KEY": BLIND_INDEX_KEY.startswith("development-only"),
            "AUDIT_KEY": AUDIT_KEY.startswith("development-only"),
            "PIN_PEPPER": PIN_PEPPER.startswith("development-only"),
            "NETWORKS_SECRET": NETWORKS_SECRET.startswith("development-only"),
            "PUSH_TEST_ORIGIN": bool(env.text("PUSH_TEST_ORIGIN")),
            "PASSWORD_HASH_KIB": PASSWORD_HASH_KIB < _LEAST_HASH_KIB,
            "PIN_HASH_KIB": PIN_HASH_KIB < _LEAST_HASH_KIB,
            "DEBUG": DEBUG,
        }.items()
        if bad
    ]
    if _unsafe:
        raise ImproperlyConfigured(
            f"Not started: {', '.join(_unsafe)} must be set for a bank's installation "
            "(DEMO=1 is for a demonstration on this machine alone; see docs/operating.md)"
        )

INSTALLED_APPS = [
    "daphne",
    "accounts.operations.OperationsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rongliao.static_files.WithoutPages",
    "django.contrib.postgres",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_prometheus",
    "kernel",
    "accounts",
    "chat",
    "moments",
    "officials",
    "finance.ledger",
    "finance.bank_session",
    "finance.networks",
    "finance.wealth",
    "finance.payments",
    "finance.services",
    "desk",
    "rongliao",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "rongliao.static_files.StaticFiles",
    "rongliao.guard.DemoStaysHome",
    "kernel.outage.OutageMiddleware",
    "kernel.origins.OriginMiddleware",
    "kernel.errors.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.auth.DeviceAuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "rongliao.urls"
BANK_URLCONF = "rongliao.urls_bank"
ASGI_APPLICATION = "rongliao.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database: the server's role by default, the owner for migrations (DATABASE_ROLE=owner).
APP_DATABASE_ROLE = env.text("APP_DATABASE_ROLE", "rongliao_app")
DATABASE_URL = env.text("DATABASE_URL", "postgresql://rongliao_app@localhost:5432/rongliao")
if env.text("DATABASE_ROLE") == "owner":
    DATABASE_URL = env.text("DATABASE_OWNER_URL", DATABASE_URL)
_database = env.database(DATABASE_URL)
_options = dict(_database["OPTIONS"])
# Every statement here takes milliseconds: one whose cost is overestimated is not worth compiling.
_options["options"] = f"{_options.get('options', '')} -c jit=off".strip()
if not TESTING and env.flag("DATABASE_POOL", True):
    # A request waits up to `timeout` seconds for a connection, so that a short restart of PostgreSQL goes unnoticed.
    # Who tries to connect gives up soon: the pool would wait ever longer, and see an outage's end minutes later.
    _size = env.whole("DATABASE_POOL_SIZE", 12)
    _options["pool"] = {"min_size": 1, "max_size": _size, "timeout": 10, "reconnect_timeout": 1}
# A request holds one connection while it runs: more threads than connections would only wait.
REQUEST_THREADS = env.whole("REQUEST_THREADS", env.whole("DATABASE_POOL_SIZE", 12))
DATABASES = {"default": {**_database, "OPTIONS": _options, "CONN_MAX_AGE": 0, "ATOMIC_REQUESTS": False}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Channel layer: a hint between processes; nothing depends on it but speed. What passes through Redis is encrypted and
# sealed: whoever can write there could otherwise put words into anybody's mouth, and read what is said.
REDIS_URL = env.text("REDIS_URL")
CHANNEL_LAYER_KEYS = [f"channel layer:{SECRET_KEY}"]
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [REDIS_URL],
                "prefix": env.text("REDIS_PREFIX", "rongliao"),
                "symmetric_encryption_keys": CHANNEL_LAYER_KEYS,
            },
        }
    }
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "kernel.layers.ThreadSafeInMemoryLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Celery: carries wake-ups only. What is due stands in the outbox.
CELERY_BROKER_URL = env.text("BROKER_URL", REDIS_URL or "memory://localhost/")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULE = {
    "drain-outbox": {"task": "kernel.drain", "schedule": timedelta(seconds=1)},
    "seal-audit": {"task": "kernel.seal_audit", "schedule": timedelta(seconds=1)},
    "sweep-accounts": {"task": "accounts.sweep", "schedule": timedelta(hours=6)},
    "ring-browsers": {"task": "chat.ring", "schedule": timedelta(seconds=2)},
    "heartbeat": {"task": "kernel.heartbeat", "schedule": timedelta(seconds=5)},
    "roll-up-ledger": {"task": "ledger.roll_up", "schedule": timedelta(minutes=1)},
    "verify-ledger": {"task": "ledger.verify", "schedule": timedelta(minutes=1)},
    "sweep-receipts": {"task": "bank_session.sweep_receipts", "schedule": timedelta(minutes=1)},
    "verify-ledger-night": {"task": "ledger.verify_night", "schedule": timedelta(minutes=15)},
    "close-day": {"task": "ledger.close_day", "schedule": timedelta(minutes=15)},
}

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["accounts.backends.PhoneBackend"]
PASSWORD_HASHERS = ["accounts.hashers.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_ENGINE = "accounts.session_store"
# Under https a browser takes a cookie of such a name from this very host alone, not from a neighbour's page.
_ONLY_HERE = "__Host-" if SECURE_COOKIES else ""
SESSION_COOKIE_NAME = f"{_ONLY_HERE}rl_session"
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_AGE = 30 * 24 * 3600
CSRF_COOKIE_NAME = f"{_ONLY_HERE}rl_csrf"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_TRUSTED_ORIGINS = [APP_ORIGIN]
# Pages that may open the socket: scheme, host and port, in full.
SOCKET_ORIGINS = [APP_ORIGIN]
BANK_COOKIE_NAME = f"{_ONLY_HERE}rl_bank"
BANK_DEVICE_COOKIE_NAME = f"{_ONLY_HERE}rl_bank_device"
# Browsers keep no cookie longer than 400 days; each proof of identity begins anew.
BANK_DEVICE_S = 400 * 24 * 3600
# Where the two origins share a host (a demonstration) the chat's own requests need not carry it; `__Host-` wants "/".
BANK_COOKIE_PATH = "/" if SECURE_COOKIES else "/api/bank"

# The bank session (finance/bank_session), in seconds.
BANK_IDLE_S = env.whole("BANK_IDLE_S", 300)
BANK_LIMIT_S = env.whole("BANK_LIMIT_S", 1800)
HANDOFF_S = 60
CHALLENGE_S = 120
INTENT_S = env.whole("INTENT_S", 1800)
# The PIN: tries before it locks; what its hash costs; how many are computed at once in a process, and who waits.
PIN_TRIES = 5
# Proving anew who one is, before a first PIN or another: wrong tries before it locks, and for how long; how long the
# proof is good for.
PROOF_TRIES = 5
# How often a person may prepare something to confirm, or ask for the sheet again; per minute.
PREPARES_PER_MINUTE = env.whole("PREPARES_PER_MINUTE", 60)
# What a day's payments to others may add up to, in fen: what the PIN alone authorises from a class I account; what
# passkeys sign; what a device may that its owner has not yet verified. docs/adr/0008-passkeys.md says why so much.
PIN_DAY_FEN = env.whole("PIN_DAY_FEN", 50_000_00)
PASSKEY_DAY_FEN = env.whole("PASSKEY_DAY_FEN", 500_000_00)
NEW_DEVICE_DAY_FEN = env.whole("NEW_DEVICE_DAY_FEN", 10_000_00)
# From this amount of one statement on, somebody who has a passkey must sign with it; and for so long after the last
# passkey was removed. The name by which passkeys know us: the bank origin's host, or a parent of it.
PASSKEY_FROM_FEN = env.whole("PASSKEY_FROM_FEN", 20_000_00)
PASSKEY_GONE_S = env.whole("PASSKEY_GONE_S", 24 * 3600)
# For so long a passkey that the PIN alone let in counts for no more than the PIN.
PASSKEY_YOUNG_S = env.whole("PASSKEY_YOUNG_S", 24 * 3600)
# The key (PEM) that signs receipts: Ed25519, or SM2 with its certificate. Only a demonstration does without.
RECEIPT_KEY_FILE = env.text("RECEIPT_KEY_FILE")
RECEIPT_CERTIFICATE_FILE = env.text("RECEIPT_CERTIFICATE_FILE")
PASSKEY_RP_ID = env.text("PASSKEY_RP_ID", _BANK.host)
PROOF_LOCK_S = env.whole("PROOF_LOCK_S", 24 * 3600)
PROOF_S = 600
PIN_HASH = {"time_cost": 3, "memory_kib": PIN_HASH_KIB, "parallelism": 1}
PIN_HASH_SLOTS = env.whole("PIN_HASH_SLOTS", 4)
PIN_HASH_WAIT_S = 2

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# The proxy redirects to https, and a promise for the bank's whole domain is not this application's to make.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_HSTS_SECONDS = 31536000 if SECURE_COOKIES else 0
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

_SOCKET_ORIGIN = APP_ORIGIN.replace("http", "ws", 1)
_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "blob:", "data:"],
    "font-src": [SELF],
    "manifest-src": [SELF],
    "worker-src": [SELF],
    "base-uri": [NONE],
    "form-action": [SELF],
    "object-src": [NONE],
}
# kernel.origins chooses one by the origin that was asked.
CSP_APP = {
    **_POLICY,
    "connect-src": [SELF, _SOCKET_ORIGIN],
    "frame-src": [BANK_ORIGIN],
    "frame-ancestors": [NONE],
}
CSP_BANK = {**_POLICY, "connect-src": [SELF], "frame-src": [NONE], "frame-ancestors": [APP_ORIGIN]}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.auth.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["kernel.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "kernel.api.render_error",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{BRAND} API",
    "DESCRIPTION": "Chat with a bank inside. Amounts are whole fen; times are ISO 8601 in UTC.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # The lint's contracts say more, and fail on it.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
BANK_TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ADD_HEADERS_FUNCTION = static_files.harmless
FRONTEND_DIST = BASE_DIR / "static" / "dist"
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(VAR_DIR / "media")))

# Limits of a request. Everything that is read from outside has one.
MAX_BODY_BYTES = 256 * 1024
MAX_UPLOAD_BYTES = 10 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_UPLOAD_BYTES + 64 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
CHAT_FRAMES_PER_SECOND = env.whole("CHAT_FRAMES_PER_SECOND", 50)
DATA_UPLOAD_MAX_NUMBER_FILES = 9

# Web Push (RFC 8030, 8291, 8292): the key that names this server to the push services, 32 bytes in base64url
# (`manage.py push_key` makes one); without it nothing is pushed. The services' hosts are all that we ever speak to.
_DEVELOPMENT_VAPID_KEY = base64.urlsafe_b64encode(b"\x01" * 32).decode().rstrip("=")
VAPID_PRIVATE_KEY = env.text("VAPID_PRIVATE_KEY", _DEVELOPMENT_VAPID_KEY if DEMO or TESTING else "")
VAPID_SUBJECT = env.text("VAPID_SUBJECT", f"https://{_APP.host}")
PUSH_HOSTS = env.words(
    "PUSH_HOSTS",
    "fcm.googleapis.com,*.push.services.mozilla.com,*.notify.windows.com,web.push.apple.com,*.push.apple.com",
)
# A receiver of our own for tests and demonstrations, such as http://127.0.0.1:8020; empty: none.
PUSH_TEST_ORIGIN = env.text("PUSH_TEST_ORIGIN")

# The simulator of card verification and clearing (finance/networks); a bank points these at its own adapters.
NETWORKS_URL = env.text("NETWORKS_URL", "http://127.0.0.1:8009")
# Where text messages are handed over, on the same kind of link. Without it nobody outside demo mode gets a code.
SMS_URL = env.text("SMS_URL")

LOGGING = logs.configuration(level=env.text("LOG_LEVEL", "INFO"), as_json=env.text("LOG_FORMAT") == "json")
