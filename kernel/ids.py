"""Identifiers: time-ordered UUIDs, safe to make on the client and to show."""

import uuid
from datetime import datetime

import uuid_utils


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 (RFC 9562): unique, unguessable in its random part, ordered by time."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def first_at(moment: datetime) -> uuid.UUID:
    """What every id made from that moment on is greater than, and every earlier one less."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
