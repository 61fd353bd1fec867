"""Products by four eyes: one person enters or changes a draft, another approves it or sends it back with a reason.

Nothing that stands in a draft is in force. Its approval puts it there, in one transaction: a new product with the first
version of its terms, the next version of a product's terms, or the product off sale and on again.
"""

import hashlib
import json
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from finance.wealth.access import draft_for, may_approve_products, may_enter_products, product_for
from finance.wealth.actions.shelf import put_on_shelf, renew, set_sale
from finance.wealth.errors import (
    CodeTaken,
    DraftChanged,
    DraftClosed,
    DraftReturned,
    DraftWaiting,
    OwnDraft,
    QuotaBelowUsed,
    SaleAsItIs,
)
from finance.wealth.facts import DocumentText, Facts, Wanted, facts_json, facts_of
from finance.wealth.models import Document, DocumentFile, DraftStep, Product, ProductDraft, Terms
from kernel import audit
from kernel.clock import business_now
from kernel.errors import Invalid, KeyReused
from kernel.money import yuan

Purpose = ProductDraft.Purpose
State = ProductDraft.State
What = DraftStep.What
WITH_FACTS = frozenset({Purpose.NEW, Purpose.CHANGE})
NEVER_CHANGED = ("code", "kind", "nav_scale")
"""What orders, holdings and NAVs of a product rest on."""
_WROTE = (What.ENTERED, What.CHANGED)


def _documents_json(wanted: Wanted) -> dict[str, dict[str, str]]:
    return {
        one.kind: {"file_id": str(one.file_id), "title": one.title, "title_en": one.title_en}
        for one in wanted.documents
    }


def _fingerprint(draft: ProductDraft) -> str:
    """The hash of all that a draft says."""
    said = [draft.purpose, draft.code, draft.facts, draft.documents, draft.note]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _refuse_incomplete(purpose: str, product: Product | None, wanted: Wanted) -> None:
    """Raises Invalid with the fields for what cannot be put in force whoever approves it."""
    wrong: dict[str, str] = {}
    facts = wanted.facts
    if purpose in WITH_FACTS and facts is None:
        raise Invalid(fields={"facts": "required"})
    if purpose not in WITH_FACTS and (facts is not None or wanted.documents):
        raise Invalid(fields={"facts": "not for this purpose"})
    if purpose == Purpose.OFF_SALE and not wanted.note.strip():
        wrong["note"] = "required"
    if facts is not None and product is not None:
        wrong |= {f"facts.{name}": "fixed" for name in NEVER_CHANGED if getattr(facts, name) != getattr(product, name)}
    kinds = {one.kind for one in wanted.documents}
    if purpose == Purpose.NEW and (missing := set(Document.Kind.values) - kinds):
        wrong |= {f"documents.{kind}": "required" for kind in sorted(missing)}
    known = set(
        DocumentFile.objects.filter(pk__in=[one.file_id for one in wanted.documents]).values_list("pk", flat=True)
    )
    wrong |= {f"documents.{one.kind}": "unknown file" for one in wanted.documents if one.file_id not in known}
    if wrong:
        raise Invalid(fields=wrong)


def _refuse_impossible(purpose: str, product: Product | None, facts: Facts | None) -> None:
    """Raises a conflict for what the shelf, as it now stands, does not admit."""
    if purpose == Purpose.NEW and facts is not None and Product.objects.filter(code=facts.code).exists():
        raise CodeTaken(product_code=facts.code)
    if product is None:
        return
    if facts is not None and facts.quota_fen < product.quota_used_fen:
        raise QuotaBelowUsed(used=yuan(product.quota_used_fen))
    paused = product.status != Product.Status.ON_SALE
    if (purpose == Purpose.OFF_SALE and paused) or (purpose == Purpose.ON_SALE and not paused):
        raise SaleAsItIs


def _step(draft: ProductDraft, what: What, person_id: UUID, reason: str = "") -> None:
    sha256 = _fingerprint(draft)
    DraftStep.objects.create(
        draft=draft,
        what=what,
        revision=draft.revision,
        sha256=sha256,
        person_id=person_id,
        reason=reason,
        at=business_now(),
    )
    audit.record(
        person_id,
        f"wealth.draft.{what}",
        f"product-draft:{draft.pk}",
        {
            "purpose": draft.purpose,
            "product": draft.code,
            "revision": draft.revision,
            "sha256": sha256,
            **({"reason": reason} if reason else {}),
        },
    )


