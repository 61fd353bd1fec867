"""REST doors of payments: parse, one call, render."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries as people
from accounts.auth import person_of, session_of
from accounts.permissions import HasRole
from finance.bank_session import actions as bank_session
from finance.ledger import names
from finance.payments import access, queries
from finance.payments import serializers as shapes
from finance.payments.actions import breaks, closing, opening, own, payouts, transfers
from kernel.api import ApiView, limit_of, page
from kernel.errors import Invalid, Language, language_of
from kernel.idempotency import HEADER, idempotent

KEY = OpenApiParameter(HEADER, UUID, OpenApiParameter.HEADER, required=True)
LIMIT = OpenApiParameter("limit", int)
BEFORE = OpenApiParameter("before", UUID)


def _language(request: Request) -> Language:
    return language_of(request.headers.get("Accept-Language"))


def _parsed(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    form = shape(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _query_id(request: Request, name: str) -> UUID:
    try:
        return UUID(request.query_params.get(name, ""))
    except ValueError:
        raise Invalid(fields={name: "uuid"}) from None


def _before(request: Request) -> UUID | None:
    return _query_id(request, "before") if "before" in request.query_params else None


def _prepared(prepared: bank_session.Prepared) -> Response:
    return Response(
        shapes.PreparedIntent({"intent_id": prepared.intent_id, "confirm_url": prepared.handoff_url}).data, status=201
    )


class Transfers(ApiView):
    """Money to a friend."""

    @extend_schema(
        operation_id="finance_transfer_prepare", request=shapes.TransferOrder, responses={201: shapes.PreparedIntent}
    )
    def post(self, request: Request) -> Response:
        """Prepares a transfer; it happens when its statement is confirmed on the bank's origin."""
        asked = _parsed(request, shapes.TransferOrder)
        session = session_of(request)
        return _prepared(
            transfers.prepare(
                intent_id=asked.pop("id"),
                payer_id=session.person_id,
                chat_session_id=session.id,
                device_id=session.device_id,
                order=transfers.Order(**asked),
                language=_language(request),
            )
        )


class TransferOptions(ApiView):
    """What a transfer is made of."""

    @extend_schema(
        operation_id="finance_transfer_options",
        parameters=[
            OpenApiParameter("conversation_id", UUID, required=True),
            OpenApiParameter("payee_id", UUID, required=True),
        ],
        responses=shapes.TransferChoices,
    )
    def get(self, request: Request) -> Response:
        """The payee as the bank knows them, and the payer's accounts with what their limits leave."""
        session = session_of(request)
        conversation_id, payee_id = _query_id(request, "conversation_id"), _query_id(request, "payee_id")
        found = transfers.choices(
            session.person_id, payee_id, conversation_id, _language(request), device_id=session.device_id
        )
        return Response(shapes.TransferChoices(found).data)


class TransferOne(ApiView):
    """One transfer, for its two people."""

    @extend_schema(operation_id="finance_transfer", responses=shapes.TransferDetail)
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """The transfer as the caller sees it: their own account, the other's masked name, what they may do."""
        person_id = person_of(request).pk
        transfer = access.transfer_of(person_id, transfer_id)
        return Response(shapes.TransferDetail(queries.transfer_view(transfer, person_id, _language(request))).data)


class TransferAccept(ApiView):
    """The payee takes the money."""

    @extend_schema(
        operation_id="finance_transfer_accept",
        parameters=[KEY],
        request=shapes.ReceivingAccount,
        responses=shapes.TransferDetail,
    )
    @idempotent
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Credits the account that the payee chose. Without any account: 409 account_needed."""
        person_id = person_of(request).pk
        account_id = _parsed(request, shapes.ReceivingAccount)["account_id"]
        transfer = transfers.accept(transfer_id=transfer_id, payee_id=person_id, account_id=account_id)
        return Response(shapes.TransferDetail(queries.transfer_view(transfer, person_id, _language(request))).data)


class TransferReturn(ApiView):
    """The payee gives the money back."""

    @extend_schema(
        operation_id="finance_transfer_return",
        parameters=[KEY],
        request=shapes.Nothing,
        responses=shapes.TransferDetail,
    )
    @idempotent
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Returns the money to the payer at once."""
        person_id = person_of(request).pk
        transfer = transfers.send_back(transfer_id=transfer_id, payee_id=person_id)
        return Response(shapes.TransferDetail(queries.transfer_view(transfer, person_id, _language(request))).data)


class OwnTransfers(ApiView):
    """Money between the caller's own accounts."""

    @extend_schema(
        operation_id="finance_own_transfer_prepare",
        request=shapes.OwnTransferOrder,
        responses={201: shapes.PreparedIntent},
    )
    def post(self, request: Request) -> Response:
        """Prepares it; it happens when its statement is confirmed on the bank's origin."""
        asked = _parsed(request, shapes.OwnTransferOrder)
        session = session_of(request)
        return _prepared(
            own.prepare(
                intent_id=asked.pop("id"),
                person_id=session.person_id,
                chat_session_id=session.id,
                device_id=session.device_id,
                order=own.Order(**asked),
                language=_language(request),
            )
        )


class OwnTransferOptions(ApiView):
    """What such a transfer is made of."""

    @extend_schema(operation_id="finance_own_transfer_options", responses=shapes.OwnTransferChoices)
    def get(self, request: Request) -> Response:
        """The caller's accounts as either end, with what their limits leave."""
        person_id, language = person_of(request).pk, _language(request)
        return Response(
            shapes.OwnTransferChoices(
                {
                    "sources": queries.account_options(person_id, "out", "own", language),
                    "targets": queries.account_options(person_id, "in", "own", language),
                }
            ).data
        )


