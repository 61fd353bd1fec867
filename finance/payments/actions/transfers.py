"""Transfers in chat: prepared, confirmed on the bank sheet, held; then received, returned, or back after 24 hours."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import queries as people
from finance.bank_session import actions as bank_session
from finance.bank_session.queries import Allowance, allowance
from finance.bank_session.statements import Line, StatementDraft
from finance.ledger import actions as ledger
from finance.ledger.access import account_of, account_question
from finance.ledger.errors import InsufficientFunds, translated
from finance.ledger.models import Account
from finance.payments import access, limits, queries
from finance.payments.errors import (
    AccountNeeded,
    OwnTransfer,
    TransferExpired,
    TransferFinished,
)
from finance.payments.models import ClearingBreak, Transfer
from finance.payments.queries import account_name
from kernel import audit, jobs, notes, rows
from kernel.clock import business_now
from kernel.errors import Language, NotFound
from kernel.statements import Answers, Question, ask

KIND = "transfer"
LIFE = timedelta(hours=24)
FEE_FEN = 0
STATEMENT_LIFE = timedelta(minutes=10)

CARD_TOPIC = "payments.transfer_card"
EXPIRY_TOPIC = "payments.transfer_expiry"


@dataclass(frozen=True)
class Order:
    """What the payer asks for. Also what the intent keeps, in this form."""

    conversation_id: UUID
    payee_id: UUID
    amount_fen: int
    account_id: UUID
    memo: str

    def subject(self) -> dict[str, object]:
        """As JSON."""
        return {
            "conversation_id": str(self.conversation_id),
            "payee_id": str(self.payee_id),
            "amount_fen": self.amount_fen,
            "account_id": str(self.account_id),
            "memo": self.memo,
        }

    @classmethod
    def of(cls, subject: dict[str, object]) -> "Order":
        """From what `subject` wrote."""
        return cls(
            conversation_id=UUID(str(subject["conversation_id"])),
            payee_id=UUID(str(subject["payee_id"])),
            amount_fen=int(str(subject["amount_fen"])),
            account_id=UUID(str(subject["account_id"])),
            memo=str(subject["memo"]),
        )


@dataclass(frozen=True)
class TransferChoices:
    """What a transfer form shows."""

    payee: queries.PayeeFacts
    accounts: list[queries.AccountOption]
    fee_fen: int
    returns_after_hours: int
    new_device: Allowance | None


@dataclass(frozen=True)
class Facts:
    """What a transfer is made of, looked up once: for its words, and for doing it."""

    payee: people.Counterparty
    account: Account
    first_time: bool
    used: limits.Used | None = None


class Asked:
    """What is asked about a transfer, with one statement. `hold`: see access.Parties; for the deed, which counts its
    use of the limits itself.
    """

    def __init__(self, payer_id: UUID, order: Order, *, hold: bool = False) -> None:
        self.conversation_id = order.conversation_id
        self.parties = access.Parties(payer_id, order.payee_id, hold=hold)
        self.account = account_question(payer_id, order.account_id)
        self.first_time = queries.first_payee_question(payer_id, order.payee_id)
        self.used = None if hold else limits.used_question(order.account_id, "out")

    def questions(self) -> list[Question[Any]]:
        """All of them."""
        asked: list[Question[Any]] = [self.parties.payee, self.parties.conversation, self.account, self.first_time]
        return asked if self.used is None else [*asked, self.used]

    def facts(self, answers: Answers) -> Facts:
        """The facts as they were answered. Raises NotFound, NotToStaff, NotFriends."""
        payee, paying = self.parties.payable(answers, self.conversation_id), answers.to(self.account)
        if paying is None:
            raise NotFound
        return Facts(payee, paying, answers.to(self.first_time), None if self.used is None else answers.to(self.used))


def facts_of(payer_id: UUID, order: Order, *, hold: bool = False) -> Facts:
    """The facts as they stand. Raises NotFound, NotToStaff, NotFriends."""
    asked = Asked(payer_id, order, hold=hold)
    return asked.facts(ask(*asked.questions()))


def choices(
    payer_id: UUID, payee_id: UUID, conversation_id: UUID, language: Language, *, device_id: UUID
) -> TransferChoices:
    """What the payer can choose from on this device. Raises NotFound, NotToStaff, NotFriends."""
    parties = access.Parties(payer_id, payee_id)
    payee = parties.payable(ask(parties.payee, parties.conversation), conversation_id)
    return TransferChoices(
        payee=queries.payee_facts(payer_id, payee_id, payee),
        accounts=queries.account_options(payer_id, "out", "other", language),
        fee_fen=FEE_FEN,
        returns_after_hours=LIFE // timedelta(hours=1),
        new_device=allowance(payer_id, device_id),
    )


def statement(payer_id: UUID, order: Order) -> StatementDraft:
    """What the payer confirms, if it can be done as things stand. Raises what `prepare` raises."""
    facts = facts_of(payer_id, order)
    limits.refuse_beyond(facts.account, "out", "other", order.amount_fen, use=facts.used)
    if facts.account.available_fen < order.amount_fen:
        raise InsufficientFunds(available_fen=facts.account.available_fen)
    return words_of(order, facts)


def words_of(order: Order, facts: Facts) -> StatementDraft:
    """The statement: the payee's registered name from the server, the account, what happens next."""
    payee, account = facts.payee, facts.account
    name = payee.masked_name or payee.name
    zh_proof, en_proof = ("已实名", "identity verified") if payee.verified else ("未实名", "identity not verified")
    lines = [
        Line("收款人", "To", f"{name}(好友,{zh_proof})", f"{name} (friend, {en_proof})"),
        Line("付款账户", "From", *account_name(account)),
        Line(
            "到账方式", "Arrives", "对方收款后到账,24 小时未收自动退回", "When received; returns after 24 hours if not"
        ),
    ]
    if order.memo:
        lines.insert(2, Line("附言", "Note", order.memo, order.memo))
    if facts.first_time:
        lines.append(
            Line(
                "提醒",
                "Caution",
                "您首次向此人付款,请先用其他方式核实对方身份",
                "You pay this person for the first time; make sure it is really them",
            )
        )
    return StatementDraft(
        title_zh="确认转账",
        title_en="Confirm transfer",
        amount_fen=order.amount_fen,
        fee_fen=FEE_FEN,
        lines=lines,
        valid_until=business_now() + STATEMENT_LIFE,
    )


