"""A month of a customer's account, as its owner takes it away: proved before it is given out.

The month is the bank's calendar's. What the first statement sees is what the whole of it is about: an account's
postings are numbered under its lock, so those up to the number that stands in its row are all there and never change.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NoReturn
from uuid import UUID

from django.db import connection

from finance.ledger.errors import StatementUnsound
from finance.ledger.models import Account, Posting
from finance.ledger.queries import counterparts
from kernel.clock import BANK_ZONE, business_now
from kernel.errors import NotFound

BATCH = 1_000
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_log = logging.getLogger(__name__)

_SUMS = """
SELECT a.posted_count, a.balance_fen,
    coalesce(sum(p.amount_fen) FILTER (WHERE p.at < %(start)s), 0)::bigint,
    coalesce(sum(p.amount_fen) FILTER (WHERE p.at >= %(start)s AND p.at < %(end)s AND p.amount_fen > 0), 0)::bigint,
    coalesce(sum(p.amount_fen) FILTER (WHERE p.at >= %(start)s AND p.at < %(end)s AND p.amount_fen < 0), 0)::bigint,
    count(*) FILTER (WHERE p.at >= %(start)s AND p.at < %(end)s),
    coalesce(sum(p.amount_fen) FILTER (WHERE p.at >= %(end)s), 0)::bigint,
    count(p.id)
FROM ledger_account a LEFT JOIN ledger_posting p ON p.account_id = a.id AND p.seq IS NOT NULL
WHERE a.id = %(account)s
GROUP BY a.id
"""


@dataclass(frozen=True)
class Month:
    """A month of the bank's calendar."""

    year: int
    number: int

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime.combine(date(self.year, self.number, 1), time(), BANK_ZONE)

    @property
    def following(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        """The month before it."""
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """The month in which a moment lies."""
        local = moment.astimezone(BANK_ZONE)
        return cls(local.year, local.month)


@dataclass(frozen=True)
class AccountStatement:
    """The sums of a month. Amounts in fen; `out_fen` is what went out, as a positive number.

    `complete`: the month is over; else it reaches to `until`, the moment at which it was asked for.
    """

    account: Account
    month: Month
    until: datetime
    complete: bool
    opening_fen: int
    in_fen: int
    out_fen: int
    closing_fen: int
    count: int
    upto: int


@dataclass(frozen=True)
class Entry:
    """A line of a statement. `balance_fen` is the balance after it, in the order of the statement."""

    at: datetime
    kind: str
    memo: str
    counterpart: str | None
    amount_fen: int
    balance_fen: int


def month_of(account: Account, said: str) -> Month:
    """The month that somebody named, `2026-11`. Raises NotFound for what is no month of the account's life."""
    match = _MONTH.fullmatch(said)
    if match is None:
        raise NotFound
    month = Month(int(match[1]), int(match[2]))
    if not str(first_month(account)) <= str(month) <= str(Month.of(business_now())):
        raise NotFound
    return month


def first_month(account: Account) -> Month:
    """The month of the account's first posting or of its opening, whichever was earlier: history may be brought in."""
    first = Posting.objects.filter(account_id=account.pk, seq__isnull=False).order_by("at", "seq").first()
    return Month.of(min(account.opened_at, first.at) if first else account.opened_at)


def months(account: Account, *, before: Month | None, limit: int) -> list[Month]:
    """The account's months, newest first, `limit` + 1 at most, after `before`."""
    first, month = first_month(account), before.previous if before else Month.of(business_now())
    found: list[Month] = []
    while str(month) >= str(first) and len(found) <= limit:
        found.append(month)
        month = month.previous
    return found


def statement(account: Account, month: Month) -> AccountStatement:
    """The month's sums, in one statement of the database. Raises StatementUnsound where they do not add up.

    The opening balance is the sum of what was posted before; the closing balance comes from the other end, the
    account's own row less what was posted later. What lies between must be the month's entries.
    """
    now = business_now()
    end = month.following.start
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"start": month.start, "end": end, "account": account.pk})
        posted, balance, opening, into, out, count, later, seen = cursor.fetchone()
    closing = balance - later
    if opening + into + out != closing or seen != posted:
        _refuse(account, month)
    return AccountStatement(
        account=account,
        month=month,
        until=min(end, now),
        complete=end <= now,
        opening_fen=opening,
        in_fen=into,
        out_fen=-out,
        closing_fen=closing,
        count=count,
        upto=posted,
    )


def _refuse(account: Account, month: Month) -> NoReturn:
    _log.error("the statement of account %s for %s does not add up", account.pk, month)
    raise StatementUnsound


def entries(of: AccountStatement) -> Iterator[Entry]:
    """The month's entries, oldest first, read by the thousand. Raises StatementUnsound at the end if they do not lead
    from the opening balance to the closing one: nobody may be given what was read before that.
    """
    balance, count = of.opening_fen, 0
    for posting, counterpart in _postings(of):
        balance += posting.amount_fen
        count += 1
        yield Entry(posting.at, posting.entry.kind, posting.entry.memo, counterpart, posting.amount_fen, balance)
    if balance != of.closing_fen or count != of.count:
        _refuse(of.account, of.month)


def _postings(of: AccountStatement) -> Iterator[tuple[Posting, str | None]]:
    account_id: UUID = of.account.pk
    rows = (
        Posting.objects.filter(account_id=account_id, seq__lte=of.upto, at__lt=of.month.following.start)
        .select_related("entry")
        .order_by("at", "seq")
    )
    since = rows.filter(at__gte=of.month.start)
    while batch := list(since[:BATCH]):
        others = counterparts(account_id, batch)
        for posting in batch:
            yield posting, others.get(posting.entry_id)
        last = batch[-1]
        since = rows.filter(at__gte=last.at).exclude(at=last.at, seq__lte=last.seq)
