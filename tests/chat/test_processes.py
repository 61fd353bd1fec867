"""Delivery between threads and processes, through the in-memory layer and through Redis."""

import subprocess
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from accounts import actions as accounts
from chat import actions, push
from chat.delivery import engine
from chat.delivery.connection import Reason
from deploy.local.install import PYTHON, ROOT
from tests.chat.conftest import Scene
from tests.chat.support import Phone, database, session_key
from tests.conftest import FreshDatabase

CORE = "channels_redis.core.RedisChannelLayer"
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
Open = Callable[[UUID], Awaitable[Phone]]


@pytest.fixture(params=["memory", CORE, PUBSUB])
def layer(request: pytest.FixtureRequest, settings: Any) -> str:
    """Each of the channel layers."""
    if request.param == "memory":
        settings.CHANNEL_LAYERS = {"default": {"BACKEND": "kernel.layers.ThreadSafeInMemoryLayer"}}
    else:
        url = request.getfixturevalue("redis_url")
        settings.CHANNEL_LAYERS = {
            "default": {"BACKEND": request.param, "CONFIG": {"hosts": [url], "prefix": uuid.uuid4().hex}}
        }
    return str(request.param)


@pytest_asyncio.fixture
async def on_layer(layer: str, live: Scene) -> AsyncIterator[Open]:
    opened: list[Phone] = []

    async def open_one(person: UUID) -> Phone:
        opened.append(await Phone(await database(lambda: session_key(person))).open())
        return opened[-1]

    yield open_one
    for one in opened:
        await one.leave()
    await engine.stop()


async def test_what_a_thread_writes_reaches_the_sockets(live: Scene, on_layer: Open) -> None:
    su, lin = await on_layer(live.su), await on_layer(live.lin)
    said = await database(
        lambda: actions.send_text(
            conversation_id=live.friends, sender_id=live.su, client_id=uuid.uuid4(), text="从线程里说"
        )
    )
    for one in (su, lin):
        assert (await one.expect("message"))["message"]["id"] == str(said.id)
    await database(lambda: actions.recall(message_id=said.id, person_id=live.su))
    changed = (await lin.expect("message"))["message"]
    assert (changed["recalled"], changed["seq"], changed["version"]) == (True, 1, 2)
    await su.say(live.friends, "从套接字里说")
    await su.until("ack")
    assert (await lin.expect("message"))["message"]["version"] == 3


async def test_a_hint_goes_to_every_socket_of_those_it_is_for(live: Scene, on_layer: Open) -> None:
    su, su_too, lin = await on_layer(live.su), await on_layer(live.su), await on_layer(live.lin)
    await database(lambda: push.hint([live.su, live.su], "finance", {"order": "1"}))
    for one in (su, su_too):
        assert await one.expect("hint") == {"type": "hint", "topic": "finance", "data": {"order": "1"}}
        assert await one.hears_nothing()
    assert await lin.hears_nothing()


async def test_a_hint_of_a_transaction_that_is_rolled_back_is_not_told(live: Scene, on_layer: Open) -> None:
    su = await on_layer(live.su)

    def fail() -> None:
        from django.db import transaction

        with pytest.raises(RuntimeError), transaction.atomic():
            push.hint([live.su], "finance", {})
            raise RuntimeError

    await database(fail)
    assert await su.hears_nothing()


async def test_a_session_that_ends_in_a_thread_closes_its_socket(live: Scene, on_layer: Open) -> None:
    su = await on_layer(live.su)
    await database(lambda: accounts.end_all_sessions(person_id=live.su, reason="test"))
    assert await su.closed(1.0) == Reason.SESSION_ENDED


WRITE = """
import time, uuid
from accounts.actions import end_all_sessions
from chat import actions
actions.send_text(
    conversation_id=uuid.UUID("{friends}"), sender_id=uuid.UUID("{lin}"), client_id=uuid.uuid4(), text="另一个进程"
)
time.sleep(0.5)
end_all_sessions(person_id=uuid.UUID("{su}"), reason="test")
time.sleep(1)
"""


async def test_what_another_process_writes_arrives_through_redis(
    live: Scene, fresh_database: FreshDatabase, redis_url: str, settings: Any
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": [redis_url], "prefix": "rongliao"}}}
    su = await Phone(await database(lambda: session_key(live.su))).open()
    code = WRITE.format(friends=live.friends, lin=live.lin, su=live.su)
    environment: dict[str, Any] = {**fresh_database.environment, "REDIS_URL": redis_url}

    def elsewhere() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(PYTHON), "manage.py", "shell", "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False
        )

    # The hub joins the layer just after its first socket; what is said before that is found by sync.
    done = await database(elsewhere)
    assert done.returncode == 0, done.stderr.decode()
    assert (await su.expect("message"))["message"]["text"] == "另一个进程"
    assert await su.closed(1.0) == Reason.SESSION_ENDED
    await engine.stop()


async def test_a_layer_that_is_away_loses_nothing_that_was_acknowledged(live: Scene, settings: Any) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]}}}
    su, lin = [await Phone(await database(lambda who=who: session_key(who))).open() for who in (live.su, live.lin)]  # type: ignore[misc]  # a default binds the loop variable
    for number in range(20):
        await su.say(live.friends, str(number))
    assert [(await su.expect("ack"))["seq"] for _ in range(20)] == list(range(1, 21))
    assert [(await lin.expect("message"))["message"]["text"] for _ in range(20)] == [str(n) for n in range(20)]
    await engine.stop()
