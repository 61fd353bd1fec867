"""How the two sides of a network link sign what they say: HMAC-SHA256 over method, path, time, nonce and body.

Imports nothing of the product, so that the simulator of the other side can use it without starting it.
"""

import hashlib
import hmac
import secrets
import time

TIME_HEADER = "X-Link-Time"
NONCE_HEADER = "X-Link-Nonce"
MAC_HEADER = "X-Link-Mac"
TOLERANCE_S = 300


def _mac(secret: str, words: list[str], body: bytes) -> str:
    return hmac.new(secret.encode(), "\n".join(words).encode() + b"\n" + body, hashlib.sha256).hexdigest()


def sign_request(secret: str, method: str, path: str, body: bytes) -> dict[str, str]:
    """The headers that make a request ours: its time (Unix seconds), a fresh nonce and the MAC."""
    moment, nonce = str(int(time.time())), secrets.token_hex(16)
    return {
        TIME_HEADER: moment,
        NONCE_HEADER: nonce,
        MAC_HEADER: _mac(secret, ["request", method, path, moment, nonce], body),
    }


def request_is_genuine(secret: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> bool:
    """Whether the headers (names in lower case) belong to this request and it is at most TOLERANCE_S old."""
    moment, nonce = headers.get(TIME_HEADER.lower(), ""), headers.get(NONCE_HEADER.lower(), "")
    if not moment.isascii() or not moment.isdigit() or abs(time.time() - int(moment[:12])) > TOLERANCE_S:
        return False
    expected = _mac(secret, ["request", method, path, moment, nonce], body)
    return hmac.compare_digest(expected.encode(), headers.get(MAC_HEADER.lower(), "").encode())


def sign_answer(secret: str, nonce: str, status: int, body: bytes) -> str:
    """The MAC of an answer. The request's nonce is in it: an answer to another question does not fit."""
    return _mac(secret, ["answer", nonce, str(status)], body)


def answer_is_genuine(secret: str, nonce: str, status: int, body: bytes, mac: str) -> bool:
    """Whether this is the other side's answer to the request with that nonce."""
    return hmac.compare_digest(sign_answer(secret, nonce, status, body).encode(), mac.encode())
