"""Delivery's own connections to the database, and those who stop waiting for them."""

import asyncio
import gc
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
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


VALUE = "SELECT length(%s::text)::text || %s"


async def test_values_come_by_a_line_that_stays_and_by_cursors_in_turns(fresh_database: FreshDatabase) -> None:
    database = Database("test")
    # More than a socket takes at once, in both directions.
    long = "长".encode() * 3_000_000
    for number in range(3):
        assert await database.value(VALUE, (long, str(number).encode())) == f"3000000{number}".encode()
        assert await database.fetch("SELECT %s", (number,)) == [(number,)]
        assert await database.value("SELECT %s::text", (long,)) == long
        await database.plan_anew()
    assert await database.fetch("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'line%%'", ()) == [(2,)]
    await database.close()


async def test_a_value_that_is_refused_leaves_the_line_as_it_was(fresh_database: FreshDatabase) -> None:
    database = Database("test")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await database.value("SELECT (1 / %s::int)::text", (b"0",))
    assert await database.value("SELECT (1 / %s::int)::text", (b"1",)) == b"1"
    with pytest.raises(psycopg.ProgrammingError, match="DEALLOCATE ALL"):
        # It is done, and answers no rows.
        await database.fetch("DEALLOCATE ALL", ())
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        await database.value("SELECT (1 / %s::int)::text", (b"1",))
    assert await database.value("SELECT (1 / %s::int)::text", (b"1",)) == b"1", "it is made known anew"
    await database.close()


async def test_a_connection_that_the_server_ended_is_made_anew(fresh_database: FreshDatabase) -> None:
    database, other = Database("test"), Database("other")
    end = "SELECT pg_terminate_backend(%s)"
    pid = int(await database.value("SELECT pg_backend_pid()::text || %s", (b"",)))
    sleeping = asyncio.create_task(database.value("SELECT pg_sleep(%s)::text", (b"60",)))
    await asyncio.sleep(0.2)
    assert await other.fetch(end, (pid,)) == [(True,)]
    with pytest.raises(psycopg.OperationalError):
        await sleeping
    pid = int(await database.value("SELECT pg_backend_pid()::text || %s", (b"",)))
    assert await other.fetch(end, (pid,)) == [(True,)]
    await asyncio.sleep(0.2)
    assert await database.value("SELECT %s", (b"1",)) == b"1", "whoever asks next notices nothing"
    for one in (database, other):
        await one.close()


async def test_an_answer_that_nobody_waits_for_is_not_the_next_ones(fresh_database: FreshDatabase) -> None:
    database, before = Database("test"), open_files()
    for moment in range(MOMENTS):
        asking = asyncio.create_task(database.value("SELECT pg_sleep(0.005)::text || %s", (b"old",)))
        await asyncio.wait((asking,), timeout=moment * 0.0005)
        asking.cancel()
        await asyncio.wait((asking,))
        assert await database.value("SELECT %s", (str(moment).encode(),)) == str(moment).encode()
    await database.close()
    assert open_files() == before
