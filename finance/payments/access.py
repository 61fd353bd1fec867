"""The only way from an untrusted id to a payment, or to what a payment is made of."""

from uuid import UUID

from accounts import queries as people
from accounts.queries import BoundCard, Counterparty
from chat import queries as conversations
from finance.payments.errors import NotFriends, NotToStaff
from finance.payments.models import OwnTransfer, Payout, Transfer
from kernel.errors import NotFound
from kernel.statements import Answers

PAYEE_KINDS = frozenset({"customer", "visitor"})


def own_card(person_id: UUID, card_id: UUID) -> BoundCard:
    """The person's bound card. Raises NotFound for anybody else's."""
    for card in people.bound_cards(person_id):
        if card.id == card_id:
            return card
    raise NotFound


class Parties:
    """What is asked about two people before one pays the other. `hold`: friends stay so until the transaction ends."""

    def __init__(self, payer_id: UUID, payee_id: UUID, *, hold: bool = False) -> None:
        self.themselves = payer_id == payee_id
        self.payee = people.counterparty_question(payer_id, payee_id, hold=hold)
        self.conversation = conversations.conversation_question("direct", [payer_id, payee_id])

    def payable(self, answers: Answers, conversation_id: UUID) -> Counterparty:
        """The payee, if the two may pay each other here. Raises NotFound, NotToStaff, NotFriends."""
        payee = answers.to(self.payee)
        # A group is told nothing of a transfer: it is the conversation of just these two.
        if self.themselves or payee is None or answers.to(self.conversation) != conversation_id:
            raise NotFound
        if payee.kind not in PAYEE_KINDS:
            raise NotToStaff
        if not payee.friends:
            raise NotFriends
        return payee


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
