"""Payouts to the owner's card at another bank: held, sent over the clearing network, settled or given back.

The bank and the network speak in steps. Each step is one outbox row and at most one call; it is harmless twice,
because the network knows a payment by its end-to-end id and the ledger knows each movement by its key.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from accounts import queries as people
from finance.bank_session import actions as bank_session
from finance.bank_session.statements import Line, StatementDraft
from finance.ledger import actions as ledger
from finance.ledger import queries as books
from finance.ledger.access import account_of
from finance.ledger.errors import InsufficientFunds
from finance.ledger.models import Account
from finance.networks import ports
from finance.networks.ports import CreditTransfer, Declined, Report, Unreachable
from finance.payments import access, limits, queries
from finance.payments.errors import CardNotBound
from finance.payments.models import ClearingBreak, Payout
from finance.payments.queries import account_name
from kernel import audit, jobs
from kernel.clock import business_now
from kernel.errors import Language, NotFound

KIND = "payout"
FEE_FEN = 0
STATEMENT_LIFE = timedelta(minutes=10)
STEP_TOPIC = "payments.payout_step"
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=10)
DOUBT_AFTER_STEPS = 8
"""From this step on without an end, operations see a break. The network goes on being asked."""
CHANGED_TOPIC = "payments.payout_changed"


@dataclass(frozen=True)
class Order:
    """What the owner asks for. Also what the intent keeps, in this form."""

    account_id: UUID
    card_id: UUID
    amount_fen: int

    def subject(self) -> dict[str, object]:
        """As JSON."""
        return {"account_id": str(self.account_id), "card_id": str(self.card_id), "amount_fen": self.amount_fen}

    @classmethod
    def of(cls, subject: dict[str, object]) -> "Order":
        """From what `subject` wrote."""
        return cls(UUID(str(subject["account_id"])), UUID(str(subject["card_id"])), int(str(subject["amount_fen"])))


def _checked(person_id: UUID, order: Order) -> tuple[Account, people.BoundCard]:
    account = account_of(person_id, order.account_id)
    card = access.own_card(person_id, order.card_id)
    if card.id not in {bound.id for bound in queries.bound_cards_of(person_id, account)}:
        raise CardNotBound
    limits.refuse_beyond(account, "out", "bound", order.amount_fen)
    if account.available_fen < order.amount_fen:
        raise InsufficientFunds(available_fen=account.available_fen)
    return account, card


def statement(person_id: UUID, order: Order) -> StatementDraft:
    """What the owner confirms. Raises what `prepare` raises."""
    account, card = _checked(person_id, order)
    holder = people.masked_name(person_id) or ""
    return StatementDraft(
        title_zh="确认转出",
        title_en="Confirm payout",
        amount_fen=order.amount_fen,
        fee_fen=FEE_FEN,
        lines=[
            Line(
                "收款卡",
                "To",
                f"{card.bank_name} 尾号 {card.tail}(本人,{holder})",
                f"{card.bank_name} ending {card.tail} (your own, {holder})",
            ),
            Line("付款账户", "From", *account_name(account)),
            Line("到账方式", "Arrives", "通常几分钟内;未成功会退回原账户", "Within minutes; comes back if it fails"),
        ],
        valid_until=business_now() + STATEMENT_LIFE,
    )


def prepare(
    *, intent_id: UUID, person_id: UUID, chat_session_id: UUID, device_id: UUID, order: Order, language: Language
) -> bank_session.Prepared:
    """Stores the intent with its statement; moves nothing.

    Raises NotFound (an account or card that is not the person's), CardNotBound, RuleRefused, InsufficientFunds.
    """
    return bank_session.prepare(
        intent_id=intent_id,
        person_id=person_id,
        chat_session_id=chat_session_id,
        device_id=device_id,
        kind=KIND,
        subject=order.subject(),
        draft=statement(person_id, order),
        language=language,
    )


def confirm(*, payout_id: UUID, person_id: UUID, order: Order) -> Payout:
    """Holds the money and leaves the rest to the worker. Runs in the confirmation's transaction.

    Raises NotFound, CardNotBound, RuleRefused, InsufficientFunds, AccountClosed; then nothing is held.
    """
    account, card = _checked(person_id, order)
    number, holder = people.card_number(person_id, card.id), people.registered_name(person_id)
    if number is None or holder is None:
        raise NotFound
    hold = ledger.place_hold(
        key=f"payout:{payout_id}:hold",
        account_id=account.pk,
        amount_fen=order.amount_fen,
        kind=KIND,
        reference=payout_id,
        memo=_memo(card.bank_name, card.tail),
    )
    payout = Payout(
        id=payout_id,
        person_id=person_id,
        account=account,
        card_id=card.id,
        bank_name=card.bank_name,
        card_tail=card.tail,
        amount_fen=order.amount_fen,
        hold_id=hold.hold_id,
        created_at=business_now(),
    )
    payout.card_number, payout.holder_name = number, holder
    payout.save(force_insert=True)
    audit.record(
        person_id,
        "payments.payout_confirmed",
        f"payout:{payout_id}",
        {"amount_fen": order.amount_fen, "account": str(account.pk), "card": str(card.id)},
    )
    _next_step(payout)
    return payout


def _memo(bank_name: str, tail: str) -> str:
    return f"转出至{bank_name} 尾号 {tail}"


def _next_step(payout: Payout) -> None:
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(payout.steps - 1, 16)) if payout.steps else timedelta()
    jobs.enqueue(
        STEP_TOPIC,
        {"payout_id": str(payout.pk), "step": payout.steps},
        run_at=business_now() + pause if payout.steps else None,
        key=f"{payout.pk}:{payout.steps}",
    )


def _speak(payout: Payout) -> list[Report]:
    """One call: hands the payment over, or asks after it. Raises Unreachable, Declined."""
    clearing = ports.clearing.get()
    if payout.steps:
        report = clearing.ask(payout.end_to_end_id)
        if report is not None:
            return [report]
    # Not known there: it never arrived. Sending it again under the same id is the same payment.
    return list(
        clearing.send(
            CreditTransfer(
                end_to_end_id=payout.end_to_end_id,
                amount_fen=payout.amount_fen,
                creditor_card=str(payout.card_number),
                creditor_name=str(payout.holder_name),
                remittance="转出",
            )
        )
    )


@transaction.atomic
def step(*, payout_id: UUID, number: int) -> None:
    """Speaks to the network about a payout and does what its answer says. A step that was done changes nothing."""
    payout = Payout.objects.select_for_update().get(pk=payout_id)
    if payout.steps != number or payout.finished_at is not None:
        return
    doubt: tuple[ClearingBreak.Kind, str] | None = None
    try:
        reports = _speak(payout)
    except Unreachable as trouble:
        reports, doubt = [], (ClearingBreak.Kind.NO_ANSWER, str(trouble))
    except Declined as trouble:
        reports, doubt = [], (ClearingBreak.Kind.DECLINED, trouble.code)
    payout.steps += 1
    payout.save(update_fields=["steps"])
    for report in reports:
        apply(payout=payout, report=report)
    if payout.finished_at is None:
        if payout.steps >= DOUBT_AFTER_STEPS:
            _open_break(payout, *(doubt or (ClearingBreak.Kind.NO_ANSWER, "PDNG")))
        _next_step(payout)


def apply(*, payout: Payout, report: Report) -> None:
    """Does what the network reports, once. The payout is locked by the caller.

    The same end again is harmless; another end than the one that stands moves nothing and opens a break.
    """
    match report.status:
        case "PDNG":
            if payout.state == Payout.State.ACCEPTED:
                _move(payout, Payout.State.SENT)
            return
        case "ACSC":
            end = Payout.State.SETTLED
        case "RJCT":
            end = Payout.State.RETURNED
    # One that was taken back had been settled before.
    stood = Payout.State.SETTLED if payout.state == Payout.State.REVERSED else payout.state
    if payout.finished_at is not None:
        if stood != end:
            _open_break(payout, ClearingBreak.Kind.CONTRADICTION, f"{payout.state}, then {report.status}")
        return
    memo = _memo(payout.bank_name, payout.card_tail)
    if end == Payout.State.SETTLED:
        ledger.capture_hold(
            key=f"payout:{payout.pk}:settle",
            hold_id=payout.hold_id,
            legs_to=[(books.internal("clearing-out").pk, payout.amount_fen)],
            kind=KIND,
            memo=memo,
        )
    else:
        ledger.release_hold(key=f"payout:{payout.pk}:release", hold_id=payout.hold_id, memo=f"{memo} 未成功,已退回")
        payout.reason = report.reason or "RJCT"
    _move(payout, end)
    audit.record(
        None, f"payments.payout_{end.value}", f"payout:{payout.pk}", {"reason": payout.reason, "step": payout.steps}
    )
    ClearingBreak.objects.filter(payout=payout, closed_at__isnull=True).update(closed_at=business_now())


def _move(payout: Payout, state: Payout.State) -> None:
    if state not in Payout.TRANSITIONS.get(payout.state, frozenset()):
        raise ValueError(f"a payout does not go from {payout.state} to {state}")
    payout.state = state
    if state in {Payout.State.SETTLED, Payout.State.RETURNED}:
        payout.finished_at = business_now()
    payout.save(update_fields=["state", "reason", "finished_at"])
    jobs.enqueue(CHANGED_TOPIC, {"payout_id": str(payout.pk)})


@transaction.atomic
def reverse(*, payout_id: UUID) -> None:
    """The entry of its settlement was taken back: the payout says so, once. What is none changes nothing."""
    payout = Payout.objects.select_for_update().filter(pk=payout_id).first()
    if payout is None or payout.state != Payout.State.SETTLED:
        return
    _move(payout, Payout.State.REVERSED)
    audit.record(None, "payments.payout_reversed", f"payout:{payout_id}")


@transaction.atomic
def get_stuck(*, payout_id: UUID, error: str) -> None:
    """A step has failed for good, for a reason nobody foresaw: the money stays held, and operations see it."""
    payout = Payout.objects.select_for_update().get(pk=payout_id)
    if payout.finished_at is None:
        _open_break(payout, ClearingBreak.Kind.STUCK, error)


def _open_break(payout: Payout, kind: ClearingBreak.Kind, detail: str) -> None:
    if not ClearingBreak.objects.filter(payout=payout, kind=kind, closed_at__isnull=True).exists():
        ClearingBreak.objects.create(payout=payout, kind=kind, detail=detail[:120], opened_at=business_now())
        audit.record(None, "payments.break_opened", f"payout:{payout.pk}", {"kind": kind.value})
