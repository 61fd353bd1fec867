"""Whether the books hold: every sum is taken again from the postings, and the first break is named.

The guards of the database keep these rules as money moves; this reads what is there, whoever wrote it. Four ways:
`verify` proves all the books in one pass over the postings, by sums weighed with numbers drawn for this run, and
names the break exactly where they differ; `first_break` is that exact, slower way; `verify_new` proves each minute what
came since the last proof and the next piece of all the rest (`rolling`); `verify_night` proves all once a night.

Both of the last are needed. A piece is bounded and soon: what was altered is found though nobody touches it. But it
believes the cursor and the sums that it left itself, which whoever writes as the server can move; the whole proof
believes nothing, and sees the books as of one moment.
"""

import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from finance.ledger import rolling
from finance.ledger.invariants import BESIDE, NEW, WHOLE, Break, first_of
from finance.ledger.models import ProofCursor, Verification
from finance.ledger.rollups import POSTING_LOCK, horizon
from kernel.clock import BANK_ZONE, now, offset

WORK_MEM = "256MB"
NIGHT = time_of_day(3)
"""From when on all is proved, by the clocks of the bank's zone."""
SLOWEST_HOLD = timedelta(minutes=1)
"""A hold is new for so long after the proof before: who placed or ended it may not have committed at once. A slower one
is in the round."""
_MINUTE_LOCK, _WHOLE_LOCK = POSTING_LOCK + 2, POSTING_LOCK + 3
_log = logging.getLogger(__name__)

# One pass over the postings. An account's postings are steps from (seq - 1, balance before) to (seq, balance after):
# they are one walk from (0, 0) to (posted_count, balance) exactly if what they leave and what they reach cancel out
# but for its ends. An entry's legs add up to nothing, and are as many as it says, exactly if the sums over all entries
# do so under any weights. Steps and entries are weighed by hashes with a seed drawn for the run, so that books can only
# be altered unseen by who guesses 63 bits.
POSTINGS = """
WITH walked AS MATERIALIZED (
    SELECT p.account_id, count(*) AS n, count(p.seq) AS numbered, sum(p.amount_fen) AS total,
        sum(hashint8extended(p.balance_after_fen, hashint8extended(p.seq, %(seed)s))) AS reached,
        sum(hashint8extended(p.balance_after_fen - p.amount_fen, hashint8extended(p.seq - 1, %(seed)s))) AS departed,
        sum(p.amount_fen) FILTER (WHERE p.id <= r.upto) AS rolled,
        sum(uuid_hash_extended(p.entry_id, %(seed)s)) AS legs,
        sum(p.amount_fen::numeric * uuid_hash_extended(p.entry_id, %(seed)s)) AS weighed
    FROM ledger_posting p LEFT JOIN ledger_rollup r ON r.account_id = p.account_id
    GROUP BY p.account_id
), judged AS (
    SELECT w.n, w.legs, w.weighed, (CASE a.type
        WHEN 'customer' THEN coalesce(w.numbered, 0) = coalesce(w.n, 0) AND a.posted_count = coalesce(w.n, 0)
            AND a.balance_fen = coalesce(w.total, 0)
            AND coalesce(w.reached, 0) - coalesce(w.departed, 0)
                = hashint8extended(a.balance_fen, hashint8extended(a.posted_count, %(seed)s))::numeric
                - hashint8extended(0, hashint8extended(0, %(seed)s))
        WHEN 'internal' THEN coalesce(w.numbered, 0) = 0
        END) IS TRUE AND (r.account_id IS NULL OR r.balance_fen = coalesce(w.rolled, 0)) AS holds
    FROM ledger_account a FULL JOIN walked w ON w.account_id = a.id LEFT JOIN ledger_rollup r ON r.account_id = a.id
)
SELECT coalesce(sum(n), 0)::bigint, coalesce(bool_and(holds), true), coalesce(sum(legs), 0),
    coalesce(sum(weighed), 0) FROM judged
"""
ENTRIES = """
SELECT coalesce(sum(n), 0)::bigint, coalesce(sum(legs * weight), 0)
FROM (SELECT legs, count(*) AS n, sum(uuid_hash_extended(id, %(seed)s)) AS weight FROM ledger_entry GROUP BY legs) e
"""


@dataclass(frozen=True)
class Report:
    """How much was looked at, and the first break or None. `again`: older postings of the round's piece."""

    entries: int
    postings: int
    broken: Break | None
    again: int = 0


