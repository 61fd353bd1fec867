"""Two thumbs, two devices, a hundred guesses."""

from collections import Counter
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from finance.bank_session import access, actions, passkeys, pins
from finance.bank_session.errors import PasskeyRefused
from finance.bank_session.models import Confirmation, Intent, Passkey, PinVerifier
from finance.bank_session.proofs import PasskeyProof, Proven, Trial
from finance.ledger.models import Entry
from kernel.clock import now
from kernel.models import AuditRow, OutboxRow
from kernel.statements import Answers
from rongliao.demo import PIN
from tests.finance.bank_session.conftest import Bench
from tests.finance.bank_session.test_identity import opened
from tests.finance.bank_session.test_passkeys import added, prepared
from tests.finance.ledger.conftest import at_once
from tests.support.bank import Sheet, step_up


def _copies(sheet: Sheet, count: int) -> list[Sheet]:
    """The same page in so many hands: one cookie, one intent."""
    cookie = sheet.client.cookies["rl_bank"].value
    copies = [Sheet(cookie=cookie) for _ in range(count)]
    for copy in copies:
        copy.intent_id = sheet.intent_id
    return copies


def one_outcome(answers: list[Any]) -> bytes:
    """The bytes with which everybody was answered who was not told that the same is in flight."""
    told = {answer.status_code for answer in answers}
    assert told in ({200}, {200, 409}), [answer.content for answer in answers]
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} <= {"in_flight"}
    (outcome,) = {bytes(answer.content) for answer in answers if answer.status_code == 200}
    return outcome


def added_key(bench: Bench) -> Passkey:
    """A passkey of the person's, as it is kept."""
    added(bench)
    return Passkey.objects.get()


def test_many_confirmations_of_one_intent_at_once_have_one_effect(real_bench: Bench, settings: Any) -> None:
    settings.PIN_HASH_WAIT_S = 60
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    copies = _copies(sheet, 5)  # more at once than PIN_TRIES would look like guessing

    answers = at_once(5, lambda index: copies[index].confirm(statement_hash=seen))

    assert one_outcome(answers) == sheet.confirm(statement_hash=seen).content
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

        confirmed, cancelled = (answer.status_code for answer in answers)
        if confirmed == 200:
            # The proof gave the session another token: who cancels after it comes with the old one.
            assert cancelled in (409, 401)
        else:
            assert (confirmed, cancelled) == (409, 200)
        assert real_bench.balance() == before - (1_000 if confirmed == 200 else 0)


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


def test_two_changes_of_one_pin_in_one_session_at_once_change_it_once(real_bench: Bench, monkeypatch: Any) -> None:
    first = opened(real_bench.caller(), "change")
    last = opened(real_bench.caller(), "change")
    step_up(last.client.cookies["rl_bank"].value)
    sheets = _copies(last, 2)
    sheets[0].intent_id = first.intent_id
    hashes, chosen = [sheet.shown_hash() for sheet in sheets], ["147036", "630741"]
    encode, both = pins.encode, Barrier(2, timeout=20)

    def together(person_id: Any, pin: str) -> str:
        both.wait()
        return encode(person_id, pin)

    monkeypatch.setattr(pins, "encode", together)

    answers = at_once(2, lambda index: sheets[index].choose(chosen[index], hashes[index], current=PIN))

    assert sorted(answer.status_code for answer in answers) == [200, 403], [answer.content for answer in answers]
    won = 0 if answers[0].status_code == 200 else 1
    assert answers[1 - won].json()["error"]["code"] == "wrong_pin"
    assert OutboxRow.objects.filter(topic="bank_session.security", payload__event="pin_changed").count() == 1
    sheet = Sheet(real_bench.prepare().handoff_url)
    assert sheet.confirm(chosen[1 - won]).status_code == 403
    assert sheet.confirm(chosen[won]).status_code == 200


def test_a_passkey_is_removed_once_and_told_once(real_bench: Bench, monkeypatch: Any) -> None:
    key = added_key(real_bench)
    sheets = []
    for _ in range(2):
        real_bench.callers.clear()  # each on a device of its own
        sheets.append(prepared(real_bench, f"passkeys/{key.pk}/removal"))
    hashes = [sheet.shown_hash() for sheet in sheets]
    draft, both = passkeys.remove_draft, Barrier(2, timeout=20)

    def together(person_id: Any, passkey_id: Any) -> Any:
        said = draft(person_id, passkey_id)
        both.wait()
        return said

    monkeypatch.setattr(passkeys, "remove_draft", together)

    answers = at_once(2, lambda index: sheets[index].confirm(statement_hash=hashes[index]))

    assert sorted(answer.status_code for answer in answers) == [200, 404], [answer.content for answer in answers]
    assert AuditRow.objects.filter(action="passkey.removed", subject=f"passkey:{key.pk}").count() == 1
    assert OutboxRow.objects.filter(topic="bank_session.security", payload__event="passkey_removed").count() == 1


def test_a_passkey_that_goes_while_it_is_renamed_has_no_new_name(real_bench: Bench) -> None:
    key = added_key(real_bench)
    caller = real_bench.caller()

    def removed_first(execute: Any, sql: str, *call: Any) -> Any:
        if 'SET "name"' in sql:
            at_once(1, lambda _: Passkey.objects.update(removed_at=now()))
        return execute(sql, *call)

    with connection.execute_wrapper(removed_first):
        answer = caller.patch(f"/api/finance/passkeys/{key.pk}", {"name": "办公室电脑"})

    assert answer.status_code == 404
    assert Passkey.objects.get().name == "我的手机"


def test_a_passkey_that_goes_after_it_signed_moves_nothing(real_bench: Bench) -> None:
    authenticator = added(real_bench)
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen = bytes.fromhex(sheet.shown_hash())
    session = access.session_of(sheet.client.cookies["rl_bank"].value)
    assert session is not None

    class GoneMeanwhile(PasskeyProof):
        def tried(self, *given: Any) -> Trial:
            trial = super().tried(*given)

            def proven(answers: Answers) -> Proven:
                worth = trial.proven(answers)
                at_once(1, lambda _: Passkey.objects.update(removed_at=now()))
                return worth

            return Trial(trial.questions, proven)

    with pytest.raises(PasskeyRefused):
        actions.confirm(
            session=session,
            intent=Intent.objects.get(pk=sheet.intent_id),
            statement_hash=seen,
            proof=GoneMeanwhile(authenticator.sign(seen)),
        )

    assert real_bench.balance() == 100_000
    assert Intent.objects.get(pk=sheet.intent_id).state == "prepared"
