"""Confirmation: on T+1, at the published NAV of the trading day, held money becomes shares."""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction

from finance.ledger import actions as ledger
from finance.ledger import queries as accounts
from finance.wealth.actions.navs import published
from finance.wealth.actions.orders import finish
from finance.wealth.calendar import CONFIRM_FROM, at
from finance.wealth.models import Nav, Order
from finance.wealth.rules import shares_for
from kernel import audit, jobs
from kernel.clock import business_now

CLEARING = "wealth-clearing"
_FAN_OUT = 500
"""Orders that one outbox row schedules; it leaves a row for the rest."""


def add_to_holding(order: Order, shares: int) -> None:
    """Adds shares, and what was paid for them, to the person's holding."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO wealth_holding (person_id, product_id, shares, cost_fen) VALUES (%s, %s, %s, %s)
            ON CONFLICT (person_id, product_id) DO UPDATE
            SET shares = wealth_holding.shares + EXCLUDED.shares, cost_fen = wealth_holding.cost_fen + EXCLUDED.cost_fen
            """,
            [order.person_id, order.product_id, shares, order.amount_fen],
        )


@transaction.atomic
def confirm_order(order_id: UUID) -> bool:
    """Confirms an accepted order if its day has come and its NAV is public; answers whether it did.

    Takes the held money to wealth-clearing, and enters shares, maturity (by the order's own terms) and holding in the
    same transaction. Runs any number of times.
    """
    order = Order.objects.select_for_update(of=("self",)).select_related("product", "terms").get(pk=order_id)
    now = business_now()
    if order.state != Order.State.ACCEPTED or order.hold_id is None or now < at(order.confirm_day, CONFIRM_FROM):
        return False
    nav = Nav.objects.filter(product_id=order.product_id, date=order.trading_day, status=Nav.Status.PUBLISHED).first()
    if nav is None:
        return False
    shares = shares_for(order.amount_fen - order.fee_fen, nav.value, order.product.nav_scale)
    ledger.capture_hold(
        key=f"wealth-confirm:{order.pk}",
        hold_id=order.hold_id,
        legs_to=[(accounts.internal(CLEARING).pk, order.amount_fen)],
        kind="wealth-subscription",
        memo=order.terms.facts["name"],
    )
    order.nav, order.shares = nav, shares
    if term_days := order.terms.facts["term_days"]:
        order.matures_on = order.confirm_day + timedelta(days=term_days)
    finish(order, Order.State.CONFIRMED)
    add_to_holding(order, shares)
    audit.record(
        None,
        "wealth.order.confirmed",
        f"order:{order.pk}",
        {"nav": nav.value, "scale": order.product.nav_scale, "shares": shares, "amount_fen": order.amount_fen},
    )
    return True


@transaction.atomic
def schedule_confirmations(nav_id: UUID, after: UUID | None = None) -> None:
    """Notes a confirmation for each order that waited for this NAV, due from T+1 on."""
    nav = published(nav_id)
    waiting = Order.objects.filter(product_id=nav.product_id, trading_day=nav.date, state=Order.State.ACCEPTED)
    if after is not None:
        waiting = waiting.filter(pk__gt=after)
    batch = list(waiting.order_by("pk").values_list("pk", "confirm_day")[:_FAN_OUT])
    for order_id, confirm_day in batch:
        jobs.enqueue(
            "wealth.confirm",
            {"order_id": str(order_id)},
            run_at=max(business_now(), at(confirm_day, CONFIRM_FROM)),
            key=f"nav:{nav.pk}:{order_id}",
        )
    if len(batch) == _FAN_OUT:
        jobs.enqueue("wealth.nav_published", {"nav_id": str(nav.pk), "after": str(batch[-1][0])})
    jobs.kick()
