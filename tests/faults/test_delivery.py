"""Delivery under real faults: killed servers, a killed and flushed Redis, cut connections, slow readers, a stampede.

`make test` runs a short, seeded part; `make faults` runs long (FAULTS_S) and writes figures to var/faults.json.
"""

import asyncio
import base64
import contextlib
import json
import os
import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
import redis as redis_client

from chat.delivery.connection import Reason
from deploy.local.install import PYTHON, ROOT
from deploy.local.postgres import free_ports
from tests.faults.figures import LONG, SECONDS, SEED, note
from tests.faults.people import sign_in
from tests.faults.test_kill import conversation_of, rows
from tests.support import database, obtain, run
from tests.support.client import Client, Frame
from tests.support.site import Site, make_site

DEVICES_EACH = 8 if LONG else 4
PAIRS = (("su", "lin"), ("su", "shen"), ("su", "zhou"), ("xu", "he"))
PEOPLE = ("su", "lin", "shen", "zhou", "xu", "he")
IN_FLIGHT = 3
PAUSE_S = 0.15
SETTLE_S = 90.0
CATCH_UP_MS = 2_000
BY_ITSELF_S = 40.0
"""Within this who asks for nothing has everything: a process that was killed is missed after seven seconds."""
SOCKETS = 2_000 if LONG else 200


class Fleet:
    """Two server processes on one site: Daphne as in make run, uvicorn as in production; and a Redis between them."""

    def __init__(self) -> None:
        self.redis_port, self.port = free_ports(2)
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}/0"
        self.folder = run.folder()
        self.start_redis()
        self.site = make_site(REDIS_URL=self.redis_url, CHAT_FRAMES_PER_SECOND="100000")
        self.start_uvicorn()

    def start_redis(self) -> None:
        command = [obtain.redis_server(), "--port", str(self.redis_port), "--save", "", "--bind", "127.0.0.1"]
        self.redis = run.spawn(command, log=self.folder / "redis.log")
        listening(self.redis_port)

    def start_uvicorn(self) -> None:
        command = [PYTHON, "-m", "uvicorn", "rongliao.asgi:application", "--port", str(self.port), "--loop", "uvloop"]
        command += [
            "--http",
            "rongliao.http:PunctualProtocol",
            "--ws",
            "rongliao.http:PunctualSocket",
            "--lifespan",
            "off",
        ]
        command += ["--no-access-log", "--ws-max-size", "65536"]
        self.uvicorn = run.spawn(command, log=self.site.folder / "uvicorn.log", env=self.site.environment)
        listening(self.port)

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        process.kill()
        process.wait()

    def fault(self, what: str) -> None:
        """One fault; returns when everything runs again."""
        if what == "daphne":
            self.site.restart()
        elif what == "uvicorn":
            self.kill(self.uvicorn)
            self.start_uvicorn()
        elif what == "redis":
            self.kill(self.redis)
            self.start_redis()
        else:
            with contextlib.suppress(redis_client.RedisError):
                redis_client.Redis.from_url(self.redis_url).flushall()

    def stop(self) -> None:
        for process in (self.uvicorn, self.redis):
            self.kill(process)
        self.site.stop()
        database.drop(self.site.database_name)