class OwnTransferOne(ApiView):
    """One of them, for its owner."""

    @extend_schema(operation_id="finance_own_transfer", responses=shapes.OwnTransferDetail)
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """What was moved; 404 until it was confirmed."""
        return Response(shapes.OwnTransferDetail(access.own_transfer_of(person_of(request).pk, transfer_id)).data)


class ClosingAccount(ApiView):
    """The end of one of the caller's accounts."""

    @extend_schema(
        operation_id="finance_account_close_prepare",
        request=shapes.ClosingOrder,
        responses={201: shapes.PreparedIntent},
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        """Prepares it; the account is closed when the statement is confirmed on the bank's origin."""
        asked = _parsed(request, shapes.ClosingOrder)
        session = session_of(request)
        return _prepared(
            closing.prepare(
                intent_id=asked["id"],
                person_id=session.person_id,
                chat_session_id=session.id,
                device_id=session.device_id,
                account_id=account_id,
                language=_language(request),
            )
        )


class OpenableAccounts(ApiView):
    """What a bound card opens."""

    @extend_schema(operation_id="finance_accounts_openable", responses=shapes.OpeningChoices)
    def get(self, request: Request) -> Response:
        """Which classes of account the caller may open, and why not the others."""
        person_id = person_of(request).pk
        return Response(
            shapes.OpeningChoices(
                {
                    "items": queries.openables(person_id, _language(request)),
                    "cards": people.bound_cards(person_id),
                    "pin_state": bank_session.pin_state(person_id),
                }
            ).data
        )


class OpenAccount(ApiView):
    """A new account without a visit."""

    @extend_schema(
        operation_id="finance_account_open",
        parameters=[KEY],
        request=shapes.OpeningOrder,
        responses={201: shapes.OpenedAccount},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Opens a class II or III account bound to the card; answers the one that there is already."""
        person_id = person_of(request).pk
        asked = _parsed(request, shapes.OpeningOrder)
        account = opening.open_remotely(
            person_id=person_id, account_class=asked["account_class"], card_id=asked["card_id"]
        )
        return Response(
            shapes.OpenedAccount(
                {
                    "account_id": account.pk,
                    "account_class": account.account_class,
                    "name": names.name_in(_language(request), account.name),
                    "tail": account.tail,
                    "pin_state": bank_session.pin_state(person_id),
                }
            ).data,
            status=201,
        )


class Payouts(ApiView):
    """Money to the caller's own card at another bank."""

    @extend_schema(operation_id="finance_payouts", parameters=[LIMIT, BEFORE], responses=shapes.PayoutPage)
    def get(self, request: Request) -> Response:
        """The caller's payouts and what became of each, newest first."""
        person_id, limit = person_of(request).pk, limit_of(request)
        rows = queries.payouts_of(person_id, before=_before(request), limit=limit)
        shown, cursor = page(rows, limit, lambda payout: payout.pk)
        return Response(
            shapes.PayoutPage({"items": queries.payout_views(shown, _language(request)), "next": cursor}).data
        )

    @extend_schema(
        operation_id="finance_payout_prepare", request=shapes.PayoutOrder, responses={201: shapes.PreparedIntent}
    )
    def post(self, request: Request) -> Response:
        """Prepares a payout; it happens when its statement is confirmed on the bank's origin."""
        asked = _parsed(request, shapes.PayoutOrder)
        session = session_of(request)
        return _prepared(
            payouts.prepare(
                intent_id=asked.pop("id"),
                person_id=session.person_id,
                chat_session_id=session.id,
                device_id=session.device_id,
                order=payouts.Order(**asked),
                language=_language(request),
            )
        )


class PayoutOptions(ApiView):
    """What a payout is made of."""

    @extend_schema(operation_id="finance_payout_options", responses=shapes.PayoutChoices)
    def get(self, request: Request) -> Response:
        """The caller's accounts and the cards that each may pay out to."""
        person_id = person_of(request).pk
        return Response(shapes.PayoutChoices({"accounts": queries.payout_options(person_id, _language(request))}).data)


class PayoutOne(ApiView):
    """One payout, for its owner."""

    @extend_schema(operation_id="finance_payout", responses=shapes.PayoutDetail)
    def get(self, request: Request, payout_id: UUID) -> Response:
        """What became of the payout."""
        payout = access.payout_of(person_of(request).pk, payout_id)
        return Response(shapes.PayoutDetail(queries.payout_views([payout], _language(request))[0]).data)


class Breaks(ApiView):
    """Money that does not move on."""

    permission_classes = [HasRole("operator", "checker")]

    @extend_schema(operation_id="finance_clearing_breaks", parameters=[LIMIT, BEFORE], responses=shapes.BreakPage)
    def get(self, request: Request) -> Response:
        """Open breaks, newest first, for operations."""
        limit = limit_of(request)
        rows = queries.open_breaks(before=_before(request), limit=limit)
        shown, cursor = page(rows, limit, lambda row: row.pk)
        return Response(shapes.BreakPage({"items": shown, "next": cursor}).data)


class BreakRetry(ApiView):
    """Once more."""

    permission_classes = [HasRole("operator", "checker")]

    @extend_schema(operation_id="finance_clearing_retry", request=None, responses=shapes.BreakDetail)
    def post(self, request: Request, break_id: UUID) -> Response:
        """Has a step that was given up tried again; the break closes when the money has moved."""
        return Response(shapes.BreakDetail(breaks.try_again(break_id=break_id, by=person_of(request).pk)).data)
