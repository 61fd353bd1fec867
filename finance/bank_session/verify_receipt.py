"""`python -m finance.bank_session.verify_receipt FILE --key PUBLIC.pem`: checks a receipt, on any machine.

It needs no server, database or settings: the receipt, the bank's public key or certificate, and a few libraries. As one
file for machines without this project: `make verifier`.
Exit 0: the bank signed these words, their hash is right, and a passkey's signature, if there is one, is over that very
hash.
"""

import argparse
import base64
import binascii
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, decode_credential_public_key, verify_signature
from webauthn.helpers import decoded_public_key_to_cryptography as to_cryptography
from webauthn.helpers.exceptions import WebAuthnException

from finance.bank_session import sm2

_UNREADABLE = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RecursionError,
    binascii.Error,
    WebAuthnException,
)


class Forged(Exception):
    """It is not what the bank signed. The text says in what."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different: another reader might take the first of two where we take the last."""
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _read(text: bytes | str) -> Any:
    return json.loads(text, object_pairs_hook=_once)


def verify(file: bytes, public_key: bytes) -> dict[str, Any]:
    """The receipt's content, if it holds. Raises Forged."""
    try:
        written = _read(file)
        text, signature = written["receipt"].encode(), written["signature"]
        value = base64.b64decode(signature["value"], validate=True)
        algorithm = signature["algorithm"]
    except _UNREADABLE:
        raise Forged("this is no receipt") from None
    if not _signed(algorithm, public_key, text, value):
        raise Forged("the bank's signature does not fit this receipt")
    try:
        content: dict[str, Any] = _read(text)
        statement = content["statement"].encode()
        if hashlib.sha256(statement).hexdigest() != content["statement_sha256"]:
            raise Forged("the statement is not what its hash says")
        if content["proof"] == "passkey":
            _passkey(content["passkey"], bytes.fromhex(content["statement_sha256"]))
    except _UNREADABLE:
        raise Forged("the receipt is incomplete") from None
    return content


def _signed(algorithm: str, public_key: bytes, text: bytes, value: bytes) -> bool:
    """Whether the key, or the certificate's key, signed the text. The certificate is the caller's to trust."""
    try:
        if algorithm == sm2.ALGORITHM:
            return sm2.verifies(sm2.certificate(public_key).point, text, value)
        key = load_pem_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise Forged("this is no public key for it") from None
    if algorithm != "Ed25519" or not isinstance(key, Ed25519PublicKey):
        # Said as it stands it could draw anything on a terminal: nobody has signed this part.
        raise Forged(f"signed by {ascii(str(algorithm)[:20])[1:-1]}, which this command or this key does not check")
    try:
        key.verify(value, text)
    except InvalidSignature:
        return False
    return True


def _passkey(signed: dict[str, str], statement_hash: bytes) -> None:
    """That the person's passkey signed the statement's hash, the user verified."""
    client, data = base64url_to_bytes(signed["client_data"]), base64url_to_bytes(signed["authenticator_data"])
    if _read(client)["challenge"] != bytes_to_base64url(statement_hash):
        raise Forged("the passkey signed another statement")
    if data[:32] != hashlib.sha256(signed["rp_id"].encode()).digest() or not data[32] & 0x04:
        raise Forged("the passkey was used elsewhere, or without verifying its user")
    key = decode_credential_public_key(base64url_to_bytes(signed["public_key"]))
    try:
        verify_signature(
            public_key=to_cryptography(key),
            signature_alg=key.alg,
            signature=base64url_to_bytes(signed["signature"]),
            data=data + hashlib.sha256(client).digest(),
        )
    except InvalidSignature:
        raise Forged("the passkey's signature does not fit") from None


def _pem(key: bytes) -> bytes:
    """The key or certificate as PEM, also out of what /api/finance/receipts/key answers."""
    try:
        return str(_read(key)["public_key"]).encode()
    except _UNREADABLE:
        return key


def main(arguments: list[str] | None = None) -> int:
    """Prints what the receipt says, or in what it is wrong; answers the exit code."""
    parser = argparse.ArgumentParser(prog="verify_receipt", description="Checks a signed receipt.")
    parser.add_argument("file", type=Path, help="the receipt, as downloaded")
    parser.add_argument(
        "--key",
        type=Path,
        required=True,
        help="the bank's public key, or its SM2 certificate (PEM, or as /api/finance/receipts/key answers)",
    )
    asked = parser.parse_args(arguments)
    try:
        content = verify(asked.file.read_bytes(), _pem(asked.key.read_bytes()))
    except (Forged, OSError) as trouble:
        print(f"NOT VALID: {trouble}", file=sys.stderr)  # noqa: T201 - its output is its purpose
        return 1
    statement = json.loads(content["statement"])
    lines = [f"VALID: signed by {content['bank']}", f"  {statement['title']}  {content['executed_at']}"]
    if statement["amount"]:
        lines.append(f"  {statement['amount']['text']}  {statement['amount']['words']}")
    if content.get("holder"):
        lines.append(f"  holder: {content['holder']}")
    lines += [f"  {line['label']}: {line['value']}" for line in statement["lines"]]
    lines += [f"  {document['title']}: sha256 {document['sha256']}" for document in statement["documents"]]
    lines.append(f"  proof: {content['proof']}, sha256 {content['statement_sha256']}")
    print("\n".join(lines))  # noqa: T201 - as above
    return 0


def run() -> None:
    """As a program."""
    sys.exit(main())


if __name__ == "__main__":
    run()
