"""A session or an office that ends, on real servers: who held it hears no more and writes no more.

The other side does not play along: its device goes on sending on the old socket, whatever the server says.
"""

import asyncio
import json
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from chat.delivery.connection import Reason
from tests.faults.figures import note
from tests.faults.fleet import SERVERS, Fleet, cookie
from tests.faults.people import sign_in
from tests.faults.raw import connected, raw_frame, request_head
from tests.faults.test_kill import conversation_of, rows
from tests.support.client import Client, Frame, Refused
from tests.support.site import Site

CLOSED_S = 1.0
IN_THAT_INSTANT_S = 0.25
"""A statement that ran while the session ended is written; this is far more than it takes, and less than any look."""
UNHEARD = "他听不到"
_WRITTEN = "SELECT extract(epoch FROM at)::float FROM chat_message WHERE client_id::text = ANY(%s)"

_PROBE = re.compile(rb'"type":"probe","n":(\d+)')


class Persistent(threading.Thread):
    """A device that sends a message every few milliseconds, also when it was told that its socket is closed."""

    def __init__(self, raw: socket.socket, talk: str) -> None:
        super().__init__(daemon=True)
        self._raw = raw
        self._talk = talk
        self.stopping = threading.Event()
        self.said: list[str] = []
        self.heard_at = 0.0
        """When the last message of anybody came (time.time)."""
        self.closed = False

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self.said.append(str(uuid.uuid4()))
                frame = {"type": "send", "conversation_id": self._talk, "client_id": self.said[-1], "text": "还能说"}
                self._raw.sendall(raw_frame(json.dumps(frame).encode()))
                self._hear()
        except ConnectionError:
            self.closed = True

    def _hear(self) -> None:
        try:
            heard = self._raw.recv(65536)
        except TimeoutError:
            return
        self.closed = self.closed or not heard
        if b'"type":"message"' in heard:
            self.heard_at = time.time()
        for number in _PROBE.findall(heard):
            self._raw.sendall(raw_frame(b'{"type":"probed","n":%s}' % number))
        if not heard:
            self.stopping.wait(0.01)


@contextmanager
def persistent(site: Site, port: int, session: str, talk: str) -> Iterator[Persistent]:
    """Such a device, for as long as this lasts."""
    with connected(port, request_head(site.origin, session)) as raw:
        raw.settimeout(10)
        heard = b""
        while b'"ready"' not in heard:
            more = raw.recv(4_000)
            assert more, heard
            heard += more
        raw.settimeout(0.01)
        device = Persistent(raw, talk)
        device.start()
        try:
            yield device
        finally:
            device.stopping.set()
            device.join()


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
@pytest.mark.parametrize("server", SERVERS)
def test_a_session_that_ends_loses_its_socket_within_a_second_and_hears_nothing_more(
    fleet: Fleet, server: str, how: str
) -> None:
    site = fleet.site
    port = fleet.port_of(server)
    talk = str(conversation_of(site, "su", "lin"))
    keeps, ends = sign_in(site, "lin"), sign_in(site, "lin")
    session = next(one.value or "" for one in ends.cookies.jar if one.name == "rl_session")
    device = ends.get("/api/me").json()["device_id"]

    def end() -> tuple[float, float]:
        """Ends the session; moments before and after that was committed."""
        if how in ENDINGS:
            # The other process says that it committed a moment after it did.
            committed = float(fleet.shell(_END.format(person=site.world.people["lin"], deed=ENDINGS[how])))
            return committed, committed
        began = time.time()
        answer = keeps.delete(f"/api/devices/{device}") if how == "kicked" else ends.delete("/api/session")
        assert answer.status_code == 204, answer.text
        return began, time.time()

    def comes_back(port: int, session: str) -> tuple[bytes, int]:
        """What the old cookie opens: a socket, a sync."""
        with connected(port, request_head(site.origin, session)) as raw:
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

    async def story() -> tuple[float, float]:
        async with (
            Client(site.origin, address=("127.0.0.1", port), cookie=session) as lin,
            Client(site.origin, cookie=cookie(site, "su")) as su,
        ):
            await asyncio.gather(lin.open(), su.open())
            heard: list[Frame] = []
            lin.on_message = lambda one: heard.append(one) if one["text"] == UNHEARD else None
            ending = asyncio.create_task(asyncio.to_thread(end))
            until = time.monotonic() + 30
            while lin.closed_with is None:
                assert time.monotonic() < until
                await asyncio.sleep(0.01)
            closed = time.time()
            assert lin.closed_with == Reason.SESSION_ENDED
            await su.send(talk, UNHEARD)
            await asyncio.sleep(0.3)
            assert heard == []
            again = await asyncio.to_thread(comes_back, port, session)
            assert again == (b"403", 401)
            before, committed = await ending
            return max(0.0, closed - before), committed

    with persistent(site, port, session, talk) as device_goes_on:
        took, committed = asyncio.run(story())
    note(**{f"{how}_{server}_closed_ms": round(took * 1000)})
    assert took < CLOSED_S
    times = [at for (at,) in rows(site, _WRITTEN, device_goes_on.said)]
    assert times, "it never wrote"
    assert max(times) < committed + IN_THAT_INSTANT_S
    assert device_goes_on.heard_at < committed + CLOSED_S


