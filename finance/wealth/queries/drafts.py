"""What operations see of products: every product with what waits for it, and a draft beside what is in force."""

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from accounts import queries as people
from finance.wealth.access import PRODUCT_CHECKERS, PRODUCT_MAKERS, draft_for, product_for
from finance.wealth.facts import FACT_NAMES, plain
from finance.wealth.models import Document, DocumentFile, DraftStep, Product, ProductDraft, Terms
from finance.wealth.rules import media_type_of
from kernel.errors import Invalid
from kernel.text import is_line

_OPEN = (ProductDraft.State.WAITING, ProductDraft.State.RETURNED)
_WROTE = (DraftStep.What.ENTERED, DraftStep.What.CHANGED)


def product_roles(reader_id: UUID) -> dict[str, bool]:
    """What the reader may do with products."""
    roles = people.roles_of(reader_id)
    return {"may_enter": bool(roles & PRODUCT_MAKERS), "may_approve": bool(roles & PRODUCT_CHECKERS)}


def kept_products(*, before: str | None, limit: int) -> list[dict[str, Any]]:
    """Every product by its code after `before`, with its terms' number and its open draft; `limit` + 1 at most.

    Raises Invalid for a cursor that is none.
    """
    newest = Terms.objects.filter(product=OuterRef("pk")).order_by("-number").values("number")[:1]
    products = Product.objects.annotate(terms_number=Subquery(newest)).order_by("code")
    if before is not None:
        if not is_line(before):
            raise Invalid(fields={"before": "cursor"})
        products = products.filter(code__gt=before)
    found = list(products[: limit + 1])
    drafts = {draft.product_id: draft for draft in ProductDraft.objects.filter(product__in=found, state__in=_OPEN)}
    return [
        {"product": product, "terms_number": product.terms_number, "draft": drafts.get(product.pk)} for product in found
    ]


def kept_product(product_id: UUID) -> dict[str, Any]:
    """A product with all that a change of it starts from. Raises NotFound."""
    product = product_for(product_id)
    return {
        "product": product,
        "terms_number": Terms.objects.filter(product=product).order_by("-number").values_list("number", flat=True)[0],
        "draft": ProductDraft.objects.filter(product=product, state__in=_OPEN).first(),
        "facts": {name: plain(getattr(product, name)) for name in FACT_NAMES},
        "documents": _in_force(product),
    }


def _in_force(product: Product) -> list[dict[str, Any]]:
    documents = Document.objects.filter(product=product, is_current=True).select_related("file").defer("file__content")
    return [
        {
            "kind": document.kind,
            "title": document.title,
            "title_en": document.title_en,
            "document_id": document.pk,
            "file_id": document.file_id,
            "sha256": document.sha256,
            "media_type": media_type_of(document),
        }
        for document in documents.order_by("kind")
    ]


def drafts_page(reader_id: UUID, *, only_open: bool, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Drafts, newest first, after the one with id `before`; `limit` + 1 at most."""
    drafts = ProductDraft.objects.select_related("product", "maker", "checker")
    if only_open:
        drafts = drafts.filter(state__in=_OPEN)
    if before is not None:
        last = ProductDraft.objects.filter(pk=before).first()
        if last is None:
            return []
        drafts = drafts.filter(Q(entered_at__lt=last.entered_at) | Q(entered_at=last.entered_at, pk__lt=last.pk))
    found = list(drafts.order_by("-entered_at", "-id")[: limit + 1])
    steps = DraftStep.objects.filter(draft__in=found)
    mine = set(steps.filter(person_id=reader_id, what__in=_WROTE).values_list("draft_id", flat=True))
    return [_row(draft, mine=draft.pk in mine) for draft in found]


def _row(draft: ProductDraft, *, mine: bool) -> dict[str, Any]:
    product, facts = draft.product, draft.facts or {}
    return {
        "id": draft.pk,
        "purpose": draft.purpose,
        "state": draft.state,
        "revision": draft.revision,
        "product_id": draft.product_id,
        "code": draft.code,
        "name": facts.get("name") or (product.name if product else ""),
        "name_en": facts.get("name_en") or (product.name_en if product else ""),
        "maker": draft.maker.display_name,
        "checker": draft.checker.display_name if draft.checker else None,
        "entered_at": draft.entered_at,
        "mine": mine,
    }


def draft_page(reader_id: UUID, draft_id: UUID) -> dict[str, Any]:
    """A draft with its files and its steps, beside what is in force of the product. Raises NotFound."""
    draft = draft_for(draft_id)
    steps = list(draft.steps.select_related("person").order_by("pk"))
    files = {
        str(file.pk): file
        for file in DocumentFile.objects.filter(
            pk__in=[UUID(wish["file_id"]) for wish in draft.documents.values()]
        ).defer("content", "text")
    }
    compare = draft.product is not None and draft.facts is not None
    return {
        **_row(draft, mine=any(step.person_id == reader_id and step.what in _WROTE for step in steps)),
        "facts": draft.facts,
        "note": draft.note,
        "documents": [
            {
                "kind": kind,
                "title": wish["title"],
                "title_en": wish["title_en"],
                "document_id": None,
                "file_id": files[wish["file_id"]].pk,
                "sha256": files[wish["file_id"]].sha256,
                "media_type": files[wish["file_id"]].media_type,
            }
            for kind, wish in sorted(draft.documents.items())
        ],
        "in_force": kept_product(draft.product.pk) if compare and draft.product else None,
        "steps": [
            {
                "what": step.what,
                "revision": step.revision,
                "person": step.person.display_name,
                "reason": step.reason,
                "at": step.at,
            }
            for step in steps
        ],
        "terms_number": draft.terms.number if draft.terms else None,
        **product_roles(reader_id),
    }
