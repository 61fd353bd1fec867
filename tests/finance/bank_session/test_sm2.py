"""Receipts signed with SM2: the standard's own example, keys as openssl writes them, and the command that checks."""

import base64
import json
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured
from gmssl_pyx import sm2_key_generate
from pyasn1.codec.der.encoder import encode
from pyasn1.type import char, univ, useful
from pyasn1_modules import rfc5280

from finance.bank_session import signing, sm2
from finance.bank_session.verify_receipt import Forged, verify
from tests.finance.bank_session.conftest import Bench
from tests.finance.bank_session.test_receipts import KEY, confirmed, fetched

# GB/T 32918.5-2017, annex A.2: key, message and signature on the recommended curve.
EXAMPLE_KEY = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
EXAMPLE_POINT = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
EXAMPLE_R = int("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3", 16)
EXAMPLE_S = int("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA", 16)

EC_KEY = univ.ObjectIdentifier("1.2.840.10045.2.1")
SM2_WITH_SM3 = univ.ObjectIdentifier("1.2.156.10197.1.501")


def sequence(*parts: Any) -> univ.Sequence:
    """A DER sequence of anything."""
    made = univ.Sequence()
    for place, part in enumerate(parts):
        made.setComponentByPosition(place, part)
    return made


def armoured(label: str, der: bytes) -> bytes:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


@dataclass(frozen=True)
class Pair:
    """A key file and its certificate, as openssl writes them."""

    key: bytes
    certificate: bytes


def pair(*, begins: timedelta = timedelta(days=-1), ends: timedelta = timedelta(days=365)) -> Pair:
    point, raw = sm2_key_generate()
    algorithm = sequence(EC_KEY, sm2.CURVE)
    inner = encode(sequence(univ.Integer(1), univ.OctetString(raw)))
    key = encode(sequence(univ.Integer(0), algorithm, univ.OctetString(inner)))

    name = rfc5280.Name()
    value = rfc5280.AttributeTypeAndValue()
    value["type"], value["value"] = rfc5280.id_at_commonName, encode(char.UTF8String("receipts"))
    entry = rfc5280.RelativeDistinguishedName()
    entry[0] = value
    name["rdnSequence"][0] = entry

    def moment(shift: timedelta) -> useful.UTCTime:
        return useful.UTCTime((datetime.now(UTC) + shift).strftime("%y%m%d%H%M%SZ"))

    version = rfc5280.Version("v3").subtype(
        explicitTag=rfc5280.tag.Tag(rfc5280.tag.tagClassContext, rfc5280.tag.tagFormatSimple, 0)
    )
    info = sequence(algorithm, univ.BitString(hexValue=(b"\x04" + point).hex()))
    signer = sequence(SM2_WITH_SM3)
    body = sequence(version, univ.Integer(7), signer, name, sequence(moment(begins), moment(ends)), name, info)
    signature = sm2.sign(raw, point, encode(body))
    certificate = encode(sequence(body, signer, univ.BitString(hexValue=signature.hex())))
    return Pair(armoured("PRIVATE KEY", key), armoured("CERTIFICATE", certificate))


@pytest.fixture
def files(tmp_path: Path, settings: Any) -> Pair:
    """A bank that signs with SM2."""
    return installed(tmp_path, settings, pair())


def installed(folder: Path, settings: Any, made: Pair) -> Pair:
    (folder / "key.pem").write_bytes(made.key)
    (folder / "certificate.pem").write_bytes(made.certificate)
    settings.RECEIPT_KEY_FILE = str(folder / "key.pem")
    settings.RECEIPT_CERTIFICATE_FILE = str(folder / "certificate.pem")
    return made


def test_the_standard_s_example_holds_and_nothing_beside_it() -> None:
    signature = encode(sequence(univ.Integer(EXAMPLE_R), univ.Integer(EXAMPLE_S)))

    assert sm2.verifies(EXAMPLE_POINT, b"message digest", signature)
    assert not sm2.verifies(EXAMPLE_POINT, b"message digesu", signature)
    assert not sm2.verifies(EXAMPLE_POINT, b"message digest", signature[:-1] + bytes([signature[-1] ^ 1]))
    for broken in (b"", b"\x30", signature + b"x", signature[:-1], b"\x00" * 71):
        assert not sm2.verifies(EXAMPLE_POINT, b"message digest", broken)
    ours = sm2.sign(EXAMPLE_KEY, EXAMPLE_POINT, "转账".encode())
    assert sm2.verifies(EXAMPLE_POINT, "转账".encode(), ours)


