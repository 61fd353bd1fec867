"""Statements that every payment makes: PostgreSQL plans them once for each connection, and is told values apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections

from kernel.prepared import Row, Run, statements_of

Answer = TypeVar("Answer")


def own() -> Any:
    """This thread's connection to the default database: Django's `connection` looks for it at each attribute."""
    return connections[DEFAULT_DB_ALIAS]


def _ran(statement: str, values: Sequence[Any]) -> Run:
    """A run of it that has ended well."""
    database = own()
    database.close_if_health_check_failed()
    database.ensure_connection()
    run = Run(statements_of(database.connection).get(statement))
    if database.queries_logged or database.execute_wrappers:
        listened = database.make_debug_cursor(run) if database.queries_logged else database.make_cursor(run)
        listened.execute(statement, values)
        return run
    # What Django's cursor does for a statement that nobody listens to.
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        return run.execute(statement, values)


def planned(statement: str, values: Sequence[Any]) -> list[Row]:
    """Runs a statement in the default connection's transaction, and answers its rows.

    It is planned once for each connection. The server binds the values, so it must be able to tell
    the type of each `%s` from where it stands: a text in a SELECT's own list wants a cast. A `%` of any other kind
    stands for itself. The ORM's statements do not promise that, and keep Django's own cursor.
    """
    return _ran(statement, values).rows()


@dataclass(eq=False, slots=True)
class Question(Generic[Answer]):
    """A SELECT of at most one row, and what that row says (None: there is none). It may be asked with others.

    `always`: it has a row whatever the database holds, as a SELECT of values alone has; nothing stands in for that row
    then, and PostgreSQL has less to set up.
    """

    statement: str
    values: Sequence[Any]
    read: Callable[[Sequence[Any] | None], Answer]
    always: bool = False


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
def _together(statements: tuple[tuple[str, bool], ...]) -> str:
    """One statement for several: a row that has each one's columns after a mark, which is NULL where it has no row."""
    # The code's own statements alone; values are told apart.
    columns = ", ".join(f"q{place}.*" for place in range(len(statements)))
    joins = [
        ("JOIN" if always else "LEFT JOIN", f"(SELECT true AS {MARK}, s.* FROM ({statement}) AS s)")  # noqa: S608
        for statement, always in statements
    ]
    joined = " ".join(f"{how} LATERAL {what} AS q{place} ON true" for place, (how, what) in enumerate(joins))
    return f"SELECT {columns} FROM (SELECT) AS one {joined}"  # noqa: S608


def ask(*questions: Question[Any]) -> Answers:
    """Asks all of them with one statement: they are answered from one look at the database.

    Each may lock what it reads; in which order they are locked is not said.
    """
    statement = _together(tuple((question.statement, question.always) for question in questions))
    ran = _ran(statement, [value for question in questions for value in question.values])
    [row] = ran.rows()
    if statement not in _marks:
        _marks[statement] = [place for place, name in enumerate(ran.columns()) if name == MARK]
    marks = _marks[statement]
    ends = [*marks[1:], len(row)]
    return Answers(
        {
            question: row[start + 1 : end] if row[start] else None
            for question, start, end in zip(questions, marks, ends, strict=True)
        }
    )
