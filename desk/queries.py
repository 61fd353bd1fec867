"""What the desk's pages read, each in a fixed number of statements."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Avg, Count, Q

from accounts import queries as people
from accounts.queries import PersonCard
from chat import queries as conversations
from desk.models import ServiceCase
from finance.wealth import queries as wealth
from finance.wealth.queries import Standing


@dataclass(frozen=True)
class CaseView:
    """A case as its customer or an agent sees it. `position` counts from 1 while it waits."""

    case: ServiceCase
    position: int | None


def _positions(cases: list[ServiceCase]) -> dict[UUID, int]:
    if not any(case.state == "waiting" for case in cases):
        return {}
    order = ServiceCase.objects.filter(state="waiting").order_by("queued_at", "id").values_list("id", flat=True)
    return {case_id: index for index, case_id in enumerate(order[:10_000], start=1)}


def latest_case(customer_id: UUID) -> CaseView | None:
    """The customer's newest case with its place in the queue, or None."""
    case = ServiceCase.objects.filter(customer_id=customer_id).order_by("-queued_at", "-id").first()
    if case is None:
        return None
    return CaseView(case, _positions([case]).get(case.pk))


def queue_page(limit: int, after: UUID | None) -> list[CaseView]:
    """Who waits, first come first, from behind the case `after`; one more than `limit` where there are more."""
    waiting = ServiceCase.objects.filter(state="waiting").order_by("queued_at", "id")
    if after is not None:
        mark = ServiceCase.objects.filter(pk=after).values_list("queued_at", "id").first()
        if mark is not None:
            waiting = waiting.filter(Q(queued_at__gt=mark[0]) | Q(queued_at=mark[0], id__gt=mark[1]))
    cases = list(waiting[: limit + 1])
    positions = _positions(cases)
    return [CaseView(case, positions.get(case.pk)) for case in cases]


def active_cases(agent_id: UUID) -> list[ServiceCase]:
    """Whom the agent is talking to, the newest first (at most MAX_ACTIVE_CASES)."""
    return list(ServiceCase.objects.filter(agent_id=agent_id, state="active").order_by("-taken_at"))


def closed_cases(agent_id: UUID, limit: int, before: UUID | None) -> list[ServiceCase]:
    """What the agent has closed, newest first; one more than `limit` where there are more."""
    closed = ServiceCase.objects.filter(agent_id=agent_id, state="closed").order_by("-id")
    if before is not None:
        closed = closed.filter(id__lt=before)
    return list(closed[: limit + 1])


@dataclass(frozen=True)
class DeskFigures:
    """The queue in four numbers."""

    waiting: int
    active: int
    rated: int
    stars_mean_tenths: int | None
    """The mean of all stars times ten, or None while nobody has rated."""


def figures() -> DeskFigures:
    """How the service desk stands, in one statement."""
    row = ServiceCase.objects.aggregate(
        waiting=Count("id", filter=Q(state="waiting")),
        active=Count("id", filter=Q(state="active")),
        rated=Count("id", filter=Q(stars__isnull=False)),
        mean=Avg("stars"),
    )
    return DeskFigures(
        waiting=row["waiting"],
        active=row["active"],
        rated=row["rated"],
        stars_mean_tenths=None if row["mean"] is None else round(row["mean"] * 10),
    )


@dataclass(frozen=True)
class CustomerRow:
    """A customer in their manager's list."""

    person: PersonCard
    conversation_id: UUID | None
    standing: Standing
    managed_fen: int


def customers_page(advisor_id: UUID, limit: int, offset: int) -> list[CustomerRow]:
    """The manager's customers from the `offset`-th on; one more than `limit` where there are more."""
    ids = people.customers_of(advisor_id)[offset : offset + limit + 1]
    cards = people.person_cards(ids, viewer_id=advisor_id)
    totals = wealth.managed_totals(ids)
    standings = wealth.classes_of(ids)
    talks = conversations.conversations_with(advisor_id, ids, kind="advisor")
    return [CustomerRow(cards[one], talks.get(one), standings[one], totals[one]) for one in ids]


def customer_row(advisor_id: UUID, customer_id: UUID) -> CustomerRow:
    """One customer, who was found to be the manager's own before."""
    return CustomerRow(
        people.person_cards([customer_id], viewer_id=advisor_id)[customer_id],
        conversations.conversations_with(advisor_id, [customer_id], kind="advisor").get(customer_id),
        wealth.class_of(customer_id),
        wealth.managed_totals([customer_id])[customer_id],
    )
