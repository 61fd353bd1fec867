"""The demo's clock: which business date it is, and the door that moves it on."""

from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from finance.wealth.calendar import at, next_trading_day, session_at
from finance.wealth.models import CUT_OFF
from kernel import audit, jobs
from kernel.api import ApiView
from kernel.clock import advance, business_date, business_now
from kernel.errors import Conflict, NotFound

MORNING = time(9, 30)


class DemoClockShape(serializers.Serializer[Any]):
    business_now = serializers.DateTimeField()
    trading_day = serializers.DateField(help_text="that an order would get now")
    before_cut_off = serializers.BooleanField(help_text="today is a trading day, and its cut-off is still to come")


class AdvanceBody(serializers.Serializer[Any]):
    to = serializers.ChoiceField(choices=["cut_off", "next_trading_day"])


def _clock(moment: datetime) -> dict[str, Any]:
    session = session_at(moment)
    return {
        "business_now": moment,
        "trading_day": session.trading_day,
        "before_cut_off": session.trading_day == business_date(moment),
    }


def _demo_only() -> None:
    if not settings.DEMO:
        raise NotFound


class ClockView(ApiView):
    @extend_schema(responses=DemoClockShape, operation_id="demo_clock")
    def get(self, request: Request) -> Response:
        """The bank's present moment."""
        _demo_only()
        return Response(DemoClockShape(_clock(business_now())).data)


class AdvanceView(ApiView):
    @extend_schema(request=AdvanceBody, responses=DemoClockShape, operation_id="demo_advance")
    def post(self, request: Request) -> Response:
        """Moves the business date on: past today's cut-off, or to the morning of the next trading day."""
        _demo_only()
        body = AdvanceBody(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            present = business_now()
            today = business_date(present)
            if body.validated_data["to"] == "cut_off":
                if not _clock(present)["before_cut_off"]:
                    raise Conflict
                target = at(today, CUT_OFF)
            else:
                target = at(next_trading_day(today), MORNING)
            moved = advance(target - present + timedelta(seconds=1))
            audit.record(request.user.pk, "demo.clock_moved", "business-clock", {"to": moved.isoformat()})
            jobs.kick()
        return Response(DemoClockShape(_clock(moved)).data)
