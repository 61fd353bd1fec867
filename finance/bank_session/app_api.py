"""The app's origin: the state of the PIN, and the person's bank sessions, to see and to close. Nothing is confirmed."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries as people
from accounts import throttles
from accounts.auth import address_of, person_of, session_of
from finance.bank_session import actions, passkeys, pins, queries, receipt_pdf, receipts, signing
from finance.bank_session.api import SessionOut, session_json
from finance.bank_session.errors import PinAlreadySet, PinLocked, PinNotSet
from finance.bank_session.models import Passkey, Receipt
from finance.bank_session.statements import StatementDraft
from kernel.api import ApiView, limit_of, page
from kernel.errors import Invalid, language_of
from kernel.fields import IdField, PlainText

CHECKS_PER_MINUTE = 30
"""Of receipts, by anybody at one address."""
PAPERS_PER_MINUTE = 30
"""Receipts drawn as PDF for a person: each takes a processor for some hundredths of a second."""
A_MINUTE = timedelta(minutes=1)


def uuid_of(request: Request, name: str) -> UUID | None:
    """A cursor that is an id, or None. Raises Invalid."""
    raw = request.query_params.get(name)
    if not raw:
        return None
    try:
        return UUID(raw)
    except ValueError:
        raise Invalid(fields={name: ""}) from None


class PinOut(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["none", "set", "locked"])


class PrepareIn(serializers.Serializer[Any]):
    """`what`: a first PIN, another in place of the present one, another in place of a forgotten or locked one."""

    id = IdField()
    what = serializers.ChoiceField(choices=["set", "change", "reset"], default="set")


class PrepareIdIn(serializers.Serializer[Any]):
    id = IdField()


class PasskeyNameIn(serializers.Serializer[Any]):
    name = PlainText(max_length=passkeys.MAX_NAME, name=True)


class NewPasskeyIn(PasskeyNameIn):
    id = IdField()


class PasskeyOut(serializers.Serializer[Any]):
    id = IdField()
    name = serializers.CharField()
    added_at = serializers.DateTimeField()
    counts_from = serializers.DateTimeField(help_text="until then it signs no large amounts")
    used_at = serializers.DateTimeField(allow_null=True)
    device_name = serializers.CharField(help_text="on which it was added")


class PasskeysOut(serializers.Serializer[Any]):
    items = PasskeyOut(many=True)
    next = serializers.CharField(allow_null=True)


class PreparedOut(serializers.Serializer[Any]):
    """Where to confirm; hand `confirm_url` to openBankSheet."""

    intent_id = IdField()
    confirm_url = serializers.URLField()


class SeenSessionOut(SessionOut):
    """A live bank session. `current`: it belongs to this sign-in."""

    opened_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField()
    device_id = IdField()
    device_name = serializers.CharField()
    current = serializers.BooleanField()


class SeenSessionsOut(serializers.Serializer[Any]):
    items = SeenSessionOut(many=True)
    next = serializers.CharField(allow_null=True)


def prepared_json(prepared: actions.Prepared) -> dict[str, str]:
    """What every prepare endpoint answers."""
    return {"intent_id": str(prepared.intent_id), "confirm_url": prepared.handoff_url}


class FactOut(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, which the base class calls its label
    value = serializers.CharField()


class NamedDocumentOut(serializers.Serializer[Any]):
    title = serializers.CharField()
    sha256 = serializers.RegexField(r"\A[0-9a-f]{64}\Z")


class ReceiptOut(serializers.Serializer[Any]):
    """A receipt; `link` is what its QR code says."""

    id = IdField()
    intent_id = IdField()
    kind = serializers.CharField()
    title = serializers.CharField()
    bank = serializers.CharField()
    amount = serializers.CharField(allow_null=True)
    amount_words = serializers.CharField(allow_null=True)
    lines = FactOut(many=True)
    documents = NamedDocumentOut(many=True)
    at = serializers.DateTimeField()
    holder = serializers.CharField(allow_null=True, help_text="the masked name of who confirmed")
    proof = serializers.ChoiceField(choices=["pin", "passkey", "identity"])
    statement_hash = serializers.CharField()
    algorithm = serializers.CharField()
    key_id = serializers.CharField()
    link = serializers.CharField()


class ReceiptsOut(serializers.Serializer[Any]):
    items = ReceiptOut(many=True)
    next = serializers.CharField(allow_null=True)


class LinkIn(serializers.Serializer[Any]):
    token = serializers.RegexField(r"\A[A-Za-z0-9_-]{24}\Z", trim_whitespace=False)


class KeyOut(serializers.Serializer[Any]):
    algorithm = serializers.CharField()
    key_id = serializers.CharField()
    public_key = serializers.CharField(help_text="PEM")


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """A receipt as pages show it: the words of the statement that was confirmed."""
    seen = receipts.shown(receipt)
    amount = seen.statement["amount"]
    return {
        "id": str(seen.id),
        "intent_id": seen.statement["intent"],
        "kind": seen.kind,
        "title": seen.statement["title"],
        "bank": seen.statement["bank"],
        "amount": amount["text"] if amount else None,
        "amount_words": amount["words"] if amount else None,
        "lines": seen.statement["lines"],
        "documents": seen.statement["documents"],
        "at": seen.at,
        "holder": seen.holder,
        "proof": seen.proof,
        "statement_hash": seen.statement_hash,
        "algorithm": seen.algorithm,
        "key_id": seen.key_id,
        "link": seen.link,
    }


def passkey_json(key: Passkey) -> dict[str, Any]:
    """A passkey as its owner sees it."""
    return {
        "id": key.pk,
        "name": key.name,
        "added_at": key.added_at,
        "counts_from": key.counts_from,
        "used_at": key.used_at,
        "device_name": people.device_name(key.device_id),
    }


def _prepared(request: Request, intent_id: UUID, kind: str, subject: dict[str, Any], draft: StatementDraft) -> Response:
    opened = session_of(request)
    prepared = actions.prepare(
        intent_id=intent_id,
        person_id=opened.person_id,
        chat_session_id=opened.id,
        device_id=opened.device_id,
        kind=kind,
        subject=subject,
        draft=draft,
        language=language_of(request.headers.get("Accept-Language")),
    )
    return Response(prepared_json(prepared), status=201)


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
        kind = _kind(asked.validated_data["what"], actions.pin_state(person_of(request).pk))
        return _prepared(request, asked.validated_data["id"], kind, {}, pins.draft_of(kind))


class PasskeysView(ApiView):
    @extend_schema(operation_id="finance_passkeys", responses=PasskeysOut)
    def get(self, request: Request) -> Response:
        """The person's passkeys. No key is told, only what it is called."""
        items = [passkey_json(key) for key in passkeys.passkeys_of(person_of(request).pk)]
        return Response(PasskeysOut({"items": items, "next": None}).data)

    @extend_schema(operation_id="finance_passkey_prepare", request=NewPasskeyIn, responses={201: PreparedOut})
    def post(self, request: Request) -> Response:
        """Prepares the adding of a passkey, which happens on the bank's page."""
        asked = NewPasskeyIn(data=request.data)
        asked.is_valid(raise_exception=True)
        name = asked.validated_data["name"]
        draft = passkeys.add_draft(person_of(request).pk, name)
        return _prepared(request, asked.validated_data["id"], passkeys.ADD, {"name": name}, draft)


