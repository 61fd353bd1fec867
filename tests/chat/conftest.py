"""Conversations of the demo world's people, and sockets that end with the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
import pytest_asyncio

from chat import actions
from chat.delivery import engine
from rongliao.demo import World
from tests.chat.support import Phone, database, session_key
from tests.conftest import FreshDatabase


@dataclass(frozen=True)
class Scene:
    """Who is there: su and lin are friends, zhou advises su, xu is a stranger to them."""

    su: UUID
    lin: UUID
    tao: UUID
    zhou: UUID
    xu: UUID
    friends: UUID
    advisor: UUID
    group: UUID


def make_scene(world: World) -> Scene:
    person = world.people
    return Scene(
        su=person["su"],
        lin=person["lin"],
        tao=person["tao"],
        zhou=person["zhou"],
        xu=person["xu"],
        friends=actions.open_direct(person_id=person["su"], other_id=person["lin"]),
        advisor=actions.open_conversation(kind="advisor", member_ids=[person["su"], person["zhou"]]),
        group=actions.open_conversation(
            kind="group", member_ids=[person["su"], person["lin"], person["tao"]], title="爬山"
        ),
    )


@pytest.fixture
def scene(world: World) -> Scene:
    """In the test's transaction."""
    return make_scene(world)


@pytest.fixture
def live(fresh_database: FreshDatabase) -> Scene:
    """With real commits, for threads, sockets and processes."""
    return make_scene(fresh_database.world)


@pytest_asyncio.fixture
async def phone(live: Scene) -> AsyncIterator[Callable[[UUID], Awaitable[Phone]]]:
    """phone(person): a new sign-in's socket."""
    opened: list[Phone] = []

    async def open_one(person: UUID) -> Phone:
        opened.append(Phone(await database(lambda: session_key(person))))
        return await opened[-1].open()

    yield open_one
    for one in opened:
        await one.leave()
    await engine.stop()
