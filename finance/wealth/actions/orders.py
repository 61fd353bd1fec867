"""How an order changes its state: under its row's lock, by the table, once."""

from uuid import UUID

from django.db.models import F

from finance.wealth.errors import OrderFinished
from finance.wealth.models import Offer, Order, Product
from kernel import jobs
from kernel.clock import business_now


def announce(order: Order) -> None:
    """Notes that cards and pages that show the order are to follow its state."""
    if order.offer_id is not None and _is_newest_of(order.offer_id, order):
        Offer.objects.filter(pk=order.offer_id).update(state=order.state, revision=F("revision") + 1)
    jobs.enqueue("wealth.order", {"order_id": str(order.pk)}, key=f"{order.pk}:{order.state}")


def _is_newest_of(offer_id: UUID, order: Order) -> bool:
    newest = Order.objects.filter(offer_id=offer_id).order_by("-accepted_at", "-id").first()
    return newest is not None and newest.pk == order.pk


def finish(order: Order, state: str) -> None:
    """Moves a locked order to its last state. Raises OrderFinished for a move that the table does not know."""
    if state not in Order.MOVES[Order.State(order.state)]:
        raise OrderFinished
    order.state, order.finished_at = state, business_now()
    order.save(update_fields=["state", "finished_at", "nav", "shares", "matures_on"])
    announce(order)


def give_back_quota(order: Order) -> None:
    """Returns the order's part of the product's quota. The product's row is the last lock that is taken."""
    Product.objects.filter(pk=order.product_id).update(quota_used_fen=F("quota_used_fen") - order.amount_fen)