def verify() -> Report:
    """Checks all the books as of one moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        _as_of_now(cursor)
        return look(cursor)


def look(cursor: Any) -> Report:
    """Checks all that a cursor sees."""
    entries, postings, whole = sums_hold(cursor)
    broken = first_of(cursor, BESIDE) if whole else first_break(cursor)
    if broken is None and not whole:
        broken = Break("the weighed sums of the books differ", "all", "no single row shows why; look by hand")
    return Report(entries, postings, broken)


def look_at_new(cursor: Any, since: int, moment: datetime) -> Report:
    """Checks the postings after `since` and the holds that were placed or ended after `moment`, with their accounts."""
    placed_since = UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)
    values = {"since": since, "placed_since": placed_since, "ended_since": moment + offset()}
    cursor.execute("SELECT count(DISTINCT entry_id), count(*) FROM ledger_posting WHERE id > %(since)s", values)
    entries, postings = cursor.fetchone()
    return Report(entries, postings, first_of(cursor, NEW, values))


def _as_of_now(cursor: Any) -> None:
    if not connection.savepoint_ids:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")


def sums_hold(cursor: Any) -> tuple[int, int, bool]:
    """How many entries and postings there are, and whether their weighed sums are what they must be."""
    seed = {"seed": secrets.randbits(63)}
    cursor.execute(POSTINGS, seed)
    postings, holds, legs, weighed = cursor.fetchone()
    cursor.execute(ENTRIES, seed)
    entries, expected = cursor.fetchone()
    return entries, postings, bool(holds and legs == expected and weighed == 0)


def first_break(cursor: Any) -> Break | None:
    """The first rule that does not hold, each looked at exactly, on any cursor."""
    return first_of(cursor, WHOLE)


@contextmanager
def _alone(lock: int) -> Iterator[bool]:
    """Whether nobody else is at it. Held by the session, so that it ends with a process that is killed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])


def verify_new() -> Verification | None:
    """Proves what came since the last good proof and the next piece of the rounds; keeps and logs what it found.

    The first run, and each after a break, proves all the books. None where another run is at it still, or postings
    are at work for too long just now: the next minute tries again. Must run outside a transaction.
    """
    with _alone(_MINUTE_LOCK) as mine:
        if not mine:
            return None
        last = Verification.objects.order_by("-pk").first()
        if last is None or last.rule:
            return _whole()
        upto = horizon()
        return None if upto is None else _minute(last, upto)


def verify_night() -> Verification | None:
    """Proves all the books if nobody has since NIGHT; None where there is nothing to do, or not just now."""
    local = now().astimezone(BANK_ZONE)
    night = datetime.combine(local.date(), NIGHT, BANK_ZONE)
    if local < night:
        night -= timedelta(days=1)
    if Verification.objects.filter(whole=True, at__gte=night).exists():
        return None
    return _whole()


def _minute(last: Verification, upto: int) -> Verification:
    began, cursors = time.monotonic(), ProofCursor.objects.get_or_create(pk=1)[0]
    moment = last.at - timedelta(milliseconds=last.took_ms) - SLOWEST_HOLD
    with transaction.atomic(), connection.cursor() as cursor:
        _as_of_now(cursor)
        report = look_at_new(cursor, last.upto, moment)
        if report.broken is None:
            broken, again = rolling.look_on(cursor, cursors, upto)
            report = Report(report.entries, report.postings, broken, again)
    with transaction.atomic():
        if report.broken is None:
            cursors.save()
        return _keep(report, upto, began, whole=False)


def _whole() -> Verification | None:
    with _alone(_WHOLE_LOCK) as mine:
        newest = Verification.objects.order_by("-pk").first()
        upto = horizon() if mine else None
        if upto is None:
            return None
        began = time.monotonic()
        report = verify()
        since = Verification.objects.filter(pk__gt=newest.pk if newest else 0).exclude(rule="")
        if report.broken is None and since.exists():
            return None  # what was found in the meantime may be younger than what was looked at
        with transaction.atomic():
            if newest is None or newest.rule:
                rolling.begin_anew()
            return _keep(report, upto, began, whole=True)


def _keep(report: Report, upto: int, began: float, *, whole: bool) -> Verification:
    broken = report.broken
    if broken is not None:
        _log.error("the books do not hold: %s: %s (%s)", broken.rule, broken.subject, broken.detail)
    return Verification.objects.create(
        at=now(),
        whole=whole,
        upto=upto,
        entries=report.entries,
        postings=report.postings,
        again=report.again,
        took_ms=round((time.monotonic() - began) * 1000),
        rule=broken.rule if broken else "",
        subject=broken.subject if broken else "",
        detail=broken.detail[:200] if broken else "",
    )
