"""What the ledger refuses, and how the database's refusals become it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError

from kernel.errors import KeyReused, NotFound, Refusal


class InsufficientFunds(Refusal):
    code = "insufficient_funds"
    status = 409
    zh = "可用余额不足,未扣款。请换一个账户或减少金额。"
    en = "There is not enough available. Nothing was taken; use another account or a smaller amount."


class AccountClosed(Refusal):
    code = "account_closed"
    status = 409
    zh = "这个账户已冻结或销户,未做任何变动。"
    en = "This account is frozen or closed. Nothing was moved."


class CeilingReached(Refusal):
    code = "ceiling_reached"
    status = 409
    zh = "收款后账户余额将超过上限,未入账。"
    en = "The account's balance would pass its ceiling. Nothing was credited."


class HoldNotOpen(Refusal):
    code = "hold_not_open"
    status = 409
    zh = "这笔冻结已经结束,未做任何变动。"
    en = "This hold has ended already. Nothing was moved."


class Unbalanced(Refusal):
    code = "unbalanced"
    status = 400
    zh = "借贷不平,未记账。"
    en = "The legs do not add up to nothing. Nothing was posted."


class AlreadyReversed(Refusal):
    code = "already_reversed"
    status = 409
    zh = "这笔分录已冲正过,未再记账。"
    en = "This entry has been reversed already. Nothing was posted."


class NotReversible(Refusal):
    code = "not_reversible"
    status = 409
    zh = "冲正分录不能再冲正,未做任何变动。"
    en = "A reversal is not reversed itself. Nothing was changed."


class ReversalWaiting(Refusal):
    code = "reversal_waiting"
    status = 409
    zh = "这笔分录已有一张冲正单待复核,未重复录入。"
    en = "A reversal of this entry is waiting for its check already. It was not entered again."


class OwnReversal(Refusal):
    code = "own_reversal"
    status = 403
    zh = "冲正单须由另一人复核,未做任何变动。"
    en = "A reversal is decided by somebody other than who entered it. Nothing was changed."


class OwnAccount(Refusal):
    code = "own_account"
    status = 403
    zh = "这笔分录涉及您本人的账户,须由他人办理,未做任何变动。"
    en = "The entry touches an account of your own; somebody else must do this. Nothing was changed."


class ReversalClosed(Refusal):
    code = "reversal_closed"
    status = 409
    zh = "这张冲正单已经办结,未做任何变动。"
    en = "This reversal has been decided already. Nothing was changed."


class AccountKept(Refusal):
    code = "account_not_empty"
    status = 409
    zh = "账户仍有余额或冻结金额,未销户。"
    en = "The account still holds money. It was not closed."


class StatementUnsound(Refusal):
    code = "statement_unsound"
    status = 503
    zh = "对账单核对未通过,暂不能提供,我们会尽快处理。账户里的钱不受影响。"
    en = "The statement did not pass its check and cannot be given out yet. Your money is not affected."


class StatementTooLong(Refusal):
    code = "statement_too_long"
    status = 409
    zh = "这个月有 {count} 笔收支,超过 PDF 的 {most} 笔,请下载 CSV。"
    en = "There are {count} entries in this month, more than the {most} of a PDF. Please take the CSV."


_BY_STATE: dict[str, type[Refusal]] = {
    "RL001": InsufficientFunds,
    "RL002": AccountClosed,
    "RL003": CeilingReached,
    "RL004": KeyReused,
    "RL005": HoldNotOpen,
    "RL006": NotFound,
    "RL008": Unbalanced,
}
_BY_CONSTRAINT: dict[str, type[Refusal]] = {
    "ledger_account_available": InsufficientFunds,
    "ledger_account_ceiling": CeilingReached,
    "ledger_posting_after": InsufficientFunds,
    "ledger_reversed_once": AlreadyReversed,
}


def _refusal_of(error: DatabaseError) -> Refusal | None:
    cause: Any = error.__cause__
    diagnosis = getattr(cause, "diag", None)
    if diagnosis is None:
        return None
    if refusal := _BY_STATE.get(diagnosis.sqlstate or ""):
        return refusal(**(json.loads(diagnosis.message_detail) if diagnosis.message_detail else {}))
    constraint = diagnosis.constraint_name or ""
    if refusal := _BY_CONSTRAINT.get(constraint):
        return refusal()
    if diagnosis.sqlstate == "23505" and constraint.startswith("ledger_hold_closed_key"):
        return KeyReused()
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Raises the database's refusals as ours. The transaction they happened in can only be rolled back."""
    try:
        yield
    except DatabaseError as error:
        refusal = _refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error
