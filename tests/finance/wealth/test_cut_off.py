from datetime import date
from typing import Any

import pytest

from finance.wealth import calendar
from finance.wealth.models import CalendarYear
from kernel.models import AuditRow
from tests.finance.wealth.conftest import STEADY, Shop, error, orders_of


@pytest.mark.parametrize(
    ("day", "time", "trading_day", "confirm_day"),
    [
        ("2026-11-24", "00:00:00", "2026-11-24", "2026-11-25"),
        ("2026-11-24", "14:59:59.999999", "2026-11-24", "2026-11-25"),
        ("2026-11-24", "15:00:00", "2026-11-25", "2026-11-26"),
        ("2026-11-24", "23:59:59.999999", "2026-11-25", "2026-11-26"),
        ("2026-11-27", "14:59:59.999", "2026-11-27", "2026-11-30"),
        ("2026-11-27", "15:00:00", "2026-11-30", "2026-12-01"),
        ("2026-11-28", "10:00:00", "2026-11-30", "2026-12-01"),
        # The week of the National Day is closed, and the Saturday that is worked for it is no trading day.
        ("2026-09-30", "15:00:00", "2026-10-08", "2026-10-09"),
        ("2026-10-10", "10:00:00", "2026-10-12", "2026-10-13"),
        # The last day of a year the library knows, and the first of one that stands in our table.
        ("2026-12-31", "16:00:00", "2027-01-04", "2027-01-05"),
    ],
)
def test_an_order_gets_the_day_of_its_moment(
    shop: Shop, day: str, time: str, trading_day: str, confirm_day: str
) -> None:
    shop.clock.set(day, time)
    order = shop.buy()
    assert (order["trading_day"], order["confirm_day"]) == (trading_day, confirm_day)
    assert order["cut_off_at"].startswith(f"{trading_day}T07:00:00")


def test_a_statement_of_before_the_cut_off_is_refused_after_it_with_a_fresh_one(shop: Shop) -> None:
    shop.clock.set("2026-11-24", "14:59:59.999")
    sheet = shop.prepare()
    old = sheet.shown_hash()
    shop.clock.set("2026-11-24", "15:00:00")

    assert error(sheet.confirm(statement_hash=old)) == "statement_stale"
    assert orders_of(shop) == [] and shop.account().held_fen == 0

    fresh = sheet.intent().json()
    assert "2026-11-25" in fresh["statement"] and "2026-11-26" in fresh["statement"]
    assert sheet.confirm().status_code == 200
    (order,) = orders_of(shop)
    assert order.trading_day == date(2026, 11, 25)


def test_the_very_last_moment_still_gets_the_day(shop: Shop) -> None:
    shop.clock.set("2026-11-24", "14:59:59.999")
    assert shop.prepare().confirm().status_code == 200
    assert orders_of(shop)[0].trading_day == date(2026, 11, 24)


def test_an_order_is_cancelled_until_its_cut_off_and_not_at_it(shop: Shop) -> None:
    first, second = shop.buy(), shop.buy()
    shop.clock.set("2026-11-24", "14:59:59.999")
    assert shop.cancel(first["id"]).json()["state"] == "cancelled"
    shop.clock.set("2026-11-24", "15:00:00")
    assert error(shop.cancel(second["id"])) == "cut_off_passed"
    assert shop.order(second["id"])["can_cancel"] is False
    assert shop.account().held_fen == 2_000_000


def test_an_order_of_the_evening_can_be_cancelled_until_the_next_afternoon(shop: Shop) -> None:
    shop.clock.set("2026-11-24", "20:00:00")
    order = shop.buy()
    shop.clock.set("2026-11-25", "14:59:59")
    assert shop.cancel(order["id"]).json()["state"] == "cancelled"


def test_a_year_that_nobody_entered_is_refused_by_name_and_the_alarm_rings(shop: Shop, caplog: Any) -> None:
    shop.clock.set("2028-03-01")
    refused = shop.caller().get(f"/api/finance/products/{shop.products[STEADY]}")
    assert refused.status_code == 503 and error(refused) == "calendar_missing"
    assert "2028" in refused.json()["error"]["message"]
    assert any("2028" in record.message for record in caplog.records)


def test_operations_are_warned_before_the_calendar_ends(shop: Shop) -> None:
    assert calendar.ends_soon(date(2026, 9, 1)) is None
    assert calendar.ends_soon(date(2026, 11, 24)) == calendar.CalendarGap(2027, "provisional")
    assert calendar.ends_soon(date(2027, 12, 1)) == calendar.CalendarGap(2028, "missing")
    board = shop.caller("fang").get("/api/finance/operations/navs").json()
    assert board["calendar_gap"] == {"year": 2027, "kind": "provisional"}
    CalendarYear.objects.filter(year=2027).update(is_provisional=False)
    assert calendar.ends_soon(date(2026, 11, 24)) is None


def test_a_bank_that_is_no_demonstration_has_no_door_to_its_clock(shop: Shop, settings: Any) -> None:
    settings.DEMO = False
    assert shop.caller().get("/api/demo/clock").status_code == 404
    assert shop.caller().post("/api/demo/advance", {"to": "cut_off"}).status_code == 404


def test_an_operator_enters_a_year_in_the_admin_and_it_is_noted_who(shop: Shop, settings: Any) -> None:
    fang = shop.caller("fang").client
    body = {
        "year": "2028",
        "source": "国务院办公厅通知",
        "closed_days-TOTAL_FORMS": "1",
        "closed_days-INITIAL_FORMS": "0",
        "closed_days-0-date": "2028-03-01",
        "closed_days-0-reason": "测试",
    }
    path, headers = "/admin/wealth/calendaryear/add/", {"Origin": settings.APP_ORIGIN}
    assert shop.caller("zhou").client.post(path, body, headers=headers).status_code in {302, 403}
    assert not CalendarYear.objects.filter(year=2028).exists()

    assert fang.post(path, body, headers=headers).status_code == 302
    assert calendar.next_trading_day(date(2028, 2, 29)) == date(2028, 3, 2)
    assert AuditRow.objects.get(action="wealth.calendar.entered").actor_id == shop.world.people["fang"]
