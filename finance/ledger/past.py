"""What a balance was at a past moment, exactly, without a walk through all that was posted before.

Each close keeps what every account turned over, by day (`DayTurnover`). The balance at a moment is the turnover of the
days before its own, as far as they are closed; what was posted since the last close to one of those days; and the
postings of its own day up to it. So the cost is a row for each day on which the account moved and the postings of a day
or two, however long the account has been there.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from finance.ledger.models import Account, DayClose, Posting
from kernel.clock import BANK_ZONE, business_date

# A customer's postings are numbered under the account's lock: those that no close covers are the ones after `closed.n`.
# They are looked for among what was posted `since` a moment before the last close. Should history have been brought
# in from before that, the numbers do not agree, and all postings are added up.
_CUSTOMER = """
WITH closed AS (
    SELECT coalesce(sum(amount_fen) FILTER (WHERE day < %(day)s), 0) AS fen, coalesce(sum(postings), 0) AS n
    FROM ledger_dayturnover WHERE account_id = %(account)s
), later AS (
    SELECT count(*) AS n, coalesce(sum(p.amount_fen) FILTER (WHERE p.at < %(midnight)s), 0) AS fen
    FROM closed JOIN ledger_posting p ON p.seq > closed.n
    WHERE p.account_id = %(account)s AND p.seq IS NOT NULL AND p.at >= %(since)s
), today AS (
    SELECT coalesce(sum(amount_fen), 0) AS fen FROM ledger_posting
    WHERE account_id = %(account)s AND seq IS NOT NULL AND at >= %(midnight)s AND at <= %(moment)s
)
SELECT closed.n + later.n = a.posted_count, (closed.fen + later.fen + today.fen)::bigint
FROM closed, later, today, ledger_account a WHERE a.id = %(account)s
"""
# The bank's own are found by number: within the closes that cover something of that day, and after the last.
_INTERNAL = """
SELECT true, ((
    SELECT coalesce(sum(amount_fen), 0) FROM ledger_dayturnover WHERE account_id = %(account)s AND day < %(day)s
) + (
    SELECT coalesce(sum(p.amount_fen), 0) FROM ledger_dayturnover t JOIN ledger_dayclose c ON c.day = t.close_id
    JOIN ledger_posting p ON p.account_id = t.account_id AND p.seq IS NULL AND p.id > c.since AND p.id <= c.upto
    WHERE t.account_id = %(account)s AND t.day = %(day)s AND p.at >= %(midnight)s AND p.at <= %(moment)s
) + (
    SELECT coalesce(sum(amount_fen), 0) FROM ledger_posting
    WHERE account_id = %(account)s AND seq IS NULL AND at <= %(moment)s
        AND id > coalesce((SELECT max(upto) FROM ledger_dayclose), 0)
))::bigint
"""


def balance_at(account_id: UUID, moment: datetime) -> int:
    """What the account's balance was at a past moment of the bank's time, in fen: what was posted up to it."""
    last = DayClose.objects.order_by("-day").first()
    if last is None:
        return _all_of_it(account_id, moment)
    day = business_date(moment)
    customers = Account.objects.filter(pk=account_id, type=Account.Type.CUSTOMER).exists()
    values: dict[str, Any] = {
        "account": account_id,
        "moment": moment,
        "day": day,
        "midnight": datetime.combine(day, time(), BANK_ZONE).astimezone(UTC),
        "since": datetime.combine(last.day, time(), BANK_ZONE).astimezone(UTC) - timedelta(days=1),
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