# A manager loses one customer, and keeps the socket


_REASSIGN = """
import uuid
from accounts import actions
other = actions.create_staff(name="{name}", phone="{phone}", password=None, roles=["advisor"])
actions.assign_advisor(advisor_id=other.pk, customer_id=uuid.UUID("{customer}"))
"""
_GIVE_BACK = """
import uuid
from accounts import actions
actions.assign_advisor(advisor_id=uuid.UUID("{advisor}"), customer_id=uuid.UUID("{customer}"))
"""
SUCCESSORS = {"uvicorn": ("钱经理", "13900000181"), "daphne": ("孙经理", "13900000182")}
_CHANGED = (
    "SELECT min(seq) FROM chat_message WHERE conversation_id = %s AND notice->>'code' = 'advisor_changed' AND seq > %s"
)
_NEWEST = "SELECT seq FROM chat_conversation WHERE id = %s"
_LATER = "SELECT count(*) FROM chat_message WHERE conversation_id = %s AND sender_id = %s AND seq > %s"


@pytest.mark.parametrize("server", SERVERS)
def test_a_manager_who_loses_a_customer_hears_and_writes_nothing_there_and_keeps_the_socket(
    fleet: Fleet, server: str
) -> None:
    site, port = fleet.site, fleet.port_of(server)
    talk, other_talk = (str(conversation_of(site, name, "zhou")) for name in ("su", "xu"))
    zhou, people = cookie(site, "zhou"), site.world.people
    ((newest,),) = rows(site, _NEWEST, talk)
    name, phone = SUCCESSORS[server]

    async def story() -> tuple[float, list[tuple[float, int]]]:
        heard: list[tuple[float, int]] = []
        stopping = asyncio.Event()
        async with (
            Client(site.origin, address=("127.0.0.1", port), cookie=zhou) as manager,
            Client(site.origin, cookie=cookie(site, "su")) as customer,
            Client(site.origin, cookie=cookie(site, "xu")) as another,
        ):
            await asyncio.gather(manager.open(), customer.open(), another.open())
            told = asyncio.Event()

            def note_message(message: Frame) -> None:
                if message["conversation_id"] == talk:
                    heard.append((time.time(), message["seq"]))
                elif message["text"] == UNHEARD:
                    told.set()

            manager.on_message = note_message

            async def says() -> None:
                while not stopping.is_set():
                    await customer.send(talk, "还在吗")
                    await asyncio.sleep(0.02)

            saying = asyncio.create_task(says())
            with persistent(site, port, zhou, talk) as device_goes_on:
                await asyncio.to_thread(fleet.shell, _REASSIGN.format(name=name, phone=phone, customer=people["su"]))
                committed = time.time()
                await asyncio.sleep(2 * CLOSED_S)
                assert not device_goes_on.closed
                # A client that knows that the conversation is gone shows nothing of it; this one hears all that comes.
                assert 0 < device_goes_on.heard_at < committed + CLOSED_S
            stopping.set()
            await saying
            with pytest.raises(Refused, match="not_found"):
                await manager.send(talk, "我还在")
            await another.send(other_talk, UNHEARD)
            await asyncio.wait_for(told.wait(), 10)
            assert manager.closed_with is None
            assert talk not in manager.conversations
            return committed, heard

    committed, heard = asyncio.run(story())
    fleet.shell(_GIVE_BACK.format(advisor=people["zhou"], customer=people["su"]))
    ((changed,),) = rows(site, _CHANGED, talk, newest)
    late = [at for at, seq in heard if seq > changed]
    note(**{f"reassigned_{server}_heard_after": len(late)})
    assert heard, "it never heard anything"
    assert not late or max(late) < committed + CLOSED_S
    assert rows(site, _LATER, talk, people["zhou"], changed) == [(0,)]
