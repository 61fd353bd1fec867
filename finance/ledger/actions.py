"""Every write of the ledger. Each runs in the caller's transaction.

A refusal that comes from the database leaves that transaction fit for nothing but rolling back: a caller who wants
to go on after one wraps the call in an `atomic` of its own.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from finance.ledger import ports
from finance.ledger.errors import AccountClosed, AccountKept, AlreadyReversed, Unbalanced, translated
from finance.ledger.models import Account, Entry, Hold, Posting
from finance.ledger.numbers import is_ours, new_number
from kernel import audit, jobs, notes
from kernel.canonical import canonical
from kernel.clock import business_date, business_now
from kernel.errors import Invalid, KeyReused, NotFound
from kernel.ids import new_id
from kernel.money import MAX_FEN
from kernel.secrets import blind_index
from kernel.statements import planned

TOPIC = "ledger.moved"
"""Outbox topic for everything that touches a customer's account: {"event", "entry_id" and/or "hold_id"}."""
REVERSED = "ledger.reversed"
"""Outbox topic for an entry that was taken back: {"entry_id", "kind", "reference"} of that entry, not of its reversal.
Only of entries that refer to something."""
MAX_BATCH = 1_000
MAX_LEGS = 200
NUMBER_TRIES = 5


@dataclass(frozen=True)
class Leg:
    """What an entry adds to one account, in fen; below zero: takes from it."""

    account_id: UUID
    amount_fen: int


@dataclass(frozen=True)
class NewEntry:
    """An entry to be posted. `at` and `value_date` default to the bank's present."""

    key: str
    kind: str
    legs: Sequence[Leg]
    memo: str
    reference: UUID | None = None
    initiator_id: UUID | None = None
    at: datetime | None = None
    value_date: date | None = None
    reverses: UUID | None = None
    captures: UUID | None = None


@dataclass(frozen=True)
class EntryResult:
    """Which entry stands for the key, and whether it had been there before."""

    entry_id: UUID
    replayed: bool


@dataclass(frozen=True)
class HoldResult:
    """Which hold stands for the key, and whether it had been there before."""

    hold_id: UUID
    replayed: bool


def _digest(*parts: Any) -> bytes:
    return hashlib.sha256(canonical(parts)).digest()


def open_account(
    *,
    owner_id: UUID | None,
    account_type: str,
    name: str,
    key: str,
    account_class: str | None = None,
    code: str | None = None,
    nature: str = Account.Nature.LIABILITY,
    opened_remotely: bool = False,
    ceiling_fen: int | None = None,
    number: str | None = None,
) -> Account:
    """Opens an account, empty. The same `key` again answers the account that it opened.

    A customer's account is a liability of the bank's; one of its own (`code`) has the `nature` that accounting gives
    it. A customer's account gets a number under the bank's BIN, or keeps the `number` that the bank's core gave it.
    Raises KeyReused for a key that opened something else, Invalid for a number that is not ours or another nature.
    """
    if account_type == Account.Type.CUSTOMER and nature != Account.Nature.LIABILITY:
        raise Invalid(fields={"nature": Account.Nature.LIABILITY})
    input_hash = _digest(owner_id, account_type, name, account_class, code, opened_remotely, ceiling_fen, number)
    existing = Account.objects.filter(key=key).first()
    if existing is not None:
        return _same_account(existing, input_hash)
    if number is not None and not is_ours(number):
        raise Invalid(fields={"number": "luhn"})
    for attempt in range(NUMBER_TRIES):
        digits = (number or new_number()) if account_type == Account.Type.CUSTOMER else None
        account = Account(
            id=new_id(),
            owner_id=owner_id,
            type=account_type,
            account_class=account_class,
            name=name,
            code=code,
            nature=nature,
            number=digits,
            number_index=blind_index("account_number", digits) if digits else None,
            tail=digits[-4:] if digits else "",
            opened_remotely=opened_remotely,
            ceiling_fen=ceiling_fen,
            key=key,
            input_hash=input_hash,
            opened_at=business_now(),
        )
        try:
            with transaction.atomic():
                account.save(force_insert=True)
        except IntegrityError as error:
            existing = Account.objects.filter(key=key).first()
            if existing is not None:
                return _same_account(existing, input_hash)
            taken = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
            if "number_index" not in taken or number is not None or attempt == NUMBER_TRIES - 1:
                raise
            continue
        audit.record(owner_id, "ledger.account_opened", f"account:{account.pk}", {"class": account_class, "code": code})
        return account
    raise AssertionError("the loop above returns or raises")


def _same_account(account: Account, input_hash: bytes) -> Account:
    if bytes(account.input_hash) != input_hash:
        raise KeyReused
    return account


