"""A connection of the delivery's own: asynchronous, one statement a transaction, made anew when it breaks.

Django's connections belong to threads; a hop to one and back for every batch would cost more than the batch.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from django.db import connections
from psycopg.pq.abc import PGresult

from kernel.prepared import checked, numbered

CONNECT_LIMIT_S = 5
CLOSE_LIMIT_S = 1

_Link = psycopg.AsyncConnection[tuple[Any, ...]]


def address() -> dict[str, Any]:
    """Where Django's default database is, as psycopg wants it."""
    settings = connections["default"].settings_dict
    ours = {"pool"}  # how Django uses its connections; we say how we use ours
    options = {key: value for key, value in settings["OPTIONS"].items() if key not in ours}
    named = {
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "host": settings["HOST"],
        "port": settings["PORT"],
    }
    return {**options, **{key: str(value) for key, value in named.items() if value}}


class _Line:
    """A connection's statements by libpq's own calls, with one reader on the loop that stays: psycopg's cursor, and its
    waiting for an answer, take more of the loop's time than the rest of a message does.
    """

    def __init__(self, link: _Link) -> None:
        self._loop = asyncio.get_running_loop()
        self._link = link.pgconn
        self._socket = link.pgconn.socket
        self._numbers = count(1)
        self._names: dict[str, bytes] = {}
        self._reads = False
        self._answer: asyncio.Future[PGresult] | None = None
        self._result: PGresult | None = None

    async def value(self, statement: str, values: Sequence[bytes]) -> bytes:
        """See `Database.value`."""
        try:
            name = self._names.get(statement)
            if name is None:
                name = f"line_{next(self._numbers)}".encode()
                self._link.send_prepare(name, numbered(statement))
                await self._answered()
                self._names[statement] = name
            self._link.send_query_prepared(name, values)
            return (await self._answered()).get_value(0, 0) or b""
        except psycopg.Error:
            # Somebody may have had the connection forget it.
            self._names.clear()
            raise

    async def _answered(self) -> PGresult:
        answer = self._answer = self._loop.create_future()
        self._result = None
        if not self._reads:
            self._loop.add_reader(self._socket, self._read)
            self._reads = True
        if self._link.flush():
            self._loop.add_writer(self._socket, self._write)
        return checked(self._link, await answer)

    def _read(self) -> None:
        link = self._link
        try:
            link.consume_input()
            while self._answer is not None and not link.is_busy():
                result = link.get_result()
                if result is not None:
                    self._result = result
                    continue
                if self._result is None:
                    raise psycopg.OperationalError("the server answered nothing")
                answer, self._answer = self._answer, None
                if not answer.done():
                    answer.set_result(self._result)
        except psycopg.Error as error:
            self._break(error)

    def _write(self) -> None:
        try:
            if not self._link.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._break(error)

    def _break(self, error: psycopg.Error) -> None:
        self.pause()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)

    def pause(self) -> None:
        """Listens no more, until the next statement."""
        if self._reads:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._reads = False


class Database:
    """One connection, used by one caller at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection: _Link | None = None
        self._opening: asyncio.Task[_Link] | None = None
        self._guard = asyncio.Lock()
        self._line: _Line | None = None

    async def fetch(self, statement: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The rows of a statement that commits by itself. Raises psycopg.Error; a broken connection is let go."""
        async with self._guard:
            try:
                cursor = await (await self._link()).execute(statement, params)
                return await cursor.fetchall()
            except BaseException:
                await self._drop_if_broken()
                raise

    async def value(self, statement: str, values: Sequence[bytes]) -> bytes:
        """The one value that a statement answers, as text, like those it is given. It takes less time than `fetch`."""
        async with self._guard:
            try:
                link = await self._link(lasting=True)
                if self._line is None:
                    self._line = _Line(link)
                return await self._line.value(statement, values)
            except BaseException:
                await self._drop_if_broken()
                raise

    async def plan_anew(self) -> None:
        """Has the server plan the connection's statements anew: a function's plans are kept, and the quickest way
        through small tables is not the quickest when they have grown. Raises psycopg.Error.
        """
        async with self._guard:
            if self._connection is not None:
                await (await self._link()).execute("DISCARD PLANS")

    async def _link(self, *, lasting: bool = False) -> _Link:
        """The connection, made where there is none. psycopg itself listens to it, unless for a `lasting` line."""
        if self._line is not None and not lasting:
            self._line.pause()
        if self._connection is not None and self._connection.closed:
            await self._drop()
        if self._connection is None:
            self._connection = await self._opened()
        return self._connection

    async def _drop_if_broken(self) -> None:
        # Also where the caller was cancelled: an answer that nobody waits for must not be taken for the next one's.
        if self._connection is not None and (self._connection.closed or self._connection.info.transaction_status):
            await self._drop()

    async def _opened(self) -> _Link:
        """A new connection. Who stops waiting for it leaves it to the next: cut off half made, it would keep its place
        in the database for a minute, and hold up there whatever waits for every session.
        """
        opening = self._opening = self._opening or asyncio.create_task(self._open())
        await asyncio.wait((opening,))
        self._opening = None
        return opening.result()

    async def _open(self) -> _Link:
        return await psycopg.AsyncConnection.connect(
            **address(),
            autocommit=True,
            prepare_threshold=0,
            connect_timeout=CONNECT_LIMIT_S,
            application_name=self._name,
        )

    async def _drop(self) -> None:
        broken, self._connection = self._connection, None
        line, self._line = self._line, None
        if line is not None:
            line.pause()
        if broken is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await broken.close()

    async def close(self) -> None:
        """Ends the connection, also one that is being made; the next statement makes another."""
        if self._opening is not None:
            with contextlib.suppress(psycopg.Error, TimeoutError):
                self._connection = await asyncio.wait_for(self._opened(), CLOSE_LIMIT_S)
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
        await self._drop()
