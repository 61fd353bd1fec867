"""When the server gives up on a reader, and when it must not."""

import asyncio
import json
import uuid
from typing import Any

import pytest

from chat.delivery import connection as connections
from chat.delivery.connection import Connection, Reason


class Peer:
    """A server below a connection: takes what is sent, or holds it up."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, event: dict[str, Any]) -> None:
        await self.open.wait()
        if event["type"] == "websocket.send":
            self.taken.append(event["text"])

    def connection(self) -> Connection:
        return Connection(
            self.send,
            person_id=uuid.uuid4(),
            session_id=uuid.uuid4(),
            lives_s=60,
            bank_identity=False,
            language="zh",
            allowance=10,
        )


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_frames_of_one_moment_are_one_write_one_a_line() -> None:
    peer = Peer()
    one = peer.connection()
    for number in range(3):
        one.push(json.dumps(number))
    await turn()
    assert peer.taken == ["0\n1\n2"]


async def test_a_socket_that_was_silent_for_long_is_not_stuck_when_it_begins_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "SEND_LIMIT_S", 0.05)
    peer = Peer()
    one = peer.connection()
    await asyncio.sleep(0.1)
    one.push("1")
    assert not one.is_stuck()
    await turn()
    await asyncio.sleep(0.1)
    one.push("2")
    assert not one.is_stuck()


async def test_a_peer_that_takes_nothing_is_stuck_and_its_queue_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SEND_LIMIT_S", 0.05)
    peer = Peer()
    one = peer.connection()
    peer.open.clear()
    one.push("x")
    await turn()
    assert not one.is_stuck()
    await asyncio.sleep(0.1)
    assert one.is_stuck()
    frame = "y" * 1024
    for _ in range(connections.MAX_QUEUED_CHARACTERS // 1024):
        one.push(frame)
        assert one.closing is None
    one.push(frame)
    assert one.closing is Reason.TOO_SLOW
    one.push(frame)
    assert one._queued == 0


async def test_a_peer_that_takes_all_must_say_that_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "ANSWER_LIMIT_S", 0.05)
    peer = Peer()
    one = peer.connection()
    frame = "y" * 1024
    for _ in range(connections.PROBE_EVERY_BYTES // 1024 + 1):
        one.push(frame)
        await turn()
    probe = json.loads(peer.taken[-1].split("\n")[-1])
    assert probe["type"] == "probe"
    await asyncio.sleep(0.1)
    assert one.is_stuck()
    one.confirm(10**9)
    assert one.is_stuck()
    one.confirm(probe["n"])
    assert not one.is_stuck()


async def test_a_reader_is_given_up_by_bytes_whatever_is_written() -> None:
    """A server below may keep all of it: a Chinese character is three bytes there."""
    peer = Peer()
    one = peer.connection()
    given = 0
    frame = "长" * 1024
    while one.closing is None:
        one.push(frame)
        await turn()
        given += 3 * 1024
    assert one.closing is Reason.TOO_SLOW
    assert given <= connections.MAX_UNCONFIRMED_BYTES + 2 * connections.PROBE_EVERY_BYTES
