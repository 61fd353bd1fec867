"""A person's orders, and where they stand with the questionnaire."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q

from finance.wealth.models import Assessment, Order
from finance.wealth.queries.suitability import class_of
from finance.wealth.questionnaire import CLASS_NAMES, MOST_A_DAY, MOST_A_YEAR
from kernel.clock import business_date


@dataclass(frozen=True)
class StandingView:
    """A person's class in words, and how often they may still be assessed."""

    person_class: int | None
    class_zh: str | None
    class_en: str | None
    valid_until: date | None
    valid_now: bool
    left_today: int
    left_this_year: int


def orders_page(person_id: UUID, *, before: UUID | None, limit: int) -> list[Order]:
    """The person's orders, newest first, after the one with id `before`; `limit` + 1 at most."""
    orders = Order.objects.filter(person_id=person_id).select_related("product", "nav", "terms")
    if before is not None:
        last = orders.filter(pk=before).first()
        if last is None:
            return []
        orders = orders.filter(Q(accepted_at__lt=last.accepted_at) | Q(accepted_at=last.accepted_at, pk__lt=last.pk))
    return list(orders.order_by("-accepted_at", "-id")[: limit + 1])


def standing_view(person_id: UUID) -> StandingView:
    """The person's class and what is left of the day's and the year's assessments."""
    today = business_date()
    standing = class_of(person_id)
    taken = list(
        Assessment.objects.filter(person_id=person_id, business_date__year=today.year).values_list(
            "business_date", flat=True
        )
    )
    left_year = max(0, MOST_A_YEAR - len(taken))
    names = CLASS_NAMES[standing.person_class] if standing.person_class else (None, None)
    return StandingView(
        person_class=standing.person_class,
        class_zh=names[0],
        class_en=names[1],
        valid_until=standing.valid_until,
        valid_now=standing.valid_until is not None and today <= standing.valid_until,
        left_today=min(left_year, max(0, MOST_A_DAY - sum(day == today for day in taken))),
        left_this_year=left_year,
    )
