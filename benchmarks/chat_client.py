"""A client of our socket for load: N pairs, k messages in flight each, every acknowledgement and delivery checked."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect


@dataclass(frozen=True)
class Account:
    """Somebody signed in: the session cookie's value, and who they are."""

    person_id: str
    cookie: str


@dataclass(frozen=True)
class PairOf:
    """Two people and the conversation of theirs."""

    sender: Account
    receiver: Account
    conversation_id: str


@dataclass
class Figures:
    """What a run gave. Times in milliseconds."""

    seconds: float
    acknowledged: int
    delivered: int
    errors: int
    lost: int
    doubled: int
    reordered: int
    client_cpu_s: float
    ack_ms: list[float] = field(default_factory=list, repr=False)
    deliver_ms: list[float] = field(default_factory=list, repr=False)

    @property
    def per_second(self) -> float:
        """Messages that were both acknowledged and delivered, a second."""
        return min(self.acknowledged, self.delivered) / self.seconds

    @staticmethod
    def percentile(values: Sequence[float], share: float) -> float:
        """The value below which this share lies; nan without values."""
        ordered = sorted(values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def line(self) -> dict[str, float]:
        """The figures that go into a table."""
        return {
            "msgs_per_s": round(self.per_second, 1),
            "ack_p50_ms": round(self.percentile(self.ack_ms, 0.5), 2),
            "ack_p99_ms": round(self.percentile(self.ack_ms, 0.99), 2),
            "deliver_p50_ms": round(self.percentile(self.deliver_ms, 0.5), 2),
            "deliver_p99_ms": round(self.percentile(self.deliver_ms, 0.99), 2),
            "errors": self.errors,
            "lost": self.lost,
            "doubled": self.doubled,
            "reordered": self.reordered,
            "client_cpu_s_per_1000": round(self.client_cpu_s / max(1, self.acknowledged) * 1000, 3),
        }


async def open_socket(url: str, origin: str, account: Account, cookie_name: str = "rl_session") -> ClientConnection:
    """A signed-in socket that has said `ready`."""
    socket = await connect(
        url,
        origin=origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": f"{cookie_name}={account.cookie}"},
        compression=None,
        ping_interval=None,
        max_size=2**22,
    )
    ready = json.loads((await socket.recv()).split("\n")[0])
    assert ready["type"] == "ready", ready
    return socket


class _Pair:
    """One conversation under load."""

    def __init__(self, pair: PairOf) -> None:
        self.pair = pair
        self.sent: dict[str, float] = {}
        self.acknowledged: dict[str, int] = {}
        self.seqs: list[int] = []
        self.arrived: dict[str, int] = {}
        self.ack_ms: list[float] = []
        self.deliver_ms: list[float] = []
        self.errors = 0
        self.slots = asyncio.Semaphore(0)

    async def read_acks(self, socket: ClientConnection) -> None:
        async for text in socket:
            for line in str(text).split("\n"):
                frame: dict[str, Any] = json.loads(line)
                if frame["type"] == "ack":
                    self.ack_ms.append((time.perf_counter() - self.sent[frame["client_id"]]) * 1000)
                    self.acknowledged[frame["client_id"]] = frame["seq"]
                    self.slots.release()
                elif frame["type"] == "error":
                    self.errors += 1
                    self.slots.release()
                elif frame["type"] == "probe":
                    await socket.send(json.dumps({"type": "probed", "n": frame["n"]}))

    async def read_messages(self, socket: ClientConnection) -> None:
        async for text in socket:
            for line in str(text).split("\n"):
                frame: dict[str, Any] = json.loads(line)
                if frame["type"] == "message":
                    message = frame["message"]
                    client_id = message["client_id"]
                    if client_id in self.sent:
                        self.deliver_ms.append((time.perf_counter() - self.sent[client_id]) * 1000)
                    self.arrived[client_id] = self.arrived.get(client_id, 0) + 1
                    self.seqs.append(message["seq"])
                elif frame["type"] == "probe":
                    await socket.send(json.dumps({"type": "probed", "n": frame["n"]}))

    async def write(self, socket: ClientConnection, until: float, pause_s: float) -> None:
        number = 0
        while time.perf_counter() < until:
            await self.slots.acquire()
            client_id = str(uuid.uuid4())
            number += 1
            frame = {
                "type": "send",
                "conversation_id": self.pair.conversation_id,
                "client_id": client_id,
                "text": f"第 {number} 条:明天上午十点,老地方见。",
            }
            self.sent[client_id] = time.perf_counter()
            await socket.send(json.dumps(frame))
            if pause_s:
                await asyncio.sleep(pause_s)


async def run_pairs(
    url: str,
    origin: str,
    pairs: Sequence[PairOf],
    *,
    in_flight: int,
    seconds: float,
    per_second: float | None = None,
    settle_s: float = 3.0,
) -> Figures:
    """Drives the pairs for some seconds; with `per_second` at that rate over all pairs, else as fast as it goes."""
    running = [_Pair(pair) for pair in pairs]
    senders = [await open_socket(url, origin, pair.sender) for pair in pairs]
    receivers = [await open_socket(url, origin, pair.receiver) for pair in pairs]
    readers = [asyncio.create_task(one.read_acks(socket)) for one, socket in zip(running, senders, strict=True)]
    readers += [asyncio.create_task(one.read_messages(socket)) for one, socket in zip(running, receivers, strict=True)]
    for one in running:
        for _ in range(in_flight):
            one.slots.release()
    pause = len(pairs) / per_second if per_second else 0.0
    began, cpu = time.perf_counter(), time.process_time()

    async def drive(one: _Pair, socket: ClientConnection, offset: float) -> None:
        await asyncio.sleep(offset)
        await one.write(socket, began + seconds, pause)

    await asyncio.gather(
        *(
            drive(one, socket, pause * index / len(pairs))
            for index, (one, socket) in enumerate(zip(running, senders, strict=True))
        )
    )
    took = time.perf_counter() - began
    until = time.perf_counter() + settle_s
    while time.perf_counter() < until and any(len(one.arrived) < len(one.sent) - one.errors for one in running):
        await asyncio.sleep(0.02)
    spent = time.process_time() - cpu
    for reader in readers:
        reader.cancel()
    for socket in (*senders, *receivers):
        await socket.close()
    return Figures(
        seconds=took,
        acknowledged=sum(len(one.acknowledged) for one in running),
        delivered=sum(len(one.arrived) for one in running),
        errors=sum(one.errors for one in running),
        lost=sum(len(one.acknowledged.keys() - one.arrived.keys()) for one in running),
        doubled=sum(count - 1 for one in running for count in one.arrived.values()),
        reordered=sum(1 for one in running for a, b in zip(one.seqs, one.seqs[1:], strict=False) if b <= a),
        client_cpu_s=spent,
        ack_ms=[value for one in running for value in one.ack_ms],
        deliver_ms=[value for one in running for value in one.deliver_ms],
    )
