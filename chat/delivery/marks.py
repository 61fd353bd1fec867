"""Read marks: only the newest of each member counts, so a batch holds one for each."""

import asyncio
import logging
from uuid import UUID

import psycopg

from chat import log, wire
from chat.delivery.connection import Connection
from chat.delivery.database import Database
from chat.delivery.hub import Hub, Parcel
from chat.delivery.relay import Outbox
from chat.delivery.writer import failure
from kernel.errors import NotFound

MAX_BATCH = 500
RETRY_S = 0.5
MAX_KEPT = 20_000
"""Marks that wait for a database that is away; beyond that, clients tell theirs when they ask (see the store)."""

_log = logging.getLogger(__name__)


class Marks:
    """Takes read marks from sockets and writes them together."""

    def __init__(self, hub: Hub, outbox: Outbox, database: Database) -> None:
        self._hub = hub
        self._outbox = outbox
        self._database = database
        self._pending: dict[tuple[UUID, UUID], tuple[int, Connection]] = {}
        self._wake = asyncio.Event()

    def submit(self, connection: Connection, conversation_id: UUID, seq: int) -> None:
        """Queues a mark; a later one of the same member takes its place."""
        key = (conversation_id, connection.person_id)
        earlier = self._pending.get(key)
        if earlier is None or earlier[0] < seq:
            self._pending[key] = (seq, connection)
        self._wake.set()

    async def run(self) -> None:
        """Writes for as long as it is not cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                taken = [self._pending.popitem() for _ in range(min(MAX_BATCH, len(self._pending)))]
                try:
                    await self._write(taken)
                except psycopg.OperationalError as error:
                    # Who sent them takes them for told, and the other devices count by them.
                    _log.warning("%s read marks wait for the database: %s", len(taken), error)
                    for (conversation_id, _), (seq, connection) in taken:
                        if len(self._pending) < MAX_KEPT:
                            self.submit(connection, conversation_id, seq)
                    await asyncio.sleep(RETRY_S)
                except psycopg.Error as error:
                    _log.warning("%s read marks were not written: %s", len(taken), error)

    async def _write(self, taken: list[tuple[tuple[UUID, UUID], tuple[int, Connection]]]) -> None:
        asked = [
            {"o": order, "c": conversation_id, "s": person_id, "seq": seq}
            for order, ((conversation_id, person_id), (seq, _)) in enumerate(taken)
        ]
        rows = await self._database.fetch(log.MARK_SQL, (log.encoder.encode(asked).decode(),))
        parcels = []
        written = set()
        for answer in log.marked_decoder.decode(rows[0][0]):
            (conversation_id, person_id), (_, connection) = taken[answer.o]
            written.add(answer.o)
            frame = wire.ReadMark(conversation_id=conversation_id, seq=answer.seq, unread=answer.unread)
            parcels.append(Parcel((person_id,), wire.encode(frame), connection.id))
        for order, (_, (_, connection)) in enumerate(taken):
            if order not in written:
                connection.push(failure(NotFound(), connection.language))
        self._hub.deliver(parcels)
        self._outbox.put(parcels)
