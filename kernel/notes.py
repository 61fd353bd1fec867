"""What a transaction notes beside its deed: who did it, and what is to follow. Audit and outbox write through here.

Within `gathered` the notes of a whole deed, which several apps make, go in with one statement at its end.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from kernel.statements import planned

Audit = tuple[UUID | None, str, str, str, bytes]
"""Actor, action, subject, detail as JSON, MAC."""
Outbox = tuple[str, str, str | None, datetime]
"""Topic, payload as JSON, key, when it is due."""

# In every transaction that matters: by hand, where the ORM took ten times as long to write the same statement.
_AUDIT = (
    "INSERT INTO kernel_auditrow (actor_id, action, subject, detail, mac)"
    " SELECT n.actor_id, n.action, n.subject, n.detail::jsonb, n.mac FROM"
    " unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::bytea[])"
    " WITH ORDINALITY AS n(actor_id, action, subject, detail, mac, place) ORDER BY n.place"
)
_OUTBOX = (
    "INSERT INTO kernel_outboxrow (topic, payload, key, run_at, attempts, last_error)"
    " SELECT n.topic, n.payload::jsonb, n.key, n.run_at, 0, '' FROM"
    " unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[])"
    " WITH ORDINALITY AS n(topic, payload, key, run_at, place) ORDER BY n.place ON CONFLICT (key) DO NOTHING"
)
_BOTH = f"WITH audited AS ({_AUDIT}) {_OUTBOX}"


class _Gathering:
    def __init__(self) -> None:
        self.depth = len(connection.savepoint_ids)
        self.audit: list[Audit] = []
        self.outbox: list[Outbox] = []


_gathering: ContextVar[_Gathering | None] = ContextVar("gathering", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """Writes what is noted within at the end of it, in the order in which it was noted; nothing if it raises.

    Inside a transaction. What is noted within a savepoint goes in at once, so that it shares the savepoint's fate.
    """
    gathering = _Gathering()
    token = _gathering.set(gathering)
    try:
        yield
    finally:
        _gathering.reset(token)
    _write(gathering.audit, gathering.outbox)


def add(*, audit: Sequence[Audit] = (), outbox: Sequence[Outbox] = ()) -> None:
    """Writes these rows in the current transaction."""
    gathering = _gathering.get()
    if gathering is None or len(connection.savepoint_ids) != gathering.depth:
        _write(audit, outbox)
    else:
        gathering.audit.extend(audit)
        gathering.outbox.extend(outbox)


def _write(audit: Sequence[Audit], outbox: Sequence[Outbox]) -> None:
    values: list[list[Any]] = [list(column) for rows in (audit, outbox) for column in zip(*rows, strict=True)]
    if values:
        with planned() as cursor:
            cursor.execute(_BOTH if audit and outbox else _AUDIT if audit else _OUTBOX, values)
