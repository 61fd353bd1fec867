"""What people at the desk, and customers who ask it, can do."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts import queries as people
from chat import actions as chat
from chat import push
from desk.access import own_customer
from desk.errors import CaseNotActive, CaseTaken, TooManyCases
from desk.models import ServiceCase
from finance.wealth import actions as wealth
from kernel import audit
from kernel.clock import now
from kernel.errors import Conflict, NotAllowed, NotFound
from officials import actions as officials

DESK_CODE = "desk"
DESK_NAME = "在线客服"
DESK_HUE = 168
MAX_ACTIVE_CASES = 5
"""Customers that one agent talks to at a time."""


def service_identity() -> UUID:
    """The person that stands for the service desk in conversations."""
    return officials.ensure_official(
        DESK_CODE,
        DESK_NAME,
        name_en="Customer service",
        title="服务台",
        title_en="Service desk",
        hue=DESK_HUE,
        always_on=True,
        listed=False,
    ).person_id


def service_conversation(customer_id: UUID, *, at: datetime | None = None) -> UUID:
    """The customer's one conversation with the service desk, opened at need.

    `at` dates it, for a past that is brought along. Raises NotAllowed for staff.
    """
    if people.roles_of(customer_id):
        raise NotAllowed
    return chat.open_conversation(
        kind="service",
        member_ids=[customer_id, service_identity()],
        key=f"service:{customer_id}",
        title=DESK_NAME,
        opened_by=customer_id,
        at=at,
    )


@transaction.atomic
def ask_service(*, case_id: UUID, customer_id: UUID, question: str) -> ServiceCase:
    """Puts a customer's question into the queue and into the conversation; the same id again is the same case.

    A customer who has an open case already gets that one, with the question added to the conversation.
    Raises NotFound for an id that is somebody else's.
    """
    known = ServiceCase.objects.filter(pk=case_id).first()
    if known is not None:
        if known.customer_id != customer_id:
            raise NotFound
        return known
    conversation_id = service_conversation(customer_id)
    case = ServiceCase(
        id=case_id, customer_id=customer_id, conversation_id=conversation_id, question=question, queued_at=now()
    )
    ServiceCase.objects.bulk_create([case], ignore_conflicts=True)
    case = ServiceCase.objects.exclude(state="closed").get(customer_id=customer_id)
    chat.send_text(conversation_id=conversation_id, sender_id=customer_id, client_id=case_id, text=question)
    _tell_agents()
    return case


@transaction.atomic
def take_case(*, case_id: UUID, agent_id: UUID) -> ServiceCase:
    """The agent takes a waiting customer; of two agents at once one wins. Taking one's own again changes nothing.

    Raises NotAllowed for somebody who is no agent, NotFound, CaseTaken, TooManyCases (more than MAX_ACTIVE_CASES).
    """
    # The agent's own cases are counted under a lock on the agent, so that two takes at once cannot pass the limit.
    _lock(agent_id)
    # Asked again under the lock: who loses the role gives back what they have under the same one.
    if "agent" not in people.roles_of(agent_id):
        raise NotAllowed
    case = ServiceCase.objects.select_for_update().filter(pk=case_id).first()
    if case is None:
        raise NotFound
    if case.agent_id is not None:
        if case.agent_id == agent_id and case.state == "active":
            return case
        raise CaseTaken
    if ServiceCase.objects.filter(agent_id=agent_id, state="active").count() >= MAX_ACTIVE_CASES:
        raise TooManyCases(limit=MAX_ACTIVE_CASES)
    case.state, case.agent_id, case.taken_at = "active", agent_id, now()
    case.save(update_fields=["state", "agent", "taken_at"])
    chat.add_member(conversation_id=case.conversation_id, person_id=agent_id)
    audit.record(agent_id, "service.take", f"case:{case.pk}", {"customer": str(case.customer_id)})
    _tell_queue(case.customer_id)
    return case


@transaction.atomic
def close_case(*, case_id: UUID, agent_id: UUID) -> ServiceCase:
    """The agent ends the service; the customer gets a card to rate it. Closing again changes nothing.

    Raises NotFound for another agent's case, CaseNotActive for one that waits.
    """
    case = ServiceCase.objects.select_for_update().filter(pk=case_id, agent_id=agent_id).first()
    if case is None:
        raise NotFound
    if case.state == "closed":
        return case
    if case.state != "active":
        raise CaseNotActive
    case.state, case.closed_at = "closed", now()
    case.save(update_fields=["state", "closed_at"])
    chat.send_card(
        conversation_id=case.conversation_id,
        sender_id=service_identity(),
        client_id=_derived(case.pk, 1),
        kind="rating",
        ref=case.pk,
        state="open",
        payload={"agent": _agent_name(case), "stars": 0},
    )
    chat.remove_member(conversation_id=case.conversation_id, person_id=agent_id)
    audit.record(agent_id, "service.close", f"case:{case.pk}", {})
    push.hint([case.customer_id, agent_id], "desk", {})
    _tell_agents()
    return case


@transaction.atomic
def give_back_cases(agent_id: UUID, roles: frozenset[str]) -> None:
    """Somebody who is no agent any more leaves their customers, who wait again where they stood before."""
    if "agent" not in roles:
        return
    _lock(agent_id)
    cases = list(ServiceCase.objects.select_for_update().filter(agent_id=agent_id, state="active").order_by("pk"))
    for case in cases:
        case.state, case.agent_id, case.taken_at = "waiting", None, None
        case.save(update_fields=["state", "agent", "taken_at"])
        chat.remove_member(conversation_id=case.conversation_id, person_id=agent_id)
        audit.record(agent_id, "service.give_back", f"case:{case.pk}", {"customer": str(case.customer_id)})
    if cases:
        _tell_queue(agent_id)


@transaction.atomic
def rate_case(*, case_id: UUID, customer_id: UUID, stars: int, comment: str) -> ServiceCase:
    """The customer rates a closed case, once; the same stars again change nothing.

    Raises NotFound for another customer's case, CaseNotActive for one that is not closed, Conflict for other stars.
    """
    case = ServiceCase.objects.select_for_update().filter(pk=case_id, customer_id=customer_id).first()
    if case is None:
        raise NotFound
    if case.state != "closed":
        raise CaseNotActive
    if case.stars is not None:
        if (case.stars, case.comment) == (stars, comment):
            return case
        raise Conflict
    case.stars, case.comment, case.rated_at = stars, comment, now()
    case.save(update_fields=["stars", "comment", "rated_at"])
    agent = people.person_cards([case.agent_id], viewer_id=customer_id)[case.agent_id].name if case.agent_id else ""
    chat.update_card(kind="rating", ref=case.pk, state="rated", payload={"agent": agent, "stars": stars}, revision=1)
    if case.agent_id:
        push.hint([case.agent_id], "desk", {})
    return case


def open_customer_conversation(*, advisor_id: UUID, customer_id: UUID) -> UUID:
    """The conversation of a relationship manager with a customer of theirs. Raises NotCustomerOfYours."""
    own_customer(advisor_id, customer_id)
    return chat.open_conversation(
        kind="advisor",
        member_ids=[advisor_id, customer_id],
        opened_by=advisor_id,
    )


def send_product(*, advisor_id: UUID, customer_id: UUID, product_id: UUID, client_id: UUID) -> None:
    """Sends a product card to a customer of one's own, if the product suits them (the rule is wealth's).

    Raises NotCustomerOfYours, NotFound, and wealth's refusal where the product is above the customer's class.
    """
    conversation_id = open_customer_conversation(advisor_id=advisor_id, customer_id=customer_id)
    wealth.send_product_card(
        advisor_id=advisor_id,
        customer_id=customer_id,
        conversation_id=conversation_id,
        product_id=product_id,
        client_id=client_id,
    )


def _lock(agent_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(agent_id.bytes[-8:], "big", signed=True)])


def _agent_name(case: ServiceCase) -> str:
    if case.agent_id is None:
        return ""
    return people.person_cards([case.agent_id], viewer_id=case.customer_id)[case.agent_id].name


def _derived(case_id: UUID, number: int) -> UUID:
    """A client id that follows from the case, so that a repeated step writes the same message."""
    return UUID(int=case_id.int ^ number)


def _tell_agents() -> None:
    push.hint(people.people_with_role("agent"), "desk", {})


def _tell_queue(taken_id: UUID) -> None:
    """Positions moved: agents, who was taken, and everybody who waits look again."""
    waiting = list(ServiceCase.objects.filter(state="waiting").values_list("customer_id", flat=True)[:1000])
    push.hint([*people.people_with_role("agent"), taken_id, *waiting], "desk", {})
