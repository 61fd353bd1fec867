"""The desk's REST doors."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import HasRole
from desk import access, actions, queries, wire
from desk.queries import CaseView
from desk.words import ALLOWED, FORBIDDEN
from finance.wealth.queries import shelf, shelf_place
from kernel import audit
from kernel.api import ApiView, limit_of, number_of, page
from kernel.errors import Invalid

_LIMIT = OpenApiParameter("limit", int)
OFFERS = 50
"""Products that come along with a customer; more are read in pages."""


def _me(request: Request) -> UUID:
    return UUID(str(request.user.pk))


def _cursor(request: Request) -> UUID | None:
    raw = request.query_params.get("before")
    if not raw:
        return None
    try:
        return UUID(raw)
    except ValueError:
        raise Invalid(fields={"before": "uuid"}) from None


class Service(ApiView):
    """A customer and the service desk."""

    @extend_schema(operation_id="service_case", responses={200: wire.ServiceCaseShape})
    def get(self, request: Request) -> Response:
        """The newest case with its place in the queue; `case` is null for somebody who never asked."""
        view = queries.latest_case(_me(request))
        return Response({"case": wire.cases_json([view], viewer_id=_me(request))[0] if view else None})

    @extend_schema(operation_id="service_ask", request=wire.AskBody, responses={201: wire.ServiceCaseShape})
    def post(self, request: Request) -> Response:
        """Asks a question: it waits in the queue, and stands in the conversation."""
        body = wire.AskBody(data=request.data)
        body.is_valid(raise_exception=True)
        actions.ask_service(
            case_id=body.validated_data["id"],
            customer_id=_me(request),
            question=body.validated_data["question"],
        )
        return self.get(request)


class ServiceConversation(ApiView):
    """Where a customer and the service desk talk."""

    @extend_schema(operation_id="service_conversation", request=None, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """Opens the conversation, or finds it. Nobody is called yet: that takes a question."""
        return Response({"conversation_id": actions.service_conversation(_me(request))})


class Rating(ApiView):
    """A customer's judgement of a service."""

    @extend_schema(operation_id="service_rate", request=wire.RatingBody, responses={200: wire.ServiceCaseShape})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Rates a closed case, once."""
        body = wire.RatingBody(data=request.data)
        body.is_valid(raise_exception=True)
        case = actions.rate_case(case_id=case_id, customer_id=_me(request), **body.validated_data)
        return Response({"case": wire.cases_json([CaseView(case, None)], viewer_id=_me(request))[0]})


class Queue(ApiView):
    """Who waits, for agents."""

    permission_classes = (HasRole("agent"),)

    @extend_schema(
        operation_id="desk_queue",
        parameters=[_LIMIT, OpenApiParameter("before", OpenApiTypes.UUID)],
        responses={200: wire.ServiceCaseShape(many=True)},
    )
    def get(self, request: Request) -> Response:
        """The queue from its head (`before`: from behind that case), one's own active cases, and four figures."""
        limit = limit_of(request)
        waiting, following = page(queries.queue_page(limit, _cursor(request)), limit, lambda view: view.case.pk)
        mine = [CaseView(case, None) for case in queries.active_cases(_me(request))]
        figures = queries.figures()
        return Response(
            {
                "items": wire.cases_json(waiting, viewer_id=_me(request)),
                "next": following,
                "active": wire.cases_json(mine, viewer_id=_me(request)),
                "figures": {
                    "waiting": figures.waiting,
                    "active": figures.active,
                    "rated": figures.rated,
                    "stars_mean_tenths": figures.stars_mean_tenths,
                },
            }
        )


class ClosedCases(ApiView):
    """What an agent has closed."""

    permission_classes = (HasRole("agent"),)

    @extend_schema(
        operation_id="desk_closed_cases",
        parameters=[_LIMIT, OpenApiParameter("before", OpenApiTypes.UUID)],
        responses={200: wire.ServiceCaseShape(many=True)},
    )
    def get(self, request: Request) -> Response:
        """One's own closed cases, newest first, with their stars."""
        limit = limit_of(request)
        cases, following = page(queries.closed_cases(_me(request), limit, _cursor(request)), limit, lambda one: one.pk)
        views = [CaseView(case, None) for case in cases]
        return Response({"items": wire.cases_json(views, viewer_id=_me(request)), "next": following})


