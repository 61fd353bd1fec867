"""A connection of the delivery's own: asynchronous, one statement a transaction, made anew when it breaks.

Django's connections belong to threads; a hop to one and back for every batch would cost more than the batch.
"""

import asyncio
import contextlib
from typing import Any

import psycopg
from django.db import connections

CONNECT_LIMIT_S = 5


def address() -> dict[str, Any]:
    """Where Django's default database is, as psycopg wants it."""
    settings = connections["default"].settings_dict
    ours = {"pool", "prepare_threshold"}  # how Django uses its connections; we say how we use ours
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
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._guard = asyncio.Lock()

    async def fetch(self, statement: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The rows of a statement that commits by itself. Raises psycopg.Error; a broken connection is let go."""
        async with self._guard:
            try:
                if self._connection is None:
                    self._connection = await psycopg.AsyncConnection.connect(
                        **address(),
                        autocommit=True,
                        prepare_threshold=0,
                        connect_timeout=CONNECT_LIMIT_S,
                        application_name=self._name,
                    )
                cursor = await self._connection.execute(statement, params)
                return await cursor.fetchall()
            except BaseException:
                # Also when cancelled: an answer that nobody waits for must not be taken for the next one's.
                if self._connection is not None and (
                    self._connection.closed or self._connection.info.transaction_status
                ):
                    await self._drop()
                raise

    async def _drop(self) -> None:
        broken, self._connection = self._connection, None
        if broken is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await broken.close()

    async def close(self) -> None:
        """Ends the connection; the next statement makes another."""
        await self._drop()
