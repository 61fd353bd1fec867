"""Delivery between threads and processes, through the in-memory layer and through Redis."""

import asyncio
import subprocess
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
import redis as redis_client
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer

from accounts import actions as accounts
from chat import actions, push, wire
from chat.delivery import engine, relay
from chat.delivery.connection import Reason
from chat.delivery.ear import BEAT_S, GRACE_S
from chat.delivery.hub import Parcel
from chat.models import Member
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
    config = {"hosts": [redis_url], "prefix": "rongliao", "symmetric_encryption_keys": settings.CHANNEL_LAYER_KEYS}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": PUBSUB, "CONFIG": config}}
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


async def test_a_layer_that_is_away_loses_nothing_that_was_acknowledged(
    live: Scene, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SILENT_S", "AWAY_AGAIN_S"):
        monkeypatch.setattr(f"chat.delivery.ear.{name}", 0.5)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]}}}
    su, lin = [await Phone(await database(lambda who=who: session_key(who))).open() for who in (live.su, live.lin)]  # type: ignore[misc]  # a default binds the loop variable
    for number in range(20):
        await su.say(live.friends, str(number))
    assert [(await su.expect("ack"))["seq"] for _ in range(20)] == list(range(1, 21))
    assert [(await lin.expect("message"))["message"]["text"] for _ in range(20)] == [str(n) for n in range(20)]
    # It was away when this process began, which has heard of no other: there may be some all the same.
    for _ in range(2):
        assert await lin.next(GRACE_S * 3) == {"type": "behind"}
    await engine.stop()


class Stalled:
    """A layer that takes what it is given and never says so; a beat, which comes when it comes, is not counted."""

    def __init__(self) -> None:
        self.taking, self.most = 0, 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        published = "parcels" in message
        self.taking += published
        self.most = max(self.most, self.taking)
        try:
            await asyncio.sleep(60)
        finally:
            self.taking -= published


