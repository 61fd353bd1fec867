"""With the first proof in a bank session its token changes, and before it the session is for one intent."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finance.bank_session import step_up
from finance.bank_session.errors import PinNotSet
from finance.bank_session.models import BankSession, IdentityProof, PinVerifier
from finance.ledger import actions as ledger
from kernel.clock import now
from rongliao.demo import PIN
from tests.finance.bank_session.conftest import Bench
from tests.finance.bank_session.test_at_once import one_outcome
from tests.finance.bank_session.test_identity import OWN, again, opened, tail_of
from tests.finance.bank_session.test_passkeys import added, signed
from tests.finance.ledger.conftest import at_once
from tests.support.authenticator import Authenticator
from tests.support.bank import Sheet


@pytest.fixture(autouse=True)
def codes_are_shown(settings: Any) -> None:
    settings.DEMO = True


def token_of(sheet: Sheet) -> str:
    return str(sheet.client.cookies["rl_bank"].value)


def with_token(token: str, intent_id: str) -> Sheet:
    """Whoever has this token, and what they do with it."""
    sheet = Sheet(cookie=token)
    sheet.intent_id = intent_id
    return sheet


def code_of(answer: Any) -> str:
    return "" if answer.status_code < 300 else str(answer.json()["error"]["code"])


def by_pin(sheet: Sheet, key: Authenticator) -> Any:
    return sheet.confirm()


def by_passkey(sheet: Sheet, key: Authenticator) -> Any:
    return signed(sheet, key)


def by_identity(sheet: Sheet, key: Authenticator) -> Any:
    return sheet.prove(id_tail=tail_of("su"), asked="device")


PROOFS = [by_pin, by_passkey, by_identity]


def everything(sheet: Sheet, intent_id: str) -> set[tuple[int, str]]:
    """What each door of the bank's page answers about this intent."""
    seen = "0" * 64
    asked = [
        ("GET", "session", None),
        ("GET", f"intents/{intent_id}", None),
        ("GET", f"intents/{intent_id}/proof", None),
        ("POST", f"intents/{intent_id}/proof/code", {}),
        ("POST", f"intents/{intent_id}/proof", {"code": "000000", "id_tail": "000000"}),
        ("GET", f"intents/{intent_id}/passkey", None),
        ("POST", f"intents/{intent_id}/cancel", {}),
        ("POST", f"intents/{intent_id}/confirm", {"pin": PIN, "statement_hash": seen}),
        ("POST", "pin", {"intent_id": intent_id, "pin": "147036", "current": PIN, "statement_hash": seen}),
        ("DELETE", "session", None),
    ]
    answers = [sheet.call(*one) for one in asked]
    return {(answer.status_code, code_of(answer)) for answer in answers}


GONE = {(401, "bank_session_needed")}


