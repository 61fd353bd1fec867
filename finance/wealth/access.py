"""From an untrusted id to an object of wealth. What somebody may not see does not exist for them."""

from uuid import UUID

from django.db.models import Q

from accounts import queries as people
from finance.wealth.models import Document, DocumentFile, Nav, Offer, Order, Product, ProductDraft
from kernel.errors import NotAllowed, NotFound

PRODUCT_MAKERS = frozenset({"product", "operator"})
PRODUCT_CHECKERS = frozenset({"checker"})
NAV_MAKERS = frozenset({"product", "operator"})
NAV_CHECKERS = frozenset({"checker"})


def product_for(product_id: UUID) -> Product:
    """A product on the shelf, on sale or not: the shelf is public to signed-in people. Raises NotFound."""
    product = Product.objects.filter(pk=product_id).first()
    if product is None:
        raise NotFound
    return product


def document_for(product_id: UUID, document_id: UUID) -> Document:
    """A document of that product, current or replaced. Raises NotFound."""
    document = Document.objects.filter(pk=document_id, product_id=product_id).first()
    if document is None:
        raise NotFound
    return document


def order_for(person_id: UUID, order_id: UUID, *, lock: bool = False) -> Order:
    """The person's own order. Raises NotFound. `lock` holds the row until the transaction ends."""
    orders = Order.objects.select_for_update(of=("self",)) if lock else Order.objects.all()
    order = orders.select_related("product", "nav", "terms", "offer").filter(pk=order_id, person_id=person_id).first()
    if order is None:
        raise NotFound
    return order


def offer_for(viewer_id: UUID, offer_id: UUID) -> Offer:
    """An offer for the customer whom it was made to, or the advisor who made it and still advises them.

    Raises NotFound.
    """
    offer = (
        Offer.objects.select_related("product")
        .filter(Q(customer_id=viewer_id) | Q(advisor_id=viewer_id), pk=offer_id)
        .first()
    )
    if offer is None:
        raise NotFound
    if viewer_id != offer.customer_id:
        customer_of(viewer_id, offer.customer_id)
    return offer


def customer_of(advisor_id: UUID, customer_id: UUID) -> UUID:
    """A customer in the care of this advisor. Raises NotFound for anybody else's."""
    if "advisor" not in people.roles_of(advisor_id) or people.advisor_of(customer_id) != advisor_id:
        raise NotFound
    return customer_id


def may_enter_navs(person_id: UUID) -> None:
    """Raises NotAllowed for whoever is no product manager or operator."""
    if not people.roles_of(person_id) & NAV_MAKERS:
        raise NotAllowed


def may_approve_navs(person_id: UUID) -> None:
    """Raises NotAllowed for whoever is no checker."""
    if not people.roles_of(person_id) & NAV_CHECKERS:
        raise NotAllowed


def may_see_navs(person_id: UUID) -> None:
    """Raises NotAllowed for whoever neither enters nor approves NAVs."""
    if not people.roles_of(person_id) & (NAV_MAKERS | NAV_CHECKERS):
        raise NotAllowed


def nav_for(nav_id: UUID, *, lock: bool = False) -> Nav:
    """A NAV, for operations. Raises NotFound."""
    navs = Nav.objects.select_for_update(of=("self",)) if lock else Nav.objects.all()
    nav = navs.select_related("product").filter(pk=nav_id).first()
    if nav is None:
        raise NotFound
    return nav


def may_enter_products(person_id: UUID) -> None:
    """Raises NotAllowed for whoever is no product manager or operator."""
    if not people.roles_of(person_id) & PRODUCT_MAKERS:
        raise NotAllowed


def may_approve_products(person_id: UUID) -> None:
    """Raises NotAllowed for whoever is no checker."""
    if not people.roles_of(person_id) & PRODUCT_CHECKERS:
        raise NotAllowed


def may_see_products(person_id: UUID) -> None:
    """Raises NotAllowed for whoever neither enters nor approves products."""
    if not people.roles_of(person_id) & (PRODUCT_MAKERS | PRODUCT_CHECKERS):
        raise NotAllowed


def draft_for(draft_id: UUID, *, lock: bool = False) -> ProductDraft:
    """A draft of a product, for operations. Raises NotFound. `lock` holds the row until the transaction ends."""
    drafts = ProductDraft.objects.select_for_update(of=("self",), no_key=True) if lock else ProductDraft.objects.all()
    draft = drafts.select_related("product", "maker", "checker").filter(pk=draft_id).first()
    if draft is None:
        raise NotFound
    return draft


def file_for(file_id: UUID) -> DocumentFile:
    """A file that operations uploaded, with its bytes. Raises NotFound."""
    file = DocumentFile.objects.filter(pk=file_id).first()
    if file is None:
        raise NotFound
    return file
