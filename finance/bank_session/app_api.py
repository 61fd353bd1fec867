"""The app's origin: the state of the PIN, and the person's bank sessions, to see and to close. Nothing is confirmed."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import person_of, session_of
from finance.bank_session import actions, pins, queries
from finance.bank_session.api import SessionOut, session_json
from finance.bank_session.errors import PinAlreadySet, PinLocked, PinNotSet
from kernel.api import ApiView
from kernel.errors import language_of


class PinOut(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["none", "set", "locked"])


class PrepareIn(serializers.Serializer[Any]):
    """`what`: a first PIN, another in place of the present one, another in place of a forgotten or locked one."""

    id = serializers.UUIDField()
    what = serializers.ChoiceField(choices=["set", "change", "reset"], default="set")


class PreparedOut(serializers.Serializer[Any]):
    """Where to confirm; hand `confirm_url` to openBankSheet."""

    intent_id = serializers.UUIDField()
    confirm_url = serializers.URLField()


class SeenSessionOut(SessionOut):
    """A live bank session. `current`: it belongs to this sign-in."""

    opened_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField()
    device_id = serializers.UUIDField()
    current = serializers.BooleanField()


class SeenSessionsOut(serializers.Serializer[Any]):
    items = SeenSessionOut(many=True)
    next = serializers.CharField(allow_null=True)


def prepared_json(prepared: actions.Prepared) -> dict[str, str]:
    """What every prepare endpoint answers."""
    return {"intent_id": str(prepared.intent_id), "confirm_url": prepared.handoff_url}


def _kind(what: str, state: str) -> str:
    """The intent's kind. Raises PinAlreadySet, PinNotSet, PinLocked where the PIN there is, or is not, forbids it."""
    if what == "set":
        if state != "none":
            raise PinAlreadySet
        return pins.SET_PIN
    if state == "none":
        raise PinNotSet
    if what == "reset":
        return pins.RESET_PIN
    if state == "locked":
        raise PinLocked
    return pins.CHANGE_PIN


class PinView(ApiView):
    @extend_schema(operation_id="finance_pin", responses=PinOut)
    def get(self, request: Request) -> Response:
        """Whether the person has a PIN, and whether it is locked."""
        return Response({"state": actions.pin_state(person_of(request).pk)})

    @extend_schema(operation_id="finance_pin_prepare", request=PrepareIn, responses={201: PreparedOut})
    def post(self, request: Request) -> Response:
        """Prepares the choosing of a PIN, which happens on the bank's page."""
        asked = PrepareIn(data=request.data)
        asked.is_valid(raise_exception=True)
        person, opened = person_of(request), session_of(request)
        kind = _kind(asked.validated_data["what"], actions.pin_state(person.pk))
        prepared = actions.prepare(
            intent_id=asked.validated_data["id"],
            person_id=person.pk,
            chat_session_id=opened.id,
            device_id=opened.device_id,
            kind=kind,
            subject={},
            draft=pins.draft_of(kind),
            language=language_of(request.headers.get("Accept-Language")),
        )
        return Response(prepared_json(prepared), status=201)


class HandoffView(ApiView):
    @extend_schema(operation_id="finance_intent_open", request=None, responses={201: PreparedOut})
    def post(self, request: Request, intent_id: UUID) -> Response:
        """Another way into the sheet of an intent of this very sign-in, where the page was closed."""
        opened = session_of(request)
        prepared = actions.hand_over(
            intent_id=intent_id,
            person_id=opened.person_id,
            chat_session_id=opened.id,
            device_id=opened.device_id,
        )
        return Response(prepared_json(prepared), status=201)


class BankSessionsView(ApiView):
    @extend_schema(operation_id="finance_bank_sessions", responses=SeenSessionsOut)
    def get(self, request: Request) -> Response:
        """The person's live bank sessions."""
        here = session_of(request).id
        items = [
            {
                **session_json(session),
                "opened_at": session.opened_at,
                "used_at": session.used_at,
                "device_id": session.device_id,
                "current": session.chat_session_id == here,
            }
            for session in queries.sessions_of(person_of(request).pk)
        ]
        return Response(SeenSessionsOut({"items": items, "next": None}).data)

    @extend_schema(operation_id="finance_bank_sessions_close", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Ends every bank session of the person."""
        actions.close_all(person_id=person_of(request).pk)
        return Response(status=204)


class BankSessionView(ApiView):
    @extend_schema(operation_id="finance_bank_session_close", responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> Response:
        """Ends one of the person's bank sessions."""
        actions.close(person_id=person_of(request).pk, session_id=session_id)
        return Response(status=204)
