"""The transfer card in the conversation. It shows both people the same: amount, note, state."""

from typing import Literal
from uuid import UUID

import msgspec

from chat import actions as chat
from chat import cards, push
from finance.payments.models import Payout, Transfer
from kernel.money import yuan

KIND = "transfer"

_STATES: dict[str, tuple[str, str]] = {
    Transfer.State.PENDING: ("待收款", "waiting"),
    Transfer.State.RECEIVED: ("已收款", "received"),
    Transfer.State.RETURNED: ("已退回", "returned"),
    Transfer.State.EXPIRED: ("过期退回", "expired, returned"),
    Transfer.State.REVERSED: ("已冲正", "reversed"),
}


class TransferCard(msgspec.Struct, frozen=True):
    """What both may see. The rest is asked of GET /api/finance/transfers/{id} by each for themselves."""

    amount_fen: int
    memo: str
    payer_id: UUID
    payee_id: UUID
    currency: Literal["CNY"] = "CNY"


def summary(payload: TransferCard, state: str, language: str) -> str:
    """The card's line in a list of conversations."""
    zh, en = _STATES[state]
    amount = yuan(payload.amount_fen)
    return f"[Transfer] ¥ {amount} · {en}" if language == "en" else f"[转账] {zh} ¥ {amount}"


def register() -> None:
    """Tells chat of the kind, at start."""
    cards.register(KIND, payload=TransferCard, states=frozenset(_STATES), summary=summary)


def show_transfer(transfer: Transfer) -> None:
    """Puts the transfer's card, in its present state, into the conversation; brings one that is there up to date."""
    payload = {
        "amount_fen": transfer.amount_fen,
        "memo": transfer.memo,
        "payer_id": str(transfer.payer_id),
        "payee_id": str(transfer.payee_id),
    }
    chat.send_card(
        conversation_id=transfer.conversation_id,
        sender_id=transfer.payer_id,
        client_id=transfer.pk,
        kind=KIND,
        ref=transfer.pk,
        state=transfer.state,
        payload=payload,
        revision=transfer.revision,
    )
    chat.update_card(kind=KIND, ref=transfer.pk, state=transfer.state, payload=payload, revision=transfer.revision)


def hint_payout(payout: Payout) -> None:
    """Tells the owner's devices that a payout has moved on."""
    push.hint([payout.person_id], "finance", {"kind": "payout", "id": str(payout.pk), "state": payout.state})
