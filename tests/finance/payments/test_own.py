"""Money between a customer's own accounts: prepared, confirmed, booked at once, by the table of classes."""

import json
from typing import Any
from uuid import uuid4

import pytest

from finance.ledger.models import Account
from finance.payments.models import OwnTransfer
from kernel.models import AuditRow
from tests.finance.payments.conftest import RICH, Shown, Town, check_books

PATH = "/api/finance/own-transfers"


@pytest.fixture
def su(town: Town) -> Town:
    """su with a second account of class I and one of class III, empty."""
    town.account["su-2"] = town.open("su", "I")
    town.account["su-3"] = town.open("su", "III")
    return town


def order(town: Town, fen: Any = 300_00, to: str = "su-2", **changed: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "from_account_id": str(town.account["su"]),
        "to_account_id": str(town.account[to]),
        "amount_fen": fen,
        "memo": "备用",
        **changed,
    }


def balance(town: Town, name: str) -> int:
    return Account.objects.get(pk=town.account[name]).balance_fen


def test_money_moves_at_once_and_once_after_the_confirmation(su: Town) -> None:
    asked = order(su)
    sheet = Shown(su["su"].post(PATH, asked))
    assert sheet.statement["amount"]["text"] == "¥ 300.00"
    assert sheet.lines["付款账户"] != sheet.lines["收款账户"]
    assert sheet.lines["附言"] == "备用"
    assert su["su"].get(f"{PATH}/{asked['id']}").status_code == 404
    assert (balance(su, "su"), balance(su, "su-2")) == (RICH, 0)
    assert [sheet.confirm().status_code for _ in range(2)] == [200, 200]
    assert (balance(su, "su"), balance(su, "su-2")) == (RICH - 300_00, 300_00)
    seen = su["su"].get(f"{PATH}/{asked['id']}").json()
    assert (seen["amount_fen"], seen["to_account_id"], seen["memo"]) == (300_00, asked["to_account_id"], "备用")
    (entry,) = su["su"].get(f"/api/finance/accounts/{asked['to_account_id']}/entries").json()["items"]
    assert entry["amount_fen"] == 300_00
    assert AuditRow.objects.filter(action="payments.own_transfer", subject=f"transfer:{asked['id']}").count() == 1
    check_books()


def test_the_table_of_classes_applies_at_both_ends(su: Town) -> None:
    refused = su["su"].post(PATH, order(su, 2_000_01, "su-3")).json()["error"]
    assert (refused["code"], refused["params"]["rule"]) == ("class_rule", "day_limit")
    assert Shown(su["su"].post(PATH, order(su, 2_000_00, "su-3"))).confirm().status_code == 200
    assert su["su"].post(PATH, order(su, 1, "su-3")).json()["error"]["code"] == "class_rule"
    su.account["jiang"] = su.open("jiang", "II", remotely=True)
    su.account["jiang-2"] = su.open("jiang", "III", remotely=True)
    su.fund(su.account["jiang-2"], 500_00)
    back = order(su, from_account_id=str(su.account["jiang-2"]), to_account_id=str(su.account["jiang"]))
    answer = su["jiang"].post(PATH, back).json()["error"]
    assert (answer["params"]["rule"], "只能从它绑定的账户收款" in answer["message"]) == ("class_forbids", True)


def test_a_limit_used_up_between_statement_and_confirmation_moves_nothing(su: Town) -> None:
    waiting = Shown(su["su"].post(PATH, order(su, 1_500_00, "su-3")))
    su.fund(su.account["su-3"], 1_500_00)
    assert waiting.confirm().json()["error"]["code"] == "class_rule"
    assert (balance(su, "su"), balance(su, "su-3"), OwnTransfer.objects.count()) == (RICH, 1_500_00, 0)


def test_other_peoples_accounts_and_transfers_are_not_found(su: Town) -> None:
    theirs = str(su.account["lin"])
    assert su["su"].post(PATH, order(su, to_account_id=theirs)).status_code == 404
    assert su["su"].post(PATH, order(su, from_account_id=theirs)).status_code == 404
    mine = order(su)
    Shown(su["su"].post(PATH, mine)).confirm()
    assert su["lin"].get(f"{PATH}/{mine['id']}").status_code == 404


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"to": "su"}, "same_account"),
        ({"fen": RICH + 1}, "insufficient_funds"),
        ({"memo": "备用\u202e"}, "invalid"),
        ({"memo": "１００"}, "invalid"),
        ({"to_account_id": "x"}, "invalid"),
    ],
)
def test_what_does_not_fit_is_refused_and_moves_nothing(su: Town, changed: dict[str, Any], code: str) -> None:
    answer = su["su"].post(PATH, order(su, **changed))
    assert answer.json()["error"]["code"] == code
    assert balance(su, "su") == RICH


@pytest.mark.parametrize("amount", ["0", "-1", "1.0", "true", '"100"', "１", "1e3", "null", "1" + "0" * 30])
def test_an_amount_that_is_none_is_refused(su: Town, amount: str) -> None:
    body = json.dumps(order(su, "AMOUNT")).replace('"AMOUNT"', amount).encode()
    assert su["su"].post(PATH, body).status_code == 400


def test_the_form_shows_both_ends_with_what_their_limits_leave(su: Town) -> None:
    seen = su["su"].get(f"{PATH}/options").json()
    assert {one["account_id"] for one in seen["sources"]} == {one["account_id"] for one in seen["targets"]}
    fits = {one["account_id"]: one["fits_fen"] for one in seen["targets"]}
    assert (fits[str(su.account["su-3"])], fits[str(su.account["su-2"])]) == (2_000_00, None)
