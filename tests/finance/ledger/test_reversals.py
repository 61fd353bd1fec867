"""An entry is taken back by two people, once, and its owners are told."""

import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts.actions.duties import set_roles
from finance.ledger.closing import close_days
from finance.ledger.models import Entry, ReversalRequest
from finance.ledger.verify import verify
from finance.services.models import Alert
from kernel import clock, jobs
from kernel.clock import business_now
from kernel.models import AuditRow
from tests.conftest import FreshDatabase
from tests.finance.ledger.conftest import Books, at_once
from tests.support.caller import Caller
from tests.support.midway import midway

BASE = "/api/finance/operations"


class Desk:
    """Two operators' worlds: fang enters, qin decides."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.fang, self.qin, self.su = (Caller(books.world.people[name]) for name in ("fang", "qin", "su"))
        self.payer, self.payee = books.open("su", 10_000), books.open("lin")
        self.entry = books.post((self.payer, -4_000), (self.payee, 4_000), memo="还你午饭").entry_id

    def enter(self, entry: UUID | None = None, by: Caller | None = None, **changed: Any) -> Any:
        body = {
            "id": str(uuid.uuid4()),
            "entry_id": str(entry or self.entry),
            "reason": "付款人报错账,经核实",
            **changed,
        }
        return (by or self.fang).post(f"{BASE}/reversals", body)

    def decide(self, request: Any, what: str = "approve", by: Caller | None = None, body: Any = None) -> Any:
        return (by or self.qin).post(f"{BASE}/reversals/{request['id']}/{what}", body or {})

    def money(self) -> tuple[int, int]:
        return self.books.balance(self.payer), self.books.balance(self.payee)


@pytest.fixture
def desk(books: Books) -> Desk:
    return Desk(books)


def test_one_enters_another_approves_and_the_money_is_back(desk: Desk) -> None:
    entered = desk.enter()
    assert entered.status_code == 201 and desk.money() == (6_000, 4_000)
    assert entered.json()["mine"] and entered.json()["state"] == "waiting"

    done = desk.decide(entered.json())

    assert (done.status_code, done.json()["state"]) == (200, "approved")
    assert desk.money() == (10_000, 0)
    reversal = Entry.objects.get(pk=done.json()["reversal_id"])
    assert (reversal.kind, reversal.reverses_id, reversal.memo) == ("reversal", desk.entry, "冲正:还你午饭")
    assert verify().broken is None
    said = AuditRow.objects.filter(action__startswith="ledger.reversal_").order_by("pk")
    assert [(row.action, row.actor_id) for row in said] == [
        ("ledger.reversal_entered", desk.fang.id),
        ("ledger.reversal_approved", desk.qin.id),
    ]


def test_both_owners_are_told_even_where_they_asked_for_silence(desk: Desk) -> None:
    jobs.drain()
    settings = {"account_id": str(desk.payer), "enabled": False}
    assert desk.su.patch("/api/finance/alert-settings", settings).status_code == 200
    desk.decide(desk.enter().json())

    jobs.drain()

    told = Alert.objects.filter(kind="reversal")
    assert {(row.account_id, row.direction, row.amount_fen, row.outcome) for row in told} == {
        (desk.payer, "in", 4_000, "sent"),
        (desk.payee, "out", 4_000, "sent"),
    }


def test_the_same_again_is_the_same_and_never_a_second_reversal(desk: Desk) -> None:
    first = desk.enter()
    request = first.json()
    again = desk.enter(id=request["id"])
    assert (again.status_code, again.json()["id"]) == (201, request["id"])
    assert desk.enter(id=request["id"], reason="别的").json()["error"]["code"] == "key_reused"
    assert desk.enter().json()["error"]["code"] == "reversal_waiting"

    assert desk.decide(request).status_code == desk.decide(request).status_code == 200

    assert desk.enter().json()["error"]["code"] == "already_reversed"
    assert desk.decide(request, "refuse", body={"reason": "晚了"}).json()["error"]["code"] == "reversal_closed"
    reversal = Entry.objects.get(reverses_id=desk.entry)
    assert desk.enter(reversal.pk).json()["error"]["code"] == "not_reversible"
    assert desk.money() == (10_000, 0)


def test_whoever_entered_it_does_not_decide_even_with_both_roles(desk: Desk) -> None:
    both = {"operator": "运营", "checker": "复核"}
    set_roles(person_id=desk.books.world.people["fang"], roles=both, by=None)
    request = desk.enter().json()
    for what, body in (("approve", {}), ("refuse", {"reason": "自己"})):
        assert desk.decide(request, what, by=desk.fang, body=body).json()["error"]["code"] == "own_reversal"
    assert desk.money() == (6_000, 4_000)


def test_the_database_wants_two_people_too(desk: Desk) -> None:
    request = desk.enter().json()
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        ReversalRequest.objects.filter(pk=request["id"]).update(
            state="refused", checker_id=desk.fang.id, closed_at=business_now()
        )


def test_nobody_reverses_what_touches_their_own_account(desk: Desk) -> None:
    fang, qin = (desk.books.open(name, 100) for name in ("fang", "qin"))
    hers = desk.books.post((fang, -50), (desk.payee, 50)).entry_id
    his = desk.books.post((desk.payee, -50), (qin, 50)).entry_id

    assert desk.enter(hers).json()["error"]["code"] == "own_account"
    assert desk.decide(desk.enter(his).json()).json()["error"]["code"] == "own_account"
    assert not Entry.objects.filter(reverses__isnull=False).exists()


def test_money_that_was_spent_is_not_taken_and_the_request_waits_on(desk: Desk) -> None:
    desk.books.post((desk.payee, -1), (desk.books.bank("settlement"), 1))
    request = desk.enter().json()

    assert desk.decide(request).json()["error"]["code"] == "insufficient_funds"

    assert desk.money() == (6_000, 3_999)
    assert ReversalRequest.objects.get().state == "waiting"
    desk.books.post((desk.books.bank("settlement"), -1), (desk.payee, 1))
    assert desk.decide(request).status_code == 200


def test_what_is_held_is_not_taken_either(desk: Desk) -> None:
    desk.books.hold(desk.payee, 1)
    assert desk.decide(desk.enter().json()).json()["error"]["code"] == "insufficient_funds"
    assert desk.money() == (6_000, 4_000)


def test_a_request_is_refused_with_a_reason_or_withdrawn_and_may_be_entered_anew(desk: Desk) -> None:
    first = desk.enter().json()
    refused = desk.decide(first, "refuse", body={"reason": "凭证不全"}).json()
    assert (refused["state"], refused["checker_reason"]) == ("refused", "凭证不全")
    assert desk.decide(first).json()["error"]["code"] == "reversal_closed"

    second = desk.enter().json()
    assert desk.decide(second, "withdraw", by=desk.fang).json()["state"] == "withdrawn"
    assert desk.decide(second).json()["error"]["code"] == "reversal_closed"

    shown = desk.qin.get(f"{BASE}/reversals?limit=1").json()
    assert [row["id"] for row in shown["items"]] == [second["id"]] and shown["may_decide"]
    following = desk.qin.get(f"{BASE}/reversals?limit=1&before={shown['next']}").json()
    assert [row["id"] for row in following["items"]] == [first["id"]] and following["next"] is None
    assert desk.money() == (6_000, 4_000)


def test_an_entry_is_found_by_its_number_or_its_transfers_and_the_look_is_kept(desk: Desk) -> None:
    order = uuid.uuid4()
    entry = desk.books.post((desk.payer, -10), (desk.payee, 10), reference=order).entry_id
    for number in (entry, order):
        (found,) = desk.fang.get(f"{BASE}/entries?number={number}").json()["items"]
        assert found["id"] == str(entry)
        assert [(leg["owner"], leg["amount_fen"]) for leg in found["legs"]] == [("*禾", -10), ("*晓舟", 10)]
        assert AuditRow.objects.filter(action="ledger.entries_read", subject=f"entry:{number}").exists()
    assert desk.fang.get(f"{BASE}/entries?number=7").status_code == 400


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, 7, None, "a\u0000b", "\u202egnorw"])
def test_a_reason_is_words(desk: Desk, reason: Any) -> None:
    assert desk.enter(reason=reason).status_code == 400
    assert not ReversalRequest.objects.exists()


def test_customers_and_other_staff_find_no_such_door(desk: Desk, world: Any) -> None:
    request = desk.enter().json()
    for name in ("su", "zhou", "song", "liang"):
        caller = Caller(world.people[name])
        for path in ("entries?number=" + str(desk.entry), "reversals", "day-closes"):
            assert caller.get(f"{BASE}/{path}").status_code == 403
        assert desk.decide(request, by=caller).status_code == 403
    assert desk.enter(by=desk.qin).status_code == 403
    assert desk.decide(request, by=desk.fang).status_code == 403
    assert desk.money() == (6_000, 4_000)


def test_a_decided_request_is_not_changed_by_anybody(fresh_database: FreshDatabase) -> None:
    desk = Desk(Books(fresh_database.world))
    request = desk.enter().json()
    with pytest.raises(DatabaseError):
        ReversalRequest.objects.filter(pk=request["id"]).update(reason="别的")
    desk.decide(request)
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as owner:
        for statement in (
            "UPDATE ledger_reversalrequest SET state = 'waiting', checker_id = NULL, closed_at = NULL",
            "UPDATE ledger_reversalrequest SET reason = '别的'",
            "DELETE FROM ledger_reversalrequest",
            "TRUNCATE ledger_reversalrequest",
        ):
            with pytest.raises(psycopg.Error):
                owner.execute(statement)


def test_many_who_ask_and_decide_at_once_take_it_back_once(fresh_database: FreshDatabase) -> None:
    desk = Desk(Books(fresh_database.world))
    entered = at_once(8, lambda index: desk.enter(by=Caller(desk.fang.id)))
    assert sorted(answer.status_code for answer in entered) == [201] + [409] * 7
    (request,) = [answer.json() for answer in entered if answer.status_code == 201]

    decided = at_once(8, lambda index: desk.decide(request, by=Caller(desk.qin.id)))

    assert {answer.status_code for answer in decided} == {200}
    assert Entry.objects.filter(reverses_id=desk.entry).count() == 1
    assert desk.money() == (10_000, 0)


def test_the_same_request_at_once_with_itself_is_one_and_is_told_so(fresh_database: FreshDatabase) -> None:
    desk, again = Desk(Books(fresh_database.world)), str(uuid.uuid4())
    with midway('INSERT INTO "ledger_reversalrequest', lambda: desk.enter(by=Caller(desk.fang.id), id=again)) as told:
        answer = desk.enter(id=again)
    assert (answer.status_code, answer.content) == (told[0].status_code, told[0].content) and answer.status_code == 201
    assert ReversalRequest.objects.count() == 1
    assert AuditRow.objects.filter(action="ledger.reversal_entered").count() == 1


def test_closed_days_are_shown_with_their_trial_balance(desk: Desk, settings: Any) -> None:
    settings.DEMO = True
    clock.advance(timedelta(days=1))
    *_, close = close_days()

    shown, *_ = desk.qin.get(f"{BASE}/day-closes").json()["items"]
    assert (shown["day"], shown["balances"], shown["debit_fen"]) == (str(close.day), True, shown["credit_fen"])
    lines = desk.qin.get(f"{BASE}/day-closes/{shown['day']}").json()["items"]
    assert sum(line["closing_fen"] for line in lines) == 0 and any(line["group"] == "customers-I" for line in lines)
    assert desk.qin.get(f"{BASE}/day-closes/1999-01-01").status_code == 404
    assert desk.qin.get(f"{BASE}/day-closes/today").status_code == 404
    assert desk.qin.get(f"{BASE}/day-closes?before=x").status_code == 400
