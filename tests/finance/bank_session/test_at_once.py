"""Two thumbs, two devices, a hundred guesses."""

from collections import Counter
from typing import Any

from finance.bank_session import pins
from finance.bank_session.models import Confirmation, PinVerifier
from finance.ledger.models import Entry
from tests.finance.bank_session.conftest import Bench
from tests.finance.ledger.conftest import at_once
from tests.support.bank import Sheet


def _copies(sheet: Sheet, count: int) -> list[Sheet]:
    """The same page in so many hands: one cookie, one intent."""
    cookie = sheet.client.cookies["rl_bank"].value
    copies = [Sheet(cookie=cookie) for _ in range(count)]
    for copy in copies:
        copy.intent_id = sheet.intent_id
    return copies


def test_many_confirmations_of_one_intent_at_once_have_one_effect(real_bench: Bench, settings: Any) -> None:
    settings.PIN_HASH_WAIT_S = 60
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    copies = _copies(sheet, 5)  # more at once than PIN_TRIES would look like guessing

    answers = at_once(5, lambda index: copies[index].confirm(statement_hash=seen))

    assert {answer.status_code for answer in answers} == {200}, [answer.content for answer in answers]
    assert len({str(answer.json()["result"]) for answer in answers}) == 1
    assert real_bench.balance() == 99_000
    assert Entry.objects.filter(key=f"test:{sheet.intent_id}").count() == 1
    assert Confirmation.objects.filter(intent_id=sheet.intent_id).count() == 1


def test_confirming_and_cancelling_at_once_ends_one_way(real_bench: Bench) -> None:
    for _ in range(4):
        before = real_bench.balance()
        sheet = Sheet(real_bench.prepare().handoff_url)
        seen = sheet.shown_hash()
        one, other = _copies(sheet, 2)

        answers = at_once(2, lambda index: other.cancel() if index else one.confirm(statement_hash=seen))  # noqa: B023

        state = sheet.intent().json()["state"]
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert real_bench.balance() == before - (1_000 if state == "executed" else 0)


def test_a_hundred_wrong_guesses_at_once_are_at_most_five_checks(real_bench: Bench, monkeypatch: Any) -> None:
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    checked: list[str] = []
    matches = pins._matches

    def counted(encoded: str, keyed: str) -> bool:
        checked.append(keyed)
        return matches(encoded, keyed)

    monkeypatch.setattr(pins, "_matches", counted)
    copies = _copies(sheet, 100)

    answers = at_once(100, lambda index: copies[index].confirm(f"{100_001 + index * 7}", seen))

    codes = Counter(answer.json()["error"]["code"] for answer in answers)
    assert len(checked) == 5
    assert codes["wrong_pin"] == 4 and codes["pin_locked"] + codes["pin_busy"] == 96
    assert PinVerifier.objects.get(pk=real_bench.world.people["su"]).attempts == 5
    right = sheet.confirm()
    assert (right.status_code, right.json()["error"]["code"]) == (423, "pin_locked")
    assert len(checked) == 5 and real_bench.balance() == 100_000


def test_one_handoff_redeemed_many_times_at_once_opens_one_session(real_bench: Bench) -> None:
    url = real_bench.prepare().handoff_url

    answers = at_once(6, lambda _: Sheet().redeem(url))

    assert sorted(answer.status_code for answer in answers) == [201] + [410] * 5
