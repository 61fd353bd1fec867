"""What a person has: balances, money in transit, holdings at the newest NAV, and what they gained."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Sum

from finance.ledger import queries as ledger
from finance.wealth.models import Holding, Nav, Order, Product
from finance.wealth.queries.suitability import suitabilities
from finance.wealth.rules import Suitability, change_bp, value_of
from kernel.clock import business_date, business_now

SERIES_DAYS = 30
_NAV_WINDOW = timedelta(days=62)
"""Reaches back over the series of 30 trading days, and over the last day of the month before."""


@dataclass(frozen=True)
class HoldingView:
    """A holding at the newest NAV. Gains are in fen; `day_bp` is the product's own last change."""

    product: Product
    suitability: Suitability
    shares: int
    cost_fen: int
    value_fen: int
    day_fen: int
    day_bp: int | None
    total_fen: int
    nav: Nav | None
    matures_on: date | None


@dataclass(frozen=True)
class Gain:
    """Gain in fen over what was paid, as it stood at the end of a trading day."""

    day: date
    fen: int


@dataclass(frozen=True)
class Summary:
    """The head of the wealth page. Money in transit is still in the accounts, held: it is counted once."""

    as_of: datetime
    total_fen: int
    balances_fen: int
    in_transit_fen: int
    holdings_fen: int
    day_fen: int
    month_fen: int
    series: list[Gain]
    holdings: list[HoldingView]
    in_transit: list[Order]


@dataclass(frozen=True)
class _Lot:
    product_id: UUID
    shares: int
    cost_fen: int
    bought_on: date
    matures_on: date | None


class _Curve:
    """A product's published NAVs in the window, asked for "the value on or before a day"."""

    def __init__(self, navs: Sequence[Nav]) -> None:
        self.navs = navs
        self.days = [nav.date for nav in navs]

    def on(self, day: date) -> Nav | None:
        """The NAV of that day or the last before it, None before the first."""
        index = bisect_right(self.days, day)
        return self.navs[index - 1] if index else None


def _lots(person_id: UUID) -> list[_Lot]:
    orders = Order.objects.filter(person_id=person_id, state=Order.State.CONFIRMED).values_list(
        "product_id", "shares", "amount_fen", "trading_day", "matures_on"
    )
    return [_Lot(product_id, shares or 0, paid, day, matures) for product_id, shares, paid, day, matures in orders]


def _curves(product_ids: set[UUID], since: date) -> dict[UUID, _Curve]:
    rows: dict[UUID, list[Nav]] = {product_id: [] for product_id in product_ids}
    navs = Nav.objects.filter(product_id__in=product_ids, status=Nav.Status.PUBLISHED, date__gte=since)
    for nav in navs.order_by("product_id", "date"):
        rows[nav.product_id].append(nav)
    return {product_id: _Curve(found) for product_id, found in rows.items()}


def _worth(lot: _Lot, curve: _Curve, scale: int, day: date) -> int:
    """The lot's value on a day, in fen; what was paid until it has a NAV."""
    nav = curve.on(day)
    return value_of(lot.shares, nav.value, scale) if nav and lot.bought_on <= day else lot.cost_fen


def _gain_between(lots: list[_Lot], curves: dict[UUID, _Curve], scales: dict[UUID, int], start: date, end: date) -> int:
    """Gain of all lots from the end of `start` to the end of `end`; a lot bought between counts from its price."""
    gain = 0
    for lot in lots:
        if lot.bought_on > end:
            continue
        curve, scale = curves[lot.product_id], scales[lot.product_id]
        before = lot.cost_fen if lot.bought_on > start else _worth(lot, curve, scale, start)
        gain += _worth(lot, curve, scale, end) - before
    return gain


