"""The bank's origin: the sheet opens a session, shows a statement, has it confirmed or cancelled."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import limits
from accounts import queries as people
from accounts.auth import address_of
from finance.bank_session import access, actions, identity, passkeys, pins
from finance.bank_session.doors import BankView, session_in
from finance.bank_session.errors import ChallengeOver, StatementStale
from finance.bank_session.models import BankSession, Intent
from finance.bank_session.proofs import PasskeyProof, PinProof, Proof
from kernel.clock import now
from kernel.errors import Refusal, language_of, said
from kernel.fields import IdField, PlainText


class DigitsIn(serializers.RegexField):
    """ASCII characters of one form in a JSON string; full-width ones are none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The text, or a validation error that does not repeat it."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class PinField(DigitsIn):
    """Six digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(regex=r"\A[0-9]{6}\Z", max_length=6, **kwargs)


class HashField(DigitsIn):
    """SHA-256 as 64 lower-case hex digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(regex=r"\A[0-9a-f]{64}\Z", **kwargs)


class HandoffIn(serializers.Serializer[Any]):
    handoff = PlainText(max_length=100)


class Base64Field(DigitsIn):
    """Bytes as WebAuthn writes them: base64url without padding."""

    def __init__(self, *, most: int = 4096, **kwargs: Any) -> None:
        super().__init__(regex=r"\A[A-Za-z0-9_-]+\Z", max_length=most, **kwargs)


class SignatureIn(serializers.Serializer[Any]):
    """What an authenticator answers when it signs, field by field as WebAuthn names them."""

    clientDataJSON = Base64Field()
    authenticatorData = Base64Field()
    signature = Base64Field()
    userHandle = Base64Field(required=False, allow_null=True)


class AttestationIn(serializers.Serializer[Any]):
    """What it answers when it makes a key."""

    clientDataJSON = Base64Field()
    attestationObject = Base64Field(most=16384)
    transports = serializers.ListField(child=DigitsIn(regex=r"\A[a-z-]{1,20}\Z"), max_length=8, required=False)


class CredentialIn(serializers.Serializer[Any]):
    """The part that both share."""

    id = Base64Field(most=1400)
    rawId = Base64Field(most=1400)
    type = serializers.ChoiceField(choices=["public-key"])


class SignedIn(CredentialIn):
    response = SignatureIn()


class MadeIn(CredentialIn):
    response = AttestationIn()


