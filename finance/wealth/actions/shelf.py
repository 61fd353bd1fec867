"""What stands on the shelf: a product with its documents, and each version of its terms."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from finance.wealth.models import Document, Product, Terms
from kernel import audit
from kernel.ids import new_id

TERMS_FIELDS = (
    "code",
    "name",
    "issuer",
    "issuer_risk",
    "seller_risk",
    "kind",
    "benchmark_low_bp",
    "benchmark_high_bp",
    "min_fen",
    "step_fen",
    "term_days",
    "open_days",
    "subscription_fee_bp",
    "management_fee_bp",
    "custody_fee_bp",
    "registration_code",
)
"""What a buyer relies on. Any change of it, or of a document, is a new version of the terms."""


@dataclass(frozen=True)
class DocumentText:
    """A document before it is kept."""

    kind: str
    title: str
    title_en: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A product's facts; names and units as in the model."""

    code: str
    name: str
    name_en: str
    issuer: str
    issuer_en: str
    issuer_risk: int
    seller_risk: int
    kind: str
    min_fen: int
    step_fen: int
    open_days: str
    open_days_en: str
    registration_code: str
    quota_fen: int
    benchmark_low_bp: int | None = None
    benchmark_high_bp: int | None = None
    term_days: int = 0
    subscription_fee_bp: int = 0
    management_fee_bp: int = 0
    custody_fee_bp: int = 0
    nav_scale: int = 10_000
    shelf_order: int = 0


def _put_documents(product: Product, texts: Sequence[DocumentText]) -> None:
    for text in texts:
        sha256 = hashlib.sha256(text.text.encode()).hexdigest()
        Document.objects.filter(product=product, kind=text.kind, is_current=True).update(is_current=False)
        Document.objects.create(
            product=product, kind=text.kind, title=text.title, title_en=text.title_en, text=text.text, sha256=sha256
        )


def _new_terms(product: Product) -> Terms:
    documents = Document.objects.filter(product=product, is_current=True).order_by("kind")
    facts: dict[str, Any] = {name: getattr(product, name) for name in TERMS_FIELDS}
    facts["documents"] = {document.kind: document.sha256 for document in documents}
    canonical = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    newest = Terms.objects.filter(product=product).aggregate(Max("number"))["number__max"] or 0
    return Terms.objects.create(
        product=product, number=newest + 1, facts=facts, sha256=hashlib.sha256(canonical.encode()).hexdigest()
    )


@transaction.atomic
def put_on_shelf(
    *, facts: Facts, documents: Sequence[DocumentText], actor_id: UUID | None, product_id: UUID | None = None
) -> Product:
    """Puts a product on sale with its documents and the first version of its terms."""
    product = Product.objects.create(id=product_id or new_id(), **facts.__dict__)
    _put_documents(product, documents)
    terms = _new_terms(product)
    audit.record(actor_id, "wealth.product.shelved", f"product:{product.pk}", {"terms": terms.sha256})
    return product


@transaction.atomic
def change_terms(
    *, product_id: UUID, actor_id: UUID | None, changes: dict[str, Any], documents: Sequence[DocumentText] = ()
) -> Terms:
    """Changes facts (names of TERMS_FIELDS) or documents, and makes the next version of the terms.

    What was prepared under the version before is refused at confirmation with a fresh statement. Raises ValueError
    for a field that is no part of the terms.
    """
    if unknown := set(changes) - set(TERMS_FIELDS):
        raise ValueError(f"not part of the terms: {sorted(unknown)}")
    product = Product.objects.select_for_update().get(pk=product_id)
    for name, value in changes.items():
        setattr(product, name, value)
    product.save(update_fields=list(changes) or None)
    _put_documents(product, documents)
    terms = _new_terms(product)
    audit.record(
        actor_id, "wealth.terms.changed", f"product:{product.pk}", {"number": terms.number, "terms": terms.sha256}
    )
    return terms


@transaction.atomic
def stop_sale(*, product_id: UUID, actor_id: UUID | None) -> None:
    """Takes a product off the shelf; what is held of it stays."""
    Product.objects.filter(pk=product_id).update(status=Product.Status.PAUSED)
    audit.record(actor_id, "wealth.product.paused", f"product:{product_id}", {})
