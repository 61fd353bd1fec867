"""An owner closes an own account: empty, confirmed, once and for good."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections, transaction

from finance.ledger import actions as ledger
from finance.ledger.models import Account
from finance.payments.actions import closing
from kernel.errors import Refusal
from kernel.models import AuditRow
from tests.finance.payments.conftest import Shown, Town, check_books


def path(account_id: UUID | str) -> str:
    return f"/api/finance/accounts/{account_id}/closing"


def ask(town: Town, name: str, account_id: UUID | str) -> Any:
    return town[name].post(path(account_id), {"id": str(uuid4())})


def status(account_id: UUID | str) -> str:
    return Account.objects.get(pk=account_id).status


def error(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def opened(town: Town, name: str, account_class: str) -> str:
    answer = town.open_class(name, account_class)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["account_id"])


def test_a_closed_account_lets_go_of_its_card_and_can_be_opened_again(town: Town) -> None:
    account = opened(town, "jiang", "II")
    card = town.card("jiang")
    assert error(town["jiang"].delete(f"/api/cards/{card}")) == "card_holds_account"

    sheet = Shown(ask(town, "jiang", account))
    assert sheet.lines["余额"] == "¥ 0.00" and status(account) == "open"
    assert [sheet.confirm().status_code for _ in range(2)] == [200, 200]

    assert status(account) == "closed"
    assert account not in [one["id"] for one in town["jiang"].get("/api/finance/accounts").json()["items"]]
    assert AuditRow.objects.filter(action="ledger.account_closed", subject=f"account:{account}").count() == 1
    assert opened(town, "jiang", "II") != account
    again = Shown(ask(town, "jiang", town["jiang"].get("/api/finance/accounts").json()["items"][0]["id"]))
    assert again.confirm().status_code == 200
    assert town["jiang"].delete(f"/api/cards/{card}").status_code == 204


def test_an_account_with_money_stays(town: Town) -> None:
    account = opened(town, "jiang", "II")
    town.fund(account, 12_34)
    refused = ask(town, "jiang", account)
    assert (refused.status_code, error(refused)) == (409, "money_left")
    assert "12.34" in refused.json()["error"]["message"]


def test_an_account_with_something_held_stays(town: Town) -> None:
    account = opened(town, "jiang", "II")
    town.fund(account, 50_00)
    with transaction.atomic():
        ledger.place_hold(key=str(uuid4()), account_id=UUID(account), amount_fen=50_00, kind="transfer", memo="转账")
    assert error(ask(town, "jiang", account)) == "money_held"


def test_money_that_comes_before_the_confirmation_keeps_the_account(town: Town) -> None:
    account = opened(town, "jiang", "II")
    sheet = Shown(ask(town, "jiang", account))
    town.fund(account, 1)
    assert error(sheet.confirm()) == "money_left"
    assert status(account) == "open"
    check_books()


def test_a_class_i_account_a_frozen_one_and_a_closed_one_are_not_closed_here(town: Town) -> None:
    assert error(ask(town, "su", town.account["su"])) == "class_i_stays"
    account = opened(town, "jiang", "III")
    Account.objects.filter(pk=account).update(status="frozen")
    assert error(ask(town, "jiang", account)) == "account_closed"
    Account.objects.filter(pk=account).update(status="closed")
    assert error(ask(town, "jiang", account)) == "account_closed"


def test_other_peoples_accounts_are_not_found_and_bad_words_refused(town: Town) -> None:
    account = opened(town, "jiang", "II")
    assert ask(town, "su", account).status_code == 404
    assert ask(town, "su", uuid4()).status_code == 404
    for body in ({}, {"id": "x"}, [], {"id": 5.5}):
        assert town["jiang"].post(path(account), body).status_code == 400
    assert status(account) == "open"


def test_a_closed_account_takes_nothing_any_more(town: Town) -> None:
    account = opened(town, "jiang", "II")
    Shown(ask(town, "jiang", account)).confirm()
    with pytest.raises(Refusal) as refused:
        town.fund(account, 100)
    assert refused.value.code == "account_closed"
    assert Account.objects.get(pk=account).balance_fen == 0


def _at_once(*calls: Any) -> list[Any]:
    def run(call: Any) -> Any:
        try:
            return call()
        except Refusal as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def test_two_confirmations_at_once_close_it_once(busy_town: Town) -> None:
    account = opened(busy_town, "jiang", "II")
    sheet = Shown(ask(busy_town, "jiang", account))
    answers = _at_once(sheet.confirm, sheet.confirm, sheet.confirm)
    assert 200 in {answer.status_code for answer in answers} <= {200, 409}
    assert AuditRow.objects.filter(action="ledger.account_closed", subject=f"account:{account}").count() == 1


def test_two_closings_at_once_are_one(busy_town: Town) -> None:
    account = UUID(opened(busy_town, "jiang", "II"))

    def close() -> None:
        with transaction.atomic():
            closing.confirm(person_id=busy_town.people["jiang"], account_id=account)

    outcomes = _at_once(close, close, close)
    assert sorted(one.code for one in outcomes if one is not None) == ["account_closed"] * 2
    assert AuditRow.objects.filter(action="ledger.account_closed", subject=f"account:{account}").count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_a_credit_and_a_closing_at_once_lose_no_money(busy_town: Town, _round: int) -> None:
    account = opened(busy_town, "jiang", "II")
    sheet = Shown(ask(busy_town, "jiang", account))
    closed, credited = _at_once(sheet.confirm, lambda: busy_town.fund(account, 77_00))
    found = Account.objects.get(pk=account)
    if found.status == "closed":
        assert closed.status_code == 200 and isinstance(credited, Refusal) and credited.code == "account_closed"
        assert found.balance_fen == 0
    else:
        assert closed.status_code == 409 and error(closed) in ("money_left", "account_not_empty")
        assert credited is None and found.balance_fen == 77_00
    check_books()
