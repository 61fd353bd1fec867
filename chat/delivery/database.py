"""A connection of the delivery's own: asynchronous, one statement a transaction, made anew when it breaks.

Django's connections belong to threads; a hop to one and back for every batch would cost more than the batch.
"""

import asyncio
import contextlib
from typing import Any

import psycopg
from django.db import connections

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


class Database:
    """One connection, used by one caller at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection: _Link | None = None
        self._opening: asyncio.Task[_Link] | None = None
        self._guard = asyncio.Lock()

    async def fetch(self, statement: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The rows of a statement that commits by itself. Raises psycopg.Error; a broken connection is let go."""
        async with self._guard:
            try:
                if self._connection is None:
                    self._connection = await self._opened()
                cursor = await self._connection.execute(statement, params)
                return await cursor.fetchall()
            except BaseException:
                # Also when cancelled: an answer that nobody waits for must not be taken for the next one's.
                if self._connection is not None and (
                    self._connection.closed or self._connection.info.transaction_status
                ):
                    await self._drop()
                raise

    async def plan_anew(self) -> None:
        """Has the server plan the connection's statements anew: a function's plans are kept, and the quickest way
        through small tables is not the quickest when they have grown. Raises psycopg.Error.
        """
        async with self._guard:
            if self._connection is not None:
                await self._connection.execute("DISCARD PLANS")

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