def prepare(
    *, intent_id: UUID, payer_id: UUID, chat_session_id: UUID, device_id: UUID, order: Order, language: Language
) -> bank_session.Prepared:
    """Stores the intent with its statement; moves nothing.

    Raises NotFound (conversation, payee or account that is not the payer's), NotToStaff, NotFriends, RuleRefused,
    InsufficientFunds.
    """
    return bank_session.prepare(
        intent_id=intent_id,
        person_id=payer_id,
        chat_session_id=chat_session_id,
        device_id=device_id,
        kind=KIND,
        subject=order.subject(),
        draft=statement(payer_id, order),
        language=language,
    )


def confirm(
    *, transfer_id: UUID, payer_id: UUID, order: Order, account: Account | None = None, signed: bool = False
) -> Transfer:
    """Holds the money for the payee. Runs in the confirmation's transaction, whose end writes it (notes).

    `account`: the payer's, from the facts that were asked in this transaction, held. `signed`: a passkey signed it,
    which may be more a day than a PIN authorises. Raises RuleRefused, InsufficientFunds, AccountClosed, at once or at
    that end, and without `account` what `facts_of` raises; then that transaction is rolled back, and nothing is held.
    """
    if account is None:
        account = facts_of(payer_id, order, hold=True).account
    with translated(), notes.joined():
        limits.claim(
            key=f"transfer:{transfer_id}:out",
            account=account,
            direction="out",
            counterpart="other",
            amount_fen=order.amount_fen,
            signed=signed,
            at_end=True,
        )
        hold = ledger.place_hold(
            key=f"transfer:{transfer_id}:hold",
            account_id=account.pk,
            amount_fen=order.amount_fen,
            kind=KIND,
            reference=transfer_id,
            memo=_memo(order.memo),
            at_end=True,
        )
        moment = business_now()
        transfer = rows.new(
            Transfer,
            id=transfer_id,
            payer_id=payer_id,
            payee_id=order.payee_id,
            conversation_id=order.conversation_id,
            amount_fen=order.amount_fen,
            memo=order.memo,
            from_account_id=account.pk,
            hold_id=hold.hold_id,
            created_at=moment,
            expires_at=moment + LIFE,
        )
        rows.insert(transfer)
        audit.record(
            payer_id,
            "payments.transfer_confirmed",
            f"transfer:{transfer_id}",
            {"payee": str(order.payee_id), "amount_fen": order.amount_fen, "account": str(account.pk)},
        )
        payload = {"transfer_id": str(transfer_id)}
        jobs.enqueue_many(
            [
                jobs.Job(CARD_TOPIC, payload),
                jobs.Job(EXPIRY_TOPIC, payload, run_at=transfer.expires_at, key=f"expiry:{transfer_id}"),
            ]
        )
    return transfer


def _memo(memo: str) -> str:
    return f"转账 {memo}" if memo else "转账"


def _pending(person_id: UUID, transfer_id: UUID) -> Transfer:
    """The transfer under its lock, if this person may take or return it now."""
    transfer = access.transfer_of(person_id, transfer_id, lock=True)
    if transfer.payer_id == person_id:
        raise OwnTransfer
    if transfer.state != Transfer.State.PENDING:
        raise TransferFinished
    if business_now() >= transfer.expires_at:
        raise TransferExpired
    return transfer


