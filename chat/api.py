"""Chat over HTTP: lists, catching up, pictures, marks. Messages themselves mostly travel by the socket."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import person_of, session_of
from accounts.queries import PersonCard
from accounts.wire import person_json
from chat import access, actions, queries, webpush, wire
from chat import serializers as shapes
from chat.queries import ConversationItem, Cursor
from kernel import pictures
from kernel.api import ApiView, limit_of, moment_in, number_of, page, picture_answer
from kernel.errors import Invalid, language_of

MAX_LIST = 500
_LIMIT = OpenApiParameter("limit", int)
_encoder = msgspec.json.Encoder()


def _people(cards: Iterable[PersonCard]) -> list[dict[str, Any]]:
    return [person_json(card) for card in cards]


def _answer(body: Any) -> HttpResponse:
    """The structs of a page as JSON, at once: what DRF would make of them by way of dicts costs several times that."""
    return HttpResponse(_encoder.encode(body), content_type="application/json")


def _cursor(item: ConversationItem) -> str:
    return f"{int(item.pinned)}_{item.active_at.isoformat()}_{item.id}"


def _after(raw: str | None, name: str) -> Cursor | None:
    if not raw:
        return None
    try:
        pinned, moment, id_ = raw.replace(" ", "+").split("_")
        return {"0": False, "1": True}[pinned], moment_in(moment), UUID(id_)
    except (ValueError, KeyError):
        raise Invalid(fields={name: "cursor"}) from None


def _checked(shape: Any, request: Request) -> dict[str, Any]:
    asked = shape(data=request.data)
    asked.is_valid(raise_exception=True)
    valid: dict[str, Any] = asked.validated_data
    return valid


def _detail(person_id: UUID, conversation_id: UUID) -> HttpResponse:
    item, members = queries.conversation(person_id, conversation_id)
    return _answer({"conversation": item, "people": _people(members)})


class ConversationsView(ApiView):
    @extend_schema(
        responses={200: shapes.ConversationPage},
        parameters=[_LIMIT, OpenApiParameter("before", str)],
        operation_id="conversations",
    )
    def get(self, request: Request) -> HttpResponse:
        """The person's conversations: pinned ones first, then by the newest message."""
        limit = limit_of(request, default=100, most=MAX_LIST)
        after = _after(request.query_params.get("before"), "before")
        items, people = queries.conversations(person_of(request).pk, limit=limit, after=after)
        shown, following = page(items, limit, _cursor)
        return _answer({"items": shown, "people": _people(people), "next": following})

    @extend_schema(
        request=shapes.OpenInput, responses={200: shapes.ConversationDetail}, operation_id="open_conversation"
    )
    def post(self, request: Request) -> HttpResponse:
        """Opens the conversation with a friend, or finds it."""
        asked = _checked(shapes.OpenInput, request)
        person = person_of(request).pk
        return _detail(person, actions.open_direct(person_id=person, other_id=asked["person_id"]))


class GroupsView(ApiView):
    @extend_schema(request=shapes.GroupInput, responses={200: shapes.ConversationDetail}, operation_id="open_group")
    def post(self, request: Request) -> HttpResponse:
        """Opens a group with friends. The same id again gives the same group."""
        asked = _checked(shapes.GroupInput, request)
        person = person_of(request).pk
        group = actions.open_group(
            opened_by=person, title=asked["title"], member_ids=asked["member_ids"], client_id=asked["id"]
        )
        return _detail(person, group)


