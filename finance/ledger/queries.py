"""Every shared read of the ledger. Each takes a fixed number of statements, unless it says otherwise."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum

from accounts import queries as people
from finance.ledger.models import Account, Entry, Hold, Posting, RollUp, Verification
from kernel import audit
from kernel.clock import now
from kernel.errors import Invalid, NotFound
from kernel.secrets import blind_index

PROOF_LATE = timedelta(minutes=15)
"""A proof is made each minute; the first of all, and each after a break, is of all the books and takes longer."""
NIGHT_PROOF_LATE = timedelta(hours=26)
"""All the books are proved each night."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Line:
    """One posting of a customer's account with its entry, and who stands on the other side.

    The counterpart is the largest leg of the other sign: a person's masked registered name, or None for the bank's
    own accounts (the memo says what it was) and for the owner's other accounts. Nobody's account is named.
    """

    entry_id: UUID
    kind: str
    memo: str
    reference: UUID | None
    amount_fen: int
    balance_after_fen: int
    at: datetime
    value_date: date
    seq: int
    counterpart: str | None


def accounts_of(person_id: UUID) -> list[Account]:
    """A person's accounts that are not closed, oldest first."""
    return list(
        Account.objects.filter(owner_id=person_id, type=Account.Type.CUSTOMER)
        .exclude(status=Account.Status.CLOSED)
        .order_by("opened_at", "id")
    )


def number_shown(account: Account, reader_id: UUID) -> str:
    """All the digits of an account's number, for its owner. That the reader looked is kept in the audit."""
    with transaction.atomic():
        audit.record(reader_id, "ledger.number_read", f"account:{account.pk}")
    return str(account.number)


def closed_accounts(person_id: UUID, *, account_class: str, opened_remotely: bool) -> int:
    """How many accounts of this kind the person has closed."""
    return Account.objects.filter(
        owner_id=person_id,
        type=Account.Type.CUSTOMER,
        account_class=account_class,
        opened_remotely=opened_remotely,
        status=Account.Status.CLOSED,
    ).count()


def owns_number(person_id: UUID, number: str) -> bool:
    """Whether an open account of the person's has this full number."""
    return (
        Account.objects.filter(
            owner_id=person_id, number_index=blind_index("account_number", number), type=Account.Type.CUSTOMER
        )
        .exclude(status=Account.Status.CLOSED)
        .exists()
    )


def account(account_id: UUID) -> Account:
    """An account by its id, whoever owns it (for actions; doors use `access`). Raises NotFound."""
    found = Account.objects.filter(pk=account_id).first()
    if found is None:
        raise NotFound
    return found


def internal(code: str) -> Account:
    """One of the bank's own accounts. Raises NotFound."""
    found = Account.objects.filter(code=code).first()
    if found is None:
        raise NotFound
    return found


def hold(hold_id: UUID) -> Hold:
    """A hold by its id. Raises NotFound."""
    found = Hold.objects.filter(pk=hold_id).first()
    if found is None:
        raise NotFound
    return found


def balance(of: Account) -> int:
    """The exact balance in fen, of a customer's account or of the bank's own."""
    if of.type == Account.Type.CUSTOMER:
        return int(Account.objects.values_list("balance_fen", flat=True).get(pk=of.pk))
    rolled = RollUp.objects.filter(account_id=of.pk).first()
    upto, base = (rolled.upto, rolled.balance_fen) if rolled else (0, 0)
    later = Posting.objects.filter(account_id=of.pk, seq__isnull=True, pk__gt=upto)
    return base + int(later.aggregate(sum=Sum("amount_fen"))["sum"] or 0)


