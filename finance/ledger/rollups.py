"""Roll-ups: where the sums of the bank's own accounts are taken up to now and then, so that they stay quick to take."""

from django.db import OperationalError, connection, transaction
from django.db.models import Max, Sum

from finance.ledger.models import Account, Posting, RollUp
from kernel.clock import business_now

POSTING_LOCK = 1818518642
"""Shared by everybody who is posting (the same number is in the SQL function), taken alone by the roll-up."""
_ROLLING_LOCK = POSTING_LOCK + 1
LOCK_WAIT_MS = 250
_LOCK_NOT_AVAILABLE = "55P03"


def horizon() -> int | None:
    """The id of the last posting, at a moment when nobody is posting: none up to it can still appear.

    None where postings are at work for longer than LOCK_WAIT_MS; the next roll-up tries again. Posting waits no
    longer than that either.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT_MS}ms'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [POSTING_LOCK])
            return Posting.objects.aggregate(last=Max("pk"))["last"] or 0
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return None


def roll_up() -> int:
    """Brings every roll-up forward; answers how many moved. Must run outside a transaction. One works at a time."""
    upto = horizon()
    if upto is None:
        return 0
    moved = 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ROLLING_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        known = {row.account_id: row for row in RollUp.objects.select_for_update().order_by("account_id")}
        for account_id in (
            Account.objects.filter(type=Account.Type.INTERNAL).order_by("pk").values_list("pk", flat=True)
        ):
            row = known.get(account_id) or RollUp(account_id=account_id, upto=0, balance_fen=0)
            later = Posting.objects.filter(account_id=account_id, seq__isnull=True, pk__gt=row.upto, pk__lte=upto)
            added = later.aggregate(sum=Sum("amount_fen"), last=Max("pk"))
            if added["last"] is None or row.upto >= upto:
                continue
            row.upto, row.balance_fen, row.made_at = upto, row.balance_fen + int(added["sum"]), business_now()
            row.save()
            moved += 1
    return moved
