"""What stands on the shelf: a product with its documents, and each version of its terms."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from finance.wealth.facts import DocumentText, Facts, plain
from finance.wealth.models import Document, Product, Terms
from kernel import audit
from kernel.ids import new_id

TERMS_FIELDS = (
    "code",
    "name",
    "name_en",
    "issuer",
    "issuer_en",
    "issuer_risk",
    "seller_risk",
    "kind",
    "benchmark_low_bp",
    "benchmark_high_bp",
    "min_fen",
    "step_fen",
    "term_days",
    "open_days",
    "open_days_en",
    "cut_off",
    "sale_from",
    "sale_until",
    "subscription_fee_bp",
    "management_fee_bp",
    "custody_fee_bp",
    "registration_code",
)
"""What a buyer relies on. Any change of it, or of a document, is a new version of the terms."""


def _put_documents(product: Product, texts: Sequence[DocumentText]) -> None:
    for text in texts:
        Document.objects.filter(product=product, kind=text.kind, is_current=True).update(is_current=False)
        Document.objects.create(
            product=product,
            kind=text.kind,
            title=text.title,
            title_en=text.title_en,
            text=text.text,
            sha256=text.file_sha256 or hashlib.sha256(text.text.encode()).hexdigest(),
            file_id=text.file_id,
        )


def _new_terms(product: Product) -> Terms:
    documents = Document.objects.filter(product=product, is_current=True).order_by("kind")
    facts: dict[str, Any] = {name: plain(getattr(product, name)) for name in TERMS_FIELDS}
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
    product = Product.objects.select_for_update(no_key=True).get(pk=product_id)
    return renew(product, actor_id=actor_id, changes=changes, documents=documents)


def renew(
    product: Product, *, actor_id: UUID | None, changes: dict[str, Any], documents: Sequence[DocumentText]
) -> Terms:
    """Puts facts and documents of a locked product in force, as the next version of its terms."""
    for name, value in changes.items():
        setattr(product, name, value)
    product.save(update_fields=list(changes) or None)
    _put_documents(product, documents)
    terms = _new_terms(product)
    audit.record(
        actor_id, "wealth.terms.changed", f"product:{product.pk}", {"number": terms.number, "terms": terms.sha256}
    )
    return terms


def set_sale(product: Product, *, on: bool, actor_id: UUID | None) -> None:
    """Puts a locked product on sale again or takes it off; what is held of it stays."""
    product.status = Product.Status.ON_SALE if on else Product.Status.PAUSED
    product.save(update_fields=["status"])
    audit.record(actor_id, f"wealth.product.{'resumed' if on else 'paused'}", f"product:{product.pk}", {})


@transaction.atomic
def stop_sale(*, product_id: UUID, actor_id: UUID | None) -> None:
    """Takes a product off the shelf; what is held of it stays."""
    set_sale(Product.objects.select_for_update(no_key=True).get(pk=product_id), on=False, actor_id=actor_id)
