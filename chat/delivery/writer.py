"""The hot path: adaptive group commit.

What arrives while one batch is being committed becomes the next batch: a lone message goes at once, many share one
statement and one flush of the log. A writer has one batch in flight, so that order is kept; there are a few, each of
conversations of its own. An acknowledgement follows the commit, the push follows the acknowledgement.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Sequence
from uuid import UUID

import psycopg

from chat import log, wire
from chat.delivery.connection import Connection
from chat.delivery.database import Database
from chat.delivery.hub import Hub, Parcel
from chat.delivery.members import MemberCache, Members
from chat.delivery.relay import Outbox
from chat.errors import Busy, Unconfirmed, barred_by
from kernel.errors import Invalid, NotFound, Refusal, TooMany

MAX_BATCH = 256
MAX_PENDING = 10_000
"""Messages that wait for one writer."""
GIVE_UP_S = 10.0
PLAN_ANEW_FROM = 500
"""Messages after which the statement that writes them is planned anew for the first time."""
BUSY_PAUSE_S = 0.003
RECONNECT_PAUSE_S = 0.2

_log = logging.getLogger(__name__)


class Pending:
    """A message on its way to the database, and the socket that waits for the answer."""

    __slots__ = ("connection", "draft", "since")

    def __init__(self, connection: Connection, draft: log.Draft, since: float) -> None:
        self.connection = connection
        self.draft = draft
        self.since = since


def failure(refusal: Refusal, language: str, draft: log.Draft | None = None, *, client_id: UUID | None = None) -> str:
    """A refusal as an error frame; `client_id` where there is no draft of the message that it is about."""
    body = refusal.body(language)["error"]
    return wire.encode(
        wire.Failure(
            code=body["code"],
            message=body["message"],
            params=body["params"],
            client_id=draft.k if draft else client_id,
            conversation_id=draft.c if draft else None,
            retry=refusal.status in {Busy.status, TooMany.status},
        )
    )


class Writer:
    """Takes messages of its conversations from the sockets of one process and writes them in batches."""

    def __init__(self, hub: Hub, outbox: Outbox, members: MemberCache, database: Database) -> None:
        self._hub = hub
        self._outbox = outbox
        self._members = members
        self._database = database
        self._pending: deque[Pending] = deque()
        self._wake = asyncio.Event()
        self.batches = 0
        self.written = 0
        self._asked = 0
        self._plan_at = PLAN_ANEW_FROM

    def submit(self, connection: Connection, draft: log.Draft) -> None:
        """Queues a message. The answer comes on its connection: an acknowledgement or an error."""
        if len(self._pending) >= MAX_PENDING:
            connection.push(failure(Busy(), connection.language, draft))
            return
        connection.in_flight += 1
        self._pending.append(Pending(connection, draft, self._hub.loop.time()))
        self._wake.set()

    async def run(self) -> None:
        """Writes for as long as it is not cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            done: list[tuple[Pending, log.Written]] = []
            while self._pending:
                batch = self._take()
                writing: Awaitable[list[log.Written]] = self._append(batch)
                if done:
                    # The statement is on its way to the database while the batch before it is told to people.
                    writing = asyncio.ensure_future(writing)
                    await asyncio.sleep(0)
                    await self._tell(done)
                done = await self._settled(batch, writing)
            await self._tell(done)

    def _take(self) -> list[Pending]:
        pending = self._pending
        return [pending.popleft() for _ in range(min(MAX_BATCH, len(pending)))]

    async def _append(self, batch: Sequence[Pending]) -> list[log.Written]:
        for order, item in enumerate(batch):
            item.draft.o = order
        asked = log.encoder.encode([item.draft for item in batch])
        found = await self._database.value(log.APPEND_SQL, (asked, b"false", b"false"))
        self.batches += 1
        self._asked += len(batch)
        if self._asked >= self._plan_at:
            # Each time that as much again was written: the tables may have doubled, and plans are few.
            self._plan_at = 2 * self._asked
            await self._plan_anew()
        answers = log.written_decoder.decode(found)
        if len(answers) != len(batch):
            raise ValueError(f"{len(answers)} answers for {len(batch)} messages")
        return answers

    async def _plan_anew(self) -> None:
        try:
            await self._database.plan_anew()
        except psycopg.Error as error:
            # The batch is written; the next one meets the broken connection, and makes another.
            _log.warning("plans were not made anew (%s)", error)

    async def _settled(
        self, batch: list[Pending], writing: Awaitable[list[log.Written]]
    ) -> list[tuple[Pending, log.Written]]:
        """The answers of a batch; what must be asked again is back at the head of the queue, in order."""
        try:
            answers = await writing
        except psycopg.OperationalError as error:
            _log.warning("a batch of %s messages was not confirmed (%s); trying again", len(batch), error)
            self._again(batch, Unconfirmed())
            await asyncio.sleep(RECONNECT_PAUSE_S)
            return []
        except psycopg.Error as error:
            return await self._one_by_one(batch, error)
        except Exception:
            _log.exception("a batch of %s messages got no answer that can be read", len(batch))
            for item in batch:
                self._fail(item, Unconfirmed())
            return []
        done = []
        again = []
        for item, answer in zip(batch, answers, strict=True):
            if answer.r in {"busy", "twin"}:
                again.append(item)
            elif answer.r == "ended":
                # Nobody told us, or what was queued here before they did.
                item.connection.in_flight -= 1
                self._hub.end_sessions([item.connection.session_id])
            else:
                done.append((item, answer))
        if again:
            self._again(again, Busy())
            if not done:
                await asyncio.sleep(BUSY_PAUSE_S)
        return done

    async def _one_by_one(self, batch: list[Pending], error: psycopg.Error) -> list[tuple[Pending, log.Written]]:
        """One row that the database refuses must not take the others down with it."""
        if len(batch) == 1:
            _log.error("the database refused a message: %s", error)
            self._fail(batch[0], Invalid())
            return []
        done: list[tuple[Pending, log.Written]] = []
        for place, item in enumerate(batch):
            before = len(self._pending)
            done += await self._settled([item], self._append([item]))
            if len(self._pending) > before and self._pending[0] is item:
                # It has to wait; so do those after it, or they would overtake it.
                self._pending.extendleft(reversed(batch[place + 1 :]))
                break
        return done

    def _again(self, items: Sequence[Pending], late: Refusal) -> None:
        now = self._hub.loop.time()
        waiting = []
        for item in items:
            if now - item.since > GIVE_UP_S:
                self._fail(item, late)
            else:
                waiting.append(item)
        self._pending.extendleft(reversed(waiting))

    def _fail(self, item: Pending, refusal: Refusal) -> None:
        item.connection.in_flight -= 1
        item.connection.push(failure(refusal, item.connection.language, item.draft))

    async def _tell(self, done: Sequence[tuple[Pending, log.Written]]) -> None:
        """Acknowledges, then delivers here, then hands over to the other processes. Raises nothing: the next batch is
        being written meanwhile, and would be committed with nobody to say so."""
        for item, answer in done:
            item.connection.in_flight -= 1
            try:
                frame = _said(item, answer)
            except Exception:
                _log.exception("what became of a message could not be said")
                frame = failure(Unconfirmed(), item.connection.language, item.draft)
            item.connection.push(frame)
        fresh = [(item, answer) for item, answer in done if answer.r == "new"]
        if not fresh:
            return
        self.written += len(fresh)
        try:
            await self._deliver(fresh)
        except Exception:
            _log.exception("messages were not pushed")
            self._ask_all_to_ask()

    def _ask_all_to_ask(self) -> None:
        """Something is committed and acknowledged, and cannot be pushed."""
        self._hub.untold = True
        self._outbox.lose()

    async def _deliver(self, fresh: Sequence[tuple[Pending, log.Written]]) -> None:
        receivers = await self._receivers(fresh)
        parcels = [
            Parcel(receivers[item.draft.c].of(answer.seq or 0), _pushed(item.draft, answer), item.connection.id)
            for item, answer in fresh
            if item.draft.c in receivers
        ]
        self._hub.deliver(parcels)
        self._outbox.put(parcels)

    async def _receivers(self, fresh: Sequence[tuple[Pending, log.Written]]) -> dict[UUID, Members]:
        known: dict[UUID, Members] = {}
        missing = set()
        for item, answer in fresh:
            members = self._members.at(item.draft.c, answer.mv or 0)
            if members is None:
                missing.add(item.draft.c)
            else:
                known[item.draft.c] = members
        if missing:
            try:
                known.update(await self._members.load(missing))
            except psycopg.Error as error:
                _log.warning("members could not be read, so messages were not pushed: %s", error)
                self._ask_all_to_ask()
        return known


