"""Read marks: only the newest of each member counts, so a batch holds one for each."""

import asyncio
import logging
from collections import OrderedDict
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
"""Marks that wait, as they do while the database is away. Beyond that the oldest are dropped, and when it is back the
clients are told to ask: they see how far the server has them, and tell theirs again (see the store).
"""

_log = logging.getLogger(__name__)


class Marks:
    """Takes read marks from sockets and writes them together."""

    def __init__(self, hub: Hub, outbox: Outbox, database: Database) -> None:
        self._hub = hub
        self._outbox = outbox
        self._database = database
        self._pending: OrderedDict[tuple[UUID, UUID], tuple[int, Connection]] = OrderedDict()
        self._dropped = False
        self._wake = asyncio.Event()

    def submit(self, connection: Connection, conversation_id: UUID, seq: int) -> None:
        """Queues a mark; a later one of the same member takes its place."""
        key = (conversation_id, connection.person_id)
        earlier = self._pending.get(key)
        if earlier is None and len(self._pending) >= MAX_KEPT:
            self._pending.popitem(last=False)
            self._dropped = True
        if earlier is None or earlier[0] < seq:
            self._pending[key] = (seq, connection)
        self._wake.set()

    async def run(self) -> None:
        """Writes for as long as it is not cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                taken = [self._pending.popitem(last=False) for _ in range(min(MAX_BATCH, len(self._pending)))]
                try:
                    await self._write(taken)
                except psycopg.OperationalError as error:
                    # Who sent them takes them for told, and the other devices count by them.
                    _log.warning("%s read marks wait for the database: %s", len(taken), error)
                    self._put_back(taken)
                    await asyncio.sleep(RETRY_S)
                except psycopg.Error as error:
                    _log.warning("%s read marks were not written: %s", len(taken), error)

    def _put_back(self, taken: list[tuple[tuple[UUID, UUID], tuple[int, Connection]]]) -> None:
        """What could not be written is the oldest again; a member's newer mark stays, and so does the bound."""
        for key, (seq, connection) in reversed(taken):
            later = self._pending.get(key)
            if later is None and len(self._pending) >= MAX_KEPT:
                self._dropped = True
                continue
            if later is None or later[0] < seq:
                self._pending[key] = (seq, connection)
            self._pending.move_to_end(key, last=False)

    async def _write(self, taken: list[tuple[tuple[UUID, UUID], tuple[int, Connection]]]) -> None:
        asked = [
            {"o": order, "c": conversation_id, "s": person_id, "seq": seq}
            for order, ((conversation_id, person_id), (seq, _)) in enumerate(taken)
        ]
        rows = await self._database.fetch(log.MARK_SQL, (log.encoder.encode(asked).decode(),))
        if self._dropped:
            self._dropped = False
            self._hub.untold = True
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
