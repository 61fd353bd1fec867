"""What operations read of the books: entries with their legs, requests to reverse them, closed days."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum

from accounts import queries as people
from finance.ledger.models import Account, DayClose, Entry, Posting, ReversalRequest, TrialLine
from kernel import audit

MOST_ENTRIES = 20


@dataclass(frozen=True)
class SeenLeg:
    """One leg. A customer's account says name, tail and the owner's masked name; the bank's own its code."""

    account: str
    tail: str
    owner: str | None
    code: str | None
    amount_fen: int


@dataclass(frozen=True)
class SeenEntry:
    """An entry as operations see it. `request_id`: the request about it that waits or was approved."""

    id: UUID
    kind: str
    memo: str
    reference: UUID | None
    at: datetime
    value_date: date
    legs: Sequence[SeenLeg]
    reverses_id: UUID | None
    reversed_by: UUID | None
    request_id: UUID | None


@dataclass(frozen=True)
class SeenRequest:
    """A request to reverse an entry. `mine`: the reader entered it, so somebody else decides."""

    id: UUID
    entry: SeenEntry
    reason: str
    state: str
    maker: str
    mine: bool
    entered_at: datetime
    checker: str | None
    checker_reason: str
    closed_at: datetime | None
    reversal_id: UUID | None


@dataclass(frozen=True)
class ClosedDay:
    """A closed day with what it turned over."""

    day: date
    at: datetime
    postings_after: int
    postings_upto: int
    balances: bool
    late: int
    debit_fen: int
    credit_fen: int


@dataclass(frozen=True)
class NatureSum:
    """What the accounts of one nature had and turned over in a closed day. Above zero: a credit balance."""

    nature: str
    opening_fen: int
    debit_fen: int
    credit_fen: int
    closing_fen: int


@dataclass(frozen=True)
class SeenLine(NatureSum):
    """The same of one group of accounts."""

    group: str


@dataclass(frozen=True)
class TrialBalance:
    """A closed day's lines, their sums by nature, and what the debit and the credit balances add up to."""

    items: Sequence[SeenLine]
    natures: Sequence[NatureSum]
    closing_debit_fen: int
    closing_credit_fen: int


def find_entries(*, reader_id: UUID, number: UUID) -> list[SeenEntry]:
    """The entry of that number, or those of the order or transfer of that number (a receipt carries it), oldest first.

    That the reader looked is kept in the audit.
    """
    rows = list(Entry.objects.filter(Q(pk=number) | Q(reference=number)).order_by("at", "pk")[:MOST_ENTRIES])
    with transaction.atomic():
        audit.record(reader_id, "ledger.entries_read", f"entry:{number}", {"found": len(rows)})
    return _seen(rows)


def _seen(rows: Sequence[Entry]) -> list[SeenEntry]:
    ids = [row.pk for row in rows]
    legs = defaultdict(list)
    postings = list(Posting.objects.filter(entry_id__in=ids).select_related("account").order_by("entry_id", "leg"))
    names = people.masked_names(_owners(posting.account for posting in postings))
    for posting in postings:
        account = posting.account
        owner = names.get(account.owner_id) if account.owner_id else None
        legs[posting.entry_id].append(SeenLeg(account.name, account.tail, owner, account.code, posting.amount_fen))
    reversed_by = dict(Entry.objects.filter(reverses_id__in=ids).values_list("reverses_id", "pk"))
    open_states = [ReversalRequest.State.WAITING, ReversalRequest.State.APPROVED]
    asked = dict(ReversalRequest.objects.filter(entry_id__in=ids, state__in=open_states).values_list("entry_id", "pk"))
    return [
        SeenEntry(
            id=row.pk,
            kind=row.kind,
            memo=row.memo,
            reference=row.reference,
            at=row.at,
            value_date=row.value_date,
            legs=legs[row.pk],
            reverses_id=row.reverses_id,
            reversed_by=reversed_by.get(row.pk),
            request_id=asked.get(row.pk),
        )
        for row in rows
    ]


def _owners(accounts: Iterable[Account]) -> set[UUID]:
    return {account.owner_id for account in accounts if account.owner_id is not None}


def requests(*, reader_id: UUID, before: ReversalRequest | None, limit: int) -> list[SeenRequest]:
    """Requests to reverse, newest first, one more than `limit` where there are."""
    rows = ReversalRequest.objects.select_related("entry", "maker", "checker")
    if before is not None:
        rows = rows.filter(Q(entered_at__lt=before.entered_at) | Q(entered_at=before.entered_at, pk__lt=before.pk))
    return _requests(reader_id, list(rows.order_by("-entered_at", "-pk")[: limit + 1]))


def request(reader_id: UUID, row: ReversalRequest) -> SeenRequest:
    """One of them."""
    return _requests(reader_id, [row])[0]


def _requests(reader_id: UUID, rows: Sequence[ReversalRequest]) -> list[SeenRequest]:
    entries = {entry.id: entry for entry in _seen([row.entry for row in rows])}
    return [
        SeenRequest(
            id=row.pk,
            entry=entries[row.entry_id],
            reason=row.reason,
            state=row.state,
            maker=row.maker.display_name,
            mine=row.maker_id == reader_id,
            entered_at=row.entered_at,
            checker=row.checker.display_name if row.checker else None,
            checker_reason=row.checker_reason,
            closed_at=row.closed_at,
            reversal_id=row.reversal_id,
        )
        for row in rows
    ]


def closed_days(*, before: date | None, limit: int) -> list[ClosedDay]:
    """Closed days, newest first, one more than `limit` where there are."""
    rows = DayClose.objects.annotate(debit=Sum("lines__debit_fen"), credit=Sum("lines__credit_fen"))
    if before is not None:
        rows = rows.filter(day__lt=before)
    return [
        ClosedDay(row.day, row.at, row.since, row.upto, row.balances, row.late, row.debit or 0, row.credit or 0)
        for row in rows.order_by("-day")[: limit + 1]
    ]


def trial_balance(day: date) -> TrialBalance | None:
    """A closed day's lines: the bank's own accounts by code, then customers by class. None for any other day."""
    lines = list(TrialLine.objects.filter(close_id=day).order_by("group"))
    if not lines:
        return None
    own = dict(Account.objects.filter(code__in=[line.group for line in lines]).values_list("code", "nature"))
    seen = [
        SeenLine(
            group=line.group,
            nature=own.get(line.group, Account.Nature.LIABILITY),
            opening_fen=line.opening_fen,
            debit_fen=line.debit_fen,
            credit_fen=line.credit_fen,
            closing_fen=line.closing_fen,
        )
        for line in lines
    ]
    return TrialBalance(
        items=seen,
        natures=[
            _together(nature, those)
            for nature in Account.Nature.values
            if (those := [line for line in seen if line.nature == nature])
        ],
        closing_debit_fen=-sum(line.closing_fen for line in seen if line.closing_fen < 0),
        closing_credit_fen=sum(line.closing_fen for line in seen if line.closing_fen > 0),
    )


def _together(nature: str, lines: Sequence[SeenLine]) -> NatureSum:
    return NatureSum(
        nature=nature,
        opening_fen=sum(line.opening_fen for line in lines),
        debit_fen=sum(line.debit_fen for line in lines),
        credit_fen=sum(line.credit_fen for line in lines),
        closing_fen=sum(line.closing_fen for line in lines),
    )