def close_account(*, account_id: UUID, actor_id: UUID | None) -> None:
    """Closes an empty account for good.

    Raises NotFound, AccountClosed, AccountKept, and what those who still need it say (ports.account_closing).
    """
    account = Account.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    if account.status == Account.Status.CLOSED:
        raise AccountClosed(account_id=str(account_id), account_status=account.status, tail=account.tail)
    if account.balance_fen or account.held_fen:
        raise AccountKept
    ports.account_closing.tell(account_id)
    account.status = Account.Status.CLOSED
    account.save(update_fields=["status"])
    audit.record(actor_id, "ledger.account_closed", f"account:{account_id}")


def post(
    *,
    key: str,
    kind: str,
    legs: Sequence[Leg],
    memo: str,
    reference: UUID | None = None,
    initiator_id: UUID | None = None,
    at: datetime | None = None,
    value_date: date | None = None,
) -> EntryResult:
    """Posts one entry. The same key with the same input is a replay and changes nothing.

    Raises Unbalanced, InsufficientFunds, AccountClosed, CeilingReached, NotFound (no such account), KeyReused.
    """
    entry = NewEntry(key, kind, legs, memo, reference, initiator_id, at, value_date)
    return post_batch([entry])[0]


def post_batch(entries: Sequence[NewEntry], *, tell: bool = True) -> list[EntryResult]:
    """Posts up to MAX_BATCH entries, all or none, in one call of the ledger's function.

    `tell=False` is for history that is brought over from elsewhere: nobody is alerted of it.
    Raises what `post` raises; a customer's balance may not pass below zero within the batch either.
    """
    if not 1 <= len(entries) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} entries, not {len(entries)}")
    results, told = [], []
    for entry, (entry_id, replayed, touches_customer) in zip(entries, _call_post(entries), strict=True):
        if tell and touches_customer and not replayed:
            payload: dict[str, Any] = {"event": "posted", "entry_id": str(entry_id)}
            if entry.captures:
                payload |= {"event": "captured", "hold_id": str(entry.captures)}
            told.append(jobs.Job(TOPIC, payload))
        results.append(EntryResult(entry_id, replayed))
    if told:
        jobs.enqueue_many(told)
    return results


def _check(entry: NewEntry) -> None:
    if not 2 <= len(entry.legs) <= MAX_LEGS or len({leg.account_id for leg in entry.legs}) != len(entry.legs):
        raise Unbalanced
    for leg in entry.legs:
        if type(leg.amount_fen) is not int or not 0 < abs(leg.amount_fen) <= MAX_FEN:
            raise Invalid(fields={"amount_fen": f"1..{MAX_FEN}"})
    if sum(leg.amount_fen for leg in entry.legs):
        raise Unbalanced


def _entry_hash(entry: NewEntry) -> bytes:
    legs = sorted((str(leg.account_id), leg.amount_fen) for leg in entry.legs)
    return _digest(entry.kind, legs, entry.memo, entry.reference, entry.initiator_id, entry.reverses, entry.captures)


def _call_post(entries: Sequence[NewEntry]) -> list[tuple[UUID, bool, bool]]:
    for entry in entries:
        _check(entry)
    if len(entries) == 1 and len(entries[0].legs) == 2 and entries[0].captures is None:
        return [_post_two(entries[0])]
    return _post_many(entries)


def _post_two(entry: NewEntry) -> tuple[UUID, bool, bool]:
    source, target = entry.legs
    at = entry.at or business_now()
    with translated():
        [(entry_id, replayed, told)] = planned(
            "SELECT entry_id, replayed, told FROM ledger_post_two("
            "%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::bigint)",
            [
                new_id(),
                entry.key,
                _entry_hash(entry),
                entry.kind,
                entry.memo,
                entry.reference,
                entry.initiator_id,
                at,
                entry.value_date or business_date(at),
                entry.reverses,
                source.account_id,
                target.account_id,
                target.amount_fen,
            ],
        )
        return entry_id, replayed, told


def _post_many(entries: Sequence[NewEntry]) -> list[tuple[UUID, bool, bool]]:
    columns: list[list[Any]] = [[] for _ in range(12)]
    places: list[int] = []
    numbers: list[int] = []
    accounts: list[UUID] = []
    amounts: list[int] = []
    present = business_now()
    for place, entry in enumerate(entries, start=1):
        at = entry.at or present
        row = (
            new_id(),
            entry.key,
            _entry_hash(entry),
            entry.kind,
            entry.memo,
            entry.reference,
            entry.initiator_id,
            at,
            entry.value_date or business_date(at),
            len(entry.legs),
            entry.reverses,
            entry.captures,
        )
        for column, value in zip(columns, row, strict=True):
            column.append(value)
        for number, leg in enumerate(entry.legs, start=1):
            places.append(place)
            numbers.append(number)
            accounts.append(leg.account_id)
            amounts.append(leg.amount_fen)
    with translated():
        results = planned(
            "SELECT entry_id, replayed, told FROM ledger_post("
            "%s::uuid[], %s::text[], %s::bytea[], %s::text[], %s::text[], %s::uuid[], %s::uuid[], %s::timestamptz[],"
            " %s::date[], %s::smallint[], %s::uuid[], %s::uuid[],"
            " %s::integer[], %s::smallint[], %s::uuid[], %s::bigint[])",
            [*columns, places, numbers, accounts, amounts],
        )
        return [(entry_id, replayed, told) for entry_id, replayed, told in results]


