"""Signing in and out, registering, one-time codes, passwords."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions, limits
from accounts.actions.sessions import DeviceClaim
from accounts.api.serializers import (
    CodeInput,
    CodeOutput,
    MeOutput,
    PasswordInput,
    PasswordResetInput,
    RegistrationInput,
    SessionInput,
    WhoOutput,
)
from accounts.auth import address_of, me_json, person_of, session_of
from accounts.models import Person
from accounts.throttles import Asker
from kernel.api import ApiView
from kernel.ids import new_id
from kernel.text import is_name

MAX_DEVICE_NAME = 60
_BROWSERS = (("Edg/", "Edge"), ("MicroMessenger", "WeChat"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def _named(agent: str) -> str:
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    browser = next((name for mark, name in _BROWSERS if mark in agent), "Safari" if "Safari/" in agent else "")
    return " · ".join(part for part in (system, browser) if part)


def _claim(request: Request, data: dict[str, Any]) -> DeviceClaim:
    name = data.get("device_name") or _named(request.headers.get("User-Agent", ""))
    given: UUID | None = data.get("device_id")
    return DeviceClaim(given or new_id(), name[:MAX_DEVICE_NAME] if is_name(name) else "Web")


def _asker(request: Request, data: dict[str, Any]) -> Asker:
    return Asker(address_of(request._request), data.get("device_id"))


class SessionView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(responses={200: WhoOutput}, operation_id="who")
    def get(self, request: Request) -> Response:
        """Who is signed in, or nobody: a page's first question, and no error where the answer is nobody."""
        person = request.user if isinstance(request.user, Person) else None
        return Response({"me": me_json(request._request, person) if person else None})

    @extend_schema(request=SessionInput, responses={200: MeOutput}, operation_id="sign_in")
    def post(self, request: Request) -> Response:
        """Signs in by phone number and password, or by a code sent to the phone."""
        asked = SessionInput(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        claim, asker = _claim(request, data), _asker(request, data)
        if "password" in data:
            person = actions.sign_in_with_password(
                request._request, phone=data["phone"], password=data["password"], device=claim, asker=asker
            )
        else:
            person = actions.sign_in_with_code(
                request._request, phone=data["phone"], code=data["code"], device=claim, asker=asker
            )
        return Response(me_json(request._request, person))

    @extend_schema(request=None, responses={204: OpenApiResponse()}, operation_id="sign_out")
    def delete(self, request: Request) -> Response:
        """Signs out; harmless without a session."""
        actions.sign_out(request._request)
        return Response(status=204)


class CodesView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(request=CodeInput, responses={201: CodeOutput}, operation_id="send_code")
    def post(self, request: Request) -> Response:
        """Sends a one-time code to a phone. The answer is the same for a number that nobody has."""
        asked = CodeInput(data=request.data)
        asked.is_valid(raise_exception=True)
        phone = asked.validated_data["phone"]
        code = actions.send_code(
            phone=phone, purpose=asked.validated_data["purpose"], asker=_asker(request, asked.validated_data)
        )
        return Response(
            {
                "sent_to": f"{phone[:3]}****{phone[-4:]}",
                "expires_in_s": int(limits.CODE_LIFE.total_seconds()),
                "again_in_s": int(limits.CODE_PAUSE.total_seconds()),
                "demo_code": code if settings.DEMO else None,
            },
            status=201,
        )


class RegistrationsView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(request=RegistrationInput, responses={201: MeOutput}, operation_id="register")
    def post(self, request: Request) -> Response:
        """Registers whoever holds the phone, and signs them in."""
        asked = RegistrationInput(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        person = actions.register(
            request._request,
            phone=data["phone"],
            code=data["code"],
            password=data["password"],
            display_name=data["display_name"],
            agreed=data.get("agreed", {}),
            device=_claim(request, data),
            asker=_asker(request, data),
        )
        return Response(me_json(request._request, person), status=201)


class PasswordView(ApiView):
    @extend_schema(request=PasswordInput, responses={204: OpenApiResponse()}, operation_id="change_password")
    def post(self, request: Request) -> Response:
        """Changes the password; every other session ends."""
        asked = PasswordInput(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        actions.change_password(
            request._request,
            person=person_of(request),
            current=data["current"],
            new=data["new"],
            session_id=session_of(request).id,
        )
        return Response(status=204)


class PasswordResetsView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(request=PasswordResetInput, responses={204: OpenApiResponse()}, operation_id="reset_password")
    def post(self, request: Request) -> Response:
        """Sets a new password by a code sent to the phone; every session ends."""
        asked = PasswordResetInput(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        actions.reset_password(
            phone=data["phone"], code=data["code"], new=data["password"], asker=_asker(request, data)
        )
        return Response(status=204)
