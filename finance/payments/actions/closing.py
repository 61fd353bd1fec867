"""An owner closes an account of class II or III: confirmed on the bank sheet, and for good.

Only an empty account is closed. The row's lock decides between a closing and a credit that come at once: either the
credit is there and the account stays, or the account is closed and the ledger refuses the credit.
"""

from datetime import timedelta
from uuid import UUID

from chat import push
from finance.bank_session import actions as bank_session
from finance.bank_session.statements import Line, StatementDraft
from finance.ledger import actions as ledger
from finance.ledger import ports
from finance.ledger.access import account_of
from finance.ledger.errors import AccountClosed
from finance.ledger.models import Account
from finance.payments.errors import ClassIStays, MoneyHeld, MoneyLeft
from finance.payments.queries import account_name
from kernel.clock import business_now
from kernel.errors import Language
from kernel.money import yuan

KIND = "close_account"
STATEMENT_LIFE = timedelta(minutes=10)


def _checked(person_id: UUID, account_id: UUID) -> Account:
    account = account_of(person_id, account_id)
    if account.account_class == Account.Class.I:
        raise ClassIStays
    if account.status != Account.Status.OPEN:
        raise AccountClosed(account_id=str(account_id), account_status=account.status, tail=account.tail)
    if account.held_fen:
        raise MoneyHeld(amount=yuan(account.held_fen))
    if account.balance_fen:
        raise MoneyLeft(amount=yuan(account.balance_fen))
    ports.account_closing.tell(account.pk)
    return account


def statement(person_id: UUID, account_id: UUID) -> StatementDraft:
    """What the owner confirms. Raises what `prepare` raises."""
    account = _checked(person_id, account_id)
    return StatementDraft(
        title_zh="确认销户",
        title_en="Confirm closing the account",
        amount_fen=None,
        lines=[
            Line("账户", "Account", *account_name(account)),
            Line("余额", "Balance", f"¥ {yuan(account.balance_fen)}", f"¥ {yuan(account.balance_fen)}"),
            Line(
                "销户之后", "Afterwards", "不能恢复,也不能再收付款", "It cannot be undone; nothing comes in or goes out"
            ),
        ],
        valid_until=business_now() + STATEMENT_LIFE,
    )


def prepare(
    *, intent_id: UUID, person_id: UUID, chat_session_id: UUID, device_id: UUID, account_id: UUID, language: Language
) -> bank_session.Prepared:
    """Stores the intent with its statement; closes nothing.

    Raises NotFound for an account that is not the person's, ClassIStays, AccountClosed, MoneyHeld, MoneyLeft, and what
    those who still need the account say.
    """
    return bank_session.prepare(
        intent_id=intent_id,
        person_id=person_id,
        chat_session_id=chat_session_id,
        device_id=device_id,
        kind=KIND,
        subject={"account_id": str(account_id)},
        draft=statement(person_id, account_id),
        language=language,
    )


def confirm(*, person_id: UUID, account_id: UUID) -> None:
    """Closes it. Runs in the confirmation's transaction, right after `statement` was said again.

    Raises AccountKept if money came meanwhile, AccountClosed; then it is as it was.
    """
    ledger.close_account(account_id=account_of(person_id, account_id).pk, actor_id=person_id)
    push.hint([person_id], "finance", {"account_id": str(account_id)})