class ConversationView(ApiView):
    @extend_schema(responses={200: shapes.ConversationDetail}, operation_id="conversation")
    def get(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """One conversation and everybody in it."""
        return _detail(person_of(request).pk, conversation_id)

    @extend_schema(
        request=shapes.MarksInput, responses={200: shapes.ConversationDetail}, operation_id="mark_conversation"
    )
    def patch(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """Mutes, pins, takes off the list: marks for oneself."""
        asked = _checked(shapes.MarksInput, request)
        person = person_of(request).pk
        actions.set_marks(conversation_id=conversation_id, person_id=person, **asked)
        return _detail(person, conversation_id)


class MessagesView(ApiView):
    @extend_schema(
        responses={200: shapes.MessagePage},
        parameters=[_LIMIT, OpenApiParameter("before", int)],
        operation_id="messages",
    )
    def get(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """Messages before a `seq`, newest first, and the version at which they were read."""
        limit = limit_of(request)
        found, version, people = queries.messages(
            person_of(request).pk, conversation_id, before=number_of(request, "before"), limit=limit
        )
        shown, following = page(found, limit, lambda message: message.seq)
        return _answer({"items": shown, "people": _people(people), "next": following, "version": version})

    @extend_schema(request=shapes.TextInput, responses={200: shapes.MessageOutput}, operation_id="send_text")
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Sends a text where there is no socket. The same client id again gives the same message."""
        asked = _checked(shapes.TextInput, request)
        sent = actions.send_text(conversation_id=conversation_id, sender_id=person_of(request).pk, **asked)
        return Response(wire.plain(sent))


class PicturesView(ApiView):
    parser_classes: Sequence[Any] = (MultiPartParser,)

    @extend_schema(
        request={"multipart/form-data": shapes.PictureInput},
        responses={200: shapes.MessageOutput},
        operation_id="send_picture",
    )
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Sends a picture (JPEG, PNG, WebP up to 10 MB). The same client id again gives the same message."""
        asked = _checked(shapes.PictureInput, request)
        sent = actions.send_picture(
            conversation_id=conversation_id,
            sender_id=person_of(request).pk,
            client_id=asked["client_id"],
            upload=asked["picture"],
        )
        return Response(wire.plain(sent))


class PictureView(ApiView):
    @extend_schema(
        responses={(200, pictures.CONTENT_TYPE): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("size", str, enum=["full", "thumb"])],
        operation_id="chat_picture",
    )
    def get(self, request: Request, picture_id: UUID) -> HttpResponse:
        """The bytes, for whoever may see a message that shows them."""
        asked = request.query_params.get("size", "full")
        if asked not in {"full", "thumb"}:
            raise Invalid(fields={"size": "full | thumb"})
        size: pictures.Size = "thumb" if asked == "thumb" else "full"
        found = access.picture_for(person_of(request).pk, picture_id)
        return picture_answer(request, picture_id, size, pictures.read(found, size))


class ReadView(ApiView):
    @extend_schema(request=shapes.ReadInput, responses={200: shapes.ReadOutput}, operation_id="mark_read")
    def post(self, request: Request, conversation_id: UUID) -> Response:
        """Notes that everything up to `seq` was seen; marks never move back."""
        asked = _checked(shapes.ReadInput, request)
        marked = actions.mark_read(conversation_id=conversation_id, person_id=person_of(request).pk, seq=asked["seq"])
        return Response({"seq": marked.seq, "unread": marked.unread})


class RecallView(ApiView):
    @extend_schema(request=None, responses={200: shapes.MessageOutput}, operation_id="recall_message")
    def post(self, request: Request, message_id: UUID) -> Response:
        """Takes one's own text or picture back, within two minutes."""
        return Response(wire.plain(actions.recall(message_id=message_id, person_id=person_of(request).pk)))


class ForwardView(ApiView):
    @extend_schema(request=shapes.ForwardInput, responses={200: shapes.MessageOutput}, operation_id="forward_card")
    def post(self, request: Request, message_id: UUID) -> Response:
        """Shows a card to somebody else, where its kind allows that. It grants nothing."""
        asked = _checked(shapes.ForwardInput, request)
        sent = actions.forward_card(message_id=message_id, sender_id=person_of(request).pk, **asked)
        return Response(wire.plain(sent))


class SyncView(ApiView):
    @extend_schema(request=shapes.SyncInput, responses={200: shapes.SyncOutput}, operation_id="sync")
    def post(self, request: Request) -> HttpResponse:
        """From what a client has to the present: 1,000 conversations in an answer, each readable after it.

        `after`: null, then the `next` of the answer before, until that is null. A client that does not send it asks
        again with what it has, while `more`."""
        asked = _checked(shapes.SyncInput, request)
        after = _after(asked.get("after"), "after")
        answer = queries.sync(
            person_of(request).pk,
            asked["have"],
            paged="after" in asked,
            after=after,
            everybody=asked.get("people", False),
        )
        return _answer(
            {
                "conversations": answer.conversations,
                "marks": answer.marks,
                "changes": answer.changes,
                "gone": answer.gone,
                "people": _people(answer.people),
                "more": answer.more,
                "next": _cursor(answer.next) if answer.next else None,
            }
        )


class PushSubscriptionsView(ApiView):
    @extend_schema(request=shapes.PushInput, responses={201: shapes.PushOutput}, operation_id="subscribe_push")
    def post(self, request: Request) -> Response:
        """Rings this browser when the app is closed, until the person signs out on it. The same address again is one
        browser."""
        asked = _checked(shapes.PushInput, request)
        made = actions.subscribe(
            person_id=person_of(request).pk,
            session_id=session_of(request).id,
            endpoint=asked["endpoint"],
            language=language_of(request.headers.get("Accept-Language")),
            **asked["keys"],
        )
        return Response({"id": str(made.pk)}, status=201)

    @extend_schema(request=shapes.PushGoneInput, responses={204: None}, operation_id="unsubscribe_push")
    def delete(self, request: Request) -> Response:
        """Rings this browser no more; harmless twice."""
        asked = _checked(shapes.PushGoneInput, request)
        actions.unsubscribe(person_id=person_of(request).pk, endpoint=asked["endpoint"])
        return Response(status=204)


def _wishes(person_id: UUID) -> Response:
    shown = {"public_key": webpush.public_key(), **vars(actions.wishes_of(person_id))}
    return Response(shapes.PushWishesOutput(shown).data)


class PushSettingsView(ApiView):
    @extend_schema(responses={200: shapes.PushWishesOutput}, operation_id="push_settings")
    def get(self, request: Request) -> Response:
        """How the person wants to be rung. `public_key` is what a browser subscribes with; null: push is not set up
        here. Quiet hours are in the bank's time zone."""
        return _wishes(person_of(request).pk)

    @extend_schema(
        request=shapes.PushWishesInput, responses={200: shapes.PushWishesOutput}, operation_id="set_push_settings"
    )
    def put(self, request: Request) -> Response:
        """Replaces the person's wishes."""
        asked = _checked(shapes.PushWishesInput, request)
        person = person_of(request).pk
        actions.set_wishes(person_id=person, wishes=actions.Wishes(**asked))
        return _wishes(person)
