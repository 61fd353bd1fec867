"""Between a customer's own accounts: confirmed on the bank sheet, and booked at once."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from finance.bank_session import actions as bank_session
from finance.bank_session.statements import Line, StatementDraft
from finance.ledger import actions as ledger
from finance.ledger import rules
from finance.ledger.access import account_of
from finance.ledger.errors import InsufficientFunds
from finance.ledger.models import Account
from finance.payments import limits
from finance.payments.errors import SameAccount
from finance.payments.models import OwnTransfer
from finance.payments.queries import account_name
from kernel import audit
from kernel.clock import business_now
from kernel.errors import Language

KIND = "own_transfer"
FEE_FEN = 0
STATEMENT_LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Order:
    """What the owner asks for. Also what the intent keeps, in this form."""

    from_account_id: UUID
    to_account_id: UUID
    amount_fen: int
    memo: str

    def subject(self) -> dict[str, object]:
        """As JSON."""
        return {
            "from_account_id": str(self.from_account_id),
            "to_account_id": str(self.to_account_id),
            "amount_fen": self.amount_fen,
            "memo": self.memo,
        }

    @classmethod
    def of(cls, subject: dict[str, object]) -> "Order":
        """From what `subject` wrote."""
        return cls(
            UUID(str(subject["from_account_id"])),
            UUID(str(subject["to_account_id"])),
            int(str(subject["amount_fen"])),
            str(subject["memo"]),
        )


def _checked(person_id: UUID, order: Order) -> tuple[Account, Account]:
    source, target = account_of(person_id, order.from_account_id), account_of(person_id, order.to_account_id)
    if source.pk == target.pk:
        raise SameAccount
    ways: tuple[tuple[Account, rules.Direction], ...] = ((source, "out"), (target, "in"))
    for account, direction in ways:
        limits.refuse_beyond(account, direction, "own", order.amount_fen)
    if source.available_fen < order.amount_fen:
        raise InsufficientFunds(available_fen=source.available_fen)
    return source, target


def statement(person_id: UUID, order: Order) -> StatementDraft:
    """What the owner confirms. Raises what `prepare` raises."""
    source, target = _checked(person_id, order)
    lines = [
        Line("付款账户", "From", *account_name(source)),
        Line("收款账户", "To", *account_name(target)),
        Line("到账方式", "Arrives", "立即到账,不能撤销", "At once; it cannot be undone"),
    ]
    if order.memo:
        lines.append(Line("附言", "Note", order.memo, order.memo))
    return StatementDraft(
        title_zh="确认转到我的账户",
        title_en="Confirm transfer to your own account",
        amount_fen=order.amount_fen,
        fee_fen=FEE_FEN,
        lines=lines,
        valid_until=business_now() + STATEMENT_LIFE,
    )


def prepare(
    *, intent_id: UUID, person_id: UUID, chat_session_id: UUID, device_id: UUID, order: Order, language: Language
) -> bank_session.Prepared:
    """Stores the intent with its statement; moves nothing.

    Raises NotFound (an account that is not the person's), SameAccount, RuleRefused, InsufficientFunds.
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


def confirm(*, transfer_id: UUID, person_id: UUID, order: Order) -> OwnTransfer:
    """Books it. Runs in the confirmation's transaction, right after `statement` was said again.

    Raises RuleRefused, InsufficientFunds, AccountClosed; then nothing has moved.
    """
    source, target = account_of(person_id, order.from_account_id), account_of(person_id, order.to_account_id)
    # In order of id, so that two that cross each other wait and do not stop each other.
    ways: list[tuple[Account, rules.Direction]] = [(source, "out"), (target, "in")]
    for account, direction in sorted(ways, key=lambda way: way[0].pk):
        limits.claim(
            key=f"own:{transfer_id}:{direction}",
            account=account,
            direction=direction,
            counterpart="own",
            amount_fen=order.amount_fen,
        )
    entry = ledger.post(
        key=f"own:{transfer_id}",
        kind=KIND,
        legs=[ledger.Leg(source.pk, -order.amount_fen), ledger.Leg(target.pk, order.amount_fen)],
        memo=f"本人账户互转 {order.memo}".rstrip(),
        reference=transfer_id,
        initiator_id=person_id,
    )
    made = OwnTransfer.objects.create(
        id=transfer_id,
        person_id=person_id,
        from_account=source,
        to_account=target,
        amount_fen=order.amount_fen,
        memo=order.memo,
        entry_id=entry.entry_id,
        made_at=business_now(),
    )
    audit.record(
        person_id,
        "payments.own_transfer",
        f"transfer:{transfer_id}",
        {"amount_fen": order.amount_fen, "from": str(source.pk), "to": str(target.pk)},
    )
    return made
