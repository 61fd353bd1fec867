"""Doors to operations: NAVs by four eyes."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from finance.wealth import actions, queries
from finance.wealth.access import may_see_navs
from finance.wealth.api.shapes import ApproveBody, NavBody, NavRowShape, NavRowsShape
from finance.wealth.api.shop import reader
from kernel.api import ApiView


class NavRows(ApiView):
    @extend_schema(operation_id="wealth_operations_navs", responses=NavRowsShape)
    def get(self, request: Request) -> Response:
        """The last trading days of every product: missing, entered, published."""
        may_see_navs(reader(request))
        return Response(NavRowsShape(queries.nav_board(reader(request))).data)

    @extend_schema(operation_id="wealth_operations_enter", request=NavBody, responses={201: NavRowShape})
    def post(self, request: Request) -> Response:
        """Enters a NAV as a draft."""
        body = NavBody(data=request.data)
        body.is_valid(raise_exception=True)
        wished = body.validated_data
        nav = actions.enter_nav(
            nav_id=wished["id"],
            maker_id=reader(request),
            product_id=wished["product_id"],
            day=wished["date"],
            value=wished["value"],
        )
        return Response(NavRowShape(queries.nav_row(reader(request), nav.pk)).data, status=201)


class NavApprove(ApiView):
    @extend_schema(operation_id="wealth_operations_approve", request=ApproveBody, responses=NavRowShape)
    def post(self, request: Request, nav_id: UUID) -> Response:
        """Publishes what somebody else entered; names the value that was checked."""
        body = ApproveBody(data=request.data)
        body.is_valid(raise_exception=True)
        nav = actions.approve_nav(nav_id=nav_id, checker_id=reader(request), value=body.validated_data["value"])
        return Response(NavRowShape(queries.nav_row(reader(request), nav.pk)).data)