def _finish(transfer: Transfer, state: Transfer.State, to_account: Account | None = None) -> None:
    if state not in Transfer.TRANSITIONS.get(transfer.state, frozenset()):
        raise ValueError(f"a transfer does not go from {transfer.state} to {state}")
    transfer.state = state
    transfer.to_account = to_account
    transfer.revision += 1
    transfer.finished_at = business_now()
    transfer.save(update_fields=["state", "to_account", "revision", "finished_at"])
    ClearingBreak.objects.filter(transfer=transfer, closed_at__isnull=True).update(closed_at=business_now())
    jobs.enqueue(CARD_TOPIC, {"transfer_id": str(transfer.pk)})


@transaction.atomic
def accept(*, transfer_id: UUID, payee_id: UUID, account_id: UUID | None) -> Transfer:
    """Credits the held money to an account of the payee's choice.

    Raises NotFound, OwnTransfer, TransferFinished, TransferExpired, AccountNeeded (the payee has no account),
    RuleRefused (the account's class may not take it); then the transfer stays as it was.
    """
    transfer = _pending(payee_id, transfer_id)
    if not queries.open_accounts(payee_id):
        raise AccountNeeded
    if account_id is None:
        raise NotFound
    account = account_of(payee_id, account_id)
    limits.claim(
        key=f"transfer:{transfer_id}:in",
        account=account,
        direction="in",
        counterpart="other",
        amount_fen=transfer.amount_fen,
    )
    ledger.capture_hold(
        key=f"transfer:{transfer_id}:capture",
        hold_id=transfer.hold_id,
        legs_to=[(account.pk, transfer.amount_fen)],
        kind=KIND,
        memo=_memo(transfer.memo),
    )
    _finish(transfer, Transfer.State.RECEIVED, account)
    audit.record(
        payee_id,
        "payments.transfer_received",
        f"transfer:{transfer_id}",
        {"account": str(account.pk), "amount_fen": transfer.amount_fen},
    )
    return transfer


def _give_back(transfer: Transfer, state: Transfer.State) -> None:
    limits.give_back(key=f"transfer:{transfer.pk}:out")
    ledger.release_hold(key=f"transfer:{transfer.pk}:release", hold_id=transfer.hold_id, memo=_memo(transfer.memo))
    _finish(transfer, state)


@transaction.atomic
def send_back(*, transfer_id: UUID, payee_id: UUID) -> Transfer:
    """The payee does not want it: the payer has the money again at once.

    Raises NotFound, OwnTransfer, TransferFinished, TransferExpired.
    """
    transfer = _pending(payee_id, transfer_id)
    _give_back(transfer, Transfer.State.RETURNED)
    audit.record(payee_id, "payments.transfer_returned", f"transfer:{transfer_id}")
    return transfer


@transaction.atomic
def expire(*, transfer_id: UUID) -> None:
    """Gives the money back to the payer if 24 hours have passed and nobody took it; otherwise changes nothing."""
    transfer = Transfer.objects.select_for_update().get(pk=transfer_id)
    if transfer.state != Transfer.State.PENDING or business_now() < transfer.expires_at:
        return
    _give_back(transfer, Transfer.State.EXPIRED)
    audit.record(None, "payments.transfer_expired", f"transfer:{transfer_id}")


@transaction.atomic
def reverse(*, transfer_id: UUID) -> None:
    """The entry that credited the payee was taken back: the transfer says so, once. What is none changes nothing."""
    transfer = Transfer.objects.select_for_update().filter(pk=transfer_id).first()
    if transfer is None or transfer.state != Transfer.State.RECEIVED:
        return
    transfer.state, transfer.reversed_at = Transfer.State.REVERSED, business_now()
    transfer.revision += 1
    transfer.save(update_fields=["state", "reversed_at", "revision"])
    audit.record(None, "payments.transfer_reversed", f"transfer:{transfer_id}")
    jobs.enqueue(CARD_TOPIC, {"transfer_id": str(transfer_id)})


@transaction.atomic
def get_stuck(*, transfer_id: UUID, error: str) -> None:
    """Giving the money back has failed for good, for a reason nobody foresaw: operations see that it is held."""
    transfer = Transfer.objects.select_for_update().get(pk=transfer_id)
    if transfer.state == Transfer.State.PENDING:
        ClearingBreak.objects.get_or_create(
            transfer=transfer,
            kind=ClearingBreak.Kind.STUCK,
            closed_at=None,
            defaults={"detail": error[:120], "opened_at": business_now()},
        )
        audit.record(None, "payments.break_opened", f"transfer:{transfer_id}", {"kind": ClearingBreak.Kind.STUCK.value})