class ConfirmIn(serializers.Serializer[Any]):
    """Exactly one of the two: the PIN authorises, a passkey (the browser's credential as JSON) signs."""

    pin = PinField(required=False)
    passkey = SignedIn(required=False)
    statement_hash = HashField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One proof."""
        if ("pin" in attrs) == ("passkey" in attrs):
            raise serializers.ValidationError(
                {"pin": said("请用支付密码或通行密钥确认。", "A PIN or a passkey is needed.")}
            )
        return attrs

    def proof(self) -> Proof:
        """What was given."""
        given = self.validated_data
        return PinProof(given["pin"]) if "pin" in given else PasskeyProof(given["passkey"])


class PasskeyIn(serializers.Serializer[Any]):
    credential = MadeIn()


class PasskeyOptionsOut(serializers.Serializer[Any]):
    options = serializers.DictField(help_text="for PublicKeyCredential.parseCreationOptionsFromJSON")


class ChosenPinIn(serializers.Serializer[Any]):
    """`current`: the present PIN, to change it; without it an identity proof of this sheet is used up."""

    intent_id = IdField()
    pin = PinField()
    current = PinField(required=False)
    statement_hash = HashField()


class ProofIn(serializers.Serializer[Any]):
    """`id_tail`: the last six characters of the ID number. `card_number`: in full."""

    code = DigitsIn(regex=r"\A[0-9]{6}\Z")
    id_tail = DigitsIn(regex=r"\A[0-9]{5}[0-9Xx]\Z", required=False)
    card_number = DigitsIn(regex=r"\A[0-9]{12,19}\Z", required=False)
    asked = serializers.ChoiceField(choices=["pin", "device"], default="pin")


class ProofOut(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(choices=["first", "reset", "device"])
    needs = serializers.ListField(child=serializers.ChoiceField(choices=["id_tail", "card_number"]))
    sent_to = serializers.CharField(help_text="the registered phone, masked")
    proved = serializers.BooleanField()


class ProofCodeOut(serializers.Serializer[Any]):
    sent_to = serializers.CharField(help_text="the registered phone, masked")
    again_in_s = serializers.IntegerField()
    demo_code = serializers.CharField(allow_null=True, help_text="demo mode alone: what the text message would say")


class SessionOut(serializers.Serializer[Any]):
    """How long the session lasts: `idle_s` if nothing is done, `left_s` at most."""

    id = IdField()
    idle_s = serializers.IntegerField()
    left_s = serializers.IntegerField()


class IntentOut(serializers.Serializer[Any]):
    """An intent and the canonical statement to be confirmed. Once it has ended that is null, and so is what is said of
    the PIN.
    """

    id = IdField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=Intent.State.choices)
    statement = serializers.CharField(allow_null=True)
    statement_hash = serializers.CharField(allow_null=True)
    challenge_s = serializers.IntegerField()
    pin_state = serializers.ChoiceField(choices=["none", "set", "locked"], allow_null=True)
    tries_left = serializers.IntegerField(allow_null=True)
    passkeys = serializers.ListField(child=serializers.DictField(), help_text="allowCredentials; empty without any")
    must_sign = serializers.BooleanField(help_text="the PIN is not enough for this amount")
    rp_id = serializers.CharField()
    result = serializers.DictField(allow_null=True)
    session = SessionOut()


class OpenedOut(serializers.Serializer[Any]):
    intent_id = IdField()
    session = SessionOut()


class ConfigOut(serializers.Serializer[Any]):
    app_origin = serializers.CharField()
    bank_name = serializers.CharField()
    bank_name_en = serializers.CharField()


def session_json(session: BankSession, used_at: datetime | None = None) -> dict[str, Any]:
    """A session's clock: whole seconds, so that the page needs no clock in step with ours.

    As it stands, or as it stood at `used_at`, when something was done in it.
    """
    moment = used_at or now()
    left = max(timedelta(), session.expires_at - moment)
    idle = max(timedelta(), (used_at or session.used_at) + timedelta(seconds=settings.BANK_IDLE_S) - moment)
    return {"id": str(session.pk), "idle_s": int(min(idle, left).total_seconds()), "left_s": int(left.total_seconds())}


def intent_json(intent: Intent, session: BankSession, used_at: datetime | None = None) -> dict[str, Any]:
    """An intent as the sheet draws it. `used_at`: see session_json."""
    waiting = intent.state == Intent.State.PREPARED
    pin_state, tries_left = pins.standing(intent.person_id) if waiting else (None, None)
    return {
        "id": str(intent.pk),
        "kind": intent.kind,
        "state": intent.state,
        "statement": bytes(intent.statement).decode() if waiting else None,
        "statement_hash": bytes(intent.statement_hash).hex() if waiting else None,
        "challenge_s": max(0, int((intent.challenged_until - now()).total_seconds())) if waiting else 0,
        "pin_state": pin_state,
        "tries_left": tries_left,
        "passkeys": passkeys.allowed(intent.person_id) if waiting else [],
        "must_sign": waiting and passkeys.must_sign(intent.person_id, intent.draft["amount_fen"]),
        "rp_id": settings.PASSKEY_RP_ID,
        "result": _in_order(intent.result),
        "session": session_json(session, used_at),
    }


def _in_order(result: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same bytes whether it was just made or is read again: PostgreSQL keeps the names in an order of its own."""
    return None if result is None else {name: result[name] for name in sorted(result)}


def _language(request: Request) -> str:
    return language_of(request.headers.get("Accept-Language"))


def _fresh(refusal: Refusal, request: Request, intent: Intent, session: BankSession) -> Response:
    """A refusal for staleness, with the statement as it now stands."""
    language = _language(request)
    renewed = actions.challenge(intent=intent, language=language, afresh=True)
    return Response({**refusal.body(language), "intent": intent_json(renewed, session)}, status=refusal.status)


