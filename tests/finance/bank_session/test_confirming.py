from finance.ledger.errors import InsufficientFunds
from tests.finance.bank_session.conftest import Bench
from tests.support.bank import Sheet


def test_the_sheet_shows_a_statement_and_the_right_pin_does_it_once(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    shown = sheet.intent().json()
    assert shown["state"] == "prepared" and '"收款人"' in shown["statement"]

    done = sheet.confirm()

    assert done.status_code == 200, done.content
    assert done.json()["state"] == "executed" and done.json()["result"]["entry_id"]
    assert bench.balance() == 99_000


def test_a_wrong_pin_does_nothing_and_says_how_many_tries_are_left(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)

    wrong = sheet.confirm("111112")

    assert wrong.status_code == 403
    assert wrong.json()["error"]["code"] == "wrong_pin" and wrong.json()["error"]["params"] == {"tries_left": 4}
    assert bench.balance() == 100_000


def test_a_refusal_of_the_kind_leaves_the_intent_waiting(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    bench.refusal = InsufficientFunds(available_fen=3)

    refused = sheet.confirm()

    assert refused.status_code == 409 and refused.json()["error"]["params"] == {"available_fen": 3}
    assert sheet.intent().json()["state"] == "prepared"
    bench.refusal = None
    assert sheet.confirm().status_code == 200
