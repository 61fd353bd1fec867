"""The outbox: side effects of committed facts, run by a worker until they succeed.

A row is inserted in the transaction of the fact. The worker is kicked when that commits, and looks by itself each
second and at every start, so nothing hangs on a process surviving. A consumer may run twice, and must not mind.
Due times are in the bank's time, so that a demo that moves its date on also sees what is due by then.
"""

import logging
import math
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from kernel import notes, rows
from kernel.clock import business_now
from kernel.models import OutboxRow
from kernel.statements import own, planned

Payload = dict[str, Any]
Consumer = Callable[[Payload], None]

MAX_ATTEMPTS = 25
MAX_PAUSE = timedelta(minutes=30)
MAX_DRAINED = 2_000
"""Rows that one call of `drain` takes at most; the next call takes the rest."""

GivenUp = Callable[[Payload, str], None]
"""(payload, the type of the last error): what is done when a row has failed for good."""

_consumers: dict[str, list[Consumer]] = {}
_owners: dict[str, GivenUp] = {}
_log = logging.getLogger(__name__)


def consumer(topic: str, *, given_up: GivenUp | None = None) -> Callable[[Consumer], Consumer]:
    """Registers a function for a topic. With several for one topic, each gets a row of its own.

    `given_up` is called in the transaction in which a row is given up after MAX_ATTEMPTS: where money hangs on it, it
    says so to a person, who has it tried again (`retry`).
    """

    def register(function: Consumer) -> Consumer:
        _consumers.setdefault(topic, []).append(function)
        if given_up is not None:
            _owners[_row_topic(topic, len(_consumers[topic]) - 1)] = given_up
        return function

    return register


@dataclass(frozen=True)
class Job:
    """A side effect of the current transaction, due at `run_at` (None: as soon as it commits)."""

    topic: str
    payload: Payload
    run_at: datetime | None = None
    key: str | None = None


def enqueue(topic: str, payload: Payload, *, run_at: datetime | None = None, key: str | None = None) -> None:
    """Notes a side effect of the current transaction, due at `run_at` (default: as soon as it commits).

    The payload holds ids and codes, never personal data in clear. A second row with the same `key` is ignored,
    also long after the first was done. Raises RuntimeError outside a transaction.
    """
    enqueue_many([Job(topic, payload, run_at, key)])


def enqueue_many(several: Sequence[Job]) -> None:
    """What `enqueue` does, for several in one statement."""
    if not own().in_atomic_block:
        raise RuntimeError("an outbox row belongs into the transaction of its fact")
    present = business_now()
    added = [
        notes.Outbox(topic, job.payload, job.key and f"{topic}:{job.key}", (job.run_at or present).isoformat())
        for job in several
        for topic in _row_topics(job.topic)
    ]
    notes.add(outbox=added)
    if any(job.run_at is None for job in several):
        kick()


def _row_topics(topic: str) -> list[str]:
    """One for each of its consumers."""
    return [_row_topic(topic, index) for index in range(max(1, len(_consumers.get(topic, ()))))]


def _row_topic(topic: str, index: int) -> str:
    return topic if index == 0 else f"{topic}#{index}"


def kick() -> None:
    """Wakes the worker when the current transaction commits. Losing the wake-up costs a second at most."""
    if settings.TESTING:
        return
    if not any(entry[1] is _send_kick for entry in own().run_on_commit):
        transaction.on_commit(_send_kick, robust=True)


def _send_kick() -> None:
    _waker.wake()


class _Waker:
    """Speaks with the broker beside the requests: nobody waits for it, and what is due together is one wake-up."""

    PAUSE_S = 0.1
    WORTH_S = 2
    """After this the worker has looked by itself: a busy one passes over wake-ups that are older."""

    def __init__(self) -> None:
        self._starting, self._due = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Wakes the worker soon. After a fork the thread is the parent's alone, and is started anew."""
        self._due.set()
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            try:
                current_app.send_task("kernel.drain", retry=False, ignore_result=True, expires=self.WORTH_S)
            except Exception:
                _log.warning("the worker could not be woken; it looks by itself each second", exc_info=True)
            time.sleep(self.PAUSE_S)


_waker = _Waker()


def waiting_after(topic: str, error: type[Exception]) -> int:
    """How many rows of the topic wait for another try after this error."""
    waiting = OutboxRow.objects.filter(done_at=None, failed_at=None)
    return waiting.filter(topic=topic, last_error=error.__name__).count()


def drain(limit: int = MAX_DRAINED, limit_s: float = math.inf) -> int:
    """Runs what is due, oldest first, each row in a transaction of its own; answers how many rows succeeded.

    No row is begun after `limit_s`. Several workers may drain at once: rows are taken with SKIP LOCKED.
    """
    succeeded, until = 0, time.monotonic() + limit_s
    for _ in range(limit):
        outcome = _run_one()
        if outcome is None:
            break
        succeeded += outcome
        if time.monotonic() >= until:
            break
    return succeeded


# By hand: the ORM took longer to put this together, for each row, than many a consumer takes.
_DUE = """
done_at IS NULL AND failed_at IS NULL AND run_at <= %s ORDER BY run_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""


def _run_one() -> bool | None:
    with transaction.atomic():
        now = business_now()
        row = rows.first(OutboxRow, _DUE, [now])
        if row is None:
            return None
        try:
            with transaction.atomic():
                _consumer_of(row.topic)(row.payload)
        except Exception as error:
            if isinstance(error, DatabaseError) and connection.connection.closed:
                raise
            # The frames without the words: what a database says of a row may hold what is in it.
            frames = "".join(traceback.format_tb(error.__traceback__))
            _log.error("outbox row %s of %s failed: %s\n%s", row.pk, row.topic, type(error).__name__, frames)
            row.attempts += 1
            row.last_error = type(error).__name__[:200]
            row.run_at = now + min(MAX_PAUSE, timedelta(seconds=2 ** min(row.attempts, 12) / 4))
            row.failed_at = now if row.attempts >= MAX_ATTEMPTS else None
            row.save(update_fields=["attempts", "last_error", "run_at", "failed_at"])
            if row.failed_at is not None:
                _hand_over(row)
            return False
        planned("UPDATE kernel_outboxrow SET done_at = %s WHERE id = %s", [now, row.pk])
        return True


def _hand_over(row: OutboxRow) -> None:
    _log.critical("outbox row %s of %s is given up after %s attempts", row.pk, row.topic, row.attempts)
    owner = _owners.get(row.topic)
    if owner is None:
        return
    try:
        with transaction.atomic():
            owner(row.payload, row.last_error)
    except Exception as error:
        # Not given up, then: the next try fails in its time and asks the owner again.
        _log.exception("outbox row %s of %s could not be handed over: %s", row.pk, row.topic, type(error).__name__)
        row.failed_at = None
        row.save(update_fields=["failed_at"])


def retry(topic: str, key: str) -> bool:
    """Has a row that was given up tried again from the start; answers whether there was one."""
    found = OutboxRow.objects.filter(key=f"{topic}:{key}", failed_at__isnull=False, done_at__isnull=True)
    revived = found.update(failed_at=None, attempts=0, run_at=business_now())
    kick()
    return bool(revived)


def _consumer_of(row_topic: str) -> Consumer:
    topic, _, index = row_topic.partition("#")
    return _consumers[topic][int(index or 0)]