@pytest.mark.parametrize("proof", PROOFS)
def test_a_token_from_before_the_first_proof_opens_nothing_after_it(bench: Bench, proof: Any) -> None:
    key = added(bench)
    sheet = Sheet(bench.prepare().handoff_url)
    before, waiting = token_of(sheet), bench.prepare()
    assert proof(sheet, key).status_code < 300
    after = token_of(sheet)

    cookie = sheet.client.cookies["rl_bank"]
    assert after != before and (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/api/bank")
    assert everything(with_token(before, ""), str(waiting.intent_id)) == GONE
    BankSession.objects.update(proved_at=now() - timedelta(seconds=step_up.REPLACED_S))
    assert everything(with_token(before, ""), sheet.intent_id) == GONE
    # The session itself goes on, with its own clock, and for what else its sign-in has prepared.
    assert sheet.call("GET", "session").status_code == 200
    sheet.intent_id = str(waiting.intent_id)
    assert sheet.confirm().status_code == 200 and token_of(sheet) == after


def test_the_present_pin_that_changes_itself_is_a_proof_too(bench: Bench) -> None:
    sheet = opened(bench.caller(), "change")
    before = token_of(sheet)
    assert sheet.choose("147036", current=PIN).status_code == 200
    assert token_of(sheet) != before and with_token(before, "").call("GET", "session").status_code == 401


def test_what_proves_nothing_or_does_nothing_changes_no_token(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    before = token_of(sheet)
    assert sheet.confirm("600318").status_code == 403
    assert sheet.prove(id_tail="000000").status_code == 403
    bench.refusal = PinNotSet()
    assert sheet.confirm().status_code == 409
    assert token_of(sheet) == before and BankSession.objects.get(ended_at=None).proved_at is None
    bench.refusal = None
    assert sheet.confirm().status_code == 200 and token_of(sheet) != before


def test_before_a_proof_a_session_is_for_the_one_intent_it_was_opened_for(bench: Bench) -> None:
    other = str(bench.prepare().intent_id)
    sheet = Sheet(bench.prepare().handoff_url)
    own = sheet.intent_id

    sheet.intent_id = other
    about_other = [
        sheet.intent(),
        sheet.cancel(),
        sheet.confirm(statement_hash="0" * 64),
        sheet.choose("147036", "0" * 64, current=PIN),
        sheet.call("POST", f"intents/{other}/proof/code", {}),
        sheet.prove(code="000000", id_tail="000000"),
        sheet.call("GET", f"intents/{other}/passkey"),
    ]
    assert {(answer.status_code, code_of(answer)) for answer in about_other} == {(404, "not_found")}
    assert bench.balance() == 100_000 and PinVerifier.objects.get(pk=bench.world.people["su"]).attempts == 0
    sheet.intent_id = own
    assert sheet.confirm().status_code == 200
    sheet.intent_id = other
    assert sheet.intent().json()["state"] == "prepared"


@pytest.mark.parametrize("whose", ["session", "device", "person", "idle", "limit", "closed"])
def test_a_stepped_up_token_of_elsewhere_or_of_yesterday_has_no_effect(bench: Bench, whose: str) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    assert sheet.confirm().status_code == 200
    token, expected = token_of(sheet), GONE
    if whose in ("device", "person"):
        bench.callers.clear()
        intent_id = str(bench.prepare("lin" if whose == "person" else "su").intent_id)
        expected = {(404, "not_found")}
    else:
        prepared = bench.prepare()
        intent_id = str(prepared.intent_id)
        if whose == "session":
            Sheet(prepared.handoff_url)
        elif whose == "closed":
            assert sheet.call("DELETE", "session").status_code == 204
        else:
            past = now() - timedelta(seconds=301)
            BankSession.objects.update(**{"used_at" if whose == "idle" else "expires_at": past})

    answers = everything(with_token(token, ""), intent_id)

    if whose in ("device", "person"):  # its own clock and end, which name no intent
        answers -= {(200, ""), (204, "")}
    assert answers == expected
    assert bench.balance() == 99_000


def test_an_identity_proof_of_another_session_intent_or_time_is_none(bench: Bench) -> None:
    first = Sheet(bench.prepare().handoff_url)
    assert first.prove(id_tail=tail_of("su"), card_number=own_card(bench)).status_code == 204
    first_id, other = first.intent_id, Sheet(bench.prepare().handoff_url)
    assert code_of(other.choose("147036")) == "proof_needed"
    assert other.prove(code=again(other), id_tail=tail_of("su"), card_number=own_card(bench)).status_code == 204
    own_id, other.intent_id = other.intent_id, first_id
    assert code_of(other.choose("147036")) == "proof_needed"
    other.intent_id = own_id
    IdentityProof.objects.update(expires_at=now())
    assert code_of(other.choose("147036")) == "proof_needed"


def own_card(bench: Bench) -> str:
    """The number of an account of the person's own."""
    ledger.open_account(
        owner_id=bench.world.people["su"],
        account_type="customer",
        account_class="I",
        name="储蓄卡",
        number=OWN,
        key="test:numbered",
    )
    return OWN


def test_whose_answer_was_lost_sees_what_became_of_it_and_opens_the_next_sheet_anew(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    before, seen = token_of(sheet), sheet.shown_hash()
    done = sheet.confirm(statement_hash=seen).json()
    lost = with_token(before, sheet.intent_id)

    assert lost.intent().json()["state"] == "executed"
    again_ = lost.confirm(statement_hash=seen)
    assert (again_.status_code, again_.json()["result"]) == (200, done["result"])
    # The new token is told once: whoever else has the old one gets none by asking again.
    assert not again_.cookies and token_of(lost) == before and bench.balance() == 99_000
    assert lost.call("GET", "session").status_code == 401
    assert Sheet(bench.prepare().handoff_url).confirm().status_code == 200


def test_whose_proof_s_answer_was_lost_looks_and_does_nothing_with_the_old_token(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    before, prepared = token_of(sheet), sheet.intent_id
    assert sheet.prove(id_tail=tail_of("su"), asked="device").status_code == 204
    lost = with_token(before, prepared)
    used = BankSession.objects.get(ended_at=None).used_at
    seen = sheet.shown_hash()

    assert lost.intent().json()["state"] == "prepared"
    # Nor does it put another statement in place of the one that its owner is looking at.
    assert lost.intent(**{"Accept-Language": "en"}).json()["statement_hash"] == seen
    assert code_of(lost.confirm(statement_hash="0" * 64)) == "bank_session_needed"
    assert sheet.shown_hash() == seen
    assert code_of(lost.confirm()) == "bank_session_needed"
    assert code_of(lost.confirm("600318")) == "bank_session_needed"
    assert lost.cancel().status_code == lost.choose("147036", current=PIN).status_code == 401
    assert PinVerifier.objects.get(pk=bench.world.people["su"]).attempts == 0 and bench.balance() == 100_000
    assert BankSession.objects.get(ended_at=None).used_at == used
    answer = bench.caller().post(f"/api/finance/intents/{prepared}/open", {})
    assert Sheet(answer.json()["confirm_url"]).confirm().status_code == 200


def test_confirmed_twice_at_once_it_is_done_once_and_the_browser_holds_the_token_that_counts(real_bench: Bench) -> None:
    for _ in range(4):
        before = real_bench.balance()
        sheet = Sheet(real_bench.prepare().handoff_url)
        seen, waiting = sheet.shown_hash(), real_bench.prepare()
        copies = [with_token(token_of(sheet), sheet.intent_id) for _ in range(2)]

        answers = at_once(2, lambda index: copies[index].confirm(statement_hash=seen))  # noqa: B023

        one_outcome(answers)
        told = [answer.cookies["rl_bank"].value for answer in answers if "rl_bank" in answer.cookies]
        assert len(told) == 1 and real_bench.balance() == before - 1_000
        # One jar, whichever answer came last: the other one had no cookie to overwrite it with.
        assert with_token(told[0], str(waiting.intent_id)).confirm().status_code == 200


def test_a_step_up_takes_no_statement_more_and_later_confirmations_write_none_of_it(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    counted = []
    for _ in range(2):
        seen = sheet.shown_hash()
        with CaptureQueriesContext(connection) as run:
            assert sheet.confirm(statement_hash=seen).status_code == 200
        counted.append((len(run), sum("earlier_hash = token_hash" in one["sql"] for one in run.captured_queries)))
        sheet.intent_id = str(bench.prepare().intent_id)
    (first, stepped), (second, again_) = counted
    assert first == second and (stepped, again_) == (1, 0)


def test_a_session_of_an_older_server_is_for_all_its_sign_in_prepared_until_it_is_over(bench: Bench) -> None:
    other = str(bench.prepare().intent_id)
    sheet = Sheet(bench.prepare().handoff_url)
    BankSession.objects.update(intent_id=None)
    sheet.intent_id = other
    before = token_of(sheet)
    assert sheet.confirm().status_code == 200 and token_of(sheet) != before
