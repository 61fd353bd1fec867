"""The shapes of the desk in JSON."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.queries import PersonCard, person_cards
from accounts.wire import person_json
from desk.models import ServiceCase
from desk.queries import CaseView, CustomerRow
from finance.wealth.queries import ProductView, Standing
from kernel.fields import IdField, PlainText, WholeField


class AskBody(serializers.Serializer[Any]):
    """A question to the service desk; the client makes the id."""

    id = IdField()
    question = PlainText(max_length=500, multiline=True)


class RatingBody(serializers.Serializer[Any]):
    """One to five stars, and a word if the customer wants."""

    stars = WholeField(minimum=1, maximum=5)
    comment = PlainText(max_length=200, multiline=True, allow_blank=True, default="")


class ProductCardBody(serializers.Serializer[Any]):
    """A product card for a customer; the client makes the id."""

    client_id = IdField()
    product_id = IdField()


class ServiceCaseShape(serializers.Serializer[Any]):
    """A case. `position` counts from 1 while it waits; `agent` is somebody once it was taken."""

    id = IdField()
    conversation_id = IdField()
    question = serializers.CharField()
    state = serializers.ChoiceField(choices=ServiceCase.State.values)
    position = serializers.IntegerField(allow_null=True)
    customer = serializers.DictField()
    agent = serializers.DictField(allow_null=True)
    queued_at = serializers.DateTimeField()
    taken_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    stars = serializers.IntegerField(allow_null=True)


def cases_json(views: list[CaseView], *, viewer_id: UUID) -> list[dict[str, Any]]:
    """Cases with the people in them."""
    ids = {view.case.customer_id for view in views} | {view.case.agent_id for view in views if view.case.agent_id}
    cards = person_cards(ids, viewer_id=viewer_id)
    return [_case_json(view, cards) for view in views]


def _case_json(view: CaseView, cards: dict[UUID, PersonCard]) -> dict[str, Any]:
    case = view.case
    return {
        "id": case.pk,
        "conversation_id": case.conversation_id,
        "question": case.question,
        "state": case.state,
        "position": view.position,
        "customer": person_json(cards[case.customer_id]),
        "agent": person_json(cards[case.agent_id]) if case.agent_id else None,
        "queued_at": case.queued_at,
        "taken_at": case.taken_at,
        "closed_at": case.closed_at,
        "stars": case.stars,
    }


def standing_json(standing: Standing) -> dict[str, Any]:
    """A customer's risk class and the last day on which it counts."""
    return {"person_class": standing.person_class, "valid_until": standing.valid_until}


def customer_json(row: CustomerRow) -> dict[str, Any]:
    """A customer in their manager's list."""
    return {
        "person": person_json(row.person),
        "conversation_id": row.conversation_id,
        "standing": standing_json(row.standing),
        "managed_fen": row.managed_fen,
    }


def offer_json(view: ProductView) -> dict[str, Any]:
    """A product as a manager picks it, with the rule's answer for this customer."""
    return {
        "id": view.product.pk,
        "name": view.product.name,
        "name_en": view.product.name_en,
        "risk": view.product.risk,
        "left_fen": view.left_fen,
        "ok": view.suitability.ok,
        "code": view.suitability.code,
        "reason_zh": view.suitability.reason_zh,
        "reason_en": view.suitability.reason_en,
    }