def _told(outcome: actions.Outcome, session: BankSession) -> Response:
    """What came of it; the browser keeps the session's new token.

    Of an intent that was done, in the same session, the same bytes however often and whenever it is confirmed again:
    the clock is the one of that moment.
    """
    ended_at = outcome.intent.ended_at
    used_at = None if ended_at is None else max(ended_at, session.opened_at)
    response = Response(intent_json(outcome.intent, session, used_at))
    _keep_token(response, outcome.token, session)
    return response


def _keep_token(response: Response, token: str | None, session: BankSession) -> None:
    if token is not None:
        left = session.expires_at - now()
        _keep_there(response, settings.BANK_COOKIE_NAME, token, int(left.total_seconds()))


def _keep_there(response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie that the bank's page alone sends back, and that no script reads."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=settings.BANK_COOKIE_PATH,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Strict",
    )


class ConfigView(BankView):
    authentication_classes = []
    permission_classes = []

    @extend_schema(operation_id="bank_config", responses=ConfigOut)
    def get(self, request: Request) -> Response:
        """What the sheet must know of the installation: whom it may talk to, and the bank's name."""
        return Response(
            {
                "app_origin": settings.APP_ORIGIN,
                "bank_name": settings.BANK_NAME,
                "bank_name_en": settings.BANK_NAME_EN,
            }
        )


class SessionsView(BankView):
    authentication_classes = []
    permission_classes = []

    @extend_schema(operation_id="bank_session_open", request=HandoffIn, responses={201: OpenedOut})
    def post(self, request: Request) -> Response:
        """Opens a bank session with the one-time code that the chat's page was given."""
        asked = HandoffIn(data=request.data)
        asked.is_valid(raise_exception=True)
        left_here = request.COOKIES.get(settings.BANK_DEVICE_COOKIE_NAME, "")
        opened = actions.redeem(code=asked.validated_data["handoff"], device_token=left_here)
        body = {"intent_id": str(opened.intent_id), "session": session_json(opened.session)}
        response = Response(body, status=201)
        _keep_token(response, opened.token, opened.session)
        return response


