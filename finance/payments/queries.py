"""What payments show. Each takes a fixed number of statements, but for a person's few accounts and cards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from accounts import queries as people
from accounts.queries import BoundCard, Counterparty
from finance.bank_session import queries as bank_session
from finance.ledger import names, rules
from finance.ledger import queries as ledger
from finance.ledger.models import Account
from finance.payments import limits
from finance.payments.errors import AccountNeeded, TransferExpired
from finance.payments.models import AccountBinding, ClearingBreak, Payout, Transfer
from kernel.clock import business_now
from kernel.errors import Language, Refusal
from kernel.statements import Question, ask

REASONS: dict[str, tuple[str, str]] = {
    "AC01": ("对方银行说卡号有误", "the other bank says the card number is wrong"),
    "AC04": ("对方银行说这张卡已销户", "the other bank says this card is closed"),
    "AC06": ("对方银行说这张卡被冻结", "the other bank says this card is blocked"),
    "AM09": ("对方银行不接受这个金额", "the other bank does not take this amount"),
}
_OTHER_REASON = ("对方银行没有接收", "the other bank did not take it")


@dataclass(frozen=True)
class AccountOption:
    """One of the person's accounts as a choice for a payment, and whether and why not."""

    account_id: UUID
    name: str
    account_class: str
    tail: str
    available_fen: int
    ok: bool
    code: str
    reason: str
    fits_fen: int | None
    day_left_fen: int | None
    year_left_fen: int | None
    cards: list[BoundCard] = field(default_factory=list)


@dataclass(frozen=True)
class PayeeFacts:
    """A payee as the bank knows them."""

    id: UUID
    masked_name: str | None
    verified: bool
    first_time: bool


@dataclass(frozen=True)
class TransferView:
    """A transfer for one of its two people. Each sees their own account and the other's masked name."""

    id: UUID
    role: Literal["payer", "payee"]
    conversation_id: UUID
    payer_id: UUID
    payee_id: UUID
    amount_fen: int
    memo: str
    state: str
    other_name: str
    own_account: str | None
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None
    reversed_at: datetime | None
    may_accept: bool
    may_return: bool
    blocked_code: str
    blocked_reason: str
    options: list[AccountOption]


@dataclass(frozen=True)
class PayoutView:
    """A payout for its owner. `in_doubt`: the network was asked often and has not said what became of it."""

    id: UUID
    account_id: UUID
    account_name: str
    bank_name: str
    card_tail: str
    amount_fen: int
    state: str
    in_doubt: bool
    reason: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Openable:
    """A class of account that the person has, may open now, or may not, and why."""

    account_class: str
    ok: bool
    code: str
    reason: str
    account_id: UUID | None
    ceiling_fen: int | None
    day_fen: int | None
    year_fen: int | None
    takes_from_others: bool
    buys_wealth: bool


def account_name(account: Account) -> tuple[str, str]:
    """The account in words, zh and en: `储蓄卡 尾号 8823(I 类)`."""
    zh, en = names.with_tail(account)
    return f"{zh}({account.account_class or ''} 类)", f"{en} (class {account.account_class or ''})"


def _in(language: Language, pair: tuple[str, str]) -> str:
    return pair[1] if language == "en" else pair[0]


def open_accounts(person_id: UUID) -> list[Account]:
    """The person's accounts that can be used, oldest first."""
    return [account for account in ledger.accounts_of(person_id) if account.status == "open"]


# The index `transfers_received` has just these rows: what waits or came back is not gone through.
_RECEIVED = """
SELECT EXISTS (SELECT FROM payments_transfer WHERE payer_id = %s AND payee_id = %s AND state = 'received')
"""


def _none_received(found: Sequence[Any] | None) -> bool:
    return found is None or not found[0]


def first_payee_question(payer_id: UUID, payee_id: UUID) -> Question[bool]:
    """`is_first_payee`, to be asked with others."""
    return Question(_RECEIVED, [payer_id, payee_id], _none_received, always=True)


def is_first_payee(payer_id: UUID, payee_id: UUID) -> bool:
    """Whether nothing that this payer sent to this payee was ever received."""
    asked = first_payee_question(payer_id, payee_id)
    return ask(asked).to(asked)


def payee_facts(payer_id: UUID, payee_id: UUID, payee: Counterparty) -> PayeeFacts:
    """What the payer is shown of a payee: never their bank or card."""
    return PayeeFacts(
        id=payee_id,
        masked_name=payee.masked_name,
        verified=payee.verified,
        first_time=is_first_payee(payer_id, payee_id),
    )


def bound_cards_of(person_id: UUID, account: Account) -> list[BoundCard]:
    """The cards that the account may pay out to: the one it is bound to; for class I any of the owner's."""
    cards = people.bound_cards(person_id)
    if account.account_class == "I":
        return cards
    bound = AccountBinding.objects.filter(account=account.pk).values_list("card_id", flat=True).first()
    return [card for card in cards if card.id == bound]


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def account_options(
    person_id: UUID,
    direction: rules.Direction,
    counterpart: rules.Counterpart,
    language: Language,
    *,
    amount_fen: int = 1,
) -> list[AccountOption]:
    """The person's open accounts, whether each may take or give this amount, and what its limits leave."""
    accounts = open_accounts(person_id)
    used = limits.used([account.pk for account in accounts], direction)
    signed = bank_session.can_sign(person_id)
    options = []
    for account in accounts:
        use = used[account.pk]
        side = limits.side_of(account, use, signed=signed)
        rule = rules.rule_for(side, direction, counterpart)
        decision = rules.decide(side, direction, counterpart, amount_fen)
        options.append(
            AccountOption(
                account_id=account.pk,
                name=names.name_in(language, account.name),
                account_class=side.account_class,
                tail=account.tail,
                available_fen=account.available_fen,
                ok=decision.ok,
                code=decision.code,
                reason=_in(language, (decision.zh, decision.en)),
                fits_fen=decision.fits_fen,
                day_left_fen=_left(rule.day_fen, use.day_fen),
                year_left_fen=_left(rule.year_fen, use.year_fen),
            )
        )
    return options


