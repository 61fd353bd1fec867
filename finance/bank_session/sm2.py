"""SM2 signatures with SM3 (GB/T 32918.2, GB/T 35276): what `signing` signs with and `verify_receipt` checks with.

GmSSL does the arithmetic. A key is read from PKCS 8, its public half from an X.509 certificate, as `openssl genpkey
-algorithm SM2` and `openssl req -x509 -sm3` write them. The signer's identity in the hash is the standard's default,
1234567812345678. Needs no settings and no database.
"""

from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from cryptography import x509
from gmssl_pyx import GmsslInnerError, InvalidValueError, sm2_sign, sm2_verify
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import ObjectIdentifier
from pyasn1_modules import pem, rfc5280, rfc5915, rfc5958

ALGORITHM = "SM2"
CURVE = ObjectIdentifier("1.2.156.10197.1.301")
_POINT = 64
"""Bytes of a public key: both coordinates. Before them stands 04: not compressed."""


class NoSm2(ValueError):
    """The file holds no SM2 key or certificate."""


@dataclass(frozen=True)
class Certificate:
    """Who signs, and until when."""

    text: str
    point: bytes
    key_info: bytes
    """SubjectPublicKeyInfo, DER."""
    begins: datetime
    ends: datetime


def private_key(text: bytes) -> bytes:
    """The 32 bytes of a PKCS 8 PEM's SM2 key. Raises NoSm2."""
    try:
        info, _ = decode(_unarmoured(text, "PRIVATE KEY"), asn1Spec=rfc5958.OneAsymmetricKey())
        curve, _ = decode(bytes(info["privateKeyAlgorithm"]["parameters"]))
        key, _ = decode(bytes(info["privateKey"]), asn1Spec=rfc5915.ECPrivateKey())
    except (PyAsn1Error, ValueError) as trouble:
        raise NoSm2("no PKCS 8 private key") from trouble
    raw = bytes(key["privateKey"])
    if curve != CURVE or len(raw) != 32:
        raise NoSm2("not a key on the SM2 curve")
    return raw


def certificate(text: bytes) -> Certificate:
    """A PEM certificate with an SM2 key. Raises NoSm2. Its issuer is for whoever trusts it to check."""
    try:
        read = x509.load_pem_x509_certificate(text)
        body, _ = decode(read.tbs_certificate_bytes, asn1Spec=rfc5280.TBSCertificate())
        info = body["subjectPublicKeyInfo"]
        curve, _ = decode(bytes(info["algorithm"]["parameters"]))
    except (PyAsn1Error, ValueError) as trouble:
        raise NoSm2("no X.509 certificate") from trouble
    point = info["subjectPublicKey"].asOctets()
    if curve != CURVE or len(point) != _POINT + 1 or point[0] != 4:
        raise NoSm2("not a certificate of a key on the SM2 curve")
    return Certificate(text.decode(), point[1:], encode(info), read.not_valid_before_utc, read.not_valid_after_utc)


def sign(key: bytes, point: bytes, content: bytes) -> bytes:
    """The signature over content, as DER (r, s)."""
    return bytes(sm2_sign(key, point, content))


def verifies(point: bytes, content: bytes, signature: bytes) -> bool:
    """Whether the holder of the point's key signed exactly this."""
    try:
        return bool(sm2_verify(point, content, signature))
    except (InvalidValueError, GmsslInnerError):
        return False


def _unarmoured(text: bytes, label: str) -> bytes:
    der: bytes = pem.readPemFromFile(StringIO(text.decode()), f"-----BEGIN {label}-----", f"-----END {label}-----")
    if not der:
        raise ValueError(f"no {label}")
    return der
