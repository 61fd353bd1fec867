"""The shelf: products with their newest NAVs, and how each suits the reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from finance.wealth.access import product_for
from finance.wealth.models import Document, DocumentOpened, Nav, Offer, Order, Product, Terms
from finance.wealth.queries.suitability import suitabilities
from finance.wealth.rules import Suitability, annualised_bp, change_bp
from kernel.clock import business_date
from kernel.errors import Invalid
from kernel.text import is_line

MAX_NAVS = 400
MAX_DIGITS = 9
YIELD_DAYS = 7
_RECENT_NAVS = 8
MAX_RECOMMENDED = 3


@dataclass(frozen=True)
class ProductView:
    """A product as a page shows it: facts, the newest NAV with its change, and suitability for the reader."""

    product: Product
    suitability: Suitability
    nav: Nav | None
    day_change_bp: int | None
    seven_day_bp: int | None
    left_fen: int
    on_sale: bool


@dataclass(frozen=True)
class OfferView:
    """An offer with what only its two parties may see: suitability for the customer, and the newest order."""

    offer: Offer
    suitability: Suitability
    order: Order | None


def _recent_navs(product_ids: Sequence[UUID]) -> dict[UUID, list[Nav]]:
    """The newest published NAVs of each product, newest first, in one statement."""
    ranked = (
        Nav.objects.filter(product_id__in=product_ids, status=Nav.Status.PUBLISHED)
        .annotate(rank=Window(RowNumber(), partition_by=F("product_id"), order_by=F("date").desc()))
        .filter(rank__lte=_RECENT_NAVS)
        .order_by("product_id", "-date")
    )
    found: dict[UUID, list[Nav]] = {product_id: [] for product_id in product_ids}
    for nav in ranked:
        found[nav.product_id].append(nav)
    return found


def _seven_day(navs: list[Nav]) -> int | None:
    if not navs:
        return None
    since = navs[0].date - timedelta(days=YIELD_DAYS)
    first = next((nav for nav in navs if nav.date <= since), None)
    return annualised_bp(first.value, navs[0].value, (navs[0].date - first.date).days) if first else None


def _views(person_id: UUID, products: Sequence[Product]) -> list[ProductView]:
    judged = suitabilities(person_id, products)
    today = business_date()
    recent = _recent_navs([product.pk for product in products])
    views = []
    for product in products:
        navs = recent[product.pk]
        views.append(
            ProductView(
                product=product,
                suitability=judged[product.pk],
                nav=navs[0] if navs else None,
                day_change_bp=change_bp(navs[1].value, navs[0].value) if len(navs) > 1 else None,
                seven_day_bp=_seven_day(navs) if product.kind == Product.Kind.CASH else None,
                left_fen=product.quota_fen - product.quota_used_fen,
                on_sale=product.on_sale(today),
            )
        )
    return views


def _sold_on(today: date) -> Q:
    """Product.on_sale, for the database."""
    started = Q(sale_from=None) | Q(sale_from__lte=today)
    return Q(status=Product.Status.ON_SALE) & started & (Q(sale_until=None) | Q(sale_until__gte=today))


def shelf_place(product: Product) -> str:
    """The cursor of a product on the shelf."""
    return f"{product.shelf_order}.{product.code}"


def _after(place: str) -> Q:
    number, dot, code = place.partition(".")
    if not dot or not number.isascii() or not number.isdigit() or len(number) > MAX_DIGITS or not is_line(code):
        raise Invalid(fields={"before": "cursor"})
    return Q(shelf_order__gt=int(number)) | Q(shelf_order=int(number), code__gt=code)


def shelf(person_id: UUID, *, before: str | None = None, limit: int = 30) -> list[ProductView]:
    """Products on sale in shelf order after the place `before`, `limit` + 1 at most, in four statements.

    Raises Invalid for a cursor that is none.
    """
    products = Product.objects.filter(_sold_on(business_date())).order_by("shelf_order", "code")
    if before is not None:
        products = products.filter(_after(before))
    return _views(person_id, list(products[: limit + 1]))


def product_view(person_id: UUID, product_id: UUID) -> ProductView:
    """One product for the reader. Raises NotFound."""
    return _views(person_id, [product_for(product_id)])[0]


def recommended(person_id: UUID, *, most: int = MAX_RECOMMENDED) -> list[ProductView]:
    """What suits the person and is on sale, the highest risk within the class first, cash last.

    Only what the one rule admits; without a valid assessment nothing is recommended.
    """
    fitting = [view for view in shelf(person_id, limit=100) if view.suitability.ok and view.left_fen > 0]
    fitting.sort(key=lambda view: (-view.product.risk, view.product.shelf_order))
    return fitting[:most]


def nav_series(product_id: UUID, *, limit: int) -> list[Nav]:
    """The newest `limit` published NAVs, oldest first."""
    newest = Nav.objects.filter(product_id=product_id, status=Nav.Status.PUBLISHED).order_by("-date")
    return list(newest[: min(limit, MAX_NAVS)])[::-1]


def terms_of(product_id: UUID) -> Terms:
    """The terms in force: the newest version. Raises Terms.DoesNotExist for a product that was never put on sale."""
    return Terms.objects.filter(product_id=product_id).order_by("-number")[:1].get()


def documents_of(person_id: UUID, product_id: UUID) -> list[tuple[Document, bool]]:
    """The current documents, each with whether this person has opened this very text."""
    opened = {
        (row.document_id, row.sha256)
        for row in DocumentOpened.objects.filter(person_id=person_id, document__product_id=product_id)
    }
    order = {Document.Kind.MANUAL: 0, Document.Kind.AGREEMENT: 1, Document.Kind.RISK: 2}
    documents = Document.objects.filter(product_id=product_id, is_current=True)
    return [
        (document, (document.pk, document.sha256) in opened)
        for document in sorted(documents, key=lambda document: order[Document.Kind(document.kind)])
    ]


def offer_view(offer: Offer) -> OfferView:
    """An offer that access has already granted, with the customer's suitability and the newest order from it."""
    judged = suitabilities(offer.customer_id, [offer.product])[offer.product_id]
    order = offer.orders.select_related("product", "nav", "terms").order_by("-accepted_at", "-id").first()
    return OfferView(offer, judged, order)


def matures_next(person_id: UUID, today: date) -> dict[UUID, date]:
    """Product to the first day on which something of it matures for the person."""
    rows = (
        Order.objects.filter(person_id=person_id, state=Order.State.CONFIRMED, matures_on__gte=today)
        .order_by("product_id", "matures_on")
        .values_list("product_id", "matures_on")
    )
    found: dict[UUID, date] = {}
    for product_id, matures_on in rows:
        if matures_on is not None:
            found.setdefault(product_id, matures_on)
    return found