async def test_what_is_published_while_the_layer_takes_nothing_has_a_bound_and_is_missed(
    live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    su = await phone(live.su)
    layer, told = Stalled(), wire.encode(wire.Hint(topic="finance", data={}))
    monkeypatch.setattr(relay, "MAX_PUBLISHING", 50)
    monkeypatch.setattr(relay, "SEND_LIMIT_S", 0.3)
    relay._begin_anew()
    monkeypatch.setattr(relay, "_shared_layer", lambda: layer)

    def flood() -> None:
        for _ in range(300):
            relay.publish([Parcel([live.su], told)])

    before = relay._voice.last
    await database(flood)
    assert [(await su.expect("hint"))["topic"] for _ in range(300)] == ["finance"] * 300
    await asyncio.sleep(0)
    assert 0 < layer.most <= 50
    assert relay._voice.last - before == 300, "the others notice that some are missing"
    while layer.taking:
        await asyncio.sleep(0.05)
    layer.most = 0
    await database(flood)
    assert [(await su.expect("hint"))["topic"] for _ in range(300)] == ["finance"] * 300
    while layer.taking:
        await asyncio.sleep(0.05)
    assert layer.most == 50, "who was given up made room"


class Elsewhere:
    """Another process, as one hears it on the layer."""

    def __init__(self, layer: Any = None) -> None:
        self.name, self.number = uuid.uuid4().bytes, 0
        self.layer = layer

    async def tell(self, person: UUID, topic: str, *, lost: bool = False) -> None:
        """A hint to somebody; or one that never arrives."""
        self.number += 1
        if not lost:
            frame = wire.encode(wire.Hint(topic=topic, data={}))
            await self._send(n=self.number, parcels=[[person.bytes, frame, b""]], ended=b"")

    async def beat(self) -> None:
        await self._send(n=self.number)

    async def _send(self, **content: Any) -> None:
        layer = self.layer or get_channel_layer()
        assert layer is not None
        await layer.group_send(relay.GROUP, {"type": "relay", "from": self.name, **content})


async def joined(su: Phone, su_id: UUID, elsewhere: Elsewhere) -> None:
    """Waits until this process hears the other; what that one told before is asked for."""
    await elsewhere.tell(su_id, "before", lost=True)
    while await su.hears_nothing(0.1):
        await elsewhere.beat()
    await su.expect("behind")


async def test_nobody_who_can_write_to_redis_puts_words_into_anybodys_mouth(
    live: Scene, settings: Any, redis_url: str
) -> None:
    config = {"hosts": [redis_url], "prefix": uuid.uuid4().hex}
    keys = settings.CHANNEL_LAYER_KEYS
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": PUBSUB, "CONFIG": {**config, "symmetric_encryption_keys": keys}}}
    su = await Phone(await database(lambda: session_key(live.su))).open()
    one_of_us = Elsewhere()
    await joined(su, live.su, one_of_us)
    for forged in (
        RedisPubSubChannelLayer(**config),
        RedisPubSubChannelLayer(**config, symmetric_encryption_keys=["x"]),
    ):
        await Elsewhere(forged).tell(live.su, "forged")
        await forged.flush()
    listening = redis_client.Redis.from_url(redis_url).pubsub()
    listening.psubscribe("*")
    await one_of_us.tell(live.su, "说给苏禾")
    assert (await su.expect("hint"))["topic"] == "说给苏禾"
    await asyncio.sleep(0.2)
    passed = [said for _ in range(20) if (said := listening.get_message(timeout=0.05)) and said["type"] == "pmessage"]
    assert passed
    assert not any("说给苏禾".encode() in said["data"] for said in passed)
    await engine.stop()


@pytest.mark.parametrize("backend", [CORE, PUBSUB])
async def test_a_message_of_another_process_that_is_lost_is_noticed_and_clients_are_told_to_ask(
    live: Scene, settings: Any, redis_url: str, backend: str
) -> None:
    config = {"hosts": [redis_url], "prefix": uuid.uuid4().hex}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": config}}
    su = await Phone(await database(lambda: session_key(live.su))).open()
    elsewhere = Elsewhere()
    await joined(su, live.su, elsewhere)
    await elsewhere.tell(live.su, "one")
    await elsewhere.tell(live.su, "two", lost=True)
    await elsewhere.tell(live.su, "three")
    assert [(await su.expect("hint"))["topic"] for _ in range(2)] == ["one", "three"]
    assert await su.next(GRACE_S * 3) == {"type": "behind"}
    await elsewhere.tell(live.su, "four", lost=True)
    await elsewhere.beat()
    assert await su.next(GRACE_S * 3) == {"type": "behind"}
    await elsewhere.beat()
    assert await su.hears_nothing(GRACE_S * 2)
    await engine.stop()


async def test_the_members_of_the_group_outlive_its_expiry_and_a_flush(
    live: Scene, settings: Any, redis_url: str
) -> None:
    config = {"hosts": [redis_url], "prefix": uuid.uuid4().hex, "group_expiry": int(BEAT_S) + 1}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": CORE, "CONFIG": config}}
    su = await Phone(await database(lambda: session_key(live.su))).open()
    elsewhere = Elsewhere()
    await joined(su, live.su, elsewhere)
    await asyncio.sleep(2 * BEAT_S + 1)
    await elsewhere.tell(live.su, "later")
    assert (await su.expect("hint"))["topic"] == "later"
    redis_client.Redis.from_url(redis_url).flushall()
    await asyncio.sleep(BEAT_S + 0.5)
    await elsewhere.tell(live.su, "after the flush")
    assert (await su.expect("hint"))["topic"] == "after the flush"
    await engine.stop()


async def test_who_cannot_be_told_is_asked_to_ask(live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    su, lin = await phone(live.su), await phone(live.lin)

    async def away(*_: object) -> Any:
        raise psycopg.OperationalError("away")

    monkeypatch.setattr("chat.delivery.members.MemberCache.load", away)
    await su.say(live.friends, "写下了,说不出去")
    assert (await su.expect("ack"))["seq"] == 1
    assert await lin.next(GRACE_S * 3) == {"type": "behind"}


async def test_a_batch_that_cannot_be_told_does_not_take_the_next_one_down_with_it(
    live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    su, lin = await phone(live.su), await phone(live.lin)

    async def broken(*_: object) -> Any:
        raise RuntimeError("not what a database says")

    monkeypatch.setattr("chat.delivery.members.MemberCache.load", broken)
    for number in range(40):
        await su.say(live.friends, str(number))
    assert [(await su.expect("ack"))["seq"] for _ in range(40)] == list(range(1, 41))
    assert await lin.next(GRACE_S * 3) == {"type": "behind"}
    assert [one.in_flight for one in engine.engine().hub.connections] == [0, 0]


async def test_who_is_barred_by_what_this_version_has_no_words_for_is_answered_and_the_others_too(
    live: Scene, phone: Open
) -> None:
    su, lin = await phone(live.su), await phone(live.lin)
    bar = partial(Member.objects.filter(conversation=live.friends, person=live.su).update, barred="of_tomorrow")
    await database(bar)
    for number in range(3):
        await su.say(live.friends, str(number))
        await lin.say(live.friends, str(number))
    assert [(await lin.expect("ack"))["seq"] for _ in range(3)] == [1, 2, 3]
    answers = [await su.expect("error", "message") for _ in range(6)]
    assert [one["code"] for one in answers if one["type"] == "error"] == ["unconfirmed"] * 3
    assert [one.in_flight for one in engine.engine().hub.connections] == [0, 0]
