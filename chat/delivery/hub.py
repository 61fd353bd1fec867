"""The sockets of one process: who is connected, and what goes to them.

A hub belongs to one event loop. Any thread may publish; delivery runs on the hub's loop. A frame is encoded once,
whatever the number of its receivers.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from chat.delivery.connection import Connection, Reason

REMEMBERED_S = 30.0
"""So long it is known that a session ended: longer than anybody takes from the look at it to the open socket."""


class Parcel(NamedTuple):
    """A frame and whom it is for; `skip` is the connection that knows it already."""

    people: Sequence[UUID]
    frame: str
    skip: UUID | None = None


class Hub:
    """The connections on one loop, by person and by session."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.connections: set[Connection] = set()
        self.untold = False
        """Something was committed that could not be told: the sockets are to ask."""
        self._ended: dict[UUID, float] = {}
        self._people: dict[UUID, set[Connection]] = {}
        self._sessions: dict[UUID, set[Connection]] = {}

    def add(self, connection: Connection) -> None:
        """Takes a connection in; one whose session ended on its way here is closed."""
        if connection.session_id in self._ended:
            connection.close(Reason.SESSION_ENDED)
        self.connections.add(connection)
        self._people.setdefault(connection.person_id, set()).add(connection)
        self._sessions.setdefault(connection.session_id, set()).add(connection)

    def remove(self, connection: Connection) -> None:
        """Lets a connection go; harmless twice."""
        self.connections.discard(connection)
        for index, key in ((self._people, connection.person_id), (self._sessions, connection.session_id)):
            there = index.get(key)
            if there is not None:
                there.discard(connection)
                if not there:
                    del index[key]

    def count_of(self, person_id: UUID) -> int:
        """How many sockets the person has here."""
        return len(self._people.get(person_id, ()))

    def deliver(self, parcels: Iterable[Parcel]) -> None:
        """Puts each frame into the queues of its receivers."""
        people = self._people
        for receivers, frame, skip in parcels:
            for person_id in receivers:
                there = people.get(person_id)
                if there:
                    for connection in tuple(there):
                        if connection.id != skip:
                            connection.push(frame)

    def end_sessions(self, session_ids: Iterable[UUID]) -> None:
        """Closes what these sessions opened, also what comes in a moment: it was looked up before they ended."""
        now = self.loop.time()
        while self._ended and next(iter(self._ended.values())) < now - REMEMBERED_S:
            del self._ended[next(iter(self._ended))]
        for session_id in session_ids:
            self._ended[session_id] = now
            for connection in tuple(self._sessions.get(session_id, ())):
                connection.close(Reason.SESSION_ENDED)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}
_guard = threading.Lock()


def hub_of(loop: asyncio.AbstractEventLoop) -> Hub:
    """The hub of a loop, made when first asked for."""
    with _guard:
        for old in [known for known in _hubs if known.is_closed()]:
            del _hubs[old]
        return _hubs.setdefault(loop, Hub(loop))


def hubs() -> list[Hub]:
    """The hubs of this process whose loops run."""
    with _guard:
        return [hub for loop, hub in _hubs.items() if loop.is_running()]


def deliver_here(parcels: Sequence[Parcel]) -> None:
    """Delivers to every socket of this process, from any thread."""
    for hub in hubs():
        # A loop that closes meanwhile has no sockets left.
        with contextlib.suppress(RuntimeError):
            hub.loop.call_soon_threadsafe(hub.deliver, parcels)


def end_here(session_ids: Sequence[UUID]) -> None:
    """Closes these sessions' sockets in this process, from any thread."""
    for hub in hubs():
        with contextlib.suppress(RuntimeError):
            hub.loop.call_soon_threadsafe(hub.end_sessions, session_ids)