def _holding_view(holding: Holding, judged: Suitability, curve: _Curve, lots: list[_Lot], today: date) -> HoldingView:
    product = holding.product
    newest = curve.navs[-1] if curve.navs else None
    previous = curve.navs[-2] if len(curve.navs) > 1 else None
    value_fen = value_of(holding.shares, newest.value, product.nav_scale) if newest else holding.cost_fen
    scales = {product.pk: product.nav_scale}
    day_fen = _gain_between(lots, {product.pk: curve}, scales, previous.date, newest.date) if newest and previous else 0
    maturities = [lot.matures_on for lot in lots if lot.matures_on and lot.matures_on >= today]
    return HoldingView(
        product=product,
        suitability=judged,
        shares=holding.shares,
        cost_fen=holding.cost_fen,
        value_fen=value_fen,
        day_fen=day_fen,
        day_bp=change_bp(previous.value, newest.value) if newest and previous else None,
        total_fen=value_fen - holding.cost_fen,
        nav=newest,
        matures_on=min(maturities, default=None),
    )


def _held(person_id: UUID) -> list[Holding]:
    return list(
        Holding.objects.filter(person_id=person_id, shares__gt=0)
        .select_related("product")
        .order_by("product__shelf_order", "product__code")
    )


def holdings_of(person_id: UUID) -> list[HoldingView]:
    """The person's holdings at the newest NAV, in shelf order, in five statements."""
    return _portfolio(person_id)[0]


def _portfolio(person_id: UUID) -> tuple[list[HoldingView], list[_Lot], dict[UUID, _Curve], dict[UUID, int]]:
    today = business_date()
    holdings = _held(person_id)
    judged = suitabilities(person_id, [holding.product for holding in holdings])
    held = {holding.product_id for holding in holdings}
    lots = [lot for lot in _lots(person_id) if lot.product_id in held]
    curves = _curves(held, today - _NAV_WINDOW)
    scales = {holding.product_id: holding.product.nav_scale for holding in holdings}
    views = [
        _holding_view(
            holding,
            judged[holding.product_id],
            curves[holding.product_id],
            [lot for lot in lots if lot.product_id == holding.product_id],
            today,
        )
        for holding in holdings
    ]
    views.sort(key=lambda view: -view.value_fen)
    return views, lots, curves, scales


def _series(lots: list[_Lot], curves: dict[UUID, _Curve], scales: dict[UUID, int]) -> list[Gain]:
    days = sorted({day for curve in curves.values() for day in curve.days})[-SERIES_DAYS:]
    return [
        Gain(
            day,
            sum(
                _worth(lot, curves[lot.product_id], scales[lot.product_id], day) - lot.cost_fen
                for lot in lots
                if lot.bought_on <= day
            ),
        )
        for day in days
    ]


def summary(person_id: UUID) -> Summary:
    """Everything that the wealth page's head needs, in a fixed number of statements."""
    views, lots, curves, scales = _portfolio(person_id)
    in_transit = list(
        Order.objects.filter(person_id=person_id, state=Order.State.ACCEPTED)
        .select_related("product", "terms")
        .order_by("-accepted_at", "-id")
    )
    in_transit_fen = sum(order.amount_fen for order in in_transit)
    balances_fen = sum(account.balance_fen for account in ledger.accounts_of(person_id))
    holdings_fen = sum(view.value_fen for view in views)
    series = _series(lots, curves, scales)
    today = business_date()
    month_start = today.replace(day=1) - timedelta(days=1)
    return Summary(
        as_of=business_now(),
        total_fen=balances_fen + holdings_fen,
        balances_fen=balances_fen - in_transit_fen,
        in_transit_fen=in_transit_fen,
        holdings_fen=holdings_fen,
        day_fen=sum(view.day_fen for view in views),
        month_fen=_gain_between(lots, curves, scales, month_start, today),
        series=series,
        holdings=views,
        in_transit=in_transit,
    )


def managed_totals(person_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What each person has paid into holdings and orders in transit, in fen: the advisor's overview.

    At cost, so that the list of a whole book of customers costs two statements.
    """
    totals = dict.fromkeys(person_ids, 0)
    held = Holding.objects.filter(person_id__in=person_ids).values_list("person_id").annotate(Sum("cost_fen"))
    waiting = (
        Order.objects.filter(person_id__in=person_ids, state=Order.State.ACCEPTED)
        .values_list("person_id")
        .annotate(Sum("amount_fen"))
    )
    for rows in (held, waiting):
        for person_id, fen in rows:
            totals[person_id] += fen
    return totals
