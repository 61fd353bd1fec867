"""Suitability: one rule for sending, recommending and buying."""

from collections.abc import Collection, Iterable
from uuid import UUID

from finance.wealth.access import product_for
from finance.wealth.models import Assessment, Holding, Product
from finance.wealth.rules import Standing, Suitability, judge
from kernel.clock import business_date


def classes_of(person_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """The same for many people, in one statement."""
    found = dict.fromkeys(person_ids, Standing(None, None))
    newest = (
        Assessment.objects.filter(person_id__in=person_ids)
        .order_by("person_id", "-business_date", "-created_at", "-id")
        .distinct("person_id")
    )
    return found | {one.person_id: Standing(one.person_class, one.valid_until) for one in newest}


def class_of(person_id: UUID) -> Standing:
    """The class of the person's newest assessment and its last valid day; both None without one."""
    newest = Assessment.objects.filter(person_id=person_id).order_by("-business_date", "-created_at", "-id").first()
    return Standing(newest.person_class, newest.valid_until) if newest else Standing(None, None)


def suitability(person_id: UUID, product_id: UUID) -> Suitability:
    """Whether the product suits the person today, with the reason in both languages. Raises NotFound."""
    return suitabilities(person_id, [product_for(product_id)])[product_id]


def suitabilities(person_id: UUID, products: Iterable[Product]) -> dict[UUID, Suitability]:
    """The same rule over several products, in two statements."""
    standing = class_of(person_id)
    held = set(Holding.objects.filter(person_id=person_id, shares__gt=0).values_list("product_id", flat=True))
    today = business_date()
    return {
        product.pk: judge(product_risk=product.risk, standing=standing, today=today, holds=product.pk in held)
        for product in products
    }
