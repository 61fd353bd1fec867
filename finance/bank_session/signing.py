"""Who signs receipts: a port. Ed25519 with the bank's key is the default; a bank with SM2 in an HSM fills its own.

The key comes from RECEIPT_KEY_FILE (PEM, PKCS 8), or from AUDIT_KEY where there is none. Its public half goes to
whoever wants to check a receipt. No SM2 adapter is carried: the one pure-Python library on PyPI (gmssl) had
its last release in February 2023 and is not constant-time, so SM2 belongs in the bank's HSM, behind this port.
"""

import hashlib
import hmac
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.ports import Port


class Signer(Protocol):
    """Signs bytes in the bank's name."""

    @property
    def algorithm(self) -> str:
        """How: `Ed25519`, `SM2`."""

    @property
    def key_id(self) -> str:
        """With which key: the first 16 hex digits of the SHA-256 of its public half."""

    def sign(self, content: bytes) -> bytes:
        """The signature."""

    def public_key(self) -> str:
        """The public half as PEM (SubjectPublicKeyInfo), or the certificate."""


class Ed25519Signer:
    """Signs with a key in memory."""

    algorithm = "Ed25519"

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = hashlib.sha256(raw).hexdigest()[:16]

    def sign(self, content: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(content)

    def public_key(self) -> str:
        """PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@lru_cache(maxsize=2)
def _from_file(path: str) -> Ed25519Signer:
    if not path:
        seed = hmac.digest(settings.AUDIT_KEY.encode(), b"receipts", "sha256")
        return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(seed))
    key = load_pem_private_key(Path(path).read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ImproperlyConfigured("RECEIPT_KEY_FILE must hold an Ed25519 key (openssl genpkey -algorithm ed25519)")
    return Ed25519Signer(key)


signer: Port[Signer] = Port()
"""Filled by a bank with a signer of its own; empty: the key of RECEIPT_KEY_FILE."""


def present() -> Signer:
    """The signer in use."""
    return signer.get() if signer.filled else _from_file(settings.RECEIPT_KEY_FILE)
