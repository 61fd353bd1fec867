"""Those who wear a server out: readers that do not read, connections that say nothing, everybody at once.

`make test` runs a short part on both servers; `make faults` runs the long sizes and writes figures to var/faults.json.
Daphne is the demo's server: what it does to others beside it is noted, and has no limit (docs/reliability.md).
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from deploy.local.install import PYTHON, ROOT
from tests.faults.figures import LONG, note
from tests.faults.fleet import EACH, SERVERS, SOCKETS, Fleet, cookie, gone_after_s, memory_mib
from tests.faults.raw import connected, request_head, stalled
from tests.faults.test_kill import conversation_of, rows
from tests.support import run
from tests.support.client import Client, Frame

GONE_S = 30
SLOW_MIB = 2
"""What one reader may cost the server."""
UNMOVED = 1.2
"""The 99th percentile of those who talk beside ten slow readers, against before."""
BESIDE_A_THOUSAND = 2.0
"""The same beside a thousand slow or silent sockets, under uvicorn."""


def p99(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]


async def talking(client: Client, talk: str, stopping: asyncio.Event, *, at_once: int = 1) -> list[float]:
    """Says things until it is to stop; how long each acknowledgement took."""
    took: list[float] = []

    async def one() -> None:
        while not stopping.is_set():
            began = time.monotonic()
            await client.send(talk, "旁人")
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.02)

    await asyncio.gather(*(one() for _ in range(at_once)))
    return took


def after(seconds: float) -> asyncio.Event:
    """Set when so many seconds have gone."""
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, event.set)
    return event


@contextlib.contextmanager
def watched(pid: int) -> Iterator[list[float]]:
    """The memory of a process, looked at again and again, in MiB."""
    seen, stopping = [memory_mib(pid)], threading.Event()

    def look() -> None:
        while not stopping.wait(0.02):
            seen.append(memory_mib(pid))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    yield seen
    stopping.set()
    looking.join()


# A reader that does not read


BURST = 1_000 if LONG else 300
BURSTS = 3 if LONG else 1
"""In each measurement, with and without in turn."""
MEASUREMENTS = 3 if LONG else 1
SLOW = 10
TEXT = "长" * 1_300


async def burst(client: Client, talk: str) -> list[float]:
    """How long each acknowledgement took."""
    took = []

    async def one(number: int) -> None:
        began = time.monotonic()
        await client.send(talk, f"{number} {TEXT}")
        took.append(time.monotonic() - began)

    for start in range(0, BURST, 20):
        await asyncio.gather(*(one(start + number) for number in range(20)))
    return took


async def beside_slow_ones(client: Client, talk: str, port: int, session: str) -> tuple[list[float], float]:
    """A burst to readers that do not read: how long it took, and after how long they were gone."""
    slow = [await asyncio.to_thread(stalled, client.origin, port, session) for _ in range(SLOW)]
    began = time.monotonic()
    took = await burst(client, talk)
    closed_s = await asyncio.to_thread(gone_after_s, port, ports(slow), began)
    for one in slow:
        one.close()
    return took, closed_s


def ports(sockets: list[socket.socket]) -> list[int]:
    return [one.getsockname()[1] for one in sockets]


@pytest.mark.parametrize("server", SERVERS)
def test_a_reader_that_does_not_read_costs_little_is_cut_off_and_finds_everything_again(
    fleet: Fleet, server: str
) -> None:
    site, port, pid = fleet.site, fleet.port_of(server), fleet.pid_of(server)
    talk = str(conversation_of(site, "su", "lin"))
    su, lin = cookie(site, "su"), cookie(site, "lin")
    address = ("127.0.0.1", port)
    alone: list[list[float]] = [[] for _ in range(MEASUREMENTS)]
    beside: list[list[float]] = [[] for _ in range(MEASUREMENTS)]
    closed_s: list[float] = []
    grown: list[float] = []

    async def story() -> list[Frame]:
        async with (
            Client(site.origin, address=address, cookie=su) as sender,
            Client(site.origin, address=address, cookie=lin) as again,
        ):
            await sender.open()
            await again.sync()
            for number in range(MEASUREMENTS * BURSTS):
                alone[number // BURSTS] += await burst(sender, talk)
                with watched(pid) as mib:
                    took, closed = await beside_slow_ones(sender, talk, port, lin)
                beside[number // BURSTS] += took
                closed_s.append(closed)
                grown.append(max(mib) - mib[0])
            await again.sync()
            said = 2 * BURST * BURSTS * MEASUREMENTS
            found = [again.conversations[talk].messages[seq] for seq in sorted(again.conversations[talk].messages)]
            while len(found) < said and found[0]["seq"] > 1:
                older = await again.page(talk, before=found[0]["seq"], limit=100)
                found = [*reversed(older), *found]
            assert len(found) >= said
            return found

    found = asyncio.run(story())
    kept = rows(site, "SELECT seq, text FROM chat_message WHERE conversation_id = %s ORDER BY seq", talk)
    assert [(one["seq"], one["text"]) for one in found] == kept[-len(found) :]
    moved = median(p99(with_them) / p99(without) for with_them, without in zip(beside, alone, strict=True))
    suffix = "" if server == "uvicorn" else f"_{server}"
    note(
        **{
            f"slow_reader{suffix}_rss_mib": round(max(grown) / SLOW, 2),
            f"slow_reader{suffix}_closed_s": round(max(closed_s), 1),
            f"slow_reader{suffix}_others_p99_ratio": round(moved, 2),
        }
    )
    assert max(grown) / SLOW < SLOW_MIB
    if LONG:
        assert max(closed_s) < 10
        assert moved < UNMOVED or server == "daphne"


# A thousand of them


CROWD = 1_000 if LONG else 60
HEARD_WHILE_READING = 24
"""Messages of TEXT until they stop: with them a reader has not yet been sent what it would have to confirm."""
EVERY_S = 0.3 if LONG else 0.05
_GROUP = """
from accounts.models import Person
from chat.actions import open_conversation
members = Person.objects.filter(display_name__in={names}).values_list("pk", flat=True)
print(open_conversation(kind="group", member_ids=[{su!r}, *members], opened_by={su!r}, title="大群"))
"""


@contextlib.contextmanager
def held(origin: str, port: int, sessions: list[str]) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """Sockets of another process (see holding.py), and the ports they speak from."""
    command = [str(PYTHON), "-m", "tests.faults.holding", str(port), origin]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        run.register(holder.pid)
        assert holder.stdin and holder.stdout
        try:
            print(json.dumps(sessions), file=holder.stdin, flush=True)
            yield holder, json.loads(holder.stdout.readline())
        finally:
            holder.kill()


def reads_no_more(holder: "subprocess.Popen[str]") -> None:
    assert holder.stdin and holder.stdout
    print(file=holder.stdin, flush=True)
    assert holder.stdout.readline() == "none reads\n"


@pytest.mark.parametrize("server", SERVERS if LONG else SERVERS[:1])
def test_a_thousand_readers_that_stop_reading_are_gone_soon_and_nobody_notices(fleet: Fleet, server: str) -> None:
    site, port, pid = fleet.site, fleet.port_of(server), fleet.pid_of(server)
    sessions = fleet.crowd(CROWD)
    names = [f"客户130{number}" for number in range(CROWD // EACH)]
    su_id = site.world.people["su"]
    group = fleet.shell(f"from uuid import UUID\n{_GROUP.format(names=names, su=su_id)}")
    talk = str(conversation_of(site, "lin", "su"))
    su, lin = cookie(site, "su"), cookie(site, "lin")

    async def heard(sender: Client, times: int | None, stopping: asyncio.Event) -> None:
        """The group is told so many messages, or until it is to stop."""
        told = 0
        while not stopping.is_set() and told != times:
            await sender.send(group, TEXT)
            told += 1
            await asyncio.sleep(EVERY_S)
        stopping.set()

    async def story() -> tuple[float, float, float]:
        async with (
            Client(site.origin, address=("127.0.0.1", port), cookie=su) as sender,
            Client(site.origin, address=("127.0.0.1", port), cookie=lin) as other,
        ):
            await asyncio.gather(sender.open(), other.open())
            before = memory_mib(pid)
            with held(site.origin, port, sessions) as (holder, theirs), watched(pid) as mib:
                assert len(theirs) == CROWD
                stop = asyncio.Event()
                telling = asyncio.create_task(heard(sender, HEARD_WHILE_READING, stop))
                reading = await talking(other, talk, stop, at_once=4)
                await telling
                await asyncio.to_thread(reads_no_more, holder)
                began, stop = time.monotonic(), asyncio.Event()
                telling = asyncio.create_task(heard(sender, None, stop))
                beside = asyncio.create_task(talking(other, talk, stop, at_once=4))
                gone_s = await asyncio.to_thread(gone_after_s, port, theirs, began)
                stop.set()
                stalled_ = await beside
                await telling
            assert sender.closed_with is other.closed_with is None
            return gone_s, (max(mib) - before) / CROWD, p99(stalled_) / p99(reading)

    gone_s, mib_each, moved = asyncio.run(story())
    note(
        **{
            f"slow_crowd_{server}_gone_s": round(gone_s, 1),
            f"slow_crowd_{server}_rss_mib": round(mib_each, 2),
            f"slow_crowd_{server}_others_p99_ratio": round(moved, 2),
        }
    )
    assert gone_s < GONE_S
    assert mib_each < SLOW_MIB
    if LONG and server == "uvicorn":
        assert moved < BESIDE_A_THOUSAND


# Connections that say nothing


SILENT = 1_000 if LONG else 60
ALONE_S = 15 if LONG else 3


@pytest.mark.parametrize("server", SERVERS)
def test_connections_that_never_say_what_they_want_are_gone_soon_and_nobody_notices(fleet: Fleet, server: str) -> None:
    site = fleet.site
    port = fleet.port_of(server)
    talk = str(conversation_of(site, "su", "lin"))
    su = cookie(site, "su")
    head = request_head(site.origin, su)
    body = b"POST /api/chat/sync HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 99\r\n\r\n{" % site.app_port
    said = [b"", head[:-2], body]
    """Nothing at all; a handshake without its last line; the beginning of a body."""

    async def story() -> tuple[float, float]:
        async with Client(site.origin, address=("127.0.0.1", port), cookie=su) as sender:
            await sender.open()
            alone = await talking(sender, talk, after(ALONE_S), at_once=4)
            stopping = asyncio.Event()
            beside = asyncio.create_task(talking(sender, talk, stopping, at_once=4))
            began = time.monotonic()
            silent = [await asyncio.to_thread(connected, port, said[number % len(said)]) for number in range(SILENT)]
            gone_s = await asyncio.to_thread(gone_after_s, port, ports(silent), began)
            stopping.set()
            took = await beside
            for one in silent:
                one.close()
            assert sender.closed_with is None
            return gone_s, p99(took) / p99(alone)

    gone_s, ratio = asyncio.run(story())
    note(**{f"silent_{server}_gone_s": round(gone_s, 1), f"silent_{server}_others_p99_ratio": round(ratio, 2)})
    assert gone_s < GONE_S
    if LONG and server == "uvicorn":
        assert ratio < BESIDE_A_THOUSAND


# Everybody comes back at once


BACK_S = 30
PATIENCE_S = 0.5
"""The longest pause between two tries of whoever talks there."""


async def synced(port: int, origin: str, session: str) -> bool:
    """Asks for everything, as an app does when its socket is open."""
    body = b'{"have": {}}'
    head = [
        *("POST /api/chat/sync HTTP/1.1", f"Host: {urlsplit(origin).netloc}", f"Origin: {origin}"),
        *(f"Cookie: rl_session={session}", "Content-Type: application/json", f"Content-Length: {len(body)}"),
        *("Connection: close", "", ""),
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write("\r\n".join(head).encode() + body)
        return (await reader.read()).startswith(b"HTTP/1.1 200 ")
    finally:
        writer.close()


async def back(port: int, origin: str, session: str) -> Any:
    """An open socket of somebody who has everything; tried until it is so."""
    opened: Any = None
    while True:
        with contextlib.suppress(OSError, WebSocketException):
            if opened is None:
                opened = await connect(
                    f"{origin.replace('http', 'ws', 1)}/ws/",
                    host="127.0.0.1",
                    port=port,
                    origin=origin,  # type: ignore[arg-type]  # a NewType of the library
                    additional_headers={"Cookie": f"rl_session={session}"},
                    open_timeout=60,
                    compression=None,
                    proxy=None,
                    ping_interval=None,
                )
                assert json.loads(str(await opened.recv()).split("\n")[0])["type"] == "ready"
            if await synced(port, origin, session):
                return opened
        if opened is not None and opened.close_code is not None:
            opened = None
        await asyncio.sleep(0.2)


def test_all_come_back_when_the_server_does(fleet: Fleet) -> None:
    site = fleet.site
    sessions = fleet.crowd(SOCKETS)
    su, lin = cookie(site, "su"), cookie(site, "lin")
    talk = str(conversation_of(site, "su", "lin"))

    async def story() -> tuple[float, float, float, float]:
        async with (
            Client(site.origin, address=("127.0.0.1", site.app_port), cookie=su) as elsewhere,
            Client(site.origin, address=("127.0.0.1", fleet.port), cookie=lin, longest_pause_s=PATIENCE_S) as there,
        ):
            await asyncio.gather(elsewhere.open(), there.open())
            before = await asyncio.gather(*(back(fleet.port, site.origin, session) for session in sessions))
            await asyncio.to_thread(fleet.fault, "uvicorn")
            began = time.monotonic()
            stopping = asyncio.Event()
            # Who talks on the process that died is timed from when it is up; their first waits for their coming back.
            watching = [asyncio.create_task(talking(one, talk, stopping)) for one in (elsewhere, there)]
            after_it = await asyncio.gather(*(back(fleet.port, site.origin, session) for session in sessions))
            back_s = time.monotonic() - began
            stopping.set()
            others, beside = [await one for one in watching]
            for one in (*before, *after_it):
                one.transport.abort()
            return back_s, 1000 * p99(others), 1000 * p99(beside[1:] or beside), beside[0]

    back_s, others_ms, beside_ms, first_s = asyncio.run(story())
    note(
        stampede_sockets=SOCKETS,
        stampede_back_s=round(back_s, 1),
        stampede_others_p99_ms=round(others_ms),
        stampede_same_process_p99_ms=round(beside_ms),
        stampede_same_process_back_s=round(first_s, 1),
    )
    assert max(back_s, first_s) < BACK_S
