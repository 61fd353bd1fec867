"""The confirmation, through the bank's doors."""

import hashlib
import json
from datetime import timedelta

import pytest

from finance.bank_session.models import BankSession, Confirmation, Handoff, Intent
from finance.ledger.errors import InsufficientFunds
from finance.ledger.models import Entry
from kernel.clock import business_now, now
from kernel.models import AuditRow, OutboxRow
from tests.finance.bank_session.conftest import Bench
from tests.support.bank import Sheet


def code(answer: object) -> str:
    return str(answer.json()["error"]["code"])  # type: ignore[attr-defined]  # JSON


def test_the_sheet_shows_a_statement_and_the_right_pin_does_it_once(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    shown = sheet.intent().json()
    statement = json.loads(shown["statement"])

    done = sheet.confirm()

    assert statement["amount"] == {"fen": 1_000, "text": "¥ 10.00", "words": "人民币壹拾元整"}
    assert statement["lines"][0] == {"label": "收款人", "value": "*晓舟"}
    assert statement["lines"][-1] == {"label": "手续费", "value": "¥ 0.00"}
    assert statement["intent"] == sheet.intent_id
    assert hashlib.sha256(shown["statement"].encode()).hexdigest() == shown["statement_hash"]
    assert done.status_code == 200, done.content
    assert done.json()["state"] == "executed" and done.json()["result"]["entry_id"]
    assert bench.balance() == 99_000


def test_what_was_shown_is_kept_with_its_proof_in_the_audit_and_told(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    shown = sheet.intent().json()["statement"]
    sheet.confirm()

    kept = Confirmation.objects.get(intent_id=sheet.intent_id)
    assert bytes(kept.statement).decode() == shown and kept.proof == "pin"
    row = AuditRow.objects.get(action="intent.confirmed", subject=f"intent:{sheet.intent_id}")
    assert row.detail["statement"] == hashlib.sha256(shown.encode()).hexdigest()
    assert OutboxRow.objects.filter(topic="bank_session.confirmed", payload__intent_id=sheet.intent_id).count() == 1


def test_the_same_confirmation_again_gives_the_same_answer_and_no_second_effect(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    shown = sheet.shown_hash()
    first = sheet.confirm(statement_hash=shown).json()

    again = sheet.confirm(statement_hash=shown)

    assert again.status_code == 200 and again.json()["result"] == first["result"]
    assert bench.balance() == 99_000
    assert Confirmation.objects.filter(intent_id=sheet.intent_id).count() == 1


def test_an_executed_intent_confirmed_with_another_hash_is_over(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    sheet.confirm()

    assert code(sheet.confirm(statement_hash="0" * 64)) == "intent_over"
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


def test_a_statement_that_went_stale_is_refused_with_the_fresh_one(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    bench.price = 1_100

    refused = sheet.confirm(statement_hash=seen)

    assert (refused.status_code, code(refused)) == (409, "statement_stale")
    assert json.loads(refused.json()["intent"]["statement"])["amount"]["fen"] == 1_100
    assert bench.balance() == 100_000
    assert sheet.confirm(statement_hash=refused.json()["intent"]["statement_hash"]).status_code == 200
    assert bench.balance() == 98_900


def test_a_statement_is_not_confirmed_after_its_time(bench: Bench) -> None:
    """A purchase's cut-off: the words would be other ones afterwards."""
    bench.valid_until = business_now() + timedelta(seconds=60)
    sheet = Sheet(bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    Intent.objects.filter(pk=sheet.intent_id).update(valid_until=business_now())

    assert code(sheet.confirm(statement_hash=seen)) == "statement_stale"
    assert bench.balance() == 100_000


def test_a_challenge_lives_two_minutes_and_is_renewed_over_the_same_words(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    first = sheet.intent().json()
    Intent.objects.filter(pk=sheet.intent_id).update(challenged_until=now())

    late = sheet.confirm(statement_hash=first["statement_hash"])

    assert (late.status_code, code(late)) == (409, "challenge_over")
    second = late.json()["intent"]
    before, after = json.loads(first["statement"]), json.loads(second["statement"])
    assert before.pop("nonce") != after.pop("nonce")
    assert (before.pop("at"), after.pop("at")) and before == after
    assert bench.balance() == 100_000
    assert sheet.confirm(statement_hash=second["statement_hash"]).status_code == 200


def test_a_fresh_challenge_is_not_renewed_by_looking_at_it(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)

    assert sheet.shown_hash() == sheet.shown_hash()


def test_the_statement_speaks_the_reader_s_language(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)

    english = json.loads(sheet.intent(**{"Accept-Language": "en"}).json()["statement"])

    assert (english["title"], english["language"], english["bank"]) == ("Confirm transfer", "en", "Yuanshan Bank")
    assert [line["label"] for line in english["lines"]] == ["To", "From", "Fee"]


def test_a_cancelled_intent_is_confirmed_no_more(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    seen = sheet.shown_hash()

    assert sheet.cancel().json()["state"] == "cancelled" and sheet.cancel().status_code == 200
    assert code(sheet.confirm(statement_hash=seen)) == "intent_over"
    assert bench.balance() == 100_000


def test_an_executed_intent_is_not_cancelled(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    sheet.confirm()

    assert code(sheet.cancel()) == "intent_over"


def test_an_intent_expires(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    Intent.objects.filter(pk=sheet.intent_id).update(expires_at=now())

    assert code(sheet.confirm(statement_hash=seen)) == "intent_over"
    assert sheet.intent().json()["state"] == "expired"


def test_the_same_intent_prepared_again_is_the_same_intent(bench: Bench) -> None:
    first = bench.prepare()
    again = bench.prepare(intent_id=first.intent_id)

    assert Sheet(first.handoff_url).confirm().status_code == 200
    late = Sheet(again.handoff_url)
    assert late.intent().json()["state"] == "executed"
    assert bench.balance() == 99_000 and Entry.objects.filter(key=f"test:{first.intent_id}").count() == 1


def test_an_intent_s_id_is_not_taken_for_something_else_nor_by_somebody_else(bench: Bench) -> None:
    first = bench.prepare()

    with pytest.raises(Exception, match="key_reused"):
        bench.prepare(intent_id=first.intent_id, subject={"account": "another"})
    with pytest.raises(Exception, match="conflict"):
        bench.prepare("lin", intent_id=first.intent_id)


def test_an_intent_that_replaces_another_ends_it(bench: Bench) -> None:
    first = Sheet(bench.prepare().handoff_url)
    seen = first.shown_hash()
    bench.prepare(replaces=first.intent_id)

    assert code(first.confirm(statement_hash=seen)) == "intent_over"


@pytest.mark.parametrize(
    "pin",
    [258369, "25836", "2583690", "２５８３６９", "258 369", "25836a", "", None, True, ["2"], "258369\n", "٢٥٨٣٦٩"],
)
def test_what_is_no_pin_is_refused_and_costs_no_try(bench: Bench, pin: object) -> None:
    sheet = Sheet(bench.prepare().handoff_url)

    assert sheet.confirm(pin).status_code == 400
    assert sheet.intent().json()["tries_left"] == 5 and bench.balance() == 100_000


@pytest.mark.parametrize("given", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "０" * 64, 5, True, {"a": 1}])
def test_what_is_no_hash_is_refused_and_costs_no_try(bench: Bench, given: object) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    body = {"pin": "258369", "statement_hash": given}

    assert sheet.call("POST", f"intents/{sheet.intent_id}/confirm", body).status_code == 400
    assert sheet.intent().json()["tries_left"] == 5


def test_a_session_that_was_closed_confirms_nothing(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    seen, copy = sheet.shown_hash(), Sheet(cookie=sheet.client.cookies["rl_bank"].value)
    copy.intent_id = sheet.intent_id
    assert sheet.call("DELETE", "session").status_code == 204

    for page in (sheet, copy):
        assert page.confirm(statement_hash=seen).status_code == 401
    assert bench.balance() == 100_000


def test_a_handoff_opens_one_session_once(bench: Bench) -> None:
    url = bench.prepare().handoff_url

    assert Sheet().redeem(url).status_code == 201
    assert (Sheet().redeem(url).status_code, code(Sheet().redeem(url))) == (410, "handoff_gone")


def test_a_handoff_is_good_for_a_minute(bench: Bench) -> None:
    url = bench.prepare().handoff_url
    Handoff.objects.update(expires_at=now())

    assert Sheet().redeem(url).status_code == 410


def test_signing_out_of_the_chat_ends_handoffs_and_bank_sessions(bench: Bench) -> None:
    url = bench.prepare().handoff_url
    sheet = Sheet(bench.prepare().handoff_url)
    bench.caller().delete("/api/session")

    assert Sheet().redeem(url).status_code == 410
    assert sheet.intent().status_code == 401
    assert BankSession.objects.count() == 1


def test_a_session_ends_by_idleness_and_by_its_limit(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    assert sheet.call("GET", "session").json()["idle_s"] in range(295, 301)

    BankSession.objects.update(used_at=now() - timedelta(seconds=301))
    assert sheet.intent().status_code == 401
    BankSession.objects.update(used_at=now(), expires_at=now())
    assert sheet.intent().status_code == 401


def test_looking_at_the_clock_does_not_wind_it(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    BankSession.objects.update(used_at=now() - timedelta(seconds=100))

    sheet.intent()

    assert sheet.call("GET", "session").json()["idle_s"] <= 200


def test_the_token_changes_with_every_handoff(bench: Bench) -> None:
    first = Sheet(bench.prepare().handoff_url)
    old = first.client.cookies["rl_bank"].value
    second = Sheet(bench.prepare().handoff_url)

    assert second.client.cookies["rl_bank"].value != old
    assert first.intent().status_code == 401


def test_the_cookie_is_for_the_bank_s_doors_alone(bench: Bench) -> None:
    cookie = Sheet(bench.prepare().handoff_url).client.cookies["rl_bank"]

    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/api/bank"


def test_a_person_sees_and_closes_their_bank_sessions_from_the_chat(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    (seen,) = bench.caller().get("/api/finance/bank-sessions").json()["items"]

    assert seen["current"] is True
    assert bench.caller("lin").delete(f"/api/finance/bank-sessions/{seen['id']}").status_code == 404
    assert bench.caller().delete(f"/api/finance/bank-sessions/{seen['id']}").status_code == 204
    assert sheet.intent().status_code == 401
    assert bench.caller().get("/api/finance/bank-sessions").json()["items"] == []


def test_a_closed_sheet_is_opened_again_only_by_its_own_sign_in(bench: Bench) -> None:
    first = bench.prepare()
    path = f"/api/finance/intents/{first.intent_id}/open"

    again = bench.caller().post(path)

    assert again.status_code == 201 and Sheet(again.json()["confirm_url"]).confirm().status_code == 200
    assert bench.caller("lin").post(path).status_code == 404
