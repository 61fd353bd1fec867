"""Delivery's own connections to the database, and those who stop waiting for them."""

import asyncio
import gc
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from chat.delivery.database import CLOSE_LIMIT_S, Database
from tests.conftest import FreshDatabase, _point_at

MOMENTS = 40

_remembered: list[BaseException] = []
"""Who was interrupted, with all that was in their hands: as in the cycles of a program that ends its jobs."""


@pytest.fixture
def _nothing_is_collected() -> Iterator[None]:
    """The product's collector of cycles comes late: what only it would close counts as open."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    _remembered.clear()


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def interrupted(database: Database, after_s: float) -> bool:
    """Somebody asks and is gone after so long; whether the answer came before."""
    asking = asyncio.create_task(database.fetch("SELECT 1", ()))
    await asyncio.wait((asking,), timeout=after_s)
    asking.cancel()
    try:
        return await asking == [(1,)]
    except asyncio.CancelledError as gone:
        _remembered.append(gone)
        return False


async def test_who_leaves_while_the_connection_is_made_leaves_no_half_of_one(
    fresh_database: FreshDatabase, _nothing_is_collected: None
) -> None:
    before, answered = open_files(), 0
    for moment in range(MOMENTS):
        database = Database("test")
        answered += await interrupted(database, moment * 0.0005)
        await database.close()
    assert answered < MOMENTS, "some were interrupted"
    assert open_files() == before


async def test_the_next_one_takes_the_connection_that_somebody_began(
    fresh_database: FreshDatabase, _nothing_is_collected: None
) -> None:
    database, before = Database("test"), open_files()
    while await interrupted(database, 0):
        await database.close()
    assert await database.fetch("SELECT 2", ()) == [(2,)]
    assert open_files() == before + 1
    await database.close()
    assert open_files() == before


async def test_a_database_that_says_nothing_holds_up_the_end_for_a_moment_only(fresh_database: FreshDatabase) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = _point_at(f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing")
        try:
            database = Database("test")
            assert not await interrupted(database, 0.2)
            began = loop.time()
            await database.close()
            assert CLOSE_LIMIT_S / 2 < loop.time() - began < 2 * CLOSE_LIMIT_S
        finally:
            connections["default"].settings_dict.update(before)
