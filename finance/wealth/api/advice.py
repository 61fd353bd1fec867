"""Doors to offers: an advisor's product card, and what its two parties see of it."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from finance.wealth import actions, queries
from finance.wealth.access import customer_of, offer_for
from finance.wealth.api.shapes import OfferBody, OfferedShape, OfferShape, ProductsShape
from finance.wealth.api.shop import PAGE, reader
from kernel.api import ApiView, limit_of, page
from kernel.clock import business_now


class Offers(ApiView):
    @extend_schema(operation_id="wealth_offer_send", request=OfferBody, responses={201: OfferedShape})
    def post(self, request: Request) -> Response:
        """Sends a product card to the advisor's own customer. The client's id makes a repeat harmless."""
        body = OfferBody(data=request.data)
        body.is_valid(raise_exception=True)
        offer = actions.send_product_card(advisor_id=reader(request), **body.validated_data)
        return Response(OfferedShape(offer).data, status=201)


class OfferPage(ApiView):
    @extend_schema(operation_id="wealth_offer", responses=OfferShape)
    def get(self, request: Request, offer_id: UUID) -> Response:
        """What the two parties of a product card may see beyond the card: the match, and the order made from it."""
        view = queries.offer_view(offer_for(reader(request), offer_id))
        body = {**view.__dict__, "mine": view.offer.customer_id == reader(request)}
        return Response(OfferShape(body, context={"now": business_now()}).data)


class CustomerShelf(ApiView):
    @extend_schema(operation_id="wealth_customer_shelf", parameters=PAGE, responses=ProductsShape)
    def get(self, request: Request, customer_id: UUID) -> Response:
        """The shelf as it suits a customer in the reader's care."""
        customer_of(reader(request), customer_id)
        limit = limit_of(request)
        found = queries.shelf(customer_id, before=request.query_params.get("before") or None, limit=limit)
        shown, following = page(found, limit, lambda view: queries.shelf_place(view.product))
        return Response(ProductsShape({"items": shown, "next": following}).data)
