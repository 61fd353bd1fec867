"""The end of the day: what was booked until the bank's midnight, by group of accounts, and that it balances.

A day's close has what was booked before the midnight that ends it, by the entries' own time, as far as no earlier
close has it. It is taken from a moment after that midnight at which nobody was posting, so a day's opening is the day's
before closing, and each posting is in exactly one close. Days on which nobody asked are closed one by one.

An entry may still come for a day that is closed: from somebody who was slower than CLOSE_AFTER, or as history that is
brought in. It keeps its time, and is in the next close, which says how many such postings it has (`late`). So what a
close says of its accounts is what they had at its midnight by `past.balance_at`, but for what came late.

Groups are the bank's own accounts by code, and customers' by class. What each account turned over is kept by day, so
that a past balance costs no walk through all that was posted (`past`).
"""

import logging
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from finance.ledger.models import DayClose, Entry, TrialLine
from finance.ledger.rollups import horizon
from kernel import audit
from kernel.clock import BANK_ZONE, business_date, business_now

CLOSE_AFTER = timedelta(minutes=5)
"""How long after midnight a day is closed by itself: who took the time before midnight has posted by then."""
_log = logging.getLogger(__name__)

# What the close before has not: an earlier one has still less.
_COVERED = """
p.id > %(since)s AND p.id <= %(upto)s AND p.at < %(cut)s AND (p.id > %(last_upto)s OR p.at >= %(last_cut)s)
"""
_TURNOVER = f"""
SELECT CASE a.type WHEN 'internal' THEN a.code ELSE 'customers-' || a.account_class END,
    coalesce(-sum(p.amount_fen) FILTER (WHERE p.amount_fen < 0), 0)::bigint,
    coalesce(sum(p.amount_fen) FILTER (WHERE p.amount_fen > 0), 0)::bigint,
    count(*) FILTER (WHERE p.at < %(last_cut)s)
FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
WHERE {_COVERED}
GROUP BY 1
"""  # noqa: S608 - our own constants
_BY_ACCOUNT = f"""
INSERT INTO ledger_dayturnover (close_id, account_id, day, amount_fen, postings)
SELECT %(day)s, p.account_id, (p.at AT TIME ZONE %(zone)s)::date, sum(p.amount_fen), count(*)
FROM ledger_posting p WHERE {_COVERED} GROUP BY 2, 3
"""  # noqa: S608 - our own constants
_FIRST_LEFT = "SELECT id FROM ledger_posting WHERE id > %s AND id <= %s AND at >= %s ORDER BY id LIMIT 1"


def midnight(day: date) -> datetime:
    """The moment with which a day of the bank's calendar begins."""
    return datetime.combine(day, time(), BANK_ZONE).astimezone(UTC)


def close_days(before: date | None = None) -> list[DayClose]:
    """Closes each day before that one, by default before the present, that is not closed; answers them, oldest first.

    Stops where it is closed by somebody else just now, or postings are at work for too long (the next call goes on).
    The books' first close has all that was before it. Must run outside a transaction.
    """
    before = min(before or business_date(), business_date())
    closed: list[DayClose] = []
    last = DayClose.objects.order_by("-day").first()
    day = last.day + timedelta(days=1) if last else _first_day(before)
    while day < before:
        upto = horizon()
        if upto is None:
            break
        try:
            with transaction.atomic():
                last = _close(day, last, upto)
        except IntegrityError:
            break  # another worker was quicker
        closed.append(last)
        day += timedelta(days=1)
    return closed


def _first_day(before: date) -> date:
    """The day on which the first entry was written, if it is over; what came before it was brought in."""
    first = Entry.objects.order_by("pk").values_list("recorded_at", flat=True).first()
    yesterday = before - timedelta(days=1)
    return min(business_date(first), yesterday) if first else yesterday


def _close(day: date, last: DayClose | None, upto: int) -> DayClose:
    since, cut = _all_covered(last), midnight(day + timedelta(days=1))
    values: dict[str, Any] = {
        "day": day,
        "zone": settings.BANK_TIME_ZONE,
        "since": since,
        "upto": upto,
        "cut": cut,
        "last_upto": last.upto if last else 0,
        "last_cut": last.cut if last else None,
    }
    close = DayClose.objects.create(day=day, at=business_now(), since=since, upto=upto, cut=cut, late=0)
    opening = dict(last.lines.values_list("group", "closing_fen")) if last else {}
    with connection.cursor() as cursor:
        cursor.execute(_TURNOVER, values)
        found = cursor.fetchall()
        cursor.execute(_BY_ACCOUNT, values)
    moved = {group: (debit, credit) for group, debit, credit, _ in found}
    lines = []
    for group in sorted({*opening, *moved}):
        before, (debit, credit) = opening.get(group, 0), moved.get(group, (0, 0))
        lines.append(
            TrialLine(
                close=close,
                group=group,
                opening_fen=before,
                debit_fen=debit,
                credit_fen=credit,
                closing_fen=before - debit + credit,
            )
        )
    TrialLine.objects.bulk_create(lines)
    debit, credit = sum(line.debit_fen for line in lines), sum(line.credit_fen for line in lines)
    close.balances = debit == credit and sum(line.closing_fen for line in lines) == 0
    close.late = sum(late for *_, late in found)
    close.save(update_fields=["balances", "late"])
    if not close.balances:
        _log.error("the trial balance of %s does not balance: debit %s fen, credit %s fen", day, debit, credit)
    audit.record(
        None, "ledger.day_closed", f"day:{day}", {"upto": upto, "debit_fen": debit, "balances": close.balances}
    )
    return close


def _all_covered(last: DayClose | None) -> int:
    """Up to where every posting is in a close: before the first that the last one left to the next day."""
    if last is None or last.cut is None:
        return last.upto if last else 0
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_LEFT, [last.since, last.upto, last.cut])
        left = cursor.fetchone()
    return int(left[0]) - 1 if left else last.upto
