"""Delivery under real faults: killed servers, a killed and flushed Redis, cut connections, a month away.

`make test` runs a short, seeded part; `make faults` runs long (FAULTS_S) and writes figures to var/faults.json.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

import psycopg
import pytest

from tests.faults.figures import LONG, SECONDS, SEED, note
from tests.faults.fleet import Fleet, cookie
from tests.faults.test_kill import conversation_of, rows
from tests.support.client import Client, Frame
from tests.support.site import Site

DEVICES_EACH = 9 if LONG else 4
PAIRS = (("su", "lin"), ("su", "shen"), ("su", "zhou"), ("xu", "he"))
PEOPLE = ("su", "lin", "shen", "zhou", "xu", "he")
IN_FLIGHT = 3
PAUSE_S = 0.15
SETTLE_S = 90.0
CATCH_UP_MS = 2_000
"""From the cut, or from the server's being there again, until the device has everything."""
PATIENCE_S = 0.5
"""The longest pause between two tries to come back: it is the servers that are timed, not how patient an app is."""
BY_ITSELF_S = 40.0
"""Within this who asks for nothing has everything: a process that was killed is missed after seven seconds."""


@dataclass
class Device:
    """A client that sends in its conversations, and notes what it is shown."""

    client: Client
    port: int
    talks: list[str]
    chance: random.Random
    sent: dict[str, list[str]] = field(default_factory=dict)
    acked: dict[str, tuple[int, str]] = field(default_factory=dict)
    shown: dict[str, list[int]] = field(default_factory=dict)
    back: list[tuple[float, float]] = field(default_factory=list)
    """When it lost its socket, and when it had everything again (time.monotonic)."""
    open: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self.client.on_message = lambda one: self.shown.setdefault(one["conversation_id"], []).append(one["seq"])
        self.client.on_reset = lambda talk: self.shown.pop(talk, None)
        self.client.on_synced = lambda since: self.back.append((since, time.monotonic()))

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
                port = fleet.port if number % 2 else site.app_port
                client = Client(
                    site.origin, address=("127.0.0.1", port), cookie=cookies[name], longest_pause_s=PATIENCE_S
                )
                devices.append(Device(client, port, mine, random.Random(chance.random())))
        await asyncio.gather(*(device.client.open() for device in devices))
        for device in devices:
            device.back.clear()
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
    waits = sorted(1000 * fleet.waited_s(device.port, *times) for device in devices for times in device.back)
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
