"""The end of the day: what was booked since the last close, by group of accounts, and that it balances.

A close covers the postings between two moments at which nobody was posting, so each posting is in exactly one close
and a day's opening is the day's before closing. Groups are the bank's own accounts by code, and customers' by class.
What each account turned over is kept by day, so that a past balance costs no walk through all that was posted (`past`).
"""

import logging
from datetime import date, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from finance.ledger.models import DayClose, TrialLine
from finance.ledger.rollups import horizon
from kernel import audit
from kernel.clock import business_date, business_now

_log = logging.getLogger(__name__)

_TURNOVER = """
SELECT CASE a.type WHEN 'internal' THEN a.code ELSE 'customers-' || a.account_class END,
    coalesce(-sum(p.amount_fen) FILTER (WHERE p.amount_fen < 0), 0)::bigint,
    coalesce(sum(p.amount_fen) FILTER (WHERE p.amount_fen > 0), 0)::bigint
FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
WHERE p.id > %s AND p.id <= %s
GROUP BY 1
"""

_BY_ACCOUNT = """
INSERT INTO ledger_dayturnover (close_id, account_id, day, amount_fen, postings)
SELECT %s, p.account_id, (p.at AT TIME ZONE %s)::date, sum(p.amount_fen), count(*)
FROM ledger_posting p WHERE p.id > %s AND p.id <= %s GROUP BY 2, 3
"""


def close_day() -> DayClose | None:
    """Closes yesterday, by the bank's calendar, with its trial balance; answers it, or None if there is nothing to do.

    Nothing to do: it is closed already, by whomever, or postings are at work for too long just now (the next call
    tries again). Days on which nobody asked are in the next close. Must run outside a transaction.
    """
    day = business_date() - timedelta(days=1)
    last = DayClose.objects.order_by("-day").first()
    if last is not None and last.day >= day:
        return None
    upto = horizon()
    if upto is None:
        return None
    try:
        with transaction.atomic():
            return _close(day, last, upto)
    except IntegrityError:
        return None  # another worker was quicker


def _close(day: date, last: DayClose | None, upto: int) -> DayClose:
    since = last.upto if last else 0
    close = DayClose.objects.create(day=day, at=business_now(), since=since, upto=upto)
    opening = dict(last.lines.values_list("group", "closing_fen")) if last else {}
    with connection.cursor() as cursor:
        cursor.execute(_TURNOVER, [since, upto])
        moved = {group: (debit, credit) for group, debit, credit in cursor.fetchall()}
        cursor.execute(_BY_ACCOUNT, [day, settings.BANK_TIME_ZONE, since, upto])
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
    close.save(update_fields=["balances"])
    if not close.balances:
        _log.error("the trial balance of %s does not balance: debit %s fen, credit %s fen", day, debit, credit)
    audit.record(
        None, "ledger.day_closed", f"day:{day}", {"upto": upto, "debit_fen": debit, "balances": close.balances}
    )
    return close
