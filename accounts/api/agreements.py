"""The texts that people agree to, and their consent."""

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import agreements
from accounts.api.serializers import AgreementInput, AgreementList, AgreementOutput
from accounts.auth import person_of
from accounts.errors import AgreementMoved
from accounts.models import Person
from kernel.api import ApiView
from kernel.errors import language_of


class AgreementsView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(responses={200: AgreementList}, operation_id="agreements")
    def get(self, request: Request) -> Response:
        """The texts in force, and what the caller, if signed in, agreed to last."""
        language = language_of(request.headers.get("Accept-Language"))
        given = agreements.consents_of(request.user.pk) if isinstance(request.user, Person) else {}
        items = []
        for one in map(agreements.in_force, agreements.KINDS):
            last = given.get(one.kind)
            items.append(
                {
                    "kind": one.kind,
                    "version": one.version,
                    "title": one.title(language),
                    "sha256": one.sha256,
                    "agreed_version": last.version if last else None,
                    "agreed_at": last.at if last else None,
                }
            )
        return Response({"items": items})


class AgreementView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[OpenApiParameter("version", str, description="one that was in force before")],
        responses={200: AgreementOutput},
        operation_id="agreement",
    )
    def get(self, request: Request, kind: str) -> Response:
        """A text in full, in force or in an earlier version."""
        language = language_of(request.headers.get("Accept-Language"))
        one = agreements.agreement(kind, request.query_params.get("version"))
        return Response(
            {
                "kind": one.kind,
                "version": one.version,
                "title": one.title(language),
                "sha256": one.sha256,
                "text": one.body(language),
            }
        )


class ConsentView(ApiView):
    @extend_schema(request=AgreementInput, responses={204: OpenApiResponse()}, operation_id="agree")
    def post(self, request: Request, kind: str) -> Response:
        """Agrees to the version that was shown; 409 where there is a newer one."""
        asked = AgreementInput(data=request.data)
        asked.is_valid(raise_exception=True)
        if agreements.agreement(kind).version != asked.validated_data["version"]:
            raise AgreementMoved
        with transaction.atomic():
            agreements.consent(person_of(request).pk, (kind,))
        return Response(status=204)
