"""Doors to operations: products by four eyes."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from finance.wealth import actions, queries
from finance.wealth.access import file_for, may_enter_products, may_see_products
from finance.wealth.api.product_shapes import (
    DraftBody,
    DraftChangeBody,
    DraftShape,
    DraftsShape,
    FileBody,
    FileShape,
    KeptProductShape,
    KeptProductsShape,
    ReturnBody,
    SeenRevisionBody,
)
from finance.wealth.api.shop import PAGE, as_file, reader
from kernel.api import ApiView, limit_of, page
from kernel.errors import Invalid

WHICH = OpenApiParameter("state", OpenApiTypes.STR, enum=["open", "all"], description="which drafts; `open` by default")


class KeptProducts(ApiView):
    @extend_schema(operation_id="wealth_operations_products", parameters=PAGE, responses=KeptProductsShape)
    def get(self, request: Request) -> Response:
        """Every product by its code, on sale or not, with the draft that waits for it."""
        may_see_products(reader(request))
        limit = limit_of(request)
        found = queries.kept_products(before=request.query_params.get("before") or None, limit=limit)
        shown, following = page(found, limit, lambda row: row["product"].code)
        roles = queries.product_roles(reader(request))
        return Response(KeptProductsShape({"items": shown, "next": following, **roles}).data)


class KeptProduct(ApiView):
    @extend_schema(operation_id="wealth_operations_product", responses=KeptProductShape)
    def get(self, request: Request, product_id: UUID) -> Response:
        """All that is in force of a product: what a change of it starts from."""
        may_see_products(reader(request))
        return Response(KeptProductShape(queries.kept_product(product_id)).data)


class Drafts(ApiView):
    @extend_schema(operation_id="wealth_operations_drafts", parameters=[*PAGE, WHICH], responses=DraftsShape)
    def get(self, request: Request) -> Response:
        """Drafts, newest first."""
        may_see_products(reader(request))
        limit = limit_of(request)
        which = request.query_params.get("state", "open")
        raw = request.query_params.get("before")
        try:
            before = UUID(raw) if raw else None
        except ValueError:
            raise Invalid(fields={"before": "uuid"}) from None
        if which not in ("open", "all"):
            raise Invalid(fields={"state": "open, all"})
        found = queries.drafts_page(reader(request), only_open=which == "open", before=before, limit=limit)
        shown, following = page(found, limit, lambda row: row["id"])
        return Response(DraftsShape({"items": shown, "next": following}).data)

    @extend_schema(operation_id="wealth_operations_draft_enter", request=DraftBody, responses={201: DraftShape})
    def post(self, request: Request) -> Response:
        """Enters a draft: a new product, a change, off sale, on sale again. It waits for a second person."""
        body = DraftBody(data=request.data)
        body.is_valid(raise_exception=True)
        wished = body.validated_data
        draft = actions.enter_draft(
            draft_id=wished["id"],
            maker_id=reader(request),
            purpose=wished["purpose"],
            product_id=wished["product_id"],
            wanted=body.wanted(),
        )
        return _shown(request, draft.pk, status=201)


def _shown(request: Request, draft_id: UUID, *, status: int = 200) -> Response:
    return Response(DraftShape(queries.draft_page(reader(request), draft_id)).data, status=status)


class Draft(ApiView):
    @extend_schema(operation_id="wealth_operations_draft", responses=DraftShape)
    def get(self, request: Request, draft_id: UUID) -> Response:
        """A draft beside what is in force."""
        may_see_products(reader(request))
        return _shown(request, draft_id)

    @extend_schema(operation_id="wealth_operations_draft_change", request=DraftChangeBody, responses=DraftShape)
    def put(self, request: Request, draft_id: UUID) -> Response:
        """Replaces what an open draft says, and hands it in again."""
        body = DraftChangeBody(data=request.data)
        body.is_valid(raise_exception=True)
        revision = body.validated_data["revision"]
        actions.change_draft(draft_id=draft_id, maker_id=reader(request), revision=revision, wanted=body.wanted())
        return _shown(request, draft_id)


class DraftApprove(ApiView):
    @extend_schema(operation_id="wealth_operations_draft_approve", request=SeenRevisionBody, responses=DraftShape)
    def post(self, request: Request, draft_id: UUID) -> Response:
        """Puts in force what somebody else wrote; names the revision that was checked."""
        body = SeenRevisionBody(data=request.data)
        body.is_valid(raise_exception=True)
        actions.approve_draft(draft_id=draft_id, checker_id=reader(request), revision=body.validated_data["revision"])
        return _shown(request, draft_id)


class DraftReturn(ApiView):
    @extend_schema(operation_id="wealth_operations_draft_return", request=ReturnBody, responses=DraftShape)
    def post(self, request: Request, draft_id: UUID) -> Response:
        """Sends back what somebody else wrote, with the reason."""
        body = ReturnBody(data=request.data)
        body.is_valid(raise_exception=True)
        wished = body.validated_data
        actions.return_draft(
            draft_id=draft_id, checker_id=reader(request), revision=wished["revision"], reason=wished["reason"]
        )
        return _shown(request, draft_id)


class DraftWithdraw(ApiView):
    @extend_schema(operation_id="wealth_operations_draft_withdraw", request=SeenRevisionBody, responses=DraftShape)
    def post(self, request: Request, draft_id: UUID) -> Response:
        """Gives an open draft up."""
        body = SeenRevisionBody(data=request.data)
        body.is_valid(raise_exception=True)
        actions.withdraw_draft(draft_id=draft_id, maker_id=reader(request), revision=body.validated_data["revision"])
        return _shown(request, draft_id)


class Files(ApiView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="wealth_operations_file_take",
        request={"multipart/form-data": FileBody},
        responses={201: FileShape},
    )
    def post(self, request: Request) -> Response:
        """Takes a document's file: a PDF or a text, byte for byte. The same bytes again are the same file."""
        may_enter_products(reader(request))
        body = FileBody(data=request.data)
        body.is_valid(raise_exception=True)
        file = actions.take_file(maker_id=reader(request), content=body.validated_data["file"].read())
        return Response(FileShape(file).data, status=201)


class File(ApiView):
    @extend_schema(
        operation_id="wealth_operations_file", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, file_id: UUID) -> HttpResponse:
        """The file, to be read before it is approved."""
        may_see_products(reader(request))
        file = file_for(file_id)
        return as_file(bytes(file.content), file.media_type, file.sha256)
