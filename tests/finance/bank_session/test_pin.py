"""The PIN: set on the bank's page, counted, locked."""

import uuid
from datetime import date

import pytest

from finance.bank_session import pins
from finance.bank_session.models import Confirmation, PinVerifier
from rongliao.demo import World
from tests.finance.bank_session.conftest import Bench
from tests.support.bank import Sheet
from tests.support.caller import Caller

GUESSABLE = ["123456", "654321", "012345", "111111", "121212", "112233", "123123", "900000"]


@pytest.fixture
def tao(world: World) -> Caller:
    """Somebody without a PIN."""
    return Caller(world.people["tao"])


def _sheet(caller: Caller) -> Sheet:
    prepared = caller.post("/api/finance/pin", {"id": str(uuid.uuid4())})
    assert prepared.status_code == 201, prepared.content
    return Sheet(prepared.json()["confirm_url"])


def _choose(sheet: Sheet, pin: object, statement_hash: str | None = None) -> object:
    body = {"intent_id": sheet.intent_id, "pin": pin, "statement_hash": statement_hash or sheet.shown_hash()}
    return sheet.call("POST", "pin", body)


def test_a_first_pin_is_set_on_the_bank_s_page(tao: Caller) -> None:
    assert tao.get("/api/finance/pin").json() == {"state": "none"}
    sheet = _sheet(tao)

    done = _choose(sheet, "258369")

    assert done.status_code == 200 and done.json()["state"] == "executed"  # type: ignore[attr-defined]
    assert tao.get("/api/finance/pin").json() == {"state": "set"}
    assert Confirmation.objects.get(intent_id=sheet.intent_id).proof == "first_pin"
    stored = PinVerifier.objects.get(pk=tao.id)
    assert stored.encoded.startswith("$argon2") and "258369" not in stored.encoded


@pytest.mark.parametrize("pin", GUESSABLE)
def test_a_pin_that_is_easily_guessed_is_refused(tao: Caller, pin: str) -> None:
    answer = _choose(_sheet(tao), pin)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "pin_too_simple")  # type: ignore[attr-defined]
    assert tao.get("/api/finance/pin").json() == {"state": "none"}


def test_the_birthday_on_the_registered_id_is_no_pin() -> None:
    born = date(1993, 3, 28)

    assert all(pins.is_guessable(pin, born) for pin in ("930328", "280393", "032893", "199303"))
    assert not pins.is_guessable("930329", born) and not pins.is_guessable("930328")


def test_a_person_s_own_birthday_is_refused_at_the_door(tao: Caller) -> None:
    assert _choose(_sheet(tao), "930328").json()["error"]["code"] == "pin_too_simple"  # type: ignore[attr-defined]


@pytest.mark.parametrize("pin", ["２５８３６９", 258369, "2583", "", None])
def test_what_is_no_pin_is_not_set(tao: Caller, pin: object) -> None:
    assert _choose(_sheet(tao), pin).status_code == 400  # type: ignore[attr-defined]
    assert tao.get("/api/finance/pin").json() == {"state": "none"}


def test_a_pin_that_is_set_is_not_set_again(bench: Bench) -> None:
    su = bench.caller()

    assert su.post("/api/finance/pin", {"id": str(uuid.uuid4())}).status_code == 409
    again = _choose(Sheet(bench.prepare().handoff_url), "147036")

    assert again.json()["error"]["code"] == "pin_already_set"  # type: ignore[attr-defined]
    assert Sheet(bench.prepare().handoff_url).confirm("258369").status_code == 200


def test_without_a_pin_nothing_is_confirmed_and_setting_one_confirms_nothing(bench: Bench) -> None:
    PinVerifier.objects.filter(pk=bench.world.people["su"]).update(person_id=bench.world.people["he"])
    sheet = Sheet(bench.prepare().handoff_url)
    assert sheet.intent().json()["pin_state"] == "none"
    assert sheet.confirm().json()["error"]["code"] == "pin_not_set"

    after = _choose(sheet, "147036")

    assert after.json()["state"] == "prepared" and bench.balance() == 100_000  # type: ignore[attr-defined]
    assert sheet.confirm("147036").status_code == 200


def test_a_set_pin_intent_is_not_confirmed_like_another(bench: Bench) -> None:
    PinVerifier.objects.filter(pk=bench.world.people["su"]).update(person_id=bench.world.people["he"])
    sheet = _sheet(bench.caller())

    assert sheet.confirm().json()["error"]["code"] == "pin_not_set"


def test_five_wrong_pins_lock_and_then_the_right_one_is_answered_like_a_wrong_one(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    answers = [sheet.confirm(f"14703{digit}") for digit in range(5)]

    assert [answer.json()["error"]["params"].get("tries_left") for answer in answers] == [4, 3, 2, 1, None]
    wrong, right = sheet.confirm("147039"), sheet.confirm()
    assert wrong.status_code == right.status_code == 423 and wrong.content == right.content
    assert bench.caller().get("/api/finance/pin").json() == {"state": "locked"}
    assert bench.balance() == 100_000


def test_the_right_pin_starts_the_count_anew(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    for digit in range(4):
        sheet.confirm(f"14703{digit}")

    assert sheet.confirm().status_code == 200
    assert Sheet(bench.prepare().handoff_url).intent().json()["tries_left"] == 5


def test_a_try_counts_though_what_it_was_for_is_refused(bench: Bench) -> None:
    """The counter is in a transaction of its own: no rollback of the deed takes it back."""
    sheet = Sheet(bench.prepare().handoff_url)
    sheet.confirm("147030")
    bench.refusal = RuntimeError("the server breaks in the middle")

    assert sheet.confirm("147031").status_code == 403
    assert sheet.intent().json()["tries_left"] == 3


def test_the_same_pin_of_two_people_is_kept_differently(world: World) -> None:
    su, lin = world.people["su"], world.people["lin"]

    assert pins._keyed(su, "258369") != pins._keyed(lin, "258369")
    assert pins.encode(su, "258369") != pins.encode(su, "258369")
