"""Doors to orders: check, prepare, look, cancel."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import session_of
from finance.wealth import actions, queries
from finance.wealth.access import order_for, product_for
from finance.wealth.api.shapes import ChecksBody, ChecksShape, OrderBody, OrderShape, OrdersShape, PreparedShape
from finance.wealth.api.shop import PAGE, reader
from finance.wealth.calendar import session_at
from finance.wealth.rules import fee_within
from kernel.api import ApiView, limit_of, page
from kernel.clock import business_now
from kernel.errors import Invalid, language_of
from kernel.idempotency import idempotent

KEY = OpenApiParameter("Idempotency-Key", OpenApiTypes.UUID, OpenApiParameter.HEADER, required=True)


class Checks(ApiView):
    @extend_schema(operation_id="wealth_checks", request=ChecksBody, responses=ChecksShape)
    def post(self, request: Request) -> Response:
        """Every condition of a purchase, with the reason where one is not met. Changes nothing."""
        body = ChecksBody(data=request.data)
        body.is_valid(raise_exception=True)
        wished = body.validated_data
        product = product_for(wished["product_id"])
        wish = queries.Wish(reader(request), product, wished["amount_fen"], wished["account_id"], wished["risk_sha256"])
        language = language_of(request.headers.get("Accept-Language"))
        checks = [
            {"code": check.code, "ok": check.ok, "message": check.refusal and check.refusal.message(language)}
            for check in queries.purchase_checks(wish)
        ]
        amount_fen = wished["amount_fen"]
        fee_fen = None if amount_fen is None else fee_within(amount_fen, product.subscription_fee_bp)
        session = session_at(business_now(), product.cut_off)
        return Response(ChecksShape({"checks": checks, "fee_fen": fee_fen, "session": session}).data)


class Orders(ApiView):
    @extend_schema(operation_id="wealth_orders", parameters=PAGE, responses=OrdersShape)
    def get(self, request: Request) -> Response:
        """The reader's orders, newest first."""
        limit = limit_of(request)
        try:
            raw = request.query_params.get("before")
            before = UUID(raw) if raw else None
        except ValueError:
            raise Invalid(fields={"before": "uuid"}) from None
        found = queries.orders_page(reader(request), before=before, limit=limit)
        shown, following = page(found, limit, lambda order: order.pk)
        return Response(OrdersShape({"items": shown, "next": following}, context={"now": business_now()}).data)

    @extend_schema(operation_id="wealth_prepare", parameters=[KEY], request=OrderBody, responses={201: PreparedShape})
    @idempotent
    def post(self, request: Request) -> Response:
        """Prepares a purchase: stores its intent, and answers where the person confirms it."""
        body = OrderBody(data=request.data)
        body.is_valid(raise_exception=True)
        wished = body.validated_data
        session = session_of(request)
        prepared = actions.prepare_purchase(
            order_id=wished["id"],
            person_id=reader(request),
            chat_session_id=session.id,
            device_id=session.device_id,
            product_id=wished["product_id"],
            amount_fen=wished["amount_fen"],
            account_id=wished["account_id"],
            risk_sha256=wished["risk_sha256"],
            offer_id=wished["offer_id"],
        )
        answer = {"intent_id": prepared.intent_id, "confirm_url": prepared.handoff_url}
        return Response(PreparedShape(answer).data, status=201)


class OrderPage(ApiView):
    @extend_schema(operation_id="wealth_order", responses=OrderShape)
    def get(self, request: Request, order_id: UUID) -> Response:
        """One of the reader's orders."""
        order = order_for(reader(request), order_id)
        return Response(OrderShape(order, context={"now": business_now()}).data)


class OrderCancel(ApiView):
    @extend_schema(operation_id="wealth_cancel", parameters=[KEY], request=None, responses=OrderShape)
    @idempotent
    def post(self, request: Request, order_id: UUID) -> Response:
        """Cancels an order before its cut-off and frees the money."""
        order = actions.cancel_order(person_id=reader(request), order_id=order_id)
        return Response(OrderShape(order, context={"now": business_now()}).data)