class PasskeyView(ApiView):
    @extend_schema(operation_id="finance_passkey_rename", request=PasskeyNameIn, responses=PasskeyOut)
    def patch(self, request: Request, passkey_id: UUID) -> Response:
        """Calls a passkey otherwise."""
        asked = PasskeyNameIn(data=request.data)
        asked.is_valid(raise_exception=True)
        key = actions.rename_passkey(
            person_id=person_of(request).pk, passkey_id=passkey_id, name=asked.validated_data["name"]
        )
        return Response(PasskeyOut(passkey_json(key)).data)


class PasskeyRemovalView(ApiView):
    @extend_schema(operation_id="finance_passkey_remove", request=PrepareIdIn, responses={201: PreparedOut})
    def post(self, request: Request, passkey_id: UUID) -> Response:
        """Prepares the removal of a passkey, which is confirmed on the bank's page."""
        draft = passkeys.remove_draft(person_of(request).pk, passkey_id)
        asked = PrepareIdIn(data=request.data)
        asked.is_valid(raise_exception=True)
        subject = {"passkey_id": str(passkey_id)}
        return _prepared(request, asked.validated_data["id"], passkeys.REMOVE, subject, draft)


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
                "device_name": people.device_name(session.device_id),
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


class ReceiptsView(ApiView):
    @extend_schema(
        operation_id="finance_receipts",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("before", str)],
        responses=ReceiptsOut,
    )
    def get(self, request: Request) -> Response:
        """The person's receipts, newest first."""
        limit, before = limit_of(request), uuid_of(request, "before")
        found = receipts.receipts_of(person_of(request).pk, before, limit)
        items, cursor = page(found, limit, lambda receipt: receipt.pk)
        return Response({"items": [receipt_json(receipt) for receipt in items], "next": cursor})


