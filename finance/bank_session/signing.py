"""Who signs receipts: a port. Ed25519 or SM2 with the bank's key in a file; a bank with an HSM fills its own.

The key comes from RECEIPT_KEY_FILE (PEM, PKCS 8). With RECEIPT_CERTIFICATE_FILE it is an SM2 key, and the certificate
goes to whoever wants to check a receipt; otherwise the key's public half does. Without a file a bank's server does not
start; a demonstration signs with a key that it derives from AUDIT_KEY, and what was once signed so is still checked.
"""

import hashlib
import hmac
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.ports import Port
from finance.bank_session import sm2
from kernel.clock import now


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


class Sm2Signer:
    """Signs with SM2 and SM3, under a certificate of the same key. Raises ImproperlyConfigured where they differ."""

    algorithm = sm2.ALGORITHM

    def __init__(self, key: bytes, certificate: sm2.Certificate) -> None:
        self._key, self._certificate = key, certificate
        self.key_id = hashlib.sha256(certificate.key_info).hexdigest()[:16]
        if not sm2.verifies(certificate.point, b"", sm2.sign(key, certificate.point, b"")):
            raise ImproperlyConfigured("RECEIPT_CERTIFICATE_FILE is not the certificate of RECEIPT_KEY_FILE's key")

    def sign(self, content: bytes) -> bytes:
        """DER, some 70 bytes. Raises ImproperlyConfigured when the certificate's time has not come or is over."""
        if not self._certificate.begins <= now() <= self._certificate.ends:
            raise ImproperlyConfigured("RECEIPT_CERTIFICATE_FILE is not valid today")
        return sm2.sign(self._key, self._certificate.point, content)

    def public_key(self) -> str:
        """The certificate, PEM."""
        return self._certificate.text


@lru_cache(maxsize=4)
def derived(secret: str) -> Signer:
    """The key of an installation that has none in a file."""
    seed = hmac.digest(secret.encode(), b"receipts", "sha256")
    return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(seed))


def _read(name: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as trouble:
        raise ImproperlyConfigured(f"{name}: {file} cannot be read ({trouble.strerror})") from trouble


@lru_cache(maxsize=4)
def _from_files(key_file: str, certificate_file: str) -> Signer:
    written = _read("RECEIPT_KEY_FILE", key_file)
    if certificate_file:
        certificate = _read("RECEIPT_CERTIFICATE_FILE", certificate_file)
        try:
            return Sm2Signer(sm2.private_key(written), sm2.certificate(certificate))
        except sm2.NoSm2 as trouble:
            raise ImproperlyConfigured(f"RECEIPT_KEY_FILE and RECEIPT_CERTIFICATE_FILE: {trouble}") from trouble
    try:
        key = load_pem_private_key(written, password=None)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ImproperlyConfigured(
            "RECEIPT_KEY_FILE must hold an Ed25519 key (openssl genpkey -algorithm ed25519),"
            " or an SM2 key with its certificate in RECEIPT_CERTIFICATE_FILE"
        )
    return Ed25519Signer(key)


signer: Port[Signer] = Port()
"""Filled by a bank with a signer of its own; empty: the key of RECEIPT_KEY_FILE."""


def present() -> Signer:
    """The signer in use. Raises ImproperlyConfigured where its files are missing or hold something else."""
    if signer.filled:
        return signer.get()
    if settings.RECEIPT_KEY_FILE:
        return _from_files(settings.RECEIPT_KEY_FILE, settings.RECEIPT_CERTIFICATE_FILE)
    if settings.DEMO or settings.TESTING:
        return derived(settings.AUDIT_KEY)
    raise ImproperlyConfigured(
        "RECEIPT_KEY_FILE must name the key that signs receipts (openssl genpkey -algorithm ed25519), or an SM2 key"
        " whose certificate RECEIPT_CERTIFICATE_FILE names"
    )
