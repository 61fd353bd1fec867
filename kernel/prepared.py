"""Statements that a connection has PostgreSQL keep prepared, run by libpq's own calls.

A cursor of psycopg finds out for each run what is the same each time, in more Python than all the rest of a statement
takes. Nothing here waits for anything but the server, in the thread whose connection it is.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Self

import psycopg
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.postgres import types
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.datetime import TimestamptzLoader

MAX_KEPT, MAX_TYPES = 100, 16
"""Statements that a connection keeps prepared, and for how many types of values each (a number's goes by its size)."""
_TIMESTAMPTZ = types["timestamptz"].oid
_DONE = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})
_FORGOTTEN = "26000"
Row = tuple[Any, ...]
Types = tuple[int, ...]


def numbered(statement: str) -> bytes:
    """A statement with PostgreSQL's own marks for values, $1 and so on, instead of each `%s`."""
    first, *others = statement.split("%s")
    return (first + "".join(f"${place}{part}" for place, part in enumerate(others, start=1))).encode()


class Statement:
    """A statement on a connection. What psycopg finds out again for each run of a cursor is known here: how values are
    written, how columns are read, under which name PostgreSQL has it prepared for values of these types.
    """

    def __init__(self, statement: str, connection: "psycopg.Connection[Any]", numbers: Iterator[int]) -> None:
        # Times are read by psycopg's compiled loader: Django has one in Python for connections of other zones than UTC.
        self.adapters = AdaptersMap(connection.adapters)
        self.adapters.register_loader(_TIMESTAMPTZ, TimestamptzLoader)
        self.connection = connection
        self.query = numbered(statement)
        self._values = Transformer(self)
        self._rows = Transformer(self)
        self._formats = [PyFormat.AUTO] * statement.count("%s")
        self._numbers = numbers
        self._names: dict[Types, bytes | None] = {}

    def run(self, values: Sequence[Any]) -> PGresult:
        """What PostgreSQL answers. Begins the transaction where none runs and one is wanted. Raises psycopg.Error."""
        link, connection = self.connection.pgconn, self.connection
        if not connection.autocommit and link.transaction_status == TransactionStatus.IDLE:
            checked(link, link.exec_(_begin(connection)))
        if not self._formats:
            return checked(link, link.exec_params(self.query, None))
        written = self._values.dump_sequence(values, self._formats)
        kinds, formats = self._values.types or (), self._values.formats
        try:
            name = self._names[kinds]
        except KeyError:
            # One that is run once is not worth a name.
            if len(self._names) >= MAX_TYPES:
                self.end()
            self._names[kinds] = None
            return checked(link, link.exec_params(self.query, written, kinds, formats))
        if name is not None:
            result = link.exec_prepared(name, written, formats)  # type: ignore[arg-type]  # it takes None
            if result.status in _DONE:
                return result
            if not self._forgotten(result):
                return checked(link, result)
        name = f"kernel_{next(self._numbers)}".encode()
        checked(link, link.prepare(name, self.query, kinds))
        self._names[kinds] = name
        return checked(link, link.exec_prepared(name, written, formats))  # type: ignore[arg-type]  # it takes None

    def _forgotten(self, result: PGresult) -> bool:
        """Whether somebody had the connection forget its statements, and no transaction broke of it."""
        state = result.error_field(DiagnosticField.SQLSTATE)
        if state is None or state.decode() != _FORGOTTEN:
            return False
        self._names.clear()
        return self.connection.pgconn.transaction_status == TransactionStatus.IDLE

    def read(self, result: PGresult) -> list[Row]:
        """Its rows."""
        self._rows.set_pgresult(result)
        rows = self._rows.load_rows(0, result.ntuples, tuple)
        # What one run answered is not kept until the next.
        self._rows.set_pgresult(None)
        return rows

    def end(self) -> None:
        """PostgreSQL need not keep it any more."""
        for name in filter(None, self._names.values()):
            self.connection.pgconn.exec_(b"DEALLOCATE " + name)
        self._names.clear()


def _begin(connection: "psycopg.Connection[Any]") -> bytes:
    level = connection.isolation_level
    return b"BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}".encode()


def checked(link: PGconn, result: PGresult) -> PGresult:
    """The answer. Raises what PostgreSQL says, as psycopg does."""
    if result.status in _DONE:
        return result
    error = error_from_result(result)
    if error.sqlstate is None and link.status == ConnStatus.BAD:
        raise psycopg.OperationalError(str(error))
    raise error


class _Statements:
    """What a connection keeps prepared: what was run last, MAX_KEPT of it."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._numbers = count(1)
        self._kept: dict[str, Statement] = {}

    def get(self, text: str) -> Statement:
        """The statement with this text."""
        found = self._kept.pop(text, None)
        if found is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.pop(next(iter(self._kept))).end()
            found = Statement(text, self._connection, self._numbers)
        self._kept[text] = found
        return found

    def __len__(self) -> int:
        return len(self._kept)


def statements_of(connection: "psycopg.Connection[Any]") -> _Statements:
    """What this connection keeps."""
    found: _Statements | None = vars(connection).get("statements")
    if found is None:
        found = vars(connection)["statements"] = _Statements(connection)
    return found


class Run:
    """One run, as Django's cursors take it: so whoever listens to the connection hears of it."""

    def __init__(self, statement: Statement) -> None:
        # Django's log of queries looks for the text here.
        self.statement = self._query = statement
        self.result: PGresult | None = None

    def execute(self, _: str, values: Sequence[Any]) -> Self:
        """Runs it; the text is the statement's own."""
        self.result = self.statement.run(values)
        return self

    def rows(self) -> list[Row]:
        """What it answered; nothing where it answers no rows."""
        assert self.result is not None
        return self.statement.read(self.result) if self.result.status == ExecStatus.TUPLES_OK else []

    def columns(self) -> list[str]:
        """The names of what it answers."""
        assert self.result is not None
        names = [self.result.fname(place) for place in range(self.result.nfields)]
        return [name.decode() for name in names if name is not None]