def test_a_receipt_signed_with_sm2_is_checked_with_the_certificate(bench: Bench, files: Pair) -> None:
    file = fetched(bench, confirmed(bench)).content
    published = bench.caller().get("/api/finance/receipts/key").json()

    content = verify(file, files.certificate)

    assert json.loads(content["statement"])["amount"]["fen"] == 1000
    assert json.loads(file)["signature"]["algorithm"] == published["algorithm"] == "SM2"
    assert published["public_key"].encode() == files.certificate
    altered = json.loads(file)
    altered["receipt"] = altered["receipt"].replace("10.00", "90.00")
    for forged, key in (
        (json.dumps(altered).encode(), files.certificate),
        (file, pair().certificate),
        (file, KEY),
        (file.replace(b'"SM2"', b'"Ed25519"'), files.certificate),
        (file, files.key),
        (file, b""),
    ):
        with pytest.raises(Forged):
            verify(forged, key)


def test_a_key_that_is_not_the_certificate_s_signs_nothing(tmp_path: Path, settings: Any) -> None:
    mine, other = pair(), pair()
    ed25519 = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for key, certificate in (
        (mine.key, other.certificate),
        (ed25519, mine.certificate),
        (mine.key, mine.key),
        (b"", mine.certificate),
    ):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        installed(folder, settings, Pair(key, certificate))
        with pytest.raises(ImproperlyConfigured):
            signing.present()


def test_an_sm2_key_without_its_certificate_says_what_is_missing(files: Pair, settings: Any) -> None:
    settings.RECEIPT_CERTIFICATE_FILE = ""
    with pytest.raises(ImproperlyConfigured, match="RECEIPT_CERTIFICATE_FILE"):
        signing.present()


@pytest.mark.parametrize(("begins", "ends"), [(-9, -1), (1, 9)])
def test_a_certificate_out_of_its_time_signs_nothing(tmp_path: Path, settings: Any, begins: int, ends: int) -> None:
    installed(tmp_path, settings, pair(begins=timedelta(days=begins), ends=timedelta(days=ends)))
    signer = signing.present()
    with pytest.raises(ImproperlyConfigured, match="not valid today"):
        signer.sign(b"")


def _der(*numbers: int) -> bytes:
    return bytes(encode(sequence(*(univ.Integer(number) for number in numbers))))


ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


@pytest.mark.parametrize(
    "signature",
    [
        _der(0, 0),
        _der(0, EXAMPLE_S),
        _der(EXAMPLE_R, 0),
        _der(1, 1),
        _der(-EXAMPLE_R, EXAMPLE_S),
        _der(EXAMPLE_R, ORDER - EXAMPLE_S),
        _der(ORDER - EXAMPLE_R, EXAMPLE_S),
        _der(EXAMPLE_R + ORDER, EXAMPLE_S),
        _der(EXAMPLE_R, EXAMPLE_S + ORDER),
        _der(ORDER, ORDER),
        _der(EXAMPLE_S, EXAMPLE_R),
        _der(EXAMPLE_R),
        _der(EXAMPLE_R, EXAMPLE_S, 1),
        _der(1 << 4_000, 1 << 4_000),
        EXAMPLE_R.to_bytes(32, "big") + EXAMPLE_S.to_bytes(32, "big"),
        b"\x30\x80" + _der(EXAMPLE_R, EXAMPLE_S)[2:] + b"\x00\x00",
        b"\x30\x81" + _der(EXAMPLE_R, EXAMPLE_S)[1:],
        b"\x30\x84\x00\x00\x00" + _der(EXAMPLE_R, EXAMPLE_S)[1:],
        b"\x30\x84\xff\xff\xff\xff" + _der(EXAMPLE_R, EXAMPLE_S)[2:],
        b"\x31" + _der(EXAMPLE_R, EXAMPLE_S)[1:],
        b"\x30\x49\x02\x23\x00\x00" + _der(EXAMPLE_R, EXAMPLE_S)[4:],
        _der(EXAMPLE_R, EXAMPLE_S) + b"\x00" * 100,
        b"\x30" * 10_000,
    ],
    ids=lambda value: f"{len(value)} bytes {value[:6].hex()}",
)
def test_a_signature_that_is_not_the_one_in_its_one_form_is_refused(signature: bytes) -> None:
    assert not sm2.verifies(EXAMPLE_POINT, b"message digest", signature)


def test_no_cut_of_a_signature_and_no_other_point_is_taken() -> None:
    whole = _der(EXAMPLE_R, EXAMPLE_S)
    assert sm2.verifies(EXAMPLE_POINT, b"message digest", whole)
    for end in range(len(whole)):
        assert not sm2.verifies(EXAMPLE_POINT, b"message digest", whole[:end])
    for point in (bytes(64), b"\xff" * 64, EXAMPLE_POINT[::-1], EXAMPLE_POINT[32:] + EXAMPLE_POINT[:32], b"", b"\x04"):
        assert not sm2.verifies(point, b"message digest", whole)
