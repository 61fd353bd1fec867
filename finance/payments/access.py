"""The only way from an untrusted id to a payment, or to what a payment is made of."""

from uuid import UUID

from accounts import queries as people
from accounts.queries import BoundCard
from chat import queries as conversations
from finance.payments.models import OwnTransfer, Payout, Transfer
from kernel.errors import NotFound


def own_card(person_id: UUID, card_id: UUID) -> BoundCard:
    """The person's bound card. Raises NotFound for anybody else's."""
    for card in people.bound_cards(person_id):
        if card.id == card_id:
            return card
    raise NotFound


def shared_conversation(person_id: UUID, other_id: UUID, conversation_id: UUID) -> None:
    """Raises NotFound unless it is the conversation of just these two: a group is told nothing of a transfer."""
    if conversations.conversation_of("direct", [person_id, other_id]) != conversation_id:
        raise NotFound


def transfer_of(person_id: UUID, transfer_id: UUID, *, lock: bool = False) -> Transfer:
    """A transfer that the person pays or receives. Raises NotFound for anybody else's.

    `lock`: for a change of its state, in the caller's transaction.
    """
    rows = Transfer.objects.select_for_update() if lock else Transfer.objects.all()
    transfer = rows.filter(pk=transfer_id).first()
    if transfer is None or person_id not in (transfer.payer_id, transfer.payee_id):
        raise NotFound
    return transfer


def own_transfer_of(person_id: UUID, transfer_id: UUID) -> OwnTransfer:
    """A transfer between the person's own accounts. Raises NotFound for anybody else's."""
    made = OwnTransfer.objects.filter(pk=transfer_id, person=person_id).first()
    if made is None:
        raise NotFound
    return made


def payout_of(person_id: UUID, payout_id: UUID) -> Payout:
    """The person's payout. Raises NotFound for anybody else's."""
    payout = Payout.objects.filter(pk=payout_id, person=person_id).first()
    if payout is None:
        raise NotFound
    return payout
