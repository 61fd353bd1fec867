"""Outbox consumers of payments. Each may run twice."""

from uuid import UUID

from finance.ledger.actions import REVERSED
from finance.payments import cards
from finance.payments.actions import payouts, transfers
from finance.payments.models import Payout, Transfer
from kernel.jobs import Payload, consumer


@consumer(transfers.CARD_TOPIC)
def show_transfer(payload: Payload) -> None:
    """The card follows the transfer."""
    cards.show_transfer(Transfer.objects.get(pk=UUID(payload["transfer_id"])))


def _transfer_stuck(payload: Payload, error: str) -> None:
    transfers.get_stuck(transfer_id=UUID(payload["transfer_id"]), error=error)


@consumer(transfers.EXPIRY_TOPIC, given_up=_transfer_stuck)
def expire_transfer(payload: Payload) -> None:
    """24 hours have passed."""
    transfers.expire(transfer_id=UUID(payload["transfer_id"]))


@consumer(REVERSED)
def entry_reversed(payload: Payload) -> None:
    """The bank took an entry back: what it had carried out says so."""
    reference = UUID(payload["reference"])
    if payload["kind"] == transfers.KIND:
        transfers.reverse(transfer_id=reference)
    elif payload["kind"] == payouts.KIND:
        payouts.reverse(payout_id=reference)


def _payout_stuck(payload: Payload, error: str) -> None:
    payouts.get_stuck(payout_id=UUID(payload["payout_id"]), error=error)


@consumer(payouts.STEP_TOPIC, given_up=_payout_stuck)
def step_payout(payload: Payload) -> None:
    """The next word with the clearing network."""
    payouts.step(payout_id=UUID(payload["payout_id"]), number=int(payload["step"]))


@consumer(payouts.CHANGED_TOPIC)
def tell_owner(payload: Payload) -> None:
    """Open pages look again."""
    cards.hint_payout(Payout.objects.get(pk=UUID(payload["payout_id"])))