def payout_options(person_id: UUID, language: Language) -> list[AccountOption]:
    """The person's open accounts with the cards that each may pay out to."""
    accounts = {account.pk: account for account in open_accounts(person_id)}
    return [
        AccountOption(**{**vars(option), "cards": bound_cards_of(person_id, accounts[option.account_id])})
        for option in account_options(person_id, "out", "bound", language)
    ]


def transfer_view(transfer: Transfer, viewer_id: UUID, language: Language) -> TransferView:
    """The transfer as `viewer_id`, one of its two people, sees it."""
    payee = transfer.payee_id == viewer_id
    other_id = transfer.payer_id if payee else transfer.payee_id
    own_account_id = transfer.to_account_id if payee else transfer.from_account_id
    own = next((account for account in ledger.accounts_of(viewer_id) if account.pk == own_account_id), None)
    pending = transfer.state == Transfer.State.PENDING
    options: list[AccountOption] = []
    blocked: Refusal | None = None
    if payee and pending:
        options = account_options(viewer_id, "in", "other", language, amount_fen=transfer.amount_fen)
        if business_now() >= transfer.expires_at:
            blocked = TransferExpired()
        elif not options:
            blocked = AccountNeeded()
    return TransferView(
        id=transfer.pk,
        role="payee" if payee else "payer",
        conversation_id=transfer.conversation_id,
        payer_id=transfer.payer_id,
        payee_id=transfer.payee_id,
        amount_fen=transfer.amount_fen,
        memo=transfer.memo,
        state=transfer.state,
        other_name=people.masked_name(other_id) or people.person_cards([other_id], viewer_id=viewer_id)[other_id].name,
        own_account=_in(language, account_name(own)) if own else None,
        created_at=transfer.created_at,
        expires_at=transfer.expires_at,
        finished_at=transfer.finished_at,
        reversed_at=transfer.reversed_at,
        may_accept=payee and pending and blocked is None and any(option.ok for option in options),
        may_return=payee and pending and not isinstance(blocked, TransferExpired),
        blocked_code=blocked.code if blocked else "",
        blocked_reason=blocked.message(language) if blocked else "",
        options=options,
    )


def payout_views(payouts: Iterable[Payout], language: Language) -> list[PayoutView]:
    """The payouts as their owner sees them. Two statements."""
    rows = list(payouts)
    doubtful = set(
        ClearingBreak.objects.filter(payout__in=rows, closed_at__isnull=True).values_list("payout_id", flat=True)
    )
    return [
        PayoutView(
            id=payout.pk,
            account_id=payout.account_id,
            account_name=_in(language, account_name(payout.account)),
            bank_name=payout.bank_name,
            card_tail=payout.card_tail,
            amount_fen=payout.amount_fen,
            state=payout.state,
            in_doubt=payout.pk in doubtful and payout.finished_at is None,
            reason=_in(language, REASONS.get(payout.reason, _OTHER_REASON)) if payout.reason else "",
            created_at=payout.created_at,
            finished_at=payout.finished_at,
        )
        for payout in rows
    ]


def payouts_of(person_id: UUID, *, before: UUID | None, limit: int) -> list[Payout]:
    """The person's payouts, newest first, one more than `limit`."""
    rows = Payout.objects.filter(person=person_id).select_related("account")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[: limit + 1])


def openables(person_id: UUID, language: Language) -> list[Openable]:
    """The classes that can be opened remotely, and how the person stands to each."""
    mine = {
        account.account_class: account.pk
        for account in ledger.accounts_of(person_id)
        if account.opened_remotely and account.status != "closed"
    }
    shown = []
    for name in rules.REMOTE_CLASSES:
        refusal = rules.may_open(
            name,
            verified=people.identity_level(person_id) == "verified",
            cards=len(people.bound_cards(person_id)),
            opened=name in mine,
        )
        side = rules.Side(name, True)
        out = rules.rule_for(side, "out", "other")
        shown.append(
            Openable(
                account_class=name,
                ok=refusal.ok,
                code=refusal.code,
                reason=_in(language, (refusal.zh, refusal.en)),
                account_id=mine.get(name),
                ceiling_fen=rules.CEILINGS_FEN[name],
                day_fen=out.day_fen,
                year_fen=out.year_fen,
                takes_from_others=rules.rule_for(side, "in", "other").allowed,
                buys_wealth=rules.rule_for(side, "out", "wealth").allowed,
            )
        )
    return shown


def open_breaks(*, before: UUID | None, limit: int) -> list[ClearingBreak]:
    """Money that does not move on, newest first, one more than `limit`. For operations."""
    rows = ClearingBreak.objects.filter(closed_at__isnull=True).select_related("payout", "transfer")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[: limit + 1])
