"""Delivery on one event loop: the hub, the writers and what watches over the sockets."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections

from accounts import queries as people
from chat import log, wire
from chat.delivery import ear, relay
from chat.delivery.connection import Connection, Reason
from chat.delivery.database import Database
from chat.delivery.hub import Hub, Parcel, hub_of
from chat.delivery.marks import Marks
from chat.delivery.members import MemberCache
from chat.delivery.writer import Writer

SWEEP_EVERY_S = 1.0
LOOKED_AT_ONCE = 500
"""Sessions that are asked about in one statement; others have the loop between two of them."""
THREADS = 4
WRITERS = 2
"""So many batches may be on their way to the database at once, each of conversations of its own: what arrives while one
is being committed need not wait for it, and what is said in one conversation keeps its order."""
ADMISSIONS = 3
"""Connections for looking up who comes: a few ways to the database at once, when thousands do."""
TYPING_EVERY_S = 2.0
MAX_TYPED = 50
BEHIND_PER_S = 50
"""So many sockets a second are told to ask: all at once would be a flood of requests."""

Result = TypeVar("Result")
_log = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="chat")


async def in_thread(function: Callable[[], Result]) -> Result:
    """Runs synchronous database work in a pool of our own, and gives its connection back."""

    def work() -> Result:
        try:
            return function()
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(_threads, work)


class Engine:
    """What the sockets of one loop share."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.hub: Hub = hub_of(loop)
        self.outbox = relay.Outbox()
        self._ear = ear.Ear(loop.time(), shared=relay.is_shared())
        self._writes = [Database(f"rongliao chat writer {number}") for number in range(WRITERS)]
        self._read = Database("rongliao chat marks")
        self._admissions = [Database(f"rongliao chat admissions {number}") for number in range(ADMISSIONS)]
        self._turns = cycle(self._admissions)
        self.members = MemberCache(self._read)
        self._writers = [Writer(self.hub, self.outbox, self.members, write) for write in self._writes]
        self.marks = Marks(self.hub, self.outbox, self._read)
        self._tasks = [
            loop.create_task(self._kept_up(job))
            for job in (
                *(writer.run for writer in self._writers),
                *(self.marks.run, self.outbox.run),
                *(self._sweep, self._listen, relay.beat, self._watch),
            )
        ]

    async def _listen(self) -> None:
        await relay.listen(self.hub, self._ear)
        await asyncio.Event().wait()

    async def _watch(self) -> None:
        """Where pushes may have been lost, the sockets are told to ask, one after the other."""
        frame = wire.encode(wire.Behind())
        while True:
            await asyncio.sleep(ear.GRACE_S)
            untold, self.hub.untold = self.hub.untold, False
            if not self._ear.missed(self.hub.loop.time()) and not untold:
                continue
            _log.warning("pushes may have been lost; clients are told to ask")
            for number, connection in enumerate(tuple(self.hub.connections), 1):
                connection.push(frame)
                if number % BEHIND_PER_S == 0:
                    await asyncio.sleep(1)

    async def _kept_up(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A job that fails is noted and begun again: sockets must not outlive their writer."""
        while True:
            try:
                await job()
            except Exception:
                _log.exception("%s failed and starts again", job.__qualname__)
                await asyncio.sleep(0.1)

    async def _sweep(self) -> None:
        """Closes readers that are stuck, and what outlived its session although nobody told us."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            for connection in tuple(self.hub.connections):
                if connection.is_stuck():
                    connection.close(Reason.TOO_SLOW)
                elif connection.ends_at <= self.hub.loop.time():
                    connection.close(Reason.SESSION_ENDED)
            sessions = list({connection.session_id for connection in self.hub.connections})
            for start in range(0, len(sessions), LOOKED_AT_ONCE):
                # By a connection of the loop's own: a thread would take Python's lock from it each second.
                ended = await self.ask(*people.ended_question(sessions[start : start + LOOKED_AT_ONCE]))
                self.hub.end_sessions(session for (session,) in ended)

    def write(self, connection: Connection, draft: log.Draft) -> None:
        """Queues a message, behind those of its conversation. The answer comes on its connection."""
        self._writers[draft.c.int % WRITERS].submit(connection, draft)

    async def ask(self, statement: str, params: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The rows of a statement about somebody who comes. Raises psycopg.Error."""
        return await next(self._turns).fetch(statement, params)

    async def typing(self, connection: Connection, conversation_id: UUID) -> None:
        """Tells the other members that the person writes, now and then."""
        now = self.hub.loop.time()
        if now - connection.typed_at.get(conversation_id, -TYPING_EVERY_S) < TYPING_EVERY_S:
            return
        if len(connection.typed_at) >= MAX_TYPED:
            connection.typed_at.clear()
        connection.typed_at[conversation_id] = now
        others = await self.members.heard_by(conversation_id, connection.person_id)
        if others:
            frame = wire.IsTyping(conversation_id=conversation_id, person_id=connection.person_id)
            parcels = [Parcel(others, wire.encode(frame))]
            self.hub.deliver(parcels)
            self.outbox.put(parcels)

    async def stop(self) -> None:
        """Ends the jobs, the sockets and the database connections."""
        for connection in tuple(self.hub.connections):
            connection.close(Reason.GOING_AWAY)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for database in (*self._writes, self._read, *self._admissions):
            await database.close()


_engines: dict[asyncio.AbstractEventLoop, Engine] = {}


def engine() -> Engine:
    """The engine of the running loop, made when first asked for."""
    loop = asyncio.get_running_loop()
    found = _engines.get(loop)
    if found is None:
        for old in [known for known in _engines if known.is_closed()]:
            del _engines[old]
        found = _engines[loop] = Engine(loop)
    return found


async def stop() -> None:
    """Stops the running loop's engine, if there is one."""
    found = _engines.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.stop()
