"""The card kinds of wealth: `product` and `order`. Their payloads hold what everybody in the conversation may see."""

from typing import Any

import msgspec

from chat import cards
from finance.wealth.models import SHARE_UNITS, Offer, Order, Product
from kernel.money import yuan

STATES = frozenset({"offered", "accepted", "confirmed", "cancelled", "rejected"})
ORDER_STATES = STATES - {"offered"}

_STATE_NAMES = {
    "accepted": ("已受理,待确认", "accepted"),
    "confirmed": ("已确认", "confirmed"),
    "cancelled": ("已撤销", "cancelled"),
    "rejected": ("未成交", "rejected"),
}


class ProductCard(msgspec.Struct, forbid_unknown_fields=True):
    """The facts of a product under one version of its terms; nothing about a person."""

    product_id: str
    name: str
    name_en: str
    kind: str
    risk: int
    benchmark_low_bp: int | None
    benchmark_high_bp: int | None
    min_fen: int
    step_fen: int
    term_days: int
    open_days: str
    open_days_en: str
    subscription_fee_bp: int
    registration_code: str
    terms_sha256: str
    documents: dict[str, str]


class OrderCard(msgspec.Struct, forbid_unknown_fields=True):
    """An order as both sides of its conversation see it. Account and holdings are not on it."""

    product_id: str
    name: str
    name_en: str
    amount_fen: int
    trading_day: str
    confirm_day: str
    cut_off_at: str
    shares: int | None
    nav: str | None
    nav_date: str | None


def nav_text(value: int, scale: int) -> str:
    """A NAV in yuan with all its decimals: 10231, 10000 → `1.0231`."""
    return f"{value // scale}.{value % scale:0{len(str(scale)) - 1}d}"


def shares_text(shares: int) -> str:
    """Shares with two decimals and thousands."""
    return f"{shares // SHARE_UNITS:,}.{shares % SHARE_UNITS:02d}"


def product_payload(offer: Offer) -> dict[str, Any]:
    """The card of an offer: the facts of the terms that were offered.

    English words are part of the terms since operations enter products; terms from before have the product's.
    """
    product: Product = offer.product
    facts = offer.terms.facts
    return {
        "product_id": str(product.pk),
        "name": facts["name"],
        "name_en": facts.get("name_en", product.name_en),
        "kind": facts["kind"],
        "risk": max(facts["issuer_risk"], facts["seller_risk"]),
        "benchmark_low_bp": facts["benchmark_low_bp"],
        "benchmark_high_bp": facts["benchmark_high_bp"],
        "min_fen": facts["min_fen"],
        "step_fen": facts["step_fen"],
        "term_days": facts["term_days"],
        "open_days": facts["open_days"],
        "open_days_en": facts.get("open_days_en", product.open_days_en),
        "subscription_fee_bp": facts["subscription_fee_bp"],
        "registration_code": facts["registration_code"],
        "terms_sha256": offer.terms.sha256,
        "documents": facts["documents"],
    }


def order_payload(order: Order) -> dict[str, Any]:
    """The card of an order in its present state, named as its terms name the product."""
    product, nav, facts = order.product, order.nav, order.terms.facts
    return {
        "product_id": str(product.pk),
        "name": facts["name"],
        "name_en": facts.get("name_en", product.name_en),
        "amount_fen": order.amount_fen,
        "trading_day": order.trading_day.isoformat(),
        "confirm_day": order.confirm_day.isoformat(),
        "cut_off_at": order.cut_off_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "shares": order.shares,
        "nav": nav_text(nav.value, product.nav_scale) if nav else None,
        "nav_date": nav.date.isoformat() if nav else None,
    }


def _product_line(payload: ProductCard, state: str, language: str) -> str:
    name, tag = (payload.name_en, "[Product]") if language == "en" else (payload.name, "[产品]")
    known = _STATE_NAMES.get(state)
    if known is None:
        return f"{tag} {name}"
    return f"{tag} {name} · {known[1] if language == 'en' else known[0]}"


def _order_line(payload: OrderCard, state: str, language: str) -> str:
    zh, en = _STATE_NAMES[state]
    if language == "en":
        return f"[Order] ¥ {yuan(payload.amount_fen)} {payload.name_en} · {en}"
    return f"[购买] ¥ {yuan(payload.amount_fen)} {payload.name} · {zh}"


def register() -> None:
    """Tells chat of both kinds; called once at start."""
    cards.register("product", payload=ProductCard, states=STATES, summary=_product_line)
    cards.register("order", payload=OrderCard, states=ORDER_STATES, summary=_order_line)
