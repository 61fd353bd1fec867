"""Doors to the shelf: products, NAVs, documents, the questionnaire, the wealth page."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from finance.wealth import actions, queries
from finance.wealth.access import document_for, file_for, product_for
from finance.wealth.api.shapes import (
    AssessmentBody,
    AssessmentPageShape,
    DocumentShape,
    NavsShape,
    OpenedBody,
    ProductPageShape,
    ProductsShape,
    StandingShape,
    WealthShape,
)
from finance.wealth.calendar import session_at
from finance.wealth.questionnaire import QUESTIONS
from finance.wealth.rules import media_type_of
from kernel.api import ApiView, limit_of, page
from kernel.clock import business_now

NAVS_DEFAULT = 180


def reader(request: Request) -> UUID:
    """The signed-in person."""
    return UUID(str(request.user.pk))


_ENDINGS = {"text/plain": "txt", "application/pdf": "pdf"}


def as_file(content: bytes, media_type: str, sha256: str) -> HttpResponse:
    """A document to keep, never to be drawn as a page of ours."""
    charset = "; charset=utf-8" if media_type == "text/plain" else ""
    return HttpResponse(
        content,
        content_type=f"{media_type}{charset}",
        headers={
            "Content-Disposition": f'attachment; filename="{sha256[:12]}.{_ENDINGS[media_type]}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


PAGE = [
    OpenApiParameter("limit", OpenApiTypes.INT),
    OpenApiParameter("before", OpenApiTypes.STR, description="the `next` of the page before"),
]


def product_page(person_id: UUID, product_id: UUID) -> dict[str, Any]:
    """Everything on a product's own page."""
    terms, view = queries.terms_of(product_id), queries.product_view(person_id, product_id)
    return {
        "product": view,
        "documents": [
            {
                "id": document.pk,
                "kind": document.kind,
                "title": document.title,
                "title_en": document.title_en,
                "sha256": document.sha256,
                "media_type": media_type_of(document),
                "opened": opened,
            }
            for document, opened in queries.documents_of(person_id, product_id)
        ],
        "terms_number": terms.number,
        "terms_sha256": terms.sha256,
        "session": session_at(business_now(), view.product.cut_off),
    }


class Products(ApiView):
    @extend_schema(operation_id="wealth_products", parameters=PAGE, responses=ProductsShape)
    def get(self, request: Request) -> Response:
        """The shelf, with how each product suits the reader."""
        limit = limit_of(request)
        found = queries.shelf(reader(request), before=request.query_params.get("before") or None, limit=limit)
        shown, following = page(found, limit, lambda view: queries.shelf_place(view.product))
        return Response(ProductsShape({"items": shown, "next": following}).data)


class ProductPage(ApiView):
    @extend_schema(operation_id="wealth_product", responses=ProductPageShape)
    def get(self, request: Request, product_id: UUID) -> Response:
        """A product with its documents, its terms, and the session that an order would get now."""
        product_for(product_id)
        return Response(ProductPageShape(product_page(reader(request), product_id)).data)


class Navs(ApiView):
    @extend_schema(
        operation_id="wealth_navs", parameters=[OpenApiParameter("limit", OpenApiTypes.INT)], responses=NavsShape
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """The newest published NAVs, oldest first."""
        product = product_for(product_id)
        limit = limit_of(request, default=NAVS_DEFAULT, most=queries.MAX_NAVS)
        items = queries.nav_series(product_id, limit=limit)
        return Response(NavsShape({"nav_scale": product.nav_scale, "items": items}).data)


class Document(ApiView):
    @extend_schema(operation_id="wealth_document", responses=DocumentShape)
    def get(self, request: Request, product_id: UUID, document_id: UUID) -> Response:
        """The text of a document."""
        return Response(DocumentShape(document_for(product_id, document_id)).data)


class DocumentFile(ApiView):
    @extend_schema(
        operation_id="wealth_document_file", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, product_id: UUID, document_id: UUID) -> HttpResponse:
        """The document as a file, byte for byte as its hash says."""
        document = document_for(product_id, document_id)
        if document.file_id is None:
            return as_file(document.text.encode(), media_type_of(document), document.sha256)
        file = file_for(document.file_id)
        return as_file(bytes(file.content), file.media_type, file.sha256)


class DocumentOpened(ApiView):
    @extend_schema(operation_id="wealth_document_opened", request=OpenedBody, responses={204: None})
    def post(self, request: Request, product_id: UUID, document_id: UUID) -> Response:
        """Notes that the reader had the text with this hash before their eyes."""
        body = OpenedBody(data=request.data)
        body.is_valid(raise_exception=True)
        actions.mark_opened(
            person_id=reader(request),
            product_id=product_id,
            document_id=document_id,
            sha256=body.validated_data["sha256"],
        )
        return Response(status=204)


class AssessmentPage(ApiView):
    @extend_schema(operation_id="wealth_assessment", responses=AssessmentPageShape)
    def get(self, request: Request) -> Response:
        """The reader's class, how often they may still be assessed, and the questions."""
        current = queries.standing_view(reader(request))
        return Response(AssessmentPageShape({"current": current, "questions": QUESTIONS}).data)


class Assessments(ApiView):
    @extend_schema(operation_id="wealth_assess", request=AssessmentBody, responses={201: StandingShape})
    def post(self, request: Request) -> Response:
        """Takes a full set of answers."""
        body = AssessmentBody(data=request.data)
        body.is_valid(raise_exception=True)
        actions.take_assessment(
            assessment_id=body.validated_data["id"],
            person_id=reader(request),
            answers=body.validated_data["answers"],
        )
        return Response(StandingShape(queries.standing_view(reader(request))).data, status=201)


class Wealth(ApiView):
    @extend_schema(operation_id="wealth_summary", responses=WealthShape)
    def get(self, request: Request) -> Response:
        """What the reader has, and what suits them."""
        found = queries.summary(reader(request))
        body = {
            **found.__dict__,
            "recommended": queries.recommended(reader(request)),
            "standing": queries.standing_view(reader(request)),
        }
        return Response(WealthShape(body, context={"now": found.as_of}).data)