def _said(item: Pending, answer: log.Written) -> str:
    """What the sender is told of a message that the database has answered for."""
    if answer.r == "barred":
        return failure(barred_by(answer.why), item.connection.language, item.draft)
    if answer.r == "refused" or answer.id is None:
        return failure(NotFound(), item.connection.language, item.draft)
    return _ack(item.draft, answer)


def _ack(draft: log.Draft, answer: log.Written) -> str:
    assert answer.id and answer.seq and answer.version and answer.at
    return wire.encode(
        wire.Ack(
            client_id=draft.k,
            conversation_id=draft.c,
            id=answer.id,
            seq=answer.seq,
            version=answer.version,
            at=answer.at,
            again=answer.r == "again",
            warning=draft.w or None,
        )
    )


def _pushed(draft: log.Draft, answer: log.Written) -> str:
    assert answer.id and answer.seq and answer.version and answer.at
    return wire.encode(
        wire.Pushed(
            message=wire.MessageEnvelope(
                id=answer.id,
                conversation_id=draft.c,
                seq=answer.seq,
                version=answer.version,
                client_id=draft.k,
                sender_id=draft.s,
                kind=draft.kind,
                text=draft.body,
                picture=None,
                card=None,
                notice=None,
                warning=draft.w or None,
                at=answer.at,
                recalled=False,
            )
        )
    )