def entries_page(account_id: UUID, before: str | None, limit: int) -> tuple[list[Line], str | None]:
    """A customer's account's postings, newest first, and the cursor of the next page. Raises Invalid for a bad one."""
    rows = Posting.objects.filter(account_id=account_id, seq__isnull=False).select_related("entry")
    if before is not None:
        at, seq = _position(before)
        rows = rows.filter(Q(at__lt=at) | Q(at=at, seq__lt=seq), at__lte=at)
    found = list(rows.order_by("-at", "-seq")[: limit + 1])
    shown = found[:limit]
    others = counterparts(account_id, shown)
    lines = [_line(posting, others.get(posting.entry_id)) for posting in shown]
    more = len(found) > limit
    return lines, _cursor(shown[-1]) if more else None


def _cursor(posting: Posting) -> str:
    return f"{(posting.at - EPOCH) // _MICROSECOND}.{posting.seq}"


def _position(cursor: str) -> tuple[datetime, int]:
    microseconds, _, seq = cursor.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= 17 for part in (microseconds, seq)):
        raise Invalid(fields={"before": "cursor"})
    return EPOCH + int(microseconds) * _MICROSECOND, int(seq)


def _line(posting: Posting, counterpart: str | None) -> Line:
    entry = posting.entry
    return Line(
        entry_id=entry.pk,
        kind=entry.kind,
        memo=entry.memo,
        reference=entry.reference,
        amount_fen=posting.amount_fen,
        balance_after_fen=posting.balance_after_fen or 0,
        at=posting.at,
        value_date=entry.value_date,
        seq=posting.seq or 0,
        counterpart=counterpart,
    )


def counterparts(account_id: UUID, shown: list[Posting]) -> dict[UUID, str]:
    signs = {posting.entry_id: posting.amount_fen > 0 for posting in shown}
    legs = Posting.objects.filter(entry_id__in=signs, account__owner__isnull=False).select_related("account")
    largest: dict[UUID, Posting] = {}
    owner: UUID | None = None
    for leg in legs:
        if leg.account_id == account_id:
            owner = leg.account.owner_id
        elif (leg.amount_fen > 0) is not signs[leg.entry_id]:
            known = largest.get(leg.entry_id)
            if known is None or abs(leg.amount_fen) > abs(known.amount_fen):
                largest[leg.entry_id] = leg
    owners = {entry_id: leg.account.owner_id for entry_id, leg in largest.items() if leg.account.owner_id != owner}
    names = people.masked_names(found for found in owners.values() if found is not None)
    return {entry_id: names[found] for entry_id, found in owners.items() if found in names}


def entry_legs(entry_id: UUID) -> list[dict[str, Any]]:
    """An entry's legs, for the outbox consumers that tell of it: account, owner, tail, amount, balance after."""
    return [
        {
            "account_id": leg.account_id,
            "owner_id": leg.account.owner_id,
            "account_name": leg.account.name,
            "tail": leg.account.tail,
            "amount_fen": leg.amount_fen,
            "balance_after_fen": leg.balance_after_fen,
            "kind": leg.entry.kind,
            "memo": leg.entry.memo,
            "reference": leg.entry.reference,
            "at": leg.at,
        }
        for leg in Posting.objects.filter(entry_id=entry_id).select_related("account", "entry").order_by("leg")
    ]


def last_verification() -> Verification | None:
    """The newest proof of the books that was tried; `rule` says what did not hold."""
    return Verification.objects.order_by("-pk").first()


def last_whole_verification() -> Verification | None:
    """The newest proof of all the books that was tried."""
    return Verification.objects.filter(whole=True).order_by("-pk").first()


def proof_alarms() -> list[str]:
    """What somebody must look at, worst first: `books` where the last proof failed, `books-proof-late` and
    `books-night-proof-late` where the last proof, or the last of all the books, is older than it may be.

    Books in which nothing was written for so long yet need no proof.
    """
    last, whole = last_verification(), last_whole_verification()
    alarms = ["books"] if last and last.rule else []
    for name, proof, limit in (
        ("books-proof-late", last, PROOF_LATE),
        ("books-night-proof-late", whole, NIGHT_PROOF_LATE),
    ):
        since = proof.at if proof else Entry.objects.order_by("pk").values_list("recorded_at", flat=True).first()
        if since is not None and now() - since > limit:
            alarms.append(name)
    return alarms
