"""Identifiers: time-ordered UUIDs, safe to make on the client and to show."""

import uuid

import uuid_utils


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 (RFC 9562): unique, unguessable in its random part, ordered by time."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)
