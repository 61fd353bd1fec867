"""One alert for each ledger event and account, whatever happens; what its owner wants of it."""

import contextlib
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connections, transaction

from finance.ledger import actions as ledger
from finance.ledger import queries as books
from finance.ledger.actions import Leg
from finance.ledger.models import Account
from finance.services import actions, jobs
from finance.services.models import Alert, AlertSetting
from kernel import jobs as outbox
from kernel.clock import BANK_ZONE, business_now
from kernel.models import OutboxRow
from rongliao.demo import World
from tests.conftest import FreshDatabase
from tests.support.caller import Caller

People = Callable[[str], Caller]


@pytest.fixture
def caller(world: World) -> People:
    return lambda name: Caller(world.people[name])


def bank() -> UUID:
    """One of the bank's own accounts, which gives and takes."""
    return ledger.open_account(
        owner_id=None, account_type="internal", code="test-counter", name="柜台", key="test-counter"
    ).pk


def account(owner: UUID, name: str = "储蓄卡") -> Account:
    """A fresh class I account."""
    return ledger.open_account(
        owner_id=owner, account_type="customer", account_class="I", name=name, key=f"test:{uuid.uuid4()}"
    )


def move(to: Account, amount_fen: int, memo: str = "工资") -> UUID:
    """Money from the counter, or back to it."""
    legs = [Leg(to.pk, amount_fen), Leg(bank(), -amount_fen)]
    with transaction.atomic():
        return ledger.post(key=str(uuid.uuid4()), kind="salary", legs=legs, memo=memo).entry_id


def cards(who: Caller) -> list[dict[str, Any]]:
    """The alert cards in the person's conversation with 账户变动, oldest first."""
    listed = who.get("/api/chat/conversations").json()["items"]
    found = [one for one in listed if one["kind"] == "official"]
    shown: list[dict[str, Any]] = []
    for one in found:
        messages = who.get(f"/api/chat/conversations/{one['id']}/messages?limit=100").json()["items"]
        shown += [item["card"] for item in messages if item["card"] and item["card"]["kind"] == "alert"]
    return sorted(shown, key=lambda card: card["payload"]["at"])


def test_money_in_and_out_is_told_once_with_its_facts_and_no_balance(caller: People) -> None:
    su = caller("su")
    assert su.id
    mine = account(su.id)
    move(mine, 1_260_000, "某某科技有限公司 · 工资")
    move(mine, -128_000, "远山商城")
    outbox.drain()
    told = cards(su)[-2:]
    assert [(one["payload"]["direction"], one["payload"]["amount_fen"], one["payload"]["memo"]) for one in told] == [
        ("in", 1_260_000, "某某科技有限公司 · 工资"),
        ("out", 128_000, "远山商城"),
    ]
    assert {one["payload"]["tail"] for one in told} == {mine.tail}
    assert {(one["payload"]["account_name"], one["payload"]["account_name_en"]) for one in told} == {
        ("储蓄卡", "Debit card")
    }
    assert not any("balance" in name for one in told for name in one["payload"])
    balances = [su.get(f"/api/finance/alerts/{one['ref']}/balance").json()["balance_fen"] for one in told]
    assert balances == [1_260_000, 1_132_000], "as it was after each"


