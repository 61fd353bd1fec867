"""What a transaction writes without waiting for an answer: rows of its deed, who did it, and what is to follow.

Audit and outbox write through here. Within `gathered` all that a deed writes so, which several apps do, goes in with
one statement at its end.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from kernel.statements import planned

Audit = tuple[UUID | None, str, str, str, bytes]
"""Actor, action, subject, detail as JSON, MAC."""
Outbox = tuple[str, str, str | None, datetime]
"""Topic, payload as JSON, key, when it is due."""

WHEN = "/*when*/"
"""Stands in a statement where a condition fits, for `gathered(depending=True)`."""

# In every transaction that matters: by hand, where the ORM took ten times as long to write the same statement.
_AUDIT = (
    "INSERT INTO kernel_auditrow (actor_id, action, subject, detail, mac)"
    " SELECT n.actor_id, n.action, n.subject, n.detail::jsonb, n.mac FROM"
    " unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::bytea[])"
    " WITH ORDINALITY AS n(actor_id, action, subject, detail, mac, place) /*when*/ ORDER BY n.place"
)
_OUTBOX = (
    "INSERT INTO kernel_outboxrow (topic, payload, key, run_at, attempts, last_error)"
    " SELECT n.topic, n.payload::jsonb, n.key, n.run_at, 0, '' FROM"
    " unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[])"
    " WITH ORDINALITY AS n(topic, payload, key, run_at, place) /*when*/ ORDER BY n.place ON CONFLICT (key) DO NOTHING"
)


class Gathering:
    """What is to be written at the end. `wrote`: whether it was, once the end has come."""

    def __init__(self, *, depending: bool = False) -> None:
        self.depending = depending
        self.depth = len(connection.savepoint_ids)
        self.statements: list[str] = []
        self.values: list[Any] = []
        self.audit: list[Audit] = []
        self.outbox: list[Outbox] = []
        self.wrote = False

    def put(self, statement: str, values: Sequence[Any]) -> None:
        """One more statement."""
        self.statements.append(statement)
        self.values += values

    def write(self) -> None:
        """All of it, with one statement."""
        for statement, noted in ((_AUDIT, self.audit), (_OUTBOX, self.outbox)):
            if noted:
                self.put(statement, [list(column) for column in zip(*noted, strict=True)])
        if self.statements:
            with planned() as cursor:
                cursor.execute(_together(tuple(self.statements), self.depending), self.values)
                self.wrote = cursor.fetchone()[0]


_gathering: ContextVar[Gathering | None] = ContextVar("gathering", default=None)


@lru_cache
def _together(statements: tuple[str, ...], depending: bool) -> str:
    """One statement for several. It says whether the first wrote a row."""
    # The code's own statements alone; values are told apart.
    first, *others = statements
    if depending:
        others = [one.replace(WHEN, "WHERE EXISTS (SELECT FROM w0)") for one in others]
    parts = [f"w0 AS ({first} RETURNING true)", *(f"w{place} AS ({one})" for place, one in enumerate(others, start=1))]
    return f"WITH {', '.join(parts)} SELECT EXISTS (SELECT FROM w0)"  # noqa: S608


@contextmanager
def gathered(*, depending: bool = False) -> Iterator[Gathering]:
    """Writes what is noted within at the end of it; nothing if it raises. `depending`: the rest only if the first
    statement wrote a row.

    Audit and outbox rows in the order in which they were noted. What is noted within a savepoint goes in at once, so
    that it shares the savepoint's fate. In one statement nothing sees what another part of it wrote.
    """
    gathering = Gathering(depending=depending)
    token = _gathering.set(gathering)
    try:
        yield gathering
    finally:
        _gathering.reset(token)
    gathering.write()


def _here() -> Gathering | None:
    gathering = _gathering.get()
    return gathering if gathering is not None and len(connection.savepoint_ids) == gathering.depth else None


def write(statement: str, values: Sequence[Any]) -> None:
    """Runs an INSERT, UPDATE or DELETE without RETURNING in the current transaction."""
    gathering = _here()
    if gathering is not None:
        gathering.put(statement, values)
        return
    with planned() as cursor:
        cursor.execute(statement, values)


def add(*, audit: Sequence[Audit] = (), outbox: Sequence[Outbox] = ()) -> None:
    """Writes these rows in the current transaction."""
    gathering = _here()
    target = gathering or Gathering()
    target.audit.extend(audit)
    target.outbox.extend(outbox)
    if gathering is None:
        target.write()
