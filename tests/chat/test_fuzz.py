"""Frames that nobody should send, by grammar and as raw bytes: an answer or silence, and the socket lives."""

import asyncio
import json
import os
import random
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from chat import wire
from chat.models import Message
from tests.chat.conftest import Scene
from tests.chat.support import Phone, database
from tests.faults.figures import note

FRAMES = int(os.environ.get("FUZZ_FRAMES", "500"))
SEED = int(os.environ.get("FUZZ_SEED", "20261123"))
BATCH = 50

Open = Callable[[UUID], Awaitable[Phone]]
VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 2**53, 2**64, "", "0", "x", "１２", "\u202e", "\ud800", "a\x00b", [], {},
    {"type": "send"}, str(uuid.uuid4()), "00000000-0000-0000-0000-000000000000", "长" * 5_000, "' OR 1=1 --",
]  # fmt: skip
FIELDS = ("type", "v", "conversation_id", "client_id", "text", "seq", "n", "person_id", "extra", "__class__")


def frame(chance: random.Random, scene: Scene) -> str:
    """A frame that is nearly right: one of ours with fields missing, added or replaced."""
    kind = chance.choice(wire.CLIENT_FRAMES)
    body: dict[str, Any] = {"type": kind.__struct_config__.tag, "n": chance.randint(0, 9)}
    if kind is not wire.Ping and kind is not wire.Probed:
        body = {"type": body["type"], "conversation_id": str(chance.choice([scene.friends, scene.group, uuid.uuid4()]))}
        body |= {"client_id": str(uuid.UUID(int=chance.getrandbits(128))), "text": "模糊"} if kind is wire.Send else {}
        body |= {"seq": chance.randint(0, 9)} if kind is wire.Read else {}
    for _ in range(chance.randint(0, 2)):
        name = chance.choice(FIELDS)
        if chance.random() < 0.3:
            body.pop(name, None)
        else:
            body[name] = chance.choice(VALUES)
    return json.dumps(body, ensure_ascii=chance.random() < 0.5)


def broken(chance: random.Random, text: str) -> str:
    """The same with characters cut, doubled or replaced."""
    letters = list(text)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(letters) + 1)
        what = chance.random()
        if what < 0.4 and letters:
            del letters[place - 1]
        elif what < 0.7:
            letters.insert(place, chance.choice('{}[]",:\\\n\x00é\U0001f600'))
        else:
            letters[place:place] = letters[max(0, place - 20) : place]
    return "".join(letters)


def drawn(chance: random.Random, scene: Scene) -> str | bytes:
    what = chance.random()
    if what < 0.5:
        return frame(chance, scene)
    if what < 0.8:
        return broken(chance, frame(chance, scene))
    if what < 0.9:
        return chance.randbytes(chance.randint(1, 200))
    return chance.randbytes(chance.randint(0, 200)).decode("latin-1")


async def test_whatever_frames_come_each_is_answered_or_ignored_and_the_socket_lives(
    live: Scene, phone: Open, settings: Any
) -> None:
    settings.CHAT_FRAMES_PER_SECOND = 1_000_000
    chance = random.Random(SEED)
    su = await phone(live.su)
    codes: dict[str, int] = {}
    acked = 0

    def hear(said: dict[str, Any]) -> None:
        nonlocal acked
        if said["type"] == "error":
            codes[said["code"]] = codes.get(said["code"], 0) + 1
        # Some draw a client id that was drawn before: that is acknowledged again, and kept once.
        acked += said["type"] == "ack" and not said["again"]

    for start in range(0, FRAMES, BATCH):
        for _ in range(BATCH):
            one = drawn(chance, live)
            if isinstance(one, str):
                # What is no UTF-8 never gets past the server; lone surrogates arrive as escapes alone.
                one = one.encode("utf-8", "ignore").decode()
                if one:
                    await su.wire.send_to(text_data=one)
            else:
                await su.wire.send_to(bytes_data=one)
        mark = 10**9 + start
        await su.send(type="ping", n=mark)
        while True:
            said = await su.next(20.0)
            hear(said)
            if said == {"type": "pong", "n": mark}:
                break
        await asyncio.sleep(0)
    # What the database answers comes after the pongs, and in order within a conversation: these answers are the last.
    last = {str(uuid.uuid4()): conversation for conversation in (live.friends, live.group)}
    for client_id, conversation in last.items():
        await su.send(type="send", conversation_id=str(conversation), client_id=client_id, text="最后")
    while last:
        said = await su.next(20.0)
        hear(said)
        if said["type"] == "ack":
            last.pop(said["client_id"], None)
    note(frames_fuzzed=FRAMES, frames_fuzzed_acked=acked)
    assert {"bad_frame", "unknown_frame", "not_found"} <= set(codes), codes
    assert set(codes) <= {
        *("bad_frame", "unknown_frame", "not_found", "empty_message", "message_too_long", "text_refused"),
    }, codes
    kept = await database(lambda: Message.objects.filter(sender=live.su).count())
    assert kept == acked


async def test_a_frame_nested_too_deeply_is_answered_and_the_socket_lives(live: Scene, phone: Open) -> None:
    su = await phone(live.su)
    for line in ('{"type":"send","x":' + "[" * 30_000, "[" * 60_000):
        await su.raw(line)
        assert (await su.expect("error"))["code"] == "bad_frame"
    await su.send(type="ping", n=7)
    assert (await su.expect("pong"))["n"] == 7
