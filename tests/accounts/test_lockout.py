"""What strangers may do to a number, and what they must not: keep its owner out."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts import limits
from rongliao.demo import PASSWORD, World
from tests.accounts.conftest import Caller, error
from tests.support.browser import PHONES

People = Callable[[str], Caller]
SU = PHONES["su"]
# A demonstration, which shows codes, is for this machine alone: it has many addresses.
ELSEWHERE = "127.0.7.1"


def guess(stranger: Caller, times: int) -> list[int]:
    return [stranger.sign_in(SU, f"guess {number}").status_code for number in range(times)]


def test_strangers_who_guess_do_not_lock_the_owner_out(guest: Caller, world: World) -> None:
    owner = Caller()
    assert owner.sign_in(SU).status_code == 200
    assert owner.delete("/api/session").status_code == 204
    # From the owner's own network, and from another.
    for stranger in (Caller(), Caller(ELSEWHERE)):
        assert guess(stranger, limits.SIGN_IN_TRIES + 1) == [401] * limits.SIGN_IN_TRIES + [429]
    assert owner.sign_in(SU).status_code == 200
    assert Caller("127.0.8.1").sign_in(SU).status_code == 200


def test_a_known_device_has_no_more_tries_than_another(guest: Caller, world: World) -> None:
    assert guest.sign_in(SU).status_code == 200
    assert guess(guest, limits.SIGN_IN_TRIES + 1) == [401] * limits.SIGN_IN_TRIES + [429]
    assert guest.sign_in(SU).status_code == 429


def test_a_device_that_names_itself_anew_gets_no_more_tries(guest: Caller, world: World) -> None:
    answers = [guess(Caller(ELSEWHERE), 1)[0] for _ in range(limits.SIGN_IN_TRIES + 1)]
    assert answers == [401] * limits.SIGN_IN_TRIES + [429]


def test_a_device_of_somebody_else_is_a_stranger(guest: Caller, world: World) -> None:
    lin = Caller(ELSEWHERE)
    assert lin.sign_in(PHONES["lin"]).status_code == 200
    guess(lin, limits.SIGN_IN_TRIES)
    assert guess(Caller(ELSEWHERE), 1) == [429]


def test_a_device_that_was_taken_off_the_list_is_a_stranger(person: People, world: World) -> None:
    stolen = Caller(ELSEWHERE)
    stolen.sign_in(SU)
    devices = person("su").get("/api/devices").json()["items"]
    other = next(device["id"] for device in devices if not device["current"])
    assert person("su").delete(f"/api/devices/{other}").status_code == 204
    guess(Caller(ELSEWHERE), limits.SIGN_IN_TRIES)
    assert guess(stolen, 1) == [429]


def test_guesses_from_many_networks_are_counted_together_and_more_slowly(
    guest: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SIGN_IN_TRIES_OF_STRANGERS", 10)
    owner = Caller()
    owner.sign_in(SU)
    answers = [guess(Caller(f"127.0.9.{host}"), 1)[0] for host in range(12)]
    assert answers == [401] * 10 + [429] * 2
    # Even with the right password; the way in is the owner's own device, or a code.
    elsewhere = Caller("127.0.8.1")
    refused = elsewhere.sign_in(SU)
    assert (refused.status_code, error(refused)) == (429, "password_tries_spent") and int(refused["Retry-After"]) > 0
    assert owner.sign_in(SU).status_code == 200
    body = {"phone": SU, "code": elsewhere.code(SU, "sign_in"), "device_id": elsewhere.device}
    assert elsewhere.post("/api/session", body).status_code == 200


def test_signing_in_forgives_the_owners_slips_and_not_the_guesses_of_strangers(
    guest: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SIGN_IN_TRIES_OF_STRANGERS", 4)
    guess(Caller(ELSEWHERE), 3)
    for _ in range(3):
        assert Caller("127.0.8.1").sign_in(SU).status_code == 200
    assert guess(Caller(ELSEWHERE), 2) == [401, 429]


def code_for(caller: Caller, purpose: str = "sign_in") -> Any:
    return caller.post("/api/codes", {"phone": SU, "purpose": purpose, "device_id": caller.device})


def test_strangers_who_ask_for_codes_take_none_from_the_owners_device(guest: Caller, world: World) -> None:
    owner = Caller()
    owner.sign_in(SU)
    strangers = [
        code_for(Caller(f"127.0.9.{host}"), purpose) for host in range(8) for purpose in ("sign_in", "register")
    ]
    assert {answer.status_code for answer in strangers} == {201, 429}
    assert code_for(owner).status_code == 201


def test_one_network_uses_up_only_part_of_a_numbers_codes(
    guest: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODES_PER_MINUTE", 1_000)
    answers = [code_for(Caller(ELSEWHERE)).status_code for _ in range(limits.CODES_PER_DAY)]
    assert answers.count(201) == limits.CODES_PER_DAY_AND_NETWORK
    assert code_for(Caller("127.0.8.1")).status_code == 201


def test_a_number_gets_no_more_codes_a_day_from_strangers_however_many_they_are(
    guest: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODES_PER_MINUTE", 1_000)
    answers = [code_for(Caller(f"127.0.9.{host}")).status_code for host in range(limits.CODES_PER_DAY + 3)]
    assert answers == [201] * limits.CODES_PER_DAY + [429] * 3


@pytest.mark.parametrize("purpose", ["sign_in", "reset_password"])
def test_strangers_cannot_try_or_spoil_a_code_that_the_owner_asked_for(
    guest: Caller, world: World, purpose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODES_PER_MINUTE", 1_000)
    owner, stranger = Caller(), Caller(ELSEWHERE)
    code = owner.code(SU, purpose)

    def spend(by: Caller, given: str) -> Any:
        body = {"phone": SU, "code": given, "device_id": by.device}
        if purpose == "sign_in":
            return by.post("/api/session", body)
        return by.post("/api/password-resets", {**body, "password": "calm-lake-42"})

    # Asking for one of their own makes the owner's no older.
    code_for(stranger, purpose)
    for number in range(limits.CODE_TRIES + 1):
        assert error(spend(stranger, f"{number:06d}")) == "code_refused"
    assert error(spend(stranger, code)) == "code_refused"
    assert spend(owner, code).status_code in (200, 204)


def test_tries_at_a_code_are_counted_on_it_whoever_asked(guest: Caller, world: World) -> None:
    code = guest.code(SU, "sign_in")
    for number in range(limits.CODE_TRIES):
        wrong = f"{(int(code) + 1 + number) % 10**6:06d}"
        body = {"phone": SU, "code": wrong, "device_id": guest.device}
        assert error(guest.post("/api/session", body)) == "code_refused"
    assert error(guest.post("/api/session", {"phone": SU, "code": code, "device_id": guest.device})) == "code_refused"
    assert guest.sign_in(SU, PASSWORD).status_code == 200
