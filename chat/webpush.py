"""Web Push: an encrypted note to a closed browser, by way of its vendor's push service (RFC 8030, 8291, 8292)."""

import base64
import logging
import re
import time
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02
from pywebpush import WebPusher

from chat.ports import PushTarget, Rung

TIME_OUT_S = 5
CLAIM_LIFE_S = 12 * 3600
MAX_ENDPOINT = 800
_HOST = re.compile(r"[a-z0-9.-]+")
"""Anything else in a host, such as a backslash, the library that calls it may read as its end."""
_GONE = frozenset({404, 410})
"""Answers after which the same address will never take anything again."""
_REFUSED = frozenset({400, 401, 403, 413})
"""Answers that find fault with us: a wrong key, a clock that is off, too much. The address may be as good as ever."""

_log = logging.getLogger(__name__)


@lru_cache
def _vapid(private_key: str) -> Vapid02:
    return Vapid02.from_raw(private_key.encode())


@lru_cache
def _public(private_key: str) -> str:
    raw = base64.urlsafe_b64decode(private_key + "=" * (-len(private_key) % 4))
    key = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1()).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


def public_key() -> str | None:
    """What a browser needs for `applicationServerKey`; None where push is not set up."""
    return _public(settings.VAPID_PRIVATE_KEY) if settings.VAPID_PRIVATE_KEY else None


def is_usable(endpoint: str) -> bool:
    """Whether the address is one of a push service that we know. Whatever a client says, we call nobody else."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    if len(endpoint) > MAX_ENDPOINT or parts.username or parts.fragment or not endpoint.isascii():
        return False
    if settings.PUSH_TEST_ORIGIN and f"{parts.scheme}://{parts.netloc}" == settings.PUSH_TEST_ORIGIN:
        return True
    host = parts.hostname or ""
    if parts.scheme != "https" or port not in {None, 443} or not _HOST.fullmatch(host):
        return False
    return any(fnmatchcase(host, one) for one in settings.PUSH_HOSTS)


def are_keys(p256dh: str, auth: str) -> bool:
    """Whether these are a point of P-256 and a secret of 16 bytes."""
    try:
        point, secret = (base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in (p256dh, auth))
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return len(point) == 65 and len(secret) == 16


class WebPush:
    """The adapter of chat.ports.Ringer."""

    def ring(self, target: PushTarget, payload: bytes, *, life_s: int, topic: str) -> Rung:
        """Encrypts and sends. An address that is no longer allowed, or that sends us elsewhere, counts as gone."""
        if not is_usable(target.endpoint):
            return "gone"
        parts = urlsplit(target.endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "sub": settings.VAPID_SUBJECT,
            "exp": int(time.time()) + CLAIM_LIFE_S,
        }
        headers = {**_vapid(settings.VAPID_PRIVATE_KEY).sign(claims), "Topic": topic, "Urgency": "high"}
        with requests.Session() as session:
            session.max_redirects = 0
            pusher = WebPusher(
                {"endpoint": target.endpoint, "keys": {"p256dh": target.p256dh, "auth": target.auth}},
                requests_session=session,
            )
            try:
                answer = pusher.send(payload, headers, ttl=life_s, content_encoding="aes128gcm", timeout=TIME_OUT_S)
            except requests.TooManyRedirects:
                return "gone"
            except requests.RequestException:
                return "later"
        if answer.status_code in _GONE:
            return "gone"
        if answer.status_code in _REFUSED:
            _log.error("%s refused a ring: %s (see VAPID_PRIVATE_KEY, the clock)", parts.hostname, answer.status_code)
            return "refused"
        return "sent" if answer.status_code < 300 else "later"
