"""The same confirmation again: the same bytes, or that the first is still at work; never a second effect."""

from datetime import timedelta
from typing import Any

import pytest

from finance.bank_session.models import Confirmation, PinVerifier
from finance.ledger.models import Entry
from kernel.clock import now
from rongliao.demo import PIN
from tests.finance.bank_session.conftest import Bench
from tests.finance.bank_session.test_at_once import _copies
from tests.finance.bank_session.test_passkeys import added
from tests.support.authenticator import Authenticator
from tests.support.bank import Sheet, set_pin
from tests.support.midway import midway

AT_WORK = "bank_session_confirmation"
"""In the one statement that writes a confirmation, after the PIN and under the intent's lock."""


def code_of(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def tries(bench: Bench) -> int:
    return PinVerifier.objects.get(pk=bench.world.people["su"]).attempts


def done_once(bench: Bench, sheet: Sheet) -> bool:
    entries = Entry.objects.filter(key=f"test:{sheet.intent_id}").count()
    return (entries, Confirmation.objects.filter(intent_id=sheet.intent_id).count()) == (1, 1)


def test_a_repeat_while_the_first_is_at_work_is_told_so_and_then_gets_the_same_bytes(real_bench: Bench) -> None:
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen, (other,) = sheet.shown_hash(), _copies(sheet, 1)

    with midway(AT_WORK, lambda: other.confirm(statement_hash=seen)) as meanwhile:
        first = sheet.confirm(statement_hash=seen)

    (refused,) = meanwhile
    assert (first.status_code, refused.status_code, code_of(refused)) == (200, 409, "in_flight")
    assert refused["Retry-After"] == "1"
    again = other.confirm(statement_hash=seen)
    assert (again.status_code, again.content) == (200, first.content)
    assert done_once(real_bench, sheet) and real_bench.balance() == 99_000
    # A right PIN is no try, whether or not its turn had come.
    assert tries(real_bench) == 0


def test_a_wrong_pin_costs_its_try_also_while_the_right_one_is_at_work(real_bench: Bench) -> None:
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen, (other,) = sheet.shown_hash(), _copies(sheet, 1)

    with midway(AT_WORK, lambda: other.confirm("111112", seen)) as meanwhile:
        assert sheet.confirm(statement_hash=seen).status_code == 200

    assert code_of(meanwhile[0]) == "wrong_pin" and tries(real_bench) == 1


def test_a_signature_sent_twice_at_once_is_used_once_and_the_repeat_is_told_to_ask_again(real_bench: Bench) -> None:
    key = added(real_bench)
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen, (other,) = sheet.shown_hash(), _copies(sheet, 1)
    body = {"passkey": key.sign(bytes.fromhex(seen)), "statement_hash": seen}
    path = f"intents/{sheet.intent_id}/confirm"

    with midway(AT_WORK, lambda: other.call("POST", path, body)) as meanwhile:
        first = sheet.call("POST", path, body)

    assert (first.status_code, code_of(meanwhile[0])) == (200, "in_flight")
    assert other.call("POST", path, body).content == first.content
    assert done_once(real_bench, sheet)


def test_another_intent_of_the_same_person_is_not_in_flight(real_bench: Bench) -> None:
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    real_bench.callers.clear()  # on another device, in a bank session of its own
    other = Sheet(real_bench.prepare().handoff_url)
    theirs = other.shown_hash()

    # Before the first has posted anything: entries of one account do wait for each other.
    with midway("FOR NO KEY UPDATE SKIP LOCKED", lambda: other.confirm(statement_hash=theirs)) as meanwhile:
        assert sheet.confirm(statement_hash=seen).status_code == 200

    assert meanwhile[0].status_code == 200 and real_bench.balance() == 98_000


@pytest.mark.parametrize("proof", ["pin", "passkey"])
def test_a_replay_has_the_same_bytes_whatever_has_happened_since(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, proof: str
) -> None:
    key: Authenticator | None = added(bench) if proof == "passkey" else None
    sheet = Sheet(bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    path, body = f"intents/{sheet.intent_id}/confirm", {"statement_hash": seen}
    body |= {"passkey": key.sign(bytes.fromhex(seen))} if key else {"pin": PIN}  # type: ignore[dict-item]
    first = sheet.call("POST", path, body)
    assert first.status_code == 200, first.content

    # Time goes by, and somebody guesses at the PIN.
    monkeypatch.setattr("finance.bank_session.api.now", lambda: now() + timedelta(seconds=90))
    confirmed, sheet.intent_id = sheet.intent_id, str(bench.prepare().intent_id)
    assert code_of(sheet.confirm("111112")) == "wrong_pin"
    sheet.intent_id = confirmed

    again = sheet.call("POST", path, body)

    assert (again.status_code, again.content) == (200, first.content)
    assert done_once(bench, sheet) and bench.balance() == 99_000


def test_a_replay_with_another_hash_does_nothing_and_shows_nothing(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    first = sheet.confirm()

    other = sheet.confirm(statement_hash="0" * 64)

    assert (first.status_code, other.status_code, code_of(other)) == (200, 409, "intent_over")
    assert "result" not in other.json() and bench.balance() == 99_000


def test_somebody_else_s_confirmation_is_neither_replayed_nor_shown(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    assert sheet.confirm(statement_hash=seen).status_code == 200
    set_pin(bench.world.people["lin"])
    stranger = Sheet(bench.prepare("lin").handoff_url)

    stranger.intent_id = sheet.intent_id
    theirs = stranger.confirm(statement_hash=seen)
    stranger.intent_id = "018f0000-0000-7000-8000-000000000001"
    nothing = stranger.confirm(statement_hash=seen)

    assert theirs.status_code == 404 and theirs.content == nothing.content
