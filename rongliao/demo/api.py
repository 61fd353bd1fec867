"""The demo's own doors; they exist in demo mode alone."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.queries import demo_logins
from accounts.wire import person_json
from kernel.api import ApiView
from rongliao.demo import PASSWORD, PIN


class DemoLogin(serializers.Serializer[Any]):
    phone = serializers.CharField()
    person = serializers.DictField(help_text="as in every list of people")
    roles = serializers.ListField(child=serializers.CharField())


class DemoLogins(serializers.Serializer[Any]):
    items = DemoLogin(many=True)
    password = serializers.CharField(allow_null=True)
    pin = serializers.CharField(allow_null=True)


class LoginsView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(responses={200: DemoLogins}, operation_id="demo_logins")
    def get(self, request: Request) -> Response:
        """The people of the demo world that one may sign in as, with their common password and PIN; else nobody."""
        if not settings.DEMO:
            return Response({"items": [], "password": None, "pin": None})
        items = [
            {"phone": login.phone, "person": person_json(login.card), "roles": sorted(login.roles)}
            for login in demo_logins()
        ]
        return Response({"items": items, "password": PASSWORD, "pin": PIN})
