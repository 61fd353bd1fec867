"""Codes and tokens: random, told once, kept as digests."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, safe in a URL and a cookie."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """What is kept of it: it is random, so a plain hash will do."""
    return hashlib.sha256(token.encode()).digest()
