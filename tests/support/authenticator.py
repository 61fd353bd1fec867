"""A passkey in software, for tests without a browser: what it answers is what a browser would hand on."""

import hashlib
import json
import os
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One key pair on one device."""

    def __init__(self) -> None:
        self.id = os.urandom(32)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.count = 0

    def _data(self, flags: int, rp_id: str | None, tail: bytes = b"") -> bytes:
        rp_hash = hashlib.sha256((rp_id or settings.PASSKEY_RP_ID).encode()).digest()
        return rp_hash + bytes([flags]) + self.count.to_bytes(4, "big") + tail

    def _client(self, kind: str, challenge: bytes, origin: str | None) -> bytes:
        said = {
            "type": f"webauthn.{kind}",
            "challenge": bytes_to_base64url(challenge),
            "origin": origin or settings.BANK_ORIGIN,
            "crossOrigin": True,
        }
        return json.dumps(said).encode()

    def create(self, options: dict[str, Any], *, flags: int = PRESENT | VERIFIED, **changed: str) -> dict[str, Any]:
        """A new credential for these options."""
        point = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        tail = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        attested = {"fmt": "none", "attStmt": {}, "authData": self._data(flags | ATTESTED, changed.get("rp_id"), tail)}
        client = self._client("create", base64url_to_bytes(options["challenge"]), changed.get("origin"))
        return self._credential(
            {"clientDataJSON": client, "attestationObject": cbor2.dumps(attested)}, transports=["internal"]
        )

    def sign(
        self, challenge: bytes, *, flags: int = PRESENT | VERIFIED, rp_id: str | None = None, origin: str | None = None
    ) -> dict[str, Any]:
        """An assertion over the challenge."""
        self.count += 1
        client, data = self._client("get", challenge, origin), self._data(flags, rp_id)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential({"clientDataJSON": client, "authenticatorData": data, "signature": signature})

    def _credential(self, response: dict[str, bytes], **more: Any) -> dict[str, Any]:
        name = bytes_to_base64url(self.id)
        written = {field: bytes_to_base64url(value) for field, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": {**written, **more}}
