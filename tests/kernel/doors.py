"""A door for the kernel's own tests: it writes one audit row for each effect."""

from typing import Any
from uuid import uuid4

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from kernel import audit
from kernel.api import ApiView
from kernel.errors import Conflict
from kernel.fields import FenField, PlainText
from kernel.idempotency import idempotent


class Body(serializers.Serializer[Any]):
    amount_fen = FenField(maximum=10_000)
    memo = PlainText(max_length=10, allow_blank=True)
    who = PlainText(max_length=10, name=True, default="a")


class Pay(ApiView):
    @idempotent
    def post(self, request: Request) -> Response:
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        audit.record(request.user.pk, "test.pay", "door", {"amount_fen": body.validated_data["amount_fen"]})
        if body.validated_data["memo"] == "refuse":
            raise Conflict
        return Response({"receipt": str(uuid4())}, status=201)


urlpatterns = [path("api/pay", Pay.as_view())]
