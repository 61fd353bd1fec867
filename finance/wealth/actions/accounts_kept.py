"""Accounts that wealth cannot do without."""

from uuid import UUID

from django.db.models import Exists, OuterRef

from finance.wealth.errors import AccountHasHoldings, AccountHasOrders
from finance.wealth.models import Holding, Order


def keep(account_id: UUID) -> None:
    """Refuses to let go of an account: AccountHasOrders while an order waits, AccountHasHoldings while something that
    was bought from it is held."""
    orders = Order.objects.filter(account_id=account_id)
    if orders.filter(state=Order.State.ACCEPTED).exists():
        raise AccountHasOrders
    held = Holding.objects.filter(person=OuterRef("person"), product=OuterRef("product"), shares__gt=0)
    if orders.filter(Exists(held), state=Order.State.CONFIRMED).exists():
        raise AccountHasHoldings
