from datetime import UTC, datetime, time
from typing import Any

import pytest

from finance.wealth.calendar import at, is_trading_day, next_trading_day
from finance.wealth.models import CUT_OFF
from kernel.clock import BANK_ZONE, business_date, business_now
from rongliao.demo import World
from tests.support.caller import Caller


def test_the_business_date_moves_to_the_next_morning_and_past_the_cut_off(world: World, settings: Any) -> None:
    settings.DEMO = True
    su = Caller(world.people["su"])
    expected = next_trading_day(business_date())

    moved = su.post("/api/demo/advance", {"to": "next_trading_day"})

    assert moved.status_code == 200, moved.content
    assert business_date() == expected and is_trading_day(expected)
    assert time(9, 30) <= business_now().astimezone(BANK_ZONE).time() < time(9, 40)
    assert moved.json()["before_cut_off"] is True and moved.json()["trading_day"] == expected.isoformat()

    late = su.post("/api/demo/advance", {"to": "cut_off"}).json()
    assert business_now() >= at(expected, CUT_OFF)
    assert late["before_cut_off"] is False and late["trading_day"] == next_trading_day(expected).isoformat()
    assert su.post("/api/demo/advance", {"to": "cut_off"}).status_code == 409
    shown = datetime.fromisoformat(su.get("/api/demo/clock").json()["business_now"])
    assert abs((business_now() - shown.astimezone(UTC)).total_seconds()) < 30


@pytest.mark.parametrize("to", ["yesterday", "", None, 1])
def test_the_clock_goes_nowhere_else(world: World, settings: Any, to: object) -> None:
    settings.DEMO = True
    before = business_now()
    assert Caller(world.people["su"]).post("/api/demo/advance", {"to": to}).status_code == 400
    assert (business_now() - before).total_seconds() < 60


def test_a_guest_moves_nothing(world: World, settings: Any) -> None:
    settings.DEMO = True
    assert Caller(None).post("/api/demo/advance", {"to": "next_trading_day"}).status_code == 401