def reverse(*, key: str, entry_id: UUID, memo: str, initiator_id: UUID | None = None) -> EntryResult:
    """Takes an entry back by a new one with every sign turned. An entry can be reversed once.

    Raises NotFound, AlreadyReversed, and what `post` raises (somebody may have spent the money).
    """
    original = Entry.objects.filter(pk=entry_id).first()
    if original is None:
        raise NotFound
    if Entry.objects.filter(reverses_id=entry_id).exclude(key=key).exists():
        raise AlreadyReversed
    legs = [
        Leg(posting.account_id, -posting.amount_fen)
        for posting in Posting.objects.filter(entry_id=entry_id).order_by("leg")
    ]
    reversal = NewEntry(key, "reversal", legs, memo, original.reference, initiator_id, reverses=entry_id)
    posted = post_batch([reversal])[0]
    if not posted.replayed and original.reference is not None:
        payload = {"entry_id": str(entry_id), "kind": original.kind, "reference": str(original.reference)}
        jobs.enqueue(REVERSED, payload)
    return posted


_PLACE_HOLD = "SELECT hold_id, replayed FROM ledger_place_hold(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


def place_hold(
    *,
    key: str,
    account_id: UUID,
    amount_fen: int,
    kind: str,
    memo: str,
    reference: UUID | None = None,
    at_end: bool = False,
) -> HoldResult:
    """Holds an amount of a customer's available money. The same key with the same input is a replay.

    `at_end`: with what else is gathered (notes); whoever gathers has the database's refusals translated, and there is
    no replay: a key that was used raises. Raises InsufficientFunds, AccountClosed, NotFound (no such account),
    KeyReused, Invalid.
    """
    if type(amount_fen) is not int or not 1 <= amount_fen <= MAX_FEN:
        raise Invalid(fields={"amount_fen": f"1..{MAX_FEN}"})
    digest, hold_id, replayed = _digest(account_id, amount_fen, kind, memo, reference), new_id(), False
    values: list[Any] = [hold_id, key, digest, account_id, amount_fen, kind, memo, reference, business_now()]
    if at_end:
        notes.write(_PLACE_HOLD, values, then=_refuse_replay)
    else:
        with translated():
            [(hold_id, replayed)] = planned(_PLACE_HOLD, values)
    if not replayed:
        jobs.enqueue(TOPIC, {"event": "held", "hold_id": str(hold_id)})
    return HoldResult(hold_id, replayed)


def _refuse_replay(rows: list[dict[str, Any]]) -> None:
    if rows[0]["replayed"]:
        raise KeyReused


def capture_hold(
    *,
    key: str,
    hold_id: UUID,
    legs_to: Sequence[tuple[UUID, int]],
    kind: str,
    memo: str,
    initiator_id: UUID | None = None,
) -> EntryResult:
    """Ends a hold by moving its money: `legs_to` are (account, fen) credited, together at most what was held.

    What is left over is free again. The same key with the same input is a replay. Raises HoldNotOpen (ended
    otherwise, or unknown), Unbalanced (more than was held), CeilingReached, AccountClosed, KeyReused.
    """
    hold = Hold.objects.filter(pk=hold_id).first()
    if hold is None:
        raise NotFound
    total = sum(amount for _, amount in legs_to)
    if not 1 <= total <= hold.amount_fen:
        raise Unbalanced
    legs = [Leg(hold.account_id, -total), *(Leg(account, amount) for account, amount in legs_to)]
    return post_batch([NewEntry(key, kind, legs, memo, hold.reference, initiator_id, captures=hold_id)])[0]


def release_hold(*, key: str, hold_id: UUID, memo: str) -> HoldResult:
    """Gives held money back to be disposed of. The same key again is a replay. Raises HoldNotOpen."""
    return _end_hold(key=key, hold_id=hold_id, memo=memo, state=Hold.State.RELEASED)


def expire_hold(*, key: str, hold_id: UUID, memo: str) -> HoldResult:
    """Ends a hold because its time is over. The same key again is a replay. Raises HoldNotOpen."""
    return _end_hold(key=key, hold_id=hold_id, memo=memo, state=Hold.State.EXPIRED)


def _end_hold(*, key: str, hold_id: UUID, memo: str, state: Hold.State) -> HoldResult:
    values = [hold_id, key, memo, str(state), business_now()]
    with translated():
        [(replayed,)] = planned("SELECT ledger_end_hold(%s, %s, %s, %s, %s)", values)
    if not replayed:
        jobs.enqueue(TOPIC, {"event": str(state), "hold_id": str(hold_id)})
    return HoldResult(hold_id, replayed)
