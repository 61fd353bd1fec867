"""Statements that every payment makes: PostgreSQL plans them once for each connection, and is told values apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Self, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import CursorMixin
from django.db.backends.utils import CursorWrapper
from psycopg import RawCursor
from psycopg.postgres import types
from psycopg.types.datetime import TimestamptzLoader

MAX_KEPT, KEPT_ROWS = 100, 100
"""Cursors that a connection keeps, one for a statement: as many as psycopg keeps plans; and a cursor's last rows."""
_TIMESTAMPTZ = types["timestamptz"].oid
Answer = TypeVar("Answer")


@lru_cache(maxsize=512)
def _numbered(statement: str) -> str:
    """With PostgreSQL's own marks for values, $1 and so on, instead of each `%s`."""
    first, *others = statement.split("%s")
    return first + "".join(f"${place}{part}" for place, part in enumerate(others, start=1))


class _NumberedCursor(CursorMixin, RawCursor[Any]):
    """psycopg looks for marks in a statement each time it is run if it is long or has many; here it does not look.

    Times are read by psycopg's compiled loader, where Django has one in Python for connections of other zones than UTC.
    """

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.adapters.register_loader(_TIMESTAMPTZ, TimestamptzLoader)

    def execute(self, query: str, params: Sequence[Any] | None = None, **options: Any) -> Self:  # type: ignore[override]
        return super().execute(_numbered(query), params, **options)


def own() -> Any:
    """This thread's connection to the default database: Django's `connection` looks for it at each attribute."""
    return connections[DEFAULT_DB_ALIAS]


def _ran(statement: str, values: Sequence[Any]) -> CursorWrapper:
    """The cursor that has run it, to be read before anything else is run."""
    database = own()
    database.close_if_health_check_failed()
    database.ensure_connection()
    kept: dict[str, _NumberedCursor] = vars(database.connection).setdefault("planned", {})
    cursor: Any = kept.pop(statement, None) or _NumberedCursor(database.connection)
    ran = database.make_debug_cursor(cursor) if database.queries_logged else database.make_cursor(cursor)
    ran.execute(statement, values)
    # Run again by the same cursor, psycopg knows how its values are written and its columns read: finding out takes
    # longer than sending. One that failed is not kept, nor one that would keep much.
    if cursor.rowcount <= KEPT_ROWS:
        if len(kept) >= MAX_KEPT:
            del kept[next(iter(kept))]
        kept[statement] = cursor
    return cast(CursorWrapper, ran)


def planned(statement: str, values: Sequence[Any]) -> list[Sequence[Any]]:
    """Runs a statement in the default connection's transaction, and answers its rows.

    It is planned once for each connection (settings say so). The server binds the values, so it must be able to tell
    the type of each `%s` from where it stands: a text in a SELECT's own list wants a cast. A `%` of any other kind
    stands for itself. The ORM's statements do not promise that, and keep Django's own cursor.
    """
    ran = _ran(statement, values)
    return ran.fetchall() if ran.rownumber is not None else []


@dataclass(eq=False, slots=True)
class Question(Generic[Answer]):
    """A SELECT of at most one row, and what that row says (None: there is none). It may be asked with others."""

    statement: str
    values: Sequence[Any]
    read: Callable[[Sequence[Any] | None], Answer]


class Answers:
    """What several questions came to."""

    def __init__(self, rows: dict[Question[Any], Sequence[Any] | None]) -> None:
        self._rows = rows

    def to(self, question: Question[Answer]) -> Answer:
        """The answer to one of them."""
        return question.read(self._rows[question])


MARK = "answered_"
_marks: dict[str, list[int]] = {}
"""Where in a row of a statement of `_together` each question's columns begin."""


@lru_cache
def _together(statements: tuple[str, ...]) -> str:
    """One statement for several: a row that has each one's columns after a mark, which is NULL where it has no row."""
    # The code's own statements alone; values are told apart.
    columns = ", ".join(f"q{place}.*" for place in range(len(statements)))
    joined = " ".join(
        f"LEFT JOIN LATERAL (SELECT true AS {MARK}, s.* FROM ({statement}) AS s) AS q{place} ON true"  # noqa: S608
        for place, statement in enumerate(statements)
    )
    return f"SELECT {columns} FROM (SELECT) AS one {joined}"  # noqa: S608


def ask(*questions: Question[Any]) -> Answers:
    """Asks all of them with one statement: they are answered from one look at the database.

    Each may lock what it reads; in which order they are locked is not said.
    """
    statement = _together(tuple(question.statement for question in questions))
    ran = _ran(statement, [value for question in questions for value in question.values])
    row = ran.fetchone()
    if statement not in _marks:
        _marks[statement] = [place for place, column in enumerate(ran.description) if column.name == MARK]
    marks = _marks[statement]
    ends = [*marks[1:], len(row)]
    return Answers(
        {
            question: row[start + 1 : end] if row[start] else None
            for question, start, end in zip(questions, marks, ends, strict=True)
        }
    )