def test_a_transfer_between_two_customers_is_told_to_each(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    assert su.id and lin.id
    hers, his = account(su.id), account(lin.id)
    move(hers, 50_000)
    with transaction.atomic():
        entry = ledger.post(
            key=str(uuid.uuid4()), kind="transfer", legs=[Leg(hers.pk, -20_000), Leg(his.pk, 20_000)], memo="午饭"
        ).entry_id
    outbox.drain()
    assert Alert.objects.filter(entry_id=entry).count() == 2
    assert [cards(who)[-1]["payload"]["direction"] for who in (su, lin)] == ["out", "in"]
    ref = cards(su)[-1]["ref"]
    assert lin.get(f"/api/finance/alerts/{ref}/balance").status_code == 404, "somebody else's alert"


def test_holding_and_releasing_are_told(caller: People) -> None:
    su = caller("su")
    assert su.id
    mine = account(su.id)
    move(mine, 50_000)
    with transaction.atomic():
        hold = ledger.place_hold(
            key=str(uuid.uuid4()), account_id=mine.pk, amount_fen=30_000, kind="purchase", memo="远山稳进"
        ).hold_id
        ledger.release_hold(key=str(uuid.uuid4()), hold_id=hold, memo="撤单")
    outbox.drain()
    told = [one for one in cards(su) if one["payload"]["tail"] == mine.tail]
    assert [one["payload"]["direction"] for one in told] == ["in", "held", "free"]
    shown = su.get(f"/api/finance/alerts/{told[1]['ref']}/balance").json()
    assert shown == {"balance_fen": 50_000, "available_fen": 50_000, "after": False}


def test_the_consumer_may_run_twice_and_the_alert_comes_once(caller: People) -> None:
    su = caller("su")
    assert su.id
    entry = move(account(su.id), 1_000)
    outbox.drain()
    before = cards(su)
    for _ in range(3):
        with transaction.atomic():
            jobs.ledger_moved({"event": "posted", "entry_id": str(entry)})
    assert cards(su) == before and Alert.objects.filter(entry_id=entry).count() == 1


def test_consumers_at_once_tell_once(fresh_database: FreshDatabase) -> None:
    su = fresh_database.world.people["su"]
    entry = move(account(su), 1_000)
    OutboxRow.objects.all().delete()
    wins: list[bool] = []
    gate = threading.Barrier(8)

    def run() -> None:
        (happening,) = actions.happenings("posted", entry_id=entry, hold_id=None)
        gate.wait()
        wins.append(actions.tell(happening))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [False] * 7 + [True]
    assert len([one for one in cards(Caller(su)) if one["kind"] == "alert"]) == 1


def test_what_passes_both_ways_at_once_between_two_with_two_accounts_each_is_told_at_once(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = fresh_database.world.people
    outer, inner, inner_too, outer_too = (account(people[name]) for name in ("su", "lin", "lin", "su"))
    for one in (outer, inner_too):
        move(one, 10_000)
    outbox.drain()
    entries = []
    for source, target in ((outer, inner), (inner_too, outer_too)):
        legs = [Leg(source.pk, -1_000), Leg(target.pk, 1_000)]
        with transaction.atomic():
            entries.append(ledger.post(key=str(uuid.uuid4()), kind="transfer", legs=legs, memo="").entry_id)
    tell, half_way = actions.tell, threading.Barrier(2)

    def slowly(happening: actions.Happening) -> bool:
        told = tell(happening)
        with contextlib.suppress(threading.BrokenBarrierError):
            half_way.wait(1.5)
        return told

    monkeypatch.setattr(actions, "tell", slowly)
    failed: list[Exception] = []

    def run(entry: UUID) -> None:
        try:
            with transaction.atomic():
                jobs.ledger_moved({"event": "posted", "entry_id": str(entry)})
        except DatabaseError as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(entry,)) for entry in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert Alert.objects.filter(entry_id__in=entries).count() == 4


def test_every_event_of_a_busy_day_has_its_alert_and_no_alert_is_without_one(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    assert su.id and lin.id
    hers, his = account(su.id), account(lin.id)
    entries = [move(one, amount) for one in (hers, his) for amount in (10_000, 20_000, -500)]
    outbox.drain()
    expected = {
        f"entry:{entry}:{leg['account_id']}" for entry in entries for leg in books.entry_legs(entry) if leg["owner_id"]
    }
    kept = set(Alert.objects.filter(account_id__in=[hers.pk, his.pk]).values_list("event_key", flat=True))
    assert kept == expected and len(expected) == 6


def test_what_is_below_the_threshold_or_switched_off_is_noted_and_not_sent(caller: People) -> None:
    su = caller("su")
    assert su.id
    mine = account(su.id)
    body = {"account_id": str(mine.pk), "threshold_fen": 10_000}
    assert su.patch("/api/finance/alert-settings", body).status_code == 200
    move(mine, 9_999)
    move(mine, 10_000)
    outbox.drain()
    su.patch("/api/finance/alert-settings", {"account_id": str(mine.pk), "enabled": False})
    move(mine, 500_000)
    outbox.drain()
    outcomes = list(Alert.objects.filter(account_id=mine.pk).order_by("amount_fen").values_list("outcome", flat=True))
    assert outcomes == ["below", "sent", "off"]
    assert [one["payload"]["amount_fen"] for one in cards(su) if one["payload"]["tail"] == mine.tail] == [10_000]


def test_in_quiet_hours_an_alert_waits_for_their_end_and_then_comes_once(caller: People) -> None:
    su = caller("su")
    assert su.id
    mine = account(su.id)
    local = business_now().astimezone(BANK_ZONE)
    begin, end = local - timedelta(hours=1), local + timedelta(hours=1)
    body = {
        "account_id": str(mine.pk),
        "quiet_from": begin.strftime("%H:%M"),
        "quiet_to": end.strftime("%H:%M"),
    }
    assert su.patch("/api/finance/alert-settings", body).status_code == 200
    entry = move(mine, 1_000)
    outbox.drain()
    alert = Alert.objects.get(entry_id=entry)
    assert alert.outcome == "waits"
    row = OutboxRow.objects.get(topic=actions.WAITING, payload={"alert_id": str(alert.pk)})
    assert timedelta() < row.run_at - business_now() <= timedelta(hours=1)
    OutboxRow.objects.filter(pk=row.pk).update(run_at=business_now())
    outbox.drain()
    with transaction.atomic():
        jobs.quiet_hours_over({"alert_id": str(alert.pk)})
    alert.refresh_from_db()
    assert alert.outcome == "sent"
    assert len([one for one in cards(su) if one["payload"]["tail"] == mine.tail]) == 1


@pytest.mark.parametrize(
    ("begin", "end", "at", "until"),
    [
        ("22:00", "07:00", "23:30", "07:00+1"),
        ("22:00", "07:00", "06:59", "07:00"),
        ("22:00", "07:00", "07:00", None),
        ("22:00", "07:00", "21:59", None),
        ("12:00", "14:00", "12:00", "14:00"),
        ("12:00", "14:00", "14:00", None),
        ("00:00", "23:59", "00:00", "23:59"),
    ],
)
def test_quiet_hours_may_pass_midnight(begin: str, end: str, at: str, until: str | None) -> None:
    day = datetime(2026, 11, 23, tzinfo=BANK_ZONE)

    def clock(text: str) -> datetime:
        hours, minutes = (int(part) for part in text.removesuffix("+1").split(":"))
        return day + timedelta(hours=hours, minutes=minutes, days=text.endswith("+1"))

    setting = AlertSetting(quiet_from=clock(begin).time(), quiet_to=clock(end).time())
    expected = None if until is None else clock(until)
    assert actions.quiet_until(setting, clock(at)) == expected


BAD: list[dict[str, Any]] = [
    {"threshold_fen": -1},
    {"threshold_fen": 1.5},
    {"threshold_fen": "100"},
    {"threshold_fen": True},
    {"threshold_fen": 10**18},
    {"enabled": "yes"},
    {"enabled": 1},
    {"enabled": None},
    {"quiet_from": "22:00"},
    {"quiet_from": "22:00", "quiet_to": "22:00"},
    {"quiet_from": "25:00", "quiet_to": "07:00"},
    {"quiet_from": "22:00", "quiet_to": None},
    {"quiet_from": "２２:00", "quiet_to": "晚上"},
    {"account_id": "我的"},
]


@pytest.mark.parametrize("change", BAD, ids=str)
def test_a_setting_that_does_not_fit_is_refused_and_changes_nothing(caller: People, change: dict[str, Any]) -> None:
    su = caller("su")
    assert su.id
    mine = account(su.id)
    before = su.get("/api/finance/alert-settings").json()
    answer = su.patch("/api/finance/alert-settings", {"account_id": str(mine.pk), **change})
    assert answer.status_code == 400, answer.content
    assert su.get("/api/finance/alert-settings").json() == before


def test_settings_and_balances_of_others_do_not_exist(caller: People) -> None:
    su, lin, zhou = caller("su"), caller("lin"), caller("zhou")
    assert su.id
    mine = account(su.id)
    entry = move(mine, 7_000)
    outbox.drain()
    ref = Alert.objects.get(entry_id=entry).pk
    for other in (lin, zhou):
        body = {"account_id": str(mine.pk), "enabled": False}
        assert other.patch("/api/finance/alert-settings", body).status_code == 404
        assert other.get(f"/api/finance/alerts/{ref}/balance").status_code == 404
        assert str(mine.pk) not in other.get("/api/finance/alert-settings").content.decode()
    assert Caller(None).get(f"/api/finance/alerts/{ref}/balance").status_code == 401
    assert Caller(None).get("/api/finance/alert-settings").status_code == 401
    (row,) = [one for one in su.get("/api/finance/alert-settings").json()["items"] if one["account_id"] == str(mine.pk)]
    assert row["enabled"] is True and row["threshold_fen"] == 0
