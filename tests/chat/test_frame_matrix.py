"""Every frame that a client may say, by everybody who is not in the conversation: nothing happens, nothing is told."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from chat import actions, wire
from chat.models import Member, Message
from tests.chat.conftest import Scene
from tests.chat.support import Phone, database, gather
from tests.conftest import FreshDatabase

Open = Callable[[UUID], Awaitable[Phone]]

NAMES_A_CONVERSATION: dict[type[wire.ClientFrame], dict[str, Any]] = {
    wire.Send: {"client_id": None, "text": "让我进来"},
    wire.Typing: {},
    wire.Read: {"seq": 1},
}
NAMES_NOTHING = {wire.Ping, wire.Probed}
ROLES = {
    "customer": "xu",
    "visitor": "jiang",
    "advisor": "zhou",
    "agent": "song",
    "operator": "fang",
    "checker": "qin",
    "compliance": "liang",
    "removed": "tao",
}


def test_every_frame_is_listed() -> None:
    assert NAMES_A_CONVERSATION.keys() | NAMES_NOTHING == set(wire.CLIENT_FRAMES)
    for frame in wire.CLIENT_FRAMES:
        ids = {name for name in frame.__struct_fields__ if name.endswith("_id")}
        assert ids - {"client_id"} == ({"conversation_id"} if frame in NAMES_A_CONVERSATION else set())


@pytest.mark.parametrize("role", ROLES)
async def test_no_frame_reaches_a_conversation_of_others(
    live: Scene, fresh_database: FreshDatabase, phone: Open, role: str
) -> None:
    person = fresh_database.world.people[ROLES[role]]
    su, lin, stranger = await gather(phone(live.su), phone(live.lin), phone(person))
    await su.say(live.group, "第一条")
    client_id = await su.say(live.friends, "只有我们")
    for _ in range(2):
        await gather(su.until("ack"), lin.until("message"))
    if role == "removed":
        await database(lambda: actions.remove_member(conversation_id=live.group, person_id=person))
        await stranger.until("conversation")
        await gather(su.until("conversation"), lin.until("conversation"))

    def kept() -> tuple[Any, ...]:
        talks = (live.friends, live.group)
        return (
            list(Message.objects.filter(conversation__in=talks).order_by("pk").values_list("pk", "text", "version")),
            list(Member.objects.filter(conversation__in=talks).order_by("pk").values_list("pk", "read_seq")),
        )

    before = await database(kept)
    nowhere = uuid.uuid4()
    for talk in (live.group,) if role == "removed" else (live.friends, live.group):
        for frame, content in NAMES_A_CONVERSATION.items():
            answers = []
            for conversation in (talk, nowhere):
                said = {"type": frame.__struct_config__.tag, "conversation_id": conversation, **content}
                if "client_id" in said:
                    # A message of somebody else by its own client id is as much a stranger as a new one.
                    said["client_id"] = client_id
                await stranger.send(**said)
                await stranger.send(type="ping", n=7)
                heard = []
                while (one := await stranger.next())["type"] != "pong":
                    heard.append({**one, "conversation_id": one.get("conversation_id") and "there"})
                if not heard and frame is not wire.Typing:
                    one = await stranger.next()
                    heard.append({**one, "conversation_id": one.get("conversation_id") and "there"})
                answers.append(heard)
            assert answers[0] == answers[1], "it is as if it did not exist"
            assert all(one["type"] == "error" and one["code"] == "not_found" for one in answers[0])
            assert bool(answers[0]) is (frame is not wire.Typing)
    assert await database(kept) == before
    assert await su.hears_nothing()
    assert await lin.hears_nothing()