@transaction.atomic
def enter_draft(
    *, draft_id: UUID, maker_id: UUID, purpose: str, product_id: UUID | None, wanted: Wanted
) -> ProductDraft:
    """Enters a draft that waits for a second person. The same id with the same words again is the same draft.

    Raises NotAllowed without the role, NotFound for an unknown product, Invalid with the fields, CodeTaken,
    QuotaBelowUsed, SaleAsItIs, DraftWaiting if the product has an open draft, KeyReused for an id of another draft.
    """
    may_enter_products(maker_id)
    if (product_id is None) is not (purpose == Purpose.NEW):
        raise Invalid(fields={"product_id": "not for a new product" if product_id else "required"})
    product = product_for(product_id) if product_id is not None else None
    _refuse_incomplete(purpose, product, wanted)
    facts = wanted.facts
    draft = ProductDraft(
        id=draft_id,
        purpose=purpose,
        product=product,
        code=product.code if product else facts.code if facts else "",
        facts=facts_json(facts) if facts else None,
        documents=_documents_json(wanted),
        note=wanted.note,
        maker_id=maker_id,
        entered_at=business_now(),
    )
    before = ProductDraft.objects.filter(pk=draft_id).first()
    if before is None:
        _refuse_impossible(purpose, product, facts)
        try:
            with transaction.atomic():
                draft.save(force_insert=True)
        except IntegrityError:
            before = ProductDraft.objects.filter(pk=draft_id).first()
            if before is None:
                raise DraftWaiting(product_code=draft.code) from None
        else:
            _step(draft, What.ENTERED, maker_id)
            return draft
    if before.steps.filter(what=What.ENTERED, person_id=maker_id, sha256=_fingerprint(draft)).exists():
        return before
    raise KeyReused


def _open(draft: ProductDraft) -> None:
    if draft.state not in (State.WAITING, State.RETURNED):
        raise DraftClosed


@transaction.atomic
def change_draft(*, draft_id: UUID, maker_id: UUID, revision: int, wanted: Wanted) -> ProductDraft:
    """Replaces what an open draft says and hands it in again; `revision` is what the maker saw.

    Whoever writes last is the maker. The same change again changes nothing. Raises what `enter_draft` raises, and
    DraftClosed, DraftChanged.
    """
    may_enter_products(maker_id)
    draft = draft_for(draft_id, lock=True)
    _open(draft)
    facts = wanted.facts
    if facts is not None and facts.code != draft.code:
        raise Invalid(fields={"facts.code": "fixed"})
    _refuse_incomplete(draft.purpose, draft.product, wanted)
    said = (facts_json(facts) if facts else None, _documents_json(wanted), wanted.note)
    if draft.revision == revision + 1 and draft.maker_id == maker_id and _said(draft) == said:
        return draft
    if draft.revision != revision:
        raise DraftChanged
    _refuse_impossible(draft.purpose, draft.product, facts)
    draft.facts, draft.documents, draft.note = said
    draft.maker_id, draft.state, draft.revision = maker_id, State.WAITING, revision + 1
    draft.save(update_fields=["facts", "documents", "note", "maker", "state", "revision"])
    _step(draft, What.CHANGED, maker_id)
    return draft


def _said(draft: ProductDraft) -> tuple[Any, Any, str]:
    return draft.facts, draft.documents, draft.note


def _refuse_own(draft: ProductDraft, checker_id: UUID) -> None:
    if draft.steps.filter(person_id=checker_id, what__in=_WROTE).exists():
        raise OwnDraft


