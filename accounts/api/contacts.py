"""The address book and friend requests."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions, contacts, queries
from accounts.api.serializers import (
    AskedOutput,
    ContactList,
    FriendRequestInput,
    FriendRequestList,
    PersonOutput,
    RemarkInput,
)
from accounts.auth import person_of
from accounts.wire import person_json
from kernel.api import ApiView, limit_of, number_of, page
from kernel.errors import Invalid

CONTACTS_PAGE = 200
MAX_CONTACTS_PAGE = 500
_LIMIT = OpenApiParameter("limit", int)


def _person(person_id: UUID, viewer_id: UUID) -> dict[str, Any]:
    return person_json(queries.person_cards([person_id], viewer_id=viewer_id)[person_id])


class ContactsView(ApiView):
    @extend_schema(
        responses={200: ContactList}, parameters=[_LIMIT, OpenApiParameter("before", int)], operation_id="contacts"
    )
    def get(self, request: Request) -> Response:
        """Friends in the order of their reading, with the relationship manager and the service accounts."""
        viewer = person_of(request)
        items, following = contacts.contacts_page(
            viewer.id,
            offset=number_of(request, "before") or 0,
            limit=limit_of(request, default=CONTACTS_PAGE, most=MAX_CONTACTS_PAGE),
        )
        advisor = queries.advisor_of(viewer.id)
        return Response(
            {
                "items": [{"person": person_json(item.person), "index": item.index} for item in items],
                "next": None if following is None else str(following),
                "advisor": _person(advisor, viewer.id) if advisor else None,
                "officials": [person_json(card) for card in contacts.officials(viewer.id)],
                "waiting": contacts.requests_waiting(viewer.id),
            }
        )


class ContactView(ApiView):
    @extend_schema(request=RemarkInput, responses={200: PersonOutput}, operation_id="set_remark")
    def patch(self, request: Request, person_id: UUID) -> Response:
        """Gives a friend a name that only the viewer sees."""
        asked = RemarkInput(data=request.data)
        asked.is_valid(raise_exception=True)
        viewer = person_of(request)
        actions.set_remark(person_id=viewer.id, friend_id=person_id, remark=asked.validated_data["remark"])
        return Response(_person(person_id, viewer.id))

    @extend_schema(responses={204: OpenApiResponse()}, operation_id="remove_friend")
    def delete(self, request: Request, person_id: UUID) -> Response:
        """Ends a friendship, on both sides."""
        actions.remove_friend(person_id=person_of(request).id, friend_id=person_id)
        return Response(status=204)


def _before(request: Request) -> UUID | None:
    raw = request.query_params.get("before")
    try:
        return UUID(raw) if raw else None
    except ValueError:
        raise Invalid(fields={"before": "uuid"}) from None


class FriendRequestsView(ApiView):
    @extend_schema(
        responses={200: FriendRequestList},
        parameters=[_LIMIT, OpenApiParameter("before", str)],
        operation_id="friend_requests",
    )
    def get(self, request: Request) -> Response:
        """Requests that the viewer received or sent, newest first."""
        viewer = person_of(request)
        limit = limit_of(request)
        rows = contacts.requests_page(viewer.id, before=_before(request), limit=limit)
        shown, following = page(rows, limit, lambda row: row.id)
        items = [
            {
                "id": row.id,
                "direction": row.direction,
                "person": person_json(row.person),
                "message": row.message,
                "state": row.state,
                "at": row.at,
            }
            for row in shown
        ]
        waiting = contacts.requests_waiting(viewer.id)
        return Response(FriendRequestList({"items": items, "next": following, "waiting": waiting}).data)

    @extend_schema(request=FriendRequestInput, responses={201: AskedOutput}, operation_id="ask_to_be_friends")
    def post(self, request: Request) -> Response:
        """Asks somebody to be friends, by phone number or from their page."""
        asked = FriendRequestInput(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        viewer = person_of(request)
        outcome = actions.ask_to_be_friends(
            sender_id=viewer.id,
            request_id=data.get("id"),
            phone=data.get("phone"),
            person_id=data.get("person_id"),
            message=data["message"],
        )
        return Response(
            {"id": outcome.id, "person": _person(outcome.person_id, viewer.id), "state": outcome.state}, status=201
        )


class AcceptView(ApiView):
    @extend_schema(request=None, responses={200: PersonOutput}, operation_id="accept_friend")
    def post(self, request: Request, request_id: UUID) -> Response:
        """Accepts a request; answers the new friend."""
        viewer = person_of(request)
        return Response(_person(actions.accept_request(person_id=viewer.id, request_id=request_id), viewer.id))


class DeclineView(ApiView):
    @extend_schema(request=None, responses={204: OpenApiResponse()}, operation_id="decline_friend")
    def post(self, request: Request, request_id: UUID) -> Response:
        """Declines a request; who asked is not told."""
        actions.decline_request(person_id=person_of(request).id, request_id=request_id)
        return Response(status=204)
