"""Oneself and others: profile, avatar, identity, bound cards, devices."""

from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access, actions, contacts, queries
from accounts.api.serializers import (
    AvatarInput,
    BoundCardOutput,
    CardInput,
    CardList,
    DeviceList,
    IdentityInput,
    IdentityOutput,
    IssuerOutput,
    MeOutput,
    PersonPage,
    ProfileInput,
)
from accounts.auth import me_json, person_of, session_of
from accounts.banks import MIN_BIN, issuer_by_bin
from accounts.limits import DEVICES_PAGE
from accounts.wire import card_json, person_json
from kernel import pictures
from kernel.api import ApiView, limit_of, moment_in, page
from kernel.errors import Invalid, NotFound

AVATAR_AGE_S = 86_400


class MeView(ApiView):
    @extend_schema(responses={200: MeOutput}, operation_id="me")
    def get(self, request: Request) -> Response:
        """The signed-in person as they see themselves."""
        return Response(me_json(request._request, person_of(request)))

    @extend_schema(request=ProfileInput, responses={200: MeOutput}, operation_id="change_me")
    def patch(self, request: Request) -> Response:
        """Changes the name that others see."""
        asked = ProfileInput(data=request.data)
        asked.is_valid(raise_exception=True)
        person = person_of(request)
        actions.set_display_name(person_id=person.id, name=asked.validated_data["display_name"])
        person.refresh_from_db(fields=["display_name"])
        return Response(me_json(request._request, person))


class AvatarView(ApiView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": AvatarInput}, responses={200: MeOutput}, operation_id="change_avatar"
    )
    def post(self, request: Request) -> Response:
        """Shows another picture as the avatar."""
        asked = AvatarInput(data=request.data)
        asked.is_valid(raise_exception=True)
        person = person_of(request)
        actions.set_avatar(person_id=person.id, upload=asked.validated_data["picture"])
        person.refresh_from_db(fields=["avatar_picture_id"])
        return Response(me_json(request._request, person))


class PersonView(ApiView):
    @extend_schema(responses={200: PersonPage}, operation_id="person")
    def get(self, request: Request, person_id: UUID) -> Response:
        """A person as the viewer sees them, and what they are to each other."""
        viewer = person_of(request)
        other = access.person(person_id)
        relation, request_id = contacts.relation(viewer.id, other)
        card = queries.person_cards([other.id], viewer_id=viewer.id)[other.id]
        return Response({"person": person_json(card), "relation": relation, "request_id": request_id})


class PersonAvatarView(ApiView):
    @extend_schema(
        responses={(200, pictures.CONTENT_TYPE): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("v", str, description="changes with the picture")],
        operation_id="avatar",
    )
    def get(self, request: Request, person_id: UUID) -> HttpResponse:
        """A person's avatar."""
        answer = HttpResponse(access.avatar(person_id), content_type=pictures.CONTENT_TYPE)
        answer["Cache-Control"] = f"private, max-age={AVATAR_AGE_S}"
        return answer


class IdentityView(ApiView):
    @extend_schema(request=IdentityInput, responses={200: IdentityOutput}, operation_id="give_identity")
    def post(self, request: Request) -> Response:
        """Gives the registered name and ID number; until verified they may be put right."""
        asked = IdentityInput(data=request.data)
        asked.is_valid(raise_exception=True)
        person = person_of(request)
        actions.give_identity(person_id=person.id, **asked.validated_data)
        return Response({"level": queries.identity_level(person.id), "masked_name": queries.masked_name(person.id)})


class CardsView(ApiView):
    @extend_schema(responses={200: CardList}, operation_id="bound_cards")
    def get(self, request: Request) -> Response:
        """The person's bound cards; there are few, so one page holds all."""
        cards = queries.bound_cards(person_of(request).id)
        return Response({"items": [card_json(card) for card in cards], "next": None})

    @extend_schema(request=CardInput, responses={201: BoundCardOutput}, operation_id="bind_card")
    def post(self, request: Request) -> Response:
        """Binds another bank's card, once that bank has confirmed whose it is."""
        asked = CardInput(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        card = actions.bind_card(
            person_id=person_of(request).id, card_id=data["id"], number=data["number"], phone=data.get("phone")
        )
        return Response(card_json(card), status=201)


class CardView(ApiView):
    @extend_schema(responses={204: OpenApiResponse()}, operation_id="unbind_card")
    def delete(self, request: Request, card_id: UUID) -> Response:
        """Unbinds a card, unless money is on its way to it or an account hangs on it."""
        actions.unbind_card(person_id=person_of(request).id, card_id=card_id)
        return Response(status=204)


class CardIssuerView(ApiView):
    @extend_schema(responses={200: IssuerOutput}, operation_id="card_issuer")
    def get(self, request: Request, prefix: str) -> Response:
        """Which bank a card is of, by its first 6 to 8 digits."""
        issuer = issuer_by_bin(prefix) if len(prefix) >= MIN_BIN else None
        if issuer is None:
            raise NotFound
        return Response({"bank_name": issuer.bank_name, "kind": issuer.kind, "length": issuer.length})


class DevicesView(ApiView):
    @extend_schema(
        responses={200: DeviceList},
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("before", str)],
        operation_id="devices",
    )
    def get(self, request: Request) -> Response:
        """The devices on which the person signed in, the last used first."""
        current = session_of(request).device_id
        limit = limit_of(request, default=DEVICES_PAGE)
        found = queries.devices_of(person_of(request).id, limit=limit, before=_device_before(request))
        devices, following = page(found, limit, lambda device: f"{device.last_seen_at.isoformat()}_{device.id}")
        items = [
            {
                "id": device.id,
                "name": device.name,
                "current": device.id == current,
                "signed_in": device.signed_in_at is not None,
                "signed_in_at": device.signed_in_at,
                "last_seen_at": device.last_seen_at,
                "verified": device.verified,
            }
            for device in devices
        ]
        return Response(DeviceList({"items": items, "next": following}).data)


def _device_before(request: Request) -> tuple[datetime, UUID] | None:
    raw = request.query_params.get("before")
    if not raw:
        return None
    try:
        text, id_ = raw.replace(" ", "+").split("_")
        return moment_in(text), UUID(id_)
    except ValueError:
        raise Invalid(fields={"before": "cursor"}) from None


class DeviceView(ApiView):
    @extend_schema(responses={204: OpenApiResponse()}, operation_id="remove_device")
    def delete(self, request: Request, device_id: UUID) -> Response:
        """Signs a device out, at once, and takes it off the list."""
        actions.remove_device(person_id=person_of(request).id, device_id=device_id)
        return Response(status=204)