class ReceiptView(ApiView):
    @extend_schema(operation_id="finance_receipt", responses=ReceiptOut)
    def get(self, request: Request, intent_id: UUID) -> Response:
        """The receipt of one of the person's executed intents."""
        return Response(receipt_json(receipts.own(person_of(request).pk, intent_id)))


class ReceiptFileView(ApiView):
    @extend_schema(operation_id="finance_receipt_file", responses={(200, "application/octet-stream"): bytes})
    def get(self, request: Request, intent_id: UUID) -> HttpResponse:
        """The signed file, which `verify_receipt` checks without us."""
        receipt = receipts.own(person_of(request).pk, intent_id)
        return _download(receipts.as_file(receipt), "application/json", f"receipt-{receipt.pk}.json")


class ReceiptPdfView(ApiView):
    @extend_schema(operation_id="finance_receipt_pdf", responses={(200, "application/pdf"): bytes})
    def get(self, request: Request, intent_id: UUID) -> HttpResponse:
        """The receipt as PDF with a QR code."""
        person_id = person_of(request).pk
        receipt = receipts.own(person_id, intent_id)
        throttles.hit("receipt-pdf", str(person_id), limit=PAPERS_PER_MINUTE, window=A_MINUTE, light=True)
        return _download(receipt_pdf.draw(receipts.shown(receipt)), "application/pdf", f"receipt-{receipt.pk}.pdf")


class PublicReceiptView(ApiView):
    authentication_classes = []
    permission_classes = []

    @extend_schema(operation_id="finance_receipt_check", request=LinkIn, responses=ReceiptOut)
    def post(self, request: Request, receipt_id: UUID) -> Response:
        """What the QR code of a receipt leads to: what the bank signed, for whoever holds the receipt."""
        throttles.hit("receipt-check", address_of(request._request), limit=CHECKS_PER_MINUTE, window=A_MINUTE)
        asked = LinkIn(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(receipt_json(receipts.by_link(receipt_id, asked.validated_data["token"])))


class ReceiptKeyView(ApiView):
    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="finance_receipt_key",
        parameters=[OpenApiParameter("key_id", str, description="as the receipt names it; without: today's")],
        responses=KeyOut,
    )
    def get(self, request: Request) -> Response:
        """The public key that checks receipts signed today, or with an earlier key."""
        key = receipts.key_of(request.query_params.get("key_id") or signing.present().key_id)
        return Response(KeyOut(key).data)


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
