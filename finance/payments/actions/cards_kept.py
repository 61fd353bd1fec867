"""Cards that payments cannot do without."""

from uuid import UUID

from finance.payments.errors import CardHoldsAccount, CardPaysOut
from finance.payments.models import AccountBinding, Payout


def keep(person_id: UUID, card_id: UUID) -> None:
    """Refuses to let go of a card: CardPaysOut while money is on its way to it, CardHoldsAccount while an open account
    is bound to it."""
    if Payout.objects.filter(person=person_id, card_id=card_id, finished_at__isnull=True).exists():
        raise CardPaysOut
    bound = AccountBinding.objects.select_related("account").filter(card_id=card_id).exclude(account__status="closed")
    first = bound.first()
    if first is not None:
        raise CardHoldsAccount(name=first.account.name, tail=first.account.tail)
