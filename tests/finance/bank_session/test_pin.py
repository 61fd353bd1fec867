"""The PIN: set on the bank's page, counted, locked."""

import uuid
from datetime import date
from typing import Any

import pytest

from accounts import queries
from finance.bank_session import pins
from finance.bank_session.actions import choosing
from finance.bank_session.models import Confirmation, PinVerifier
from kernel.models import OutboxRow
from rongliao.demo import World
from rongliao.demo.accounts import CUSTOMERS, id_number
from tests.finance.bank_session.conftest import Bench
from tests.support.bank import Sheet
from tests.support.caller import Caller

GUESSABLE = [
    "123456",
    "654321",
    "012345",
    "111111",
    "121212",
    "112233",
    "123123",
    "900000",
    "147258",
    "123789",
    "123321",
]
TAO_TAIL, SU_TAIL = (
    id_number(region, born, order)[-6:] for _, _, _, _, region, born, order in (CUSTOMERS["tao"], CUSTOMERS["su"])
)


@pytest.fixture(autouse=True)
def codes_are_shown(settings: Any) -> None:
    """As in a demonstration: no text message leaves the machine."""
    settings.DEMO = True


@pytest.fixture
def tao(world: World) -> Caller:
    """Somebody without a PIN, whose identity a branch has verified."""
    return Caller(world.people["tao"])


def _sheet(caller: Caller, what: str = "set") -> Sheet:
    prepared = caller.post("/api/finance/pin", {"id": str(uuid.uuid4()), "what": what})
    assert prepared.status_code == 201, prepared.content
    return Sheet(prepared.json()["confirm_url"])


def _proved(caller: Caller) -> Sheet:
    sheet = _sheet(caller)
    assert sheet.prove(id_tail=TAO_TAIL).status_code == 204
    return sheet


def _forget(name: str, bench: Bench) -> None:
    """Takes away a PIN that the bench gave."""
    PinVerifier.objects.filter(pk=bench.world.people[name]).update(person_id=bench.world.people["he"])


def test_a_first_pin_is_set_on_the_bank_s_page_after_a_fresh_proof(tao: Caller) -> None:
    assert tao.get("/api/finance/pin").json() == {"state": "none"}
    sheet = _proved(tao)

    done = sheet.choose("258369")

    assert done.status_code == 200 and done.json()["state"] == "executed"
    assert tao.get("/api/finance/pin").json() == {"state": "set"}
    assert Confirmation.objects.get(intent_id=sheet.intent_id).proof == "identity"
    stored = PinVerifier.objects.get(pk=tao.id)
    assert stored.encoded.startswith("$argon2") and "258369" not in stored.encoded
    assert OutboxRow.objects.filter(topic="bank_session.security", payload__event="pin_set").count() == 1


@pytest.mark.parametrize("pin", GUESSABLE)
def test_a_pin_that_is_easily_guessed_is_refused(tao: Caller, pin: str) -> None:
    answer = _proved(tao).choose(pin)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "pin_too_simple")
    assert tao.get("/api/finance/pin").json() == {"state": "none"}


def test_the_birthday_on_the_registered_id_is_no_pin() -> None:
    born = date(1993, 3, 28)

    assert all(pins.is_guessable(pin, born) for pin in ("930328", "280393", "032893", "199303"))
    assert not pins.is_guessable("930329", born) and not pins.is_guessable("930328")


def test_a_person_s_own_birthday_is_refused_at_the_door(tao: Caller) -> None:
    sheet = _proved(tao)

    for pin in ("930328", "050819", "380000"):  # born; in the ID number; in the phone's
        assert sheet.choose(pin).json()["error"]["code"] == "pin_too_simple"


def _answers(sheet: Sheet, **given: Any) -> set[tuple[int, str]]:
    """What is said of PINs that stand in the ID number, in the phone's, in a pattern, and of one that is good."""
    tried = [sheet.choose(pin, **given) for pin in ("930328", "050819", TAO_TAIL, "380000", "123456", "258369")]
    return {(answer.status_code, answer.json()["error"]["code"]) for answer in tried}


def test_without_a_proof_nothing_is_said_of_a_pin(tao: Caller, bench: Bench) -> None:
    """Otherwise the chat session alone would read the ID number out of the answers, six digits at a time."""
    assert _answers(_sheet(tao)) == {(403, "proof_needed")}
    change = _sheet(bench.caller(), "change")
    assert _answers(change) == {(403, "proof_needed")}
    wrong = [change.choose(pin, current="600318") for pin in ("123456", SU_TAIL, "258369")]
    assert [answer.json()["error"]["code"] for answer in wrong] == ["wrong_pin"] * 3


def test_the_digits_that_prove_a_person_are_not_told_one_by_one(tao: Caller) -> None:
    _, _, _, _, region, born, order = CUSTOMERS["tao"]
    number = id_number(region, born, order)
    runs = {place: number[place : place + 6] for place in range(13)}
    assert {place for place, run in runs.items() if queries.digits_of_theirs(tao.id, run)} == {*range(9), 11, 12}


def test_even_with_a_proof_a_day_s_choices_are_few(tao: Caller) -> None:
    sheet = _proved(tao)
    for _ in range(choosing.CHOICES_PER_DAY):
        assert sheet.choose("123456").json()["error"]["code"] == "pin_too_simple"
    assert {sheet.choose(pin).status_code for pin in ("123456", "258369")} == {429}


@pytest.mark.parametrize("pin", ["２５８３６９", 258369, "2583", "", None])
def test_what_is_no_pin_is_not_set(tao: Caller, pin: object) -> None:
    assert _proved(tao).choose(pin).status_code == 400
    assert tao.get("/api/finance/pin").json() == {"state": "none"}


def test_a_pin_that_is_set_is_not_set_again(bench: Bench) -> None:
    su = bench.caller()

    assert su.post("/api/finance/pin", {"id": str(uuid.uuid4())}).status_code == 409
    again = Sheet(bench.prepare().handoff_url).choose("147036")

    assert again.json()["error"]["code"] == "proof_needed"
    assert Sheet(bench.prepare().handoff_url).confirm("258369").status_code == 200


def test_without_a_pin_nothing_is_confirmed_and_setting_one_confirms_nothing(bench: Bench) -> None:
    _forget("su", bench)
    sheet = Sheet(bench.prepare().handoff_url)
    assert sheet.intent().json()["pin_state"] == "none"
    assert sheet.confirm().json()["error"]["code"] == "pin_not_set"

    assert sheet.prove(id_tail=SU_TAIL).status_code == 204
    after = sheet.choose("147036")

    assert after.json()["state"] == "prepared" and bench.balance() == 100_000
    assert sheet.confirm("147036").status_code == 200


def test_a_set_pin_intent_is_not_confirmed_like_another(bench: Bench) -> None:
    _forget("su", bench)
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