class TakeCase(ApiView):
    """An agent takes a case."""

    permission_classes = (HasRole("agent"),)

    @extend_schema(operation_id="desk_take_case", request=None, responses={200: wire.ServiceCaseShape})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Takes a waiting customer; of two agents one wins."""
        case = actions.take_case(case_id=case_id, agent_id=_me(request))
        return Response({"case": wire.cases_json([CaseView(case, None)], viewer_id=_me(request))[0]})


class CloseCase(ApiView):
    """An agent closes a case."""

    permission_classes = (HasRole("agent"),)

    @extend_schema(operation_id="desk_close_case", request=None, responses={200: wire.ServiceCaseShape})
    def post(self, request: Request, case_id: UUID) -> Response:
        """Ends the service; the customer is asked to rate it."""
        case = actions.close_case(case_id=case_id, agent_id=_me(request))
        return Response({"case": wire.cases_json([CaseView(case, None)], viewer_id=_me(request))[0]})


class Customers(ApiView):
    """A relationship manager's customers."""

    permission_classes = (HasRole("advisor"),)

    @extend_schema(
        operation_id="desk_customers",
        parameters=[_LIMIT, OpenApiParameter("before", int)],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> Response:
        """One's own customers in pages (`before`: how many were read), with class and sums under management."""
        limit, read = limit_of(request), number_of(request, "before") or 0
        rows = queries.customers_page(_me(request), limit, read)
        more = len(rows) > limit
        items: list[dict[str, Any]] = [wire.customer_json(row) for row in rows[:limit]]
        return Response({"items": items, "next": str(read + limit) if more else None})


class Customer(ApiView):
    """One customer of a manager."""

    permission_classes = (HasRole("advisor"),)

    @extend_schema(operation_id="desk_customer", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, customer_id: UUID) -> Response:
        """The customer, and what of the shelf suits them. The read is recorded with its purpose."""
        access.own_customer(_me(request), customer_id)
        audit.record(_me(request), "customer.read", f"person:{customer_id}", {"purpose": "advice"})
        row = queries.customer_row(_me(request), customer_id)
        offers, following = page(shelf(customer_id, limit=OFFERS), OFFERS, lambda view: shelf_place(view.product))
        products = [wire.offer_json(view) for view in offers]
        return Response({**wire.customer_json(row), "products": products, "products_next": following})


class CustomerProducts(ApiView):
    """The shelf behind its first page, for one customer of a manager."""

    permission_classes = (HasRole("advisor"),)

    @extend_schema(
        operation_id="desk_customer_products",
        parameters=[_LIMIT, OpenApiParameter("before", str)],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Products on sale in shelf order, with what suits the customer. The read is recorded with its purpose."""
        access.own_customer(_me(request), customer_id)
        limit = limit_of(request)
        views = shelf(customer_id, before=request.query_params.get("before") or None, limit=limit)
        audit.record(_me(request), "customer.read", f"person:{customer_id}", {"purpose": "advice"})
        offers, following = page(views, limit, lambda view: shelf_place(view.product))
        return Response({"items": [wire.offer_json(view) for view in offers], "next": following})


class CustomerConversation(ApiView):
    """Where a manager talks to a customer."""

    permission_classes = (HasRole("advisor"),)

    @extend_schema(operation_id="desk_open_conversation", request=None, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Opens the conversation, or finds it."""
        return Response(
            {"conversation_id": actions.open_customer_conversation(advisor_id=_me(request), customer_id=customer_id)}
        )


class ProductCards(ApiView):
    """Product cards from a manager to a customer."""

    permission_classes = (HasRole("advisor"),)

    @extend_schema(operation_id="desk_send_product", request=wire.ProductCardBody, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Sends a product that suits the customer; one that does not is refused with the reason."""
        body = wire.ProductCardBody(data=request.data)
        body.is_valid(raise_exception=True)
        actions.send_product(advisor_id=_me(request), customer_id=customer_id, **body.validated_data)
        return Response({"sent": True}, status=201)


class Words(ApiView):
    """Words that staff may not use of products."""

    permission_classes = (HasRole("advisor", "agent"),)

    @extend_schema(operation_id="desk_words", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """The words with what to say instead, so that a draft shows it before it is sent."""
        items = [{"word": entry.word, "instead": entry.instead} for entry in FORBIDDEN]
        return Response({"items": items, "allowed": list(ALLOWED)})
