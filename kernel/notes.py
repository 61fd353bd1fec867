"""What a transaction writes without waiting for an answer: rows of its deed, who did it, and what is to follow.

Audit and outbox write through here. Within `gathered` all that a deed writes so, which several apps do, goes in with
one statement at its end.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from kernel.statements import own, planned


class Audit(msgspec.Struct, frozen=True):
    """Who did what to what, and its MAC in hexadecimal."""

    actor_id: str | None
    action: str
    subject: str
    detail: dict[str, Any]
    mac: str


class Outbox(msgspec.Struct, frozen=True):
    """What is to follow, and when it is due, by ISO 8601."""

    topic: str
    payload: dict[str, Any]
    key: str | None
    run_at: str


WHEN = "/*when*/"
"""Stands in a statement where a condition fits, for `gathered(on=)`."""

FEW = 8
"""So many rows have a place for each value in the statement: PostgreSQL reads that sooner than one JSON text of all."""


class _Table(NamedTuple):
    """Where noted rows go. `columns`: their names and types; those of JSON are written as text."""

    insert: str
    columns: tuple[tuple[str, str], ...]
    end: str = ""

    def statement(self, count: int) -> str:
        """For so many rows."""
        names, kinds = ", ".join(name for name, _ in self.columns), [f"%s::{kind}" for _, kind in self.columns]
        if count <= FEW:
            rows = ", ".join([f"({', '.join(kinds)})"] * count)
            source = f"(VALUES {rows}) AS n({names})"
            # These are read from the first to the last: a sort would be set up for nothing.
            return f"{self.insert} FROM {source} {WHEN} {self.end}"
        typed = ", ".join(f"{name} {kind}" for name, kind in self.columns)
        source = f"ROWS FROM (json_to_recordset(%s) AS ({typed})) WITH ORDINALITY AS n({names}, place)"
        return f"{self.insert} FROM {source} {WHEN} ORDER BY n.place {self.end}"

    def values(self, noted: Sequence[msgspec.Struct]) -> list[Any]:
        """What the statement for these rows is told."""
        if len(noted) > FEW:
            return [msgspec.json.encode(noted).decode()]
        return [
            msgspec.json.encode(value).decode() if type(value) is dict else value
            for row in noted
            for value in msgspec.structs.astuple(row)
        ]


# In every transaction that matters: by hand, where the ORM took ten times as long to write the same statement.
_AUDIT = _Table(
    "INSERT INTO kernel_auditrow (actor_id, action, subject, detail, mac)"
    " SELECT n.actor_id, n.action, n.subject, n.detail, decode(n.mac, 'hex')",
    (("actor_id", "uuid"), ("action", "text"), ("subject", "text"), ("detail", "jsonb"), ("mac", "text")),
)
_OUTBOX = _Table(
    "INSERT INTO kernel_outboxrow (topic, payload, key, run_at, attempts, last_error)"
    " SELECT n.topic, n.payload, n.key, n.run_at, 0, ''",
    (("topic", "text"), ("payload", "jsonb"), ("key", "text"), ("run_at", "timestamptz")),
)
# A row that may be there already is put in in two steps.
_KEYED = _OUTBOX._replace(end="ON CONFLICT (key) DO NOTHING")
_statement = lru_cache(_Table.statement)  # by table and count


Then = Callable[[list[dict[str, Any]]], None]
"""Is told what a statement RETURNED, once it has run; may raise a Refusal."""


class _Part(NamedTuple):
    name: str
    statement: str
    answers: bool


class Gathering:
    """What is to be written at the end. `wrote`: once the end has come, whether what others depend on wrote a row."""

    def __init__(self, *, on: str = "") -> None:
        self.on = on
        self.database = own()
        self.depth = len(self.database.savepoint_ids)
        self.parts: list[_Part] = []
        self.values: list[Any] = []
        self.then: list[Then] = []
        self.audit: list[Audit] = []
        self.outbox: list[Outbox] = []
        self.wrote = False

    def put(self, statement: str, values: Sequence[Any], then: Then | None = None, name: str = "") -> None:
        """One more statement."""
        self.parts.append(_Part(name or f"w{len(self.parts)}", statement, then is not None))
        self.values += values
        if then is not None:
            self.then.append(then)

    def write(self) -> None:
        """All of it, with one statement."""
        outbox = _KEYED if any(row.key is not None for row in self.outbox) else _OUTBOX
        for table, noted in ((_AUDIT, self.audit), (outbox, self.outbox)):
            if noted:
                self.put(_statement(table, min(len(noted), FEW + 1)), table.values(noted))
        if not self.parts:
            return
        [(self.wrote, *answers)] = planned(_together(tuple(self.parts), self.on), self.values)
        for then, rows in zip(self.then, answers, strict=True):
            then(msgspec.json.decode(rows))


_gathering: ContextVar[Gathering | None] = ContextVar("gathering", default=None)


@lru_cache
def _together(parts: tuple[_Part, ...], on: str) -> str:
    """One statement for several. It says whether the part `on` wrote what those after it depend on, and the answers."""
    # The code's own statements alone; values are told apart.
    statements = [part.statement for part in parts]
    if on:
        place = [part.name for part in parts].index(on)
        statements[place] += " RETURNING true"
        later = [one.replace(WHEN, f"WHERE EXISTS (SELECT FROM {on})") for one in statements[place + 1 :]]
        statements[place + 1 :] = later
    named = ", ".join(f"{part.name} AS ({statement})" for part, statement in zip(parts, statements, strict=True))
    # Evaluated in this order, which is the order in which what they lock is locked.
    answers = [f"(SELECT coalesce(json_agg(a)::text, '[]') FROM {part.name} AS a)" for part in parts if part.answers]  # noqa: S608
    wrote = f"EXISTS (SELECT FROM {on})" if on else "true"
    return f"WITH {named} SELECT {', '.join([wrote, *answers])}"


@contextmanager
def gathered(*, on: str = "") -> Iterator[Gathering]:
    """Writes what is noted within at the end of it; nothing if it raises. `on`: names one of the statements; what is
    noted after it is written only if that one wrote a row.

    Audit and outbox rows in the order in which they were noted. What is noted within a savepoint goes in at once, so
    that it shares the savepoint's fate. In one statement nothing sees what another part of it wrote.
    """
    gathering = Gathering(on=on)
    token = _gathering.set(gathering)
    try:
        yield gathering
    finally:
        _gathering.reset(token)
    gathering.write()


def _here() -> Gathering | None:
    gathering = _gathering.get()
    if gathering is None or len(gathering.database.savepoint_ids) != gathering.depth:
        return None
    return gathering


@contextmanager
def joined() -> Iterator[None]:
    """What is noted within goes in at the end of the whole deed if one is gathered, otherwise at the end of this."""
    if _here() is not None:
        yield
    else:
        with gathered():
            yield


def write(statement: str, values: Sequence[Any], *, then: Then | None = None, name: str = "") -> None:
    """Runs an INSERT, UPDATE, DELETE or a SELECT of a function that writes, in the current transaction.

    `then` is told the rows that it answers; where it raises, the transaction is the caller's to roll back. `name`: by
    which a statement that is gathered later finds what this one RETURNED.
    """
    gathering = _here()
    alone = gathering is None
    target = gathering or Gathering()
    target.put(statement, values, then, name)
    if alone:
        target.write()


def add(*, audit: Sequence[Audit] = (), outbox: Sequence[Outbox] = ()) -> None:
    """Writes these rows in the current transaction."""
    gathering = _here()
    target = gathering or Gathering()
    target.audit.extend(audit)
    target.outbox.extend(outbox)
    if gathering is None:
        target.write()