class SessionView(BankView):
    @extend_schema(operation_id="bank_session", responses=SessionOut)
    def get(self, request: Request) -> Response:
        """The session's clock. Looking at it does not wind it."""
        return Response(session_json(session_in(request)))

    @extend_schema(operation_id="bank_session_close", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Ends the session."""
        session = session_in(request)
        actions.close(person_id=session.person_id, session_id=session.pk)
        response = Response(status=204)
        response.delete_cookie(settings.BANK_COOKIE_NAME, path=settings.BANK_COOKIE_PATH, samesite="Strict")
        return response


class IntentView(BankView):
    replaced_may_look = True

    @extend_schema(operation_id="bank_intent", responses=IntentOut)
    def get(self, request: Request, intent_id: UUID) -> Response:
        """The intent with a statement that can be confirmed, in the caller's language."""
        session = session_in(request)
        intent = access.intent_of(session, intent_id)
        seen = intent if session.replaced else actions.challenge(intent=intent, language=_language(request))
        return Response(intent_json(seen, session))


class ConfirmView(BankView):
    replaced_may_look = True

    @extend_schema(operation_id="bank_intent_confirm", request=ConfirmIn, responses=IntentOut)
    def post(self, request: Request, intent_id: UUID) -> Response:
        """Does it, once, if the PIN is right or the passkey's signature holds, over the statement as it stands.

        409 `statement_stale` and `challenge_over` carry the fresh statement in `intent`; nothing was done. The same
        confirmation again is answered with the same bytes; 409 `in_flight` while the first is at work: ask again.
        """
        session = session_in(request)
        intent = access.intent_of(session, intent_id)
        given = ConfirmIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.touch(session=session)
        try:
            outcome = actions.confirm(
                session=session,
                intent=intent,
                statement_hash=bytes.fromhex(given.validated_data["statement_hash"]),
                proof=given.proof(),
            )
        except (StatementStale, ChallengeOver) as refusal:
            return _fresh(refusal, request, intent, session)
        return _told(outcome, session)


class CancelView(BankView):
    @extend_schema(operation_id="bank_intent_cancel", request=None, responses=IntentOut)
    def post(self, request: Request, intent_id: UUID) -> Response:
        """Ends the intent without doing it."""
        session = session_in(request)
        intent = actions.cancel(intent=access.intent_of(session, intent_id))
        return Response(intent_json(intent, session))


class ProofView(BankView):
    @extend_schema(
        operation_id="bank_proof",
        parameters=[OpenApiParameter("asked", str, enum=["pin", "device"])],
        responses=ProofOut,
    )
    def get(self, request: Request, intent_id: UUID) -> Response:
        """What the person must give to prove who they are before a PIN is chosen. Sends nothing."""
        session = session_in(request)
        intent = access.intent_of(session, intent_id)
        asked: identity.Asked = "device" if request.query_params.get("asked") == "device" else "pin"
        return Response(
            {
                "purpose": identity.purpose_of(session.person_id, asked),
                "needs": identity.needs(session.person_id, asked),
                "sent_to": people.phone_masked(session.person_id),
                "proved": session.device_known if asked == "device" else identity.proved(session, intent),
            }
        )

    @extend_schema(operation_id="bank_proof_give", request=ProofIn, responses={204: None})
    def post(self, request: Request, intent_id: UUID) -> Response:
        """Proves who the person is, for a PIN to be chosen in this sheet. The try is counted before it is looked at."""
        session = session_in(request)
        intent = access.intent_of(session, intent_id)
        given = ProofIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.touch(session=session)
        asked = given.validated_data.pop("asked")
        proved = actions.prove(
            session=session, intent=intent, given=identity.Given(**given.validated_data), asked=asked
        )
        response = Response(status=204)
        _keep_there(response, settings.BANK_DEVICE_COOKIE_NAME, proved.device_token, settings.BANK_DEVICE_S)
        _keep_token(response, proved.token, session)
        return response


class ProofCodeView(BankView):
    @extend_schema(operation_id="bank_proof_code", request=None, responses={201: ProofCodeOut})
    def post(self, request: Request, intent_id: UUID) -> Response:
        """Sends a one-time code to the registered phone, whatever the page says."""
        session = session_in(request)
        access.intent_of(session, intent_id)
        actions.touch(session=session)
        sent = actions.send_proof_code(session=session, address=address_of(request._request))
        body = {
            "sent_to": sent.sent_to,
            "again_in_s": int(limits.CODE_PAUSE.total_seconds()),
            "demo_code": sent.demo_code,
        }
        return Response(body, status=201)


class PinView(BankView):
    @extend_schema(operation_id="bank_pin_set", request=ChosenPinIn, responses=IntentOut)
    def post(self, request: Request) -> Response:
        """Sets the person's PIN in the sheet of the intent named: after an identity proof, or with the present PIN."""
        session = session_in(request)
        given = ChosenPinIn(data=request.data)
        given.is_valid(raise_exception=True)
        intent = access.intent_of(session, given.validated_data["intent_id"])
        actions.touch(session=session)
        try:
            outcome = actions.choose_pin(
                session=session,
                intent=intent,
                statement_hash=bytes.fromhex(given.validated_data["statement_hash"]),
                pin=given.validated_data["pin"],
                current=given.validated_data.get("current"),
            )
        except (StatementStale, ChallengeOver) as refusal:
            return _fresh(refusal, request, intent, session)
        return _told(outcome, session)


class PasskeyView(BankView):
    @extend_schema(operation_id="bank_passkey_options", responses=PasskeyOptionsOut)
    def get(self, request: Request, intent_id: UUID) -> Response:
        """What the browser needs to make a passkey, once adding it has been confirmed in this session."""
        session = session_in(request)
        return Response({"options": passkeys.options(session, access.intent_of(session, intent_id))})

    @extend_schema(operation_id="bank_passkey_add", request=PasskeyIn, responses={204: None})
    def post(self, request: Request, intent_id: UUID) -> Response:
        """Keeps the passkey that the browser made."""
        session = session_in(request)
        intent = access.intent_of(session, intent_id)
        given = PasskeyIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.touch(session=session)
        actions.add_passkey(session=session, intent=intent, credential=given.validated_data["credential"])
        return Response(status=204)
