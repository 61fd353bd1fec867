"""The PIN while something else happens: a wrong one beside the right one, a lock, a change."""

import uuid
from collections import Counter
from threading import Barrier, Event
from typing import Any

import pytest
from django.conf import settings

from accounts import actions as accounts
from finance.bank_session import pins
from finance.bank_session.models import Confirmation, PinVerifier
from kernel.models import OutboxRow
from tests.finance.bank_session.conftest import Bench
from tests.finance.ledger.conftest import at_once
from tests.support.bank import PIN, Sheet
from tests.support.caller import Caller

WRONG, NEW = "600318", "703928"


def _copies(sheet: Sheet, count: int) -> list[Sheet]:
    copies = [Sheet(cookie=sheet.client.cookies["rl_bank"].value) for _ in range(count)]
    for copy in copies:
        copy.intent_id = sheet.intent_id
    return copies


def _code(answer: Any) -> str:
    return "" if answer.status_code == 200 else str(answer.json()["error"]["code"])


def _verifier(bench: Bench) -> PinVerifier:
    return PinVerifier.objects.get(pk=bench.world.people["su"])


def _side_by_side(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, attempts: int, first: str
) -> tuple[Any, Any, Sheet]:
    """A right and a wrong PIN, both counted before either is compared; `first` is compared first.

    Answers that of the right one and that of the wrong one.
    """
    sheet = Sheet(bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    for number in range(attempts):
        assert _code(sheet.confirm(f"60031{number}", seen)) == "wrong_pin"
    counted = {"right": Event(), "wrong": Event()}
    answered = {"right": Event(), "wrong": Event()}
    matches, right_keyed = pins._matches, pins._keyed(bench.world.people["su"], PIN)

    def in_order(encoded: str, keyed: str) -> bool:
        mine, other = ("right", "wrong") if keyed == right_keyed else ("wrong", "right")
        counted[mine].set()
        assert counted[other].wait(10)
        if mine != first:
            assert answered[other].wait(10)
        return matches(encoded, keyed)

    monkeypatch.setattr(pins, "_matches", in_order)
    copies = _copies(sheet, 2)

    def go(index: int) -> Any:
        mine = ("right", "wrong")[index]
        if mine == "wrong":
            # So that it is the wrong one that was counted last.
            assert counted["right"].wait(10)
        answer = copies[index].confirm(PIN if mine == "right" else WRONG, seen)
        answered[mine].set()
        return answer

    right, wrong = at_once(2, go)
    monkeypatch.setattr(pins, "_matches", matches)
    return right, wrong, sheet


def test_a_right_pin_does_not_open_a_lock_that_fell_while_it_was_checked(
    real_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong, sheet = _side_by_side(real_bench, monkeypatch, attempts=3, first="wrong")

    assert (_code(right), _code(wrong)) == ("pin_locked", "pin_locked")
    assert real_bench.balance() == 100_000 and not Confirmation.objects.filter(intent=sheet.intent_id).exists()
    assert pins.state(real_bench.world.people["su"]) == "locked"
    assert _code(sheet.confirm()) == "pin_locked"


def test_a_wrong_pin_does_not_lock_what_a_right_one_has_just_started_anew(
    real_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong, _ = _side_by_side(real_bench, monkeypatch, attempts=3, first="right")

    assert (_code(right), _code(wrong)) == ("", "wrong_pin")
    assert wrong.json()["error"]["params"]["tries_left"] == settings.PIN_TRIES
    verifier = _verifier(real_bench)
    assert (verifier.attempts, verifier.locked_at) == (0, None)
    assert not OutboxRow.objects.filter(topic="bank_session.security", payload__event="pin_locked").exists()


def test_right_pins_after_a_race_do_not_add_up_to_a_lock(real_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    _side_by_side(real_bench, monkeypatch, attempts=3, first="right")
    for _ in range(settings.PIN_TRIES + 1):
        assert Sheet(real_bench.prepare().handoff_url).confirm().status_code == 200
    assert _verifier(real_bench).attempts == 0


def _changing(person_id: Any) -> tuple[Sheet, str]:
    prepared = Caller(person_id).post("/api/finance/pin", {"id": str(uuid.uuid4()), "what": "change"})
    assert prepared.status_code == 201, prepared.content
    sheet = Sheet(prepared.json()["confirm_url"])
    return sheet, sheet.shown_hash()


def test_a_pin_changed_on_two_devices_at_once_is_changed_on_one(
    real_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    su = real_bench.world.people["su"]
    pair = [_changing(su), _changing(su)]
    chosen, both = [NEW, "681594"], Barrier(2)
    encode = pins.encode

    def encode_together(person_id: Any, pin: str) -> str:
        """Both have given the present PIN rightly."""
        both.wait(10)
        return encode(person_id, pin)

    monkeypatch.setattr(pins, "encode", encode_together)

    answers = at_once(2, lambda index: pair[index][0].choose(chosen[index], pair[index][1], current=PIN))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 1}, [one.content for one in answers]
    kept = next(pin for pin, answer in zip(chosen, answers, strict=True) if answer.status_code == 200)
    pins.check(su, kept)


def test_what_was_open_elsewhere_is_not_confirmed_with_the_pin_of_before(
    real_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old PIN is found right, then it is changed on another device, then the confirmation goes on."""
    su = real_bench.world.people["su"]
    waiting = Sheet(real_bench.prepare().handoff_url)
    seen = waiting.shown_hash()
    change, change_hash = _changing(su)
    found_right, changed = Event(), Event()
    check = pins.check

    def check_and_wait(person_id: Any, pin: str) -> None:
        check(person_id, pin)
        if not found_right.is_set():
            found_right.set()
            assert changed.wait(10)

    monkeypatch.setattr(pins, "check", check_and_wait)

    def go(index: int) -> Any:
        if index == 0:
            return waiting.confirm(PIN, seen)
        assert found_right.wait(10)
        answer = change.choose(NEW, change_hash, current=PIN)
        changed.set()
        return answer

    old, new = at_once(2, go)

    assert new.status_code == 200, new.content
    assert (old.status_code, _code(old)) == (401, "bank_session_needed")
    assert real_bench.balance() == 100_000


@pytest.mark.parametrize("how", ["signed out", "kicked out", "blocked", "new password"])
def test_what_a_device_has_under_way_is_not_confirmed_once_it_is_signed_out(
    real_bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Also where nobody has come to close the bank session yet: that follows a commit, and a process may die first."""
    su = real_bench.world.people["su"]
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    monkeypatch.setattr("accounts.ports.session_ended._all", [])
    check = pins.check

    def check_and_sign_out(person_id: Any, pin: str) -> None:
        check(person_id, pin)
        if how == "signed out":
            assert real_bench.caller().delete("/api/session").status_code == 204
        elif how == "kicked out":
            accounts.remove_device(person_id=su, device_id=real_bench.session_ids()["device_id"])
        elif how == "blocked":
            accounts.block_person(person_id=su, blocked=True, by=None)
        else:
            accounts.end_all_sessions(person_id=su, reason="password_changed")

    monkeypatch.setattr(pins, "check", check_and_sign_out)

    refused = sheet.confirm(PIN, seen)

    assert (refused.status_code, _code(refused)) == (401, "bank_session_needed")
    assert real_bench.balance() == 100_000
