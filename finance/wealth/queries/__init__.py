"""Reads of wealth, for its own doors and for apps above."""

from finance.wealth.queries.checks import Check, Wish, purchase_checks
from finance.wealth.queries.drafts import draft_page, drafts_page, kept_product, kept_products, product_roles
from finance.wealth.queries.operations import nav_board, nav_row
from finance.wealth.queries.orders import StandingView, orders_page, standing_view
from finance.wealth.queries.shelf import (
    MAX_NAVS,
    OfferView,
    ProductView,
    documents_of,
    nav_series,
    offer_view,
    product_view,
    recommended,
    shelf,
    shelf_place,
    terms_of,
)
from finance.wealth.queries.suitability import class_of, classes_of, suitabilities, suitability
from finance.wealth.queries.summary import Gain, HoldingView, Summary, holdings_of, managed_totals, summary
from finance.wealth.rules import Standing, Suitability

__all__ = [
    "MAX_NAVS",
    "Check",
    "Gain",
    "HoldingView",
    "OfferView",
    "ProductView",
    "Standing",
    "StandingView",
    "Suitability",
    "Summary",
    "Wish",
    "class_of",
    "classes_of",
    "documents_of",
    "draft_page",
    "drafts_page",
    "holdings_of",
    "kept_product",
    "kept_products",
    "managed_totals",
    "nav_board",
    "nav_row",
    "nav_series",
    "offer_view",
    "orders_page",
    "product_roles",
    "product_view",
    "purchase_checks",
    "recommended",
    "shelf",
    "shelf_place",
    "standing_view",
    "suitabilities",
    "suitability",
    "summary",
    "terms_of",
]
