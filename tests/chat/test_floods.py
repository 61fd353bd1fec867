"""Sockets in the hands of somebody who wants to wear the server out, or to hear what is no longer theirs."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from accounts.actions import end_all_sessions
from chat import consumers, wire
from chat.delivery import connection as connections
from chat.delivery import engine
from chat.delivery.connection import Reason
from tests.chat.conftest import Scene
from tests.chat.support import Phone, database, session_key
from tests.chat.test_connection import Peer, turn

Open = Callable[[UUID], Awaitable[Phone]]


@pytest.mark.parametrize(
    "event",
    [
        {"text_data": "\n"},
        {"text_data": "\n" * 1_000},
        {"text_data": " "},
        {"bytes_data": b"\x00"},
        {"text_data": "x" * (wire.MAX_FRAME_BYTES + 1)},
    ],
    ids=["an empty line", "a thousand empty lines", "a space", "bytes", "too large"],
)
async def test_a_flood_of_what_says_nothing_is_counted_and_ends_the_socket(
    live: Scene, phone: Open, settings: Any, event: dict[str, Any]
) -> None:
    settings.CHAT_FRAMES_PER_SECOND = 2
    su = await phone(live.su)
    for _ in range(2 * consumers.BURST_S + consumers.PATIENCE + 5):
        await su.wire.send_to(**event)
    assert await su.closed() == Reason.TOO_MANY_FRAMES


async def test_many_sockets_opened_in_one_moment_are_no_more_than_one_after_the_other(live: Scene) -> None:
    cookie = await database(lambda: session_key(live.su))
    many = [Phone(cookie) for _ in range(2 * consumers.MAX_SOCKETS_OF_A_PERSON)]
    await asyncio.gather(*(one.wire.connect(timeout=10) for one in many))
    await asyncio.sleep(0.1)
    assert engine.engine().hub.count_of(live.su) == consumers.MAX_SOCKETS_OF_A_PERSON
    for one in many:
        await one.wire.disconnect()
    await engine.stop()


async def test_nobody_confirms_a_probe_that_they_have_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "ANSWER_LIMIT_S", 0.05)
    peer = Peer()
    one = peer.connection()
    sent = 0
    while not peer.taken or "probe" not in peer.taken[-1]:
        one.push("y" * 1024)
        sent += 1024
        await turn()
    await asyncio.sleep(0.1)
    for guess in range(sent + 1):
        one.confirm(guess)
    assert one.is_stuck()
    one.confirm(json.loads(peer.taken[-1].split("\n")[-1])["n"])
    assert not one.is_stuck()


async def test_what_comes_before_ready_is_heard_after_it_and_by_nobody_whose_session_is_over(
    live: Scene,
) -> None:
    one = Phone(await database(lambda: session_key(live.su)))
    await one.wire.send_input({"type": "websocket.connect"})
    await one.send(type="ping", n=1)
    assert (await one.wire.receive_output(5))["type"] == "websocket.accept"
    assert [(await one.next())["type"], (await one.next())["type"]] == ["ready", "pong"]
    await one.leave()

    from accounts import actions as accounts

    cookie = await database(lambda: session_key(live.su))
    late = Phone(cookie)
    await database(lambda: accounts.end_all_sessions(person_id=live.su, reason="test"))
    await late.wire.send_input({"type": "websocket.connect"})
    await late.send(type="ping", n=1)
    assert await late.wire.receive_output(5) == {"type": "websocket.close", "code": int(Reason.SIGN_IN_NEEDED)}
    assert await late.wire.receive_nothing()
    await engine.stop()


@pytest.mark.parametrize(
    "cookie",
    [
        *("rl_bank={}", "rl_session=\x7f", "rl_session", "rl_session={}x"),
        *('rl_session="{}', 'rl_session="{}\\000"', "; ;=;"),
    ],
)
async def test_another_cookie_opens_no_socket(live: Scene, cookie: str) -> None:
    key = await database(lambda: session_key(live.su))
    one = Phone(None)
    one.wire.scope["headers"].append((b"cookie", cookie.format(key).encode()))
    assert await one.wire.connect() == (False, Reason.SIGN_IN_NEEDED)
    await engine.stop()


@pytest.mark.parametrize(
    "origin",
    ["null", "", settings.BANK_ORIGIN, "http://localhost", settings.APP_ORIGIN.upper(), settings.APP_ORIGIN + "/"],
)
async def test_a_socket_names_the_apps_own_origin_letter_by_letter(live: Scene, origin: str) -> None:
    one = Phone(await database(lambda: session_key(live.su)), origin=origin)
    assert await one.wire.connect() == (False, Reason.WRONG_ORIGIN)
    await engine.stop()


async def test_a_session_that_ends_while_its_socket_opens_hears_nothing(
    live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look each second would find it: here it is not there to help."""
    monkeypatch.setattr(engine, "SWEEP_EVERY_S", 60.0)
    lin = await phone(live.lin)
    one = Phone(await database(lambda: session_key(live.su)))
    await one.wire.send_input({"type": "websocket.connect"})

    admitted = consumers._admitted

    async def slowly(running: Any, key: str) -> Any:
        guest = await admitted(running, key)
        await database(lambda: end_all_sessions(person_id=live.su, reason="test"))
        await asyncio.sleep(0.1)
        return guest

    monkeypatch.setattr(consumers, "_admitted", slowly)
    assert (await one.wire.receive_output(5))["type"] == "websocket.accept"
    await lin.say(live.friends, "她听不到")
    assert await one.wire.receive_output(5) == {"type": "websocket.close", "code": int(Reason.SESSION_ENDED)}
    await one.leave()


async def test_more_lines_than_a_message_may_hold_are_refused_and_not_forgotten(live: Scene, phone: Open) -> None:
    su = await phone(live.su)
    await su.raw("\n".join(json.dumps({"type": "ping", "n": number}) for number in range(consumers.MAX_LINES + 5)))
    assert [(await su.expect("pong"))["n"] for _ in range(consumers.MAX_LINES)] == list(range(consumers.MAX_LINES))
    assert (await su.expect("error"))["code"] == "bad_frame"
    assert await su.hears_nothing()


async def test_a_database_that_does_not_answer_who_types_holds_up_nothing_that_is_said(
    live: Scene, phone: Open
) -> None:
    su, lin = await phone(live.su), await phone(live.lin)
    async with engine.engine()._read._guard:
        for _ in range(3):
            await su.send(type="typing", conversation_id=live.friends)
        await su.send(type="ping", n=7)
        assert await su.expect("pong") == {"type": "pong", "n": 7}
    await lin.expect("typing")


@pytest.mark.parametrize("path", ["/", "/ws", "/ws/x", "/../ws/", "/ws/%00", "/api/chat/sync"])
async def test_no_socket_opens_anywhere_else_and_nothing_breaks(live: Scene, path: str) -> None:
    one = Phone(await database(lambda: session_key(live.su)))
    one.wire.scope["path"] = path
    assert (await one.wire.connect())[0] is False
    await engine.stop()