@transaction.atomic
def return_draft(*, draft_id: UUID, checker_id: UUID, revision: int, reason: str) -> ProductDraft:
    """Sends a waiting draft back to its maker, with the reason. The same again changes nothing.

    Raises NotAllowed without the role, NotFound, OwnDraft, DraftClosed, DraftReturned, DraftChanged.
    """
    may_approve_products(checker_id)
    draft = draft_for(draft_id, lock=True)
    _refuse_own(draft, checker_id)
    _open(draft)
    if draft.revision != revision:
        raise DraftChanged
    if draft.state == State.RETURNED:
        last = draft.steps.order_by("-pk").first()
        if last is not None and last.person_id == checker_id and last.reason == reason:
            return draft
        raise DraftReturned
    draft.state = State.RETURNED
    draft.save(update_fields=["state"])
    _step(draft, What.RETURNED, checker_id, reason)
    return draft


@transaction.atomic
def withdraw_draft(*, draft_id: UUID, maker_id: UUID, revision: int) -> ProductDraft:
    """Gives an open draft up; nothing of it comes in force. The same again changes nothing.

    Raises NotAllowed without the role, NotFound, DraftClosed, DraftChanged.
    """
    may_enter_products(maker_id)
    draft = draft_for(draft_id, lock=True)
    if draft.state == State.WITHDRAWN and draft.steps.filter(what=What.WITHDRAWN, person_id=maker_id).exists():
        return draft
    _open(draft)
    if draft.revision != revision:
        raise DraftChanged
    draft.state, draft.closed_at = State.WITHDRAWN, business_now()
    draft.save(update_fields=["state", "closed_at"])
    _step(draft, What.WITHDRAWN, maker_id)
    return draft


def _texts(draft: ProductDraft) -> list[DocumentText]:
    files = {
        str(row["pk"]): row
        for row in DocumentFile.objects.filter(
            pk__in=[UUID(wish["file_id"]) for wish in draft.documents.values()]
        ).values("pk", "sha256", "text")
    }
    return [
        DocumentText(
            kind=kind,
            title=wish["title"],
            title_en=wish["title_en"],
            text=files[wish["file_id"]]["text"],
            file_id=UUID(wish["file_id"]),
            file_sha256=files[wish["file_id"]]["sha256"],
        )
        for kind, wish in sorted(draft.documents.items())
    ]


def _put_in_force(draft: ProductDraft, checker_id: UUID) -> tuple[Product, Terms | None]:
    facts = facts_of(draft.facts) if draft.facts else None
    if draft.product is None:
        if facts is None:
            raise ValueError("a new product's draft has facts")
        _refuse_impossible(draft.purpose, None, facts)
        product = put_on_shelf(facts=facts, documents=_texts(draft), actor_id=checker_id)
        return product, product.terms.get()
    # The row's lock queues whoever is buying: they finish under the old terms, or are asked again under the new.
    product = Product.objects.select_for_update(no_key=True).get(pk=draft.product.pk)
    _refuse_impossible(draft.purpose, product, facts)
    if facts is None:
        set_sale(product, on=draft.purpose == Purpose.ON_SALE, actor_id=checker_id)
        return product, None
    changes = {name: value for name, value in facts.__dict__.items() if name not in NEVER_CHANGED}
    return product, renew(product, actor_id=checker_id, changes=changes, documents=_texts(draft))


@transaction.atomic
def approve_draft(*, draft_id: UUID, checker_id: UUID, revision: int) -> ProductDraft:
    """Puts a waiting draft of somebody else in force; `revision` is what the checker saw.

    The same approval again changes nothing. Raises NotAllowed without the role, NotFound, OwnDraft for whoever wrote in
    it, DraftClosed, DraftReturned, DraftChanged, CodeTaken, QuotaBelowUsed, SaleAsItIs.
    """
    may_approve_products(checker_id)
    draft = draft_for(draft_id, lock=True)
    if draft.state == State.APPROVED and draft.checker_id == checker_id and draft.revision == revision:
        return draft
    _refuse_own(draft, checker_id)
    _open(draft)
    if draft.state == State.RETURNED:
        raise DraftReturned
    if draft.revision != revision:
        raise DraftChanged
    draft.product, draft.terms = _put_in_force(draft, checker_id)
    draft.state, draft.checker_id, draft.closed_at = State.APPROVED, checker_id, business_now()
    draft.save(update_fields=["product", "terms", "state", "checker", "closed_at"])
    _step(draft, What.APPROVED, checker_id)
    return draft
