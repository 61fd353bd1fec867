"""What a balance was at a past moment, exactly, without a walk through all that was posted before.

Each close keeps what every account turned over, by day (`DayTurnover`). The balance at a moment is the turnover of the
days before its own, as far as they are closed; what no close has of those days; and the postings of its own day up to
it. So the cost is a row for each day on which the account moved and the postings of a day or two, however long the
account has been there.
"""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from finance.ledger.models import Account, DayClose, Posting
from kernel.clock import BANK_ZONE, business_date

# What no close has: what was posted after the last one, or booked at or after its cut (a close without one has all).
# Asked as values, not joined: so the index is entered where they say.
_SINCE = "(SELECT since FROM last)"
_LEFT = f"p.id > {_SINCE} AND (p.id > (SELECT upto FROM last) OR p.at >= (SELECT cut FROM last))"  # noqa: S608 - our own constants
# A customer's postings that no close has are looked for among what was booked since a day before the last closed one.
# Should history have been brought in from before that, the numbers do not agree, and all postings are added up.
_CUSTOMER = f"""
WITH last AS (
    SELECT day, since, upto, cut FROM ledger_dayclose ORDER BY day DESC LIMIT 1
), closed AS (
    SELECT coalesce(sum(amount_fen) FILTER (WHERE day < %(day)s), 0) AS fen, coalesce(sum(postings), 0) AS n
    FROM ledger_dayturnover WHERE account_id = %(account)s
), later AS (
    SELECT count(*) AS n, coalesce(sum(p.amount_fen) FILTER (WHERE p.at < %(midnight)s), 0) AS fen
    FROM ledger_posting p
    WHERE p.account_id = %(account)s AND p.seq IS NOT NULL AND {_LEFT}
        AND p.at >= (SELECT (day - 1)::timestamp AT TIME ZONE %(zone)s FROM last)
), today AS (
    SELECT coalesce(sum(amount_fen), 0) AS fen FROM ledger_posting
    WHERE account_id = %(account)s AND seq IS NOT NULL AND at >= %(midnight)s AND at <= %(moment)s
)
SELECT closed.n + later.n = a.posted_count, (closed.fen + later.fen + today.fen)::bigint
FROM closed, later, today, ledger_account a WHERE a.id = %(account)s
"""  # noqa: S608 - our own constants
# The bank's own are found by number: what was booked on that day is within the closes that have something of it, or
# after what all closes have.
_INTERNAL = f"""
WITH last AS (
    SELECT since, upto, cut FROM ledger_dayclose ORDER BY day DESC LIMIT 1
), covering AS (
    SELECT min(c.since) AS since, max(c.upto) AS upto
    FROM ledger_dayturnover t JOIN ledger_dayclose c ON c.day = t.close_id
    WHERE t.account_id = %(account)s AND t.day = %(day)s
)
SELECT true, ((
    SELECT coalesce(sum(amount_fen), 0) FROM ledger_dayturnover WHERE account_id = %(account)s AND day < %(day)s
) + (
    SELECT coalesce(sum(p.amount_fen), 0) FROM ledger_posting p
    WHERE p.account_id = %(account)s AND p.seq IS NULL AND p.at < %(midnight)s AND {_LEFT}
) + (
    SELECT coalesce(sum(p.amount_fen), 0) FROM ledger_posting p
    WHERE p.account_id = %(account)s AND p.seq IS NULL AND p.at >= %(midnight)s AND p.at <= %(moment)s
        AND p.id > (SELECT since FROM covering) AND p.id <= least((SELECT upto FROM covering), {_SINCE})
) + (
    SELECT coalesce(sum(p.amount_fen), 0) FROM ledger_posting p
    WHERE p.account_id = %(account)s AND p.seq IS NULL AND p.at >= %(midnight)s AND p.at <= %(moment)s
        AND p.id > {_SINCE}
))::bigint
"""  # noqa: S608 - our own constants


def balance_at(account_id: UUID, moment: datetime) -> int:
    """What the account's balance was at a past moment of the bank's time, in fen: what was booked up to it."""
    if not DayClose.objects.exists():
        return _all_of_it(account_id, moment)
    day = business_date(moment)
    customers = Account.objects.filter(pk=account_id, type=Account.Type.CUSTOMER).exists()
    values: dict[str, Any] = {
        "account": account_id,
        "moment": moment,
        "day": day,
        "midnight": datetime.combine(day, time(), BANK_ZONE).astimezone(UTC),
        "zone": settings.BANK_TIME_ZONE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMER if customers else _INTERNAL, values)
        found = cursor.fetchone()
    if found is None or not found[0]:
        return _all_of_it(account_id, moment)
    return int(found[1])


def _all_of_it(account_id: UUID, moment: datetime) -> int:
    upto = Posting.objects.filter(account_id=account_id, at__lte=moment)
    return int(upto.aggregate(sum=Sum("amount_fen"))["sum"] or 0)
