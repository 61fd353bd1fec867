"""What follows from committed facts of wealth: cards, hints, confirmations. Each may run twice."""

from uuid import UUID, uuid5

from accounts import queries as people
from chat import actions as chat
from chat import push
from chat import queries as conversations
from finance.wealth import actions
from finance.wealth.cards import order_payload, product_payload
from finance.wealth.models import Offer, Order
from kernel.jobs import Payload, consumer
from officials import actions as officials

SERVICE_CONVERSATION = "wealth-news"
_ORDER_CARD = UUID("6f1c52f3-7f59-4c0a-9a52-3a9d1c1f0a11")
_REVISION = {"accepted": 1, "confirmed": 2, "cancelled": 2, "rejected": 2}


@consumer("wealth.offer")
def show_offer(payload: Payload) -> None:
    """Puts the product card into the conversation, if its advisor is still there."""
    offer = Offer.objects.select_related("product", "terms").get(pk=payload["offer_id"])
    if not conversations.is_member(offer.advisor_id, offer.conversation_id):
        return
    chat.send_card(
        conversation_id=offer.conversation_id,
        sender_id=offer.advisor_id,
        client_id=offer.client_id,
        kind="product",
        ref=offer.pk,
        state=offer.state,
        payload=product_payload(offer),
        revision=offer.revision,
    )


@consumer("wealth.order")
def show_order(payload: Payload) -> None:
    """Shows the order's present state: its own card where it was bought, the product card, and open pages."""
    order = Order.objects.select_related("product", "nav", "terms", "offer__product", "offer__terms").get(
        pk=payload["order_id"]
    )
    state, shown, revision = order.state, order_payload(order), _REVISION[order.state]
    watchers = [order.person_id]
    offer = order.offer
    if offer is None:
        officials.deliver_card(
            code=SERVICE_CONVERSATION,
            person_id=order.person_id,
            kind="order",
            ref=order.pk,
            state=state,
            payload=shown,
            key=f"order:{order.pk}",
            revision=revision,
        )
    else:
        chat.send_card(
            conversation_id=offer.conversation_id,
            sender_id=order.person_id,
            client_id=uuid5(_ORDER_CARD, str(order.pk)),
            kind="order",
            ref=order.pk,
            state=state,
            payload=shown,
            revision=revision,
        )
        chat.update_card(
            kind="product",
            ref=offer.pk,
            state=offer.state,
            payload=product_payload(offer),
            revision=offer.revision,
        )
        if people.advisor_of(order.person_id) == offer.advisor_id:
            watchers.append(offer.advisor_id)
    chat.update_card(kind="order", ref=order.pk, state=state, payload=shown, revision=revision)
    push.hint(watchers, "finance", {"order_id": str(order.pk), "person_id": str(order.person_id)})


@consumer("wealth.confirm")
def confirm(payload: Payload) -> None:
    """Confirms an order once its NAV is public and T+1 has come; else the publication will ask again."""
    actions.confirm_order(UUID(payload["order_id"]))


@consumer("wealth.nav_published")
def settle(payload: Payload) -> None:
    """Schedules what waited for this NAV."""
    after = payload.get("after")
    actions.schedule_confirmations(UUID(payload["nav_id"]), UUID(after) if after else None)