def listening(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < until, f"nothing listens on {port}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    started = Fleet()
    yield started
    started.stop()


def cookie(site: Site, name: str) -> str:
    return next(one.value or "" for one in sign_in(site, name).cookies.jar if one.name == "rl_session")


@dataclass
class Device:
    """A client that sends in its conversations, and notes what it is shown."""

    client: Client
    talks: list[str]
    chance: random.Random
    sent: dict[str, list[str]] = field(default_factory=dict)
    acked: dict[str, tuple[int, str]] = field(default_factory=dict)
    shown: dict[str, list[int]] = field(default_factory=dict)
    caught_up_ms: list[float] = field(default_factory=list)
    open: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self.client.on_message = lambda one: self.shown.setdefault(one["conversation_id"], []).append(one["seq"])
        self.client.on_reset = lambda talk: self.shown.pop(talk, None)
        self.client.on_synced = lambda took_s: self.caught_up_ms.append(took_s * 1000)

    async def talk(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            while len(self.open) >= IN_FLIGHT:
                await asyncio.wait(self.open, return_when=asyncio.FIRST_COMPLETED)
            talk = self.chance.choice(self.talks)
            client_id = str(UUID(int=self.chance.getrandbits(128), version=4))
            self.sent.setdefault(talk, []).append(client_id)
            task = asyncio.create_task(self._one(talk, client_id))
            self.open.add(task)
            task.add_done_callback(self.open.discard)
            await asyncio.sleep(self.chance.uniform(0, 2 * PAUSE_S))
        if self.open:
            await asyncio.wait(set(self.open), timeout=SETTLE_S)
        assert not self.open, f"{len(self.open)} messages never got an answer"

    async def _one(self, talk: str, client_id: str) -> None:
        ack = await self.client.send(talk, f"第 {len(self.sent[talk])} 条", client_id)
        self.acked[client_id] = (ack["seq"], ack["id"])


async def disturb(fleet: Fleet, devices: list[Device], stopping: asyncio.Event) -> dict[str, int]:
    """A fault at drawn moments, and now and then a client's network is cut."""
    chance = random.Random(SEED)
    done: dict[str, int] = {}
    kinds = ["daphne", "uvicorn", "redis", "flush", "cut"]
    until = time.monotonic() + SECONDS
    while time.monotonic() < until or len(done) < len(kinds):
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        missing = [kind for kind in kinds if kind not in done]
        what = missing[0] if missing else chance.choice(kinds)
        if what == "cut":
            for device in chance.sample(devices, len(devices) // 4):
                device.client.cut()
        else:
            await asyncio.to_thread(fleet.fault, what)
        done[what] = done.get(what, 0) + 1
    stopping.set()
    return done


async def settled(devices: list[Device], newest: Callable[[], dict[str, int]]) -> float:
    """Waits until every device has the newest version of its conversations; the seconds."""
    began = time.monotonic()
    versions = await asyncio.to_thread(newest)
    while True:
        behind = [
            (talk, device.client.conversations[talk].version)
            for device in devices
            for talk in device.talks
            if device.client.conversations[talk].version < versions[talk]
        ]
        took = time.monotonic() - began
        if not behind:
            return took
        assert took < BY_ITSELF_S, f"{behind} never heard of {versions}"
        await asyncio.sleep(0.1)


@pytest.mark.long
def test_nothing_is_lost_doubled_or_reordered_whatever_is_killed(fleet: Fleet) -> None:
    site = fleet.site
    talks = {pair: str(conversation_of(site, *pair)) for pair in PAIRS}
    cookies = {name: cookie(site, name) for name in PEOPLE}
    chance = random.Random(SEED)

    async def story() -> tuple[list[Device], dict[str, int], float]:
        devices = []
        for name in PEOPLE:
            mine = [talk for pair, talk in talks.items() if name in pair]
            for number in range(DEVICES_EACH):
                address = ("127.0.0.1", fleet.port if number % 2 else site.app_port)
                client = Client(site.origin, address=address, cookie=cookies[name])
                devices.append(Device(client, mine, random.Random(chance.random())))
        await asyncio.gather(*(device.client.open() for device in devices))
        for device in devices:
            device.caught_up_ms.clear()
        stopping = asyncio.Event()
        talking = [asyncio.create_task(device.talk(stopping)) for device in devices]
        faults = await disturb(fleet, devices, stopping)
        await asyncio.gather(*talking)
        # Nothing is sent any more, and nobody asks of themselves: what was lost on the way is noticed by the servers.
        quiet_s = await settled(devices, newest)
        for device in devices:
            await device.client.close()
        return devices, faults, quiet_s

    def newest() -> dict[str, int]:
        return dict(rows(site, "SELECT id::text, version FROM chat_conversation WHERE id::text = ANY(%s)", mine))

    mine = list(talks.values())
    devices, faults, quiet_s = asyncio.run(story())
    lost = doubled = reordered = gaps = 0
    for talk in talks.values():
        kept: dict[str, list[tuple[int, str]]] = {}
        log = rows(
            site,
            "SELECT client_id::text, seq, id::text, version FROM chat_message WHERE conversation_id = %s ORDER BY seq",
            talk,
        )
        for client_id, seq, message_id, _ in log:
            kept.setdefault(client_id, []).append((seq, message_id))
        assert [seq for _, seq, _, _ in log] == list(range(1, len(log) + 1))
        assert len({version for *_, version in log}) == len(log)
        for device in devices:
            sent = device.sent.get(talk, [])
            lost += sum([device.acked[client_id]] != kept.get(client_id) for client_id in sent)
            doubled += sum(len(kept.get(client_id, ())) > 1 for client_id in sent)
            places = [device.acked[client_id][0] for client_id in sent]
            reordered += sum(later < earlier for earlier, later in pairwise(places))
            if talk not in device.talks:
                assert talk not in device.shown
                continue
            shown = device.shown[talk]
            doubled += len(shown) - len(set(shown))
            reordered += sum(later < earlier for earlier, later in pairwise(shown))
            gaps += (len(log) - min(shown) + 1) - len(set(shown))
    waits = sorted(took for device in devices for took in device.caught_up_ms)
    catch_up_ms = waits[int(len(waits) * 0.99)]
    note(
        **{f"delivery_faults_{name}": count for name, count in faults.items()},
        delivery_clients=len(devices),
        delivery_sent=sum(len(device.acked) for device in devices),
        delivery_acked_lost=lost,
        delivery_doubled=doubled,
        delivery_reordered=reordered,
        delivery_gaps=gaps,
        delivery_reconnects=len(waits),
        delivery_catch_up_p99_ms=round(catch_up_ms),
        delivery_settled_s=round(quiet_s, 1),
    )
    assert (lost, doubled, reordered, gaps) == (0, 0, 0, 0)
    if LONG:
        assert catch_up_ms < CATCH_UP_MS


# Back after a month


AWAY = 100_000 if LONG else 3_000
FEW = 300
"""Changes of the other conversation: fewer than make the server begin afresh, more than one page of them."""
_MONTH = """
WITH said AS (
    INSERT INTO chat_message (id, conversation_id, seq, version, client_id, sender_id, kind, text, warning, at)
    SELECT gen_random_uuid(), c.id, c.seq + n, c.version + n, gen_random_uuid(), %(who)s, 'text',
        'while away ' || n, '', now() - interval '30 days' * (%(count)s - n) / %(count)s
    FROM chat_conversation c, generate_series(1, %(count)s) n WHERE c.id = %(talk)s RETURNING seq
)
UPDATE chat_conversation SET seq = seq + %(count)s, version = version + %(count)s + 1, active_at = now()
WHERE id = %(talk)s AND (SELECT count(*) FROM said) = %(count)s
"""
_RECALLED = """
UPDATE chat_message m SET text = '', recalled_at = now(), version = c.version
FROM chat_conversation c WHERE c.id = %(talk)s AND m.conversation_id = c.id AND m.seq = 2
"""


def a_month_passes(site: Site, talk: str, who: UUID, count: int) -> None:
    """So many messages as chat_append leaves them, and a change of one that was there before."""
    with psycopg.connect(site.database_url) as connection:
        for statement in (_MONTH, _RECALLED):
            connection.execute(statement, {"talk": talk, "who": who, "count": count})


def test_back_after_a_month_one_reads_the_newest_at_once_and_finds_everything_in_pages(fleet: Fleet) -> None:
    site = fleet.site
    much, little = (str(conversation_of(site, "su", name)) for name in ("lin", "shen"))
    address = ("127.0.0.1", fleet.port)
    su, lin = cookie(site, "su"), cookie(site, "lin")

    async def story() -> tuple[float, dict[str, dict[int, Frame]]]:
        phone = Client(site.origin, address=address, cookie=su)
        await phone.open()
        for talk in (much, little):
            await phone.page(talk)
        await phone.close()
        for talk, name, count in ((much, "lin", AWAY), (little, "shen", FEW)):
            await asyncio.to_thread(a_month_passes, site, talk, site.world.people[name], count)
        back = Client(site.origin, address=address, cookie=su)
        back.conversations = phone.conversations
        async with back, Client(site.origin, address=address, cookie=lin) as other:
            await other.open()
            stopping = asyncio.Event()

            async def talking() -> None:
                while not stopping.is_set():
                    await other.send(much, "meanwhile")
                    await asyncio.sleep(0.05)

            live = asyncio.create_task(talking())
            began = time.monotonic()
            await back.open()
            read_s = time.monotonic() - began
            first = back.conversations[much].messages
            assert len(first) < 100, "the newest page, not all of it"
            assert max(first) > AWAY
            for talk in (much, little):
                known = back.conversations[talk]
                while (oldest := begins(known.messages)) > 1:
                    for one in await back.page(talk, before=oldest, limit=100):
                        known.apply(one)
            stopping.set()
            await live
            await settled_on(back, (much, little), site)
            return read_s, {talk: back.conversations[talk].messages for talk in (much, little)}

    read_s, found = asyncio.run(story())
    for talk, messages in found.items():
        kept = rows(site, "SELECT seq, version, text FROM chat_message WHERE conversation_id = %s ORDER BY seq", talk)
        shown = [(seq, messages[seq]["version"], messages[seq]["text"]) for seq in sorted(messages)]
        assert shown == kept
    note(absence_messages=AWAY, absence_newest_shown_ms=round(read_s * 1000))


def begins(messages: dict[int, Frame]) -> int:
    """Where the stretch begins that ends with the newest message; changes of older ones stand before it, alone."""
    seq = max(messages)
    while seq - 1 in messages:
        seq -= 1
    return seq


async def settled_on(client: Client, talks: Iterable[str], site: Site) -> None:
    """Waits until the client has the newest version of these conversations."""
    versions = dict(rows(site, "SELECT id::text, version FROM chat_conversation"))
    until = time.monotonic() + BY_ITSELF_S
    while any(client.conversations[talk].version < versions[talk] for talk in talks):
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


# A reader that does not read


BURST = 1_000 if LONG else 300
SLOW = 10
TEXT = "长" * 1_300


def request_head(site: Site, session: str) -> bytes:
    """What asks for a socket."""
    head = {
        "Host": f"localhost:{site.app_port}",
        "Origin": site.origin,
        "Cookie": f"rl_session={session}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    lines = ["GET /ws/ HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    return "\r\n".join(lines).encode()


def stalled(site: Site, port: int, session: str) -> socket.socket:
    """A socket that is opened and never read from; the system's own buffer is kept small."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    raw.connect(("127.0.0.1", port))
    raw.sendall(request_head(site, session))
    assert b" 101 " in raw.recv(300)
    return raw


def memory_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_a_reader_that_does_not_read_costs_little_is_cut_off_and_finds_everything_again(
    fleet: Fleet, server: str
) -> None:
    site = fleet.site
    port = fleet.port if server == "uvicorn" else site.app_port
    pid = fleet.uvicorn.pid if server == "uvicorn" else site.pid()
    talk = str(conversation_of(site, "su", "lin"))
    su, lin = cookie(site, "su"), cookie(site, "lin")
    address = ("127.0.0.1", port)

    async def burst(client: Client) -> list[float]:
        took = []

        async def one(number: int) -> None:
            began = time.monotonic()
            await client.send(talk, f"{number} {TEXT}")
            took.append(time.monotonic() - began)

        for start in range(0, BURST, 20):
            await asyncio.gather(*(one(start + number) for number in range(20)))
        return sorted(took)

    async def story() -> tuple[float, float, float, list[Frame]]:
        async with (
            Client(site.origin, address=address, cookie=su) as sender,
            Client(site.origin, address=address, cookie=lin) as again,
        ):
            await sender.open()
            await again.sync()
            alone = await burst(sender)
            before = memory_mib(pid)
            slow = [await asyncio.to_thread(stalled, site, port, lin) for _ in range(SLOW)]
            most, stopping = [before], asyncio.Event()

            async def watch() -> None:
                while not stopping.is_set():
                    most.append(memory_mib(pid))
                    await asyncio.sleep(0.02)

            watching = asyncio.create_task(watch())
            began = time.monotonic()
            beside = await burst(sender)
            closed_s = await asyncio.to_thread(gone_after_s, port, slow, began)
            stopping.set()
            await watching
            for one in slow:
                one.close()
            await again.sync()
            found = [again.conversations[talk].messages[seq] for seq in sorted(again.conversations[talk].messages)]
            while len(found) < 2 * BURST and found[0]["seq"] > 1:
                older = await again.page(talk, before=found[0]["seq"], limit=100)
                found = [*reversed(older), *found]
            p99 = beside[int(BURST * 0.99)] / alone[int(BURST * 0.99)]
            return (max(most) - before) / SLOW, closed_s, p99, found

    rss_mib, closed_s, others, found = asyncio.run(story())
    kept = rows(site, "SELECT seq, text FROM chat_message WHERE conversation_id = %s ORDER BY seq", talk)
    assert [(one["seq"], one["text"]) for one in found] == kept[-len(found) :]
    assert len(found) >= 2 * BURST
    suffix = "" if server == "uvicorn" else f"_{server}"
    note(
        **{
            f"slow_reader{suffix}_rss_mib": round(rss_mib, 2),
            f"slow_reader{suffix}_closed_s": round(closed_s, 1),
            f"slow_reader{suffix}_others_p99_ratio": round(others, 2),
        }
    )
    assert rss_mib < 2
    if LONG:
        assert closed_s < 10


def gone_after_s(port: int, slow: list[socket.socket], since: float) -> float:
    """Seconds until the server has let go of all of them."""
    mine = {f"{one.getsockname()[1]:04X}" for one in slow}
    established = "01"
    until = time.monotonic() + 45
    while time.monotonic() < until:
        table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        held = [
            row for row in table if row[1].endswith(f":{port:04X}") and row[2][-4:] in mine and row[3] == established
        ]
        if not held:
            return time.monotonic() - since
        time.sleep(0.1)
    raise AssertionError(f"{len(held)} of {len(slow)} are still connected")


# Connections that say nothing


SILENT = 1_000 if LONG else 60
GONE_S = 30


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_connections_that_never_say_what_they_want_are_gone_soon_and_nobody_notices(fleet: Fleet, server: str) -> None:
    site = fleet.site
    port = fleet.port if server == "uvicorn" else site.app_port
    talk = str(conversation_of(site, "su", "lin"))
    su = cookie(site, "su")
    head = request_head(site, su)
    body = b"POST /api/chat/sync HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 99\r\n\r\n{" % site.app_port
    said = [b"", head[:-2], body]
    """Nothing at all; a handshake without its last line; the beginning of a body."""

    async def talking(client: Client, stopping: asyncio.Event) -> list[float]:
        took = []
        while not stopping.is_set():
            began = time.monotonic()
            await client.send(talk, "旁人")
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.02)
        return sorted(took)

    async def story() -> tuple[float, float]:
        async with Client(site.origin, address=("127.0.0.1", port), cookie=su) as sender:
            await sender.open()
            quiet = asyncio.Event()
            asyncio.get_running_loop().call_later(3, quiet.set)
            alone = await talking(sender, quiet)
            stopping = asyncio.Event()
            beside = asyncio.create_task(talking(sender, stopping))
            began = time.monotonic()
            silent = [await asyncio.to_thread(connected, port, said[number % len(said)]) for number in range(SILENT)]
            gone_s = await asyncio.to_thread(gone_after_s, port, silent, began)
            stopping.set()
            took = await beside
            for one in silent:
                one.close()
            assert sender.closed_with is None
            return gone_s, took[int(len(took) * 0.99)] / alone[int(len(alone) * 0.99)]

    gone_s, ratio = asyncio.run(story())
    note(**{f"silent_{server}_gone_s": round(gone_s, 1), f"silent_{server}_others_p99_ratio": round(ratio, 2)})
    assert gone_s < GONE_S


def connected(port: int, said: bytes) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", port), 10)
    raw.sendall(said)
    return raw


# Everybody comes back at once


def test_all_come_back_when_the_server_does(fleet: Fleet) -> None:
    site = fleet.site
    command = [str(PYTHON), "-m", "benchmarks.people", "crowd", str(SOCKETS // 20), "20"]
    environment = site.environment | {"DATABASE_POOL": "0", "DJANGO_SETTINGS_MODULE": "rongliao.settings"}
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    sessions = [one["cookie"].partition("=")[2] for one in json.loads(made.stdout)]
    su, lin = cookie(site, "su"), cookie(site, "lin")
    talk = str(conversation_of(site, "su", "lin"))

    async def story() -> tuple[float, float]:
        from websockets.asyncio.client import connect

        async def come(session: str) -> Any:
            while True:
                with contextlib.suppress(OSError, Exception):
                    opened = await connect(
                        f"ws://localhost:{site.app_port}/ws/",
                        host="127.0.0.1",
                        port=fleet.port,
                        origin=site.origin,  # type: ignore[arg-type]  # a NewType of the library
                        additional_headers={"Cookie": f"rl_session={session}"},
                        open_timeout=60,
                        compression=None,
                        proxy=None,
                        ping_interval=None,
                    )
                    assert json.loads(str(await opened.recv()).split("\n")[0])["type"] == "ready"
                    return opened
                await asyncio.sleep(0.2)

        async with (
            Client(site.origin, address=("127.0.0.1", site.app_port), cookie=su) as sender,
            Client(site.origin, address=("127.0.0.1", site.app_port), cookie=lin) as reader,
        ):
            await asyncio.gather(sender.open(), reader.open())
            there = await asyncio.gather(*(come(session) for session in sessions))
            await asyncio.to_thread(fleet.fault, "uvicorn")
            began = time.monotonic()
            coming = asyncio.gather(*(come(session) for session in sessions))
            took = []
            while not coming.done():
                asked = time.monotonic()
                await sender.send(talk, "旁人")
                took.append(time.monotonic() - asked)
                await asyncio.sleep(0.02)
            back = await coming
            back_s = time.monotonic() - began
            for one in (*there, *back):
                one.transport.abort()
            return back_s, sorted(took)[int(len(took) * 0.99)] * 1000

    back_s, others_ms = asyncio.run(story())
    note(stampede_sockets=SOCKETS, stampede_back_s=round(back_s, 1), stampede_others_p99_ms=round(others_ms))
    assert back_s < 30


# What no server under us may do


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_frames_are_neither_compressed_nor_larger_than_64_kib_and_others_stay(fleet: Fleet, server: str) -> None:
    site = fleet.site
    port = fleet.port if server == "uvicorn" else site.app_port
    talk = str(conversation_of(site, "su", "lin"))
    su, lin = cookie(site, "su"), cookie(site, "lin")
    offered = (
        request_head(site, lin)[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    )

    def masked(opcode: int, size: int) -> bytes:
        return bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big") + b"\0\0\0\0"

    def ends(frame: bytes) -> bool:
        """Whether a socket that says this is closed."""
        with connected(port, offered) as raw:
            raw.settimeout(10)
            heard = raw.recv(4_000)
            assert b" 101 " in heard
            assert b"extensions" not in heard.lower().partition(b"\r\n\r\n")[0]
            with contextlib.suppress(ConnectionError):
                raw.sendall(frame)
                while raw.recv(4_000):
                    pass
            return True

    async def story() -> None:
        async with Client(site.origin, address=("127.0.0.1", port), cookie=su) as other:
            await other.open()
            before = memory_mib(fleet.uvicorn.pid if server == "uvicorn" else site.pid())
            for frame in (
                masked(1, 64 * 1024 + 1) + b"x" * (64 * 1024 + 1),
                masked(2, 2**40) + b"x" * 1_000,  # one that only says that it is large: nothing is kept for it
                *(masked(3, 1), b"\xf1\x80\0\0\0\0", b"\x81\x05hello"),
            ):
                assert await asyncio.to_thread(ends, frame)
            assert memory_mib(fleet.uvicorn.pid if server == "uvicorn" else site.pid()) - before < 8
            await other.send(talk, "旁人")
            assert other.closed_with is None

    asyncio.run(story())


# Who may hold a socket


def foreign(site: Site) -> list[str | None]:
    """Origins that are nearly ours."""
    port = site.app_port
    return [
        *(None, "null", f"https://localhost:{port}", f"http://localhost:{port + 1}", "http://localhost"),
        *(f"http://localhost:{port}.evil.example", f"http://LOCALHOST:{port}", f"http://127.0.0.1:{port}"),
        *(f"http://localhost:{port}/", f"http://evil.example/http://localhost:{port}"),
    ]


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_no_socket_opens_for_a_page_of_another_origin(fleet: Fleet, server: str) -> None:
    site = fleet.site
    port = fleet.port if server == "uvicorn" else site.app_port
    head, ours = request_head(site, cookie(site, "su")), f"Origin: {site.origin}\r\n".encode()

    def answer(said: bytes) -> bytes:
        with connected(port, said) as raw:
            raw.settimeout(10)
            return raw.recv(300).split(b"\r\n")[0]

    assert b" 101 " in answer(head)
    opened = [
        origin
        for origin in foreign(site)
        if b" 101 " in answer(head.replace(ours, b"" if origin is None else f"Origin:{origin}\r\n".encode()))
    ]
    note(**{f"foreign_sockets_opened_{server}": len(opened)})
    assert opened == []


_END = """
import time, uuid
from accounts import actions
person = uuid.UUID("{person}")
{deed}
print(time.time(), flush=True)
time.sleep(2)
actions.block_person(person_id=person, blocked=False, by=None)
"""
ENDINGS = {
    "blocked": "actions.block_person(person_id=person, blocked=True, by=None)",
    "password_changed": "actions.end_all_sessions(person_id=person, reason='password_changed')",
}


@pytest.mark.parametrize("how", ["kicked", "signed_out", *ENDINGS])
@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_a_session_that_ends_loses_its_socket_within_a_second_and_hears_nothing_more(
    fleet: Fleet, server: str, how: str
) -> None:
    site = fleet.site
    port = fleet.port if server == "uvicorn" else site.app_port
    talk = str(conversation_of(site, "su", "lin"))
    keeps, ends = sign_in(site, "lin"), sign_in(site, "lin")
    session = next(one.value or "" for one in ends.cookies.jar if one.name == "rl_session")
    device = ends.get("/api/me").json()["device_id"]

    def end() -> float:
        """Ends the session; when that was committed."""
        if how in ENDINGS:
            code = _END.format(person=site.world.people["lin"], deed=ENDINGS[how])
            done = subprocess.run(
                [str(PYTHON), "manage.py", "shell", "-c", code],
                cwd=ROOT,
                env=site.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return float(done.stdout.split()[-1])
        began = time.time()
        answer = keeps.delete(f"/api/devices/{device}") if how == "kicked" else ends.delete("/api/session")
        assert answer.status_code == 204, answer.text
        return began

    def comes_back(port: int, session: str) -> tuple[bytes, int]:
        """What the old cookie opens: a socket, a sync."""
        with connected(port, request_head(site, session)) as raw:
            raw.settimeout(10)
            opened = raw.recv(300).split()[1]
        synced = httpx.post(
            f"http://127.0.0.1:{port}/api/chat/sync",
            json={"have": {}},
            headers={
                "Host": f"localhost:{site.app_port}",
                "Origin": site.origin,
                "Cookie": f"rl_session={session}",
            },
        )
        return opened, synced.status_code

    async def story() -> float:
        async with (
            Client(site.origin, address=("127.0.0.1", port), cookie=session) as lin,
            Client(site.origin, cookie=cookie(site, "su")) as su,
        ):
            await asyncio.gather(lin.open(), su.open())
            heard: list[Frame] = []
            lin.on_message = heard.append
            ending = asyncio.create_task(asyncio.to_thread(end))
            until = time.monotonic() + 30
            while lin.closed_with is None:
                assert time.monotonic() < until
                await asyncio.sleep(0.01)
            closed = time.time()
            assert lin.closed_with == Reason.SESSION_ENDED
            await su.send(talk, "他听不到")
            await asyncio.sleep(0.3)
            assert heard == []
            again = await asyncio.to_thread(comes_back, port, session)
            assert again == (b"403", 401)
            # The other process says that it committed a moment after it did.
            return max(0.0, closed - await ending)

    took = asyncio.run(story())
    note(**{f"{how}_{server}_closed_ms": round(took * 1000)})
    assert took < 1
