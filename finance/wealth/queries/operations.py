"""The board of NAVs: what is missing, entered, published."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count

from accounts import queries as people
from finance.wealth.access import NAV_CHECKERS, NAV_MAKERS, nav_for
from finance.wealth.calendar import ends_soon, trading_days_back
from finance.wealth.models import Nav, Order, Product
from finance.wealth.rules import change_bp
from kernel.clock import business_date

BOARD_DAYS = 5


def _row(reader_id: UUID, product: Product, day: Any, nav: Nav | None, **more: Any) -> dict[str, Any]:
    previous: Nav | None = more["previous"]
    return {
        "product_id": product.pk,
        "product_code": product.code,
        "product_name": product.name,
        "product_name_en": product.name_en,
        "nav_scale": product.nav_scale,
        "date": day,
        "nav_id": nav.pk if nav else None,
        "value": nav.value if nav else None,
        "status": nav.status if nav else "missing",
        "maker": nav.maker.display_name if nav else None,
        "checker": nav.checker.display_name if nav and nav.checker else None,
        "mine": nav is not None and nav.maker_id == reader_id,
        "previous_value": previous.value if previous else None,
        "change_bp": change_bp(previous.value, nav.value) if nav and previous else None,
        "waiting_orders": more["waiting"],
    }


def _before(navs: Iterable[Nav], day: Any) -> Nav | None:
    earlier = [nav for nav in navs if nav.date < day and nav.status == Nav.Status.PUBLISHED]
    return max(earlier, key=lambda nav: nav.date, default=None)


def nav_board(reader_id: UUID) -> dict[str, Any]:
    """Rows for the last five trading days of each product, newest day first, with orders that wait for each."""
    today = business_date()
    days = trading_days_back(today, BOARD_DAYS + 1)
    products = list(Product.objects.exclude(status=Product.Status.ENDED).order_by("shelf_order", "code"))
    navs = list(Nav.objects.filter(product__in=products, date__gte=days[0]).select_related("maker", "checker"))
    waiting = {
        (product_id, day): count
        for product_id, day, count in Order.objects.filter(state=Order.State.ACCEPTED)
        .values_list("product_id", "trading_day")
        .annotate(Count("id"))
    }
    by_place = {(nav.product_id, nav.date): nav for nav in navs}
    of_product: dict[UUID, list[Nav]] = defaultdict(list)
    for nav in navs:
        of_product[nav.product_id].append(nav)
    rows = [
        _row(
            reader_id,
            product,
            day,
            by_place.get((product.pk, day)),
            previous=_before(of_product[product.pk], day),
            waiting=waiting.get((product.pk, day), 0),
        )
        for day in reversed(days[1:])
        for product in products
    ]
    roles = people.roles_of(reader_id)
    gap = ends_soon(today)
    return {
        "items": rows,
        "may_enter": bool(roles & NAV_MAKERS),
        "may_approve": bool(roles & NAV_CHECKERS),
        "calendar_gap": {"year": gap.year, "kind": gap.kind} if gap else None,
    }


def nav_row(reader_id: UUID, nav_id: UUID) -> dict[str, Any]:
    """One row of the board. Raises NotFound."""
    nav = nav_for(nav_id)
    earlier = Nav.objects.filter(product_id=nav.product_id, date__lt=nav.date, status=Nav.Status.PUBLISHED)
    waiting = Order.objects.filter(product_id=nav.product_id, trading_day=nav.date, state=Order.State.ACCEPTED).count()
    return _row(reader_id, nav.product, nav.date, nav, previous=earlier.order_by("-date").first(), waiting=waiting)
