"""Passkeys: added, named, removed; they sign the statement's hash and nothing else; large amounts need them."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.db import transaction

from finance.bank_session import passkeys
from finance.bank_session.models import Confirmation, Passkey, PinVerifier
from kernel.clock import now
from kernel.models import OutboxRow
from kernel.statements import ask
from tests.finance.bank_session.conftest import Bench
from tests.finance.ledger.conftest import at_once
from tests.support.authenticator import PRESENT, Authenticator
from tests.support.bank import Sheet, set_pin, step_up


def code_of(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def prepared(bench: Bench, path: str, who: str = "su", **body: str) -> Sheet:
    answer = bench.caller(who).post(f"/api/finance/{path}", {"id": str(uuid.uuid4()), **body})
    assert answer.status_code == 201, answer.content
    return Sheet(answer.json()["confirm_url"])


def added(bench: Bench, name: str = "su", *, by: Authenticator | None = None, young: bool = False) -> Authenticator:
    """A passkey, added on the bank's page after the PIN, or after another one signed; a day ago, if it is not young."""
    sheet, key = prepared(bench, "passkeys", name, name="我的手机"), Authenticator()
    assert (signed(sheet, by) if by else sheet.confirm()).status_code == 200
    path = f"intents/{sheet.intent_id}/passkey"
    kept = sheet.call("POST", path, {"credential": key.create(sheet.call("GET", path).json()["options"])})
    assert kept.status_code == 204, kept.content
    if not young:
        Passkey.objects.filter(intent=sheet.intent_id).update(counts_from=now())
    return key


def signed(sheet: Sheet, key: Authenticator, challenge: bytes | None = None, **changed: Any) -> Any:
    seen = sheet.shown_hash()
    credential = key.sign(bytes.fromhex(seen) if challenge is None else challenge, **changed)
    body = {"passkey": credential, "statement_hash": seen}
    return sheet.call("POST", f"intents/{sheet.intent_id}/confirm", body)


def test_a_passkey_signs_exactly_the_statement_that_was_shown(bench: Bench) -> None:
    key = added(bench)
    sheet = Sheet(bench.prepare().handoff_url)
    assert [one["type"] for one in sheet.intent().json()["passkeys"]] == ["public-key"]

    done = signed(sheet, key)

    assert done.status_code == 200 and bench.balance() == 99_000
    assert Confirmation.objects.get(intent_id=sheet.intent_id).proof == "passkey"
    (seen,) = bench.caller().get("/api/finance/passkeys").json()["items"]
    assert seen["name"] == "我的手机" and seen["used_at"] is not None and "key" not in str(seen)
    assert OutboxRow.objects.filter(topic="bank_session.security", payload__event="passkey_added").count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": site.APP_ORIGIN},
        {"origin": "http://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},
        {"challenge": b"\0" * 32},
    ],
    ids=["the chat's page", "another site", "another rp id", "nobody verified", "another challenge"],
)
def test_a_signature_from_elsewhere_over_something_else_or_without_the_user_is_refused(
    bench: Bench, changed: dict[str, Any]
) -> None:
    key = added(bench)

    refused = signed(Sheet(bench.prepare().handoff_url), key, **changed)

    assert (refused.status_code, code_of(refused)) == (403, "passkey_refused")
    assert bench.balance() == 100_000


def test_a_signature_confirms_no_second_statement_and_not_the_same_one_renewed(bench: Bench) -> None:
    key = added(bench)
    first, second = Sheet(bench.prepare().handoff_url), None
    seen = first.shown_hash()
    credential = key.sign(bytes.fromhex(seen))
    second = Sheet(bench.prepare().handoff_url)
    body = {"passkey": credential, "statement_hash": second.shown_hash()}
    assert code_of(second.call("POST", f"intents/{second.intent_id}/confirm", body)) == "passkey_refused"

    second.intent_id = first.intent_id
    step_up(second.client.cookies["rl_bank"].value)
    bench.price = 1_100
    body["statement_hash"] = seen
    stale = second.call("POST", f"intents/{first.intent_id}/confirm", body)
    assert code_of(stale) == "statement_stale"
    body["statement_hash"] = stale.json()["intent"]["statement_hash"]
    assert code_of(second.call("POST", f"intents/{first.intent_id}/confirm", body)) == "passkey_refused"
    assert bench.balance() == 100_000


def test_a_signature_whose_counter_runs_backwards_is_refused(bench: Bench) -> None:
    """Somebody has copied the key."""
    key = added(bench)
    assert signed(Sheet(bench.prepare().handoff_url), key).status_code == 200
    key.count = 0

    assert code_of(signed(Sheet(bench.prepare().handoff_url), key)) == "passkey_refused"


def test_a_signature_given_at_many_places_at_once_is_taken_at_one(real_bench: Bench) -> None:
    key, challenge = added(real_bench), bytes(32)
    credential, owner = key.sign(challenge), Passkey.objects.get().person_id
    all_verified = threading.Barrier(8, timeout=10)

    def use(_: int) -> None:
        with transaction.atomic():
            asked = passkeys.key_question(owner, credential)
            used = passkeys.verify(ask(asked).to(asked), credential, challenge).used
            all_verified.wait()
            passkeys.note_use(used)

    answers = at_once(8, use)

    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType"] + ["PasskeyRefused"] * 7


def test_nobody_else_s_passkey_and_none_that_was_removed_signs(bench: Bench) -> None:
    set_pin(bench.world.people["lin"])
    theirs, mine = added(bench, "lin"), added(bench)
    sheet = Sheet(bench.prepare().handoff_url)
    assert code_of(signed(sheet, theirs)) == "passkey_refused"
    assert code_of(signed(sheet, Authenticator())) == "passkey_refused"

    Passkey.objects.filter(person_id=bench.world.people["su"]).update(removed_at=now())
    assert code_of(signed(sheet, mine)) == "passkey_refused"
    assert bench.balance() == 100_000


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"id": 5},
        {"id": "é"},
        {"response": []},
        {"response": {}},
        {"rawId": None},
        {"type": "password"},
        {"id": "AAAA"},
        {"response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"}},
    ],
)
def test_what_is_no_credential_is_refused(bench: Bench, broken: dict[str, Any]) -> None:
    key = added(bench)
    sheet = Sheet(bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    whole = key.sign(bytes.fromhex(seen)) if broken else {}
    body = {"passkey": {**whole, **broken}, "statement_hash": seen}

    answer = sheet.call("POST", f"intents/{sheet.intent_id}/confirm", body)

    assert answer.status_code in {400, 403}, answer.content
    assert bench.balance() == 100_000


def test_both_proofs_or_none_are_no_proof(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    path, seen = f"intents/{sheet.intent_id}/confirm", sheet.shown_hash()

    assert sheet.call("POST", path, {"statement_hash": seen}).status_code == 400
    assert sheet.call("POST", path, {"statement_hash": seen, "pin": "258369", "passkey": {}}).status_code == 400
    assert sheet.intent().json()["tries_left"] == 5


def test_a_passkey_is_added_only_after_the_pin_soon_in_the_same_session_and_once(bench: Bench) -> None:
    sheet, key = prepared(bench, "passkeys", name="手机"), Authenticator()
    path = f"intents/{sheet.intent_id}/passkey"
    assert code_of(sheet.call("GET", path)) == "passkey_over"
    sheet.confirm()
    options = sheet.call("GET", path).json()["options"]
    assert options["authenticatorSelection"]["userVerification"] == "required"
    no_user = sheet.call("POST", path, {"credential": key.create(options, flags=PRESENT)})
    assert code_of(no_user) == "passkey_refused"
    elsewhere = sheet.call("POST", path, {"credential": key.create(options, origin=site.APP_ORIGIN)})
    assert code_of(elsewhere) == "passkey_refused"
    assert sheet.call("POST", path, {"credential": key.create(options)}).status_code == 204
    assert code_of(sheet.call("POST", path, {"credential": Authenticator().create(options)})) == "passkey_over"
    late = prepared(bench, "passkeys", name="手表")
    late.confirm()
    from finance.bank_session.models import Intent

    Intent.objects.filter(pk=late.intent_id).update(ended_at=now() - timedelta(seconds=301))
    assert code_of(late.call("GET", f"intents/{late.intent_id}/passkey")) == "passkey_over"


def test_a_transfer_that_was_confirmed_adds_no_passkey(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    sheet.confirm()

    assert code_of(sheet.call("GET", f"intents/{sheet.intent_id}/passkey")) == "passkey_over"


def test_from_a_set_amount_on_the_pin_is_not_enough_for_somebody_who_has_a_passkey(bench: Bench, settings: Any) -> None:
    settings.PASSKEY_FROM_FEN = 1_000
    assert Sheet(bench.prepare().handoff_url).confirm().status_code == 200  # nobody without one is shut out
    key = added(bench)
    sheet = Sheet(bench.prepare().handoff_url)
    assert sheet.intent().json()["must_sign"] is True

    refused = sheet.confirm("111112")

    assert (refused.status_code, code_of(refused)) == (403, "passkey_needed")
    assert PinVerifier.objects.get(pk=bench.world.people["su"]).attempts == 0
    assert bench.balance() == 99_000
    assert signed(sheet, key).status_code == 200
    bench.price = 999
    assert Sheet(bench.prepare().handoff_url).confirm().status_code == 200


def test_taking_the_last_passkey_away_makes_the_pin_enough_only_a_day_later(bench: Bench, settings: Any) -> None:
    settings.PASSKEY_FROM_FEN = 1_000
    added(bench)
    (mine,) = bench.caller().get("/api/finance/passkeys").json()["items"]
    sheet = prepared(bench, f"passkeys/{mine['id']}/removal")

    assert sheet.confirm().status_code == 200
    assert bench.caller().get("/api/finance/passkeys").json()["items"] == []
    assert code_of(Sheet(bench.prepare().handoff_url).confirm()) == "passkey_needed"
    Passkey.objects.update(removed_at=now() - timedelta(hours=25))
    assert Sheet(bench.prepare().handoff_url).confirm().status_code == 200


def test_a_key_that_the_pin_let_in_is_worth_no_more_than_the_pin_for_a_day(bench: Bench, settings: Any) -> None:
    """Whoever has the phone and the PIN adds a key of their own."""
    settings.PASSKEY_FROM_FEN = 1_000
    old, new = added(bench), added(bench, young=True)

    refused = signed(Sheet(bench.prepare().handoff_url), new)

    assert (refused.status_code, code_of(refused)) == (403, "passkey_young")
    assert bench.balance() == 100_000
    bench.price = 999
    assert signed(Sheet(bench.prepare().handoff_url), new).status_code == 200
    assert signed(Sheet(bench.prepare().handoff_url), old).status_code == 200
    assert bench.signed == [False, True]
    Passkey.objects.update(counts_from=now())
    bench.price = 1_000
    assert signed(Sheet(bench.prepare().handoff_url), new).status_code == 200
    assert bench.signed[-1] is True


def test_a_key_counts_with_the_one_that_let_it_in(bench: Bench, settings: Any) -> None:
    settings.PASSKEY_FROM_FEN = 1_000
    second = added(bench, by=added(bench), young=True)
    assert signed(Sheet(bench.prepare().handoff_url), second).status_code == 200

    third = added(bench, young=True)
    fourth = added(bench, by=third, young=True)
    assert code_of(signed(Sheet(bench.prepare().handoff_url), fourth)) == "passkey_young"


def test_somebody_s_first_key_takes_nothing_from_the_pin_and_gives_nothing_more(bench: Bench, settings: Any) -> None:
    settings.PASSKEY_FROM_FEN = 1_000
    key = added(bench, young=True)

    assert Sheet(bench.prepare().handoff_url).confirm().status_code == 200
    assert signed(Sheet(bench.prepare().handoff_url), key).status_code == 200
    assert bench.signed == [False, False]
    removal = prepared(bench, f"passkeys/{Passkey.objects.get().pk}/removal")
    assert removal.confirm().status_code == 200
    assert Sheet(bench.prepare().handoff_url).confirm().status_code == 200


def test_additions_that_were_confirmed_beforehand_do_not_pass_the_limit(bench: Bench) -> None:
    sheet = prepared(bench, "passkeys", name="第一把")
    waiting = [sheet.intent_id]
    for _ in range(passkeys.MAX_PASSKEYS):
        asked = {"id": str(uuid.uuid4()), "name": "又一把"}
        waiting.append(bench.caller().post("/api/finance/passkeys", asked).json()["intent_id"])
    for sheet.intent_id in waiting:
        assert sheet.confirm().status_code == 200
    answers = []
    for intent_id in waiting:
        path = f"intents/{intent_id}/passkey"
        options = sheet.call("GET", path).json()["options"]
        answers.append(sheet.call("POST", path, {"credential": Authenticator().create(options)}))

    assert [answer.status_code for answer in answers] == [204] * passkeys.MAX_PASSKEYS + [409]
    assert code_of(answers[-1]) == "too_many_passkeys" and Passkey.objects.count() == passkeys.MAX_PASSKEYS


def test_a_passkey_is_named_and_belongs_to_its_owner_alone(bench: Bench) -> None:
    added(bench)
    (mine,) = bench.caller().get("/api/finance/passkeys").json()["items"]
    path = f"/api/finance/passkeys/{mine['id']}"

    assert bench.caller().patch(path, {"name": "办公室电脑"}).json()["name"] == "办公室电脑"
    for name in ("", "x" * 21, "a\u202eb", None):
        assert bench.caller().patch(path, {"name": name}).status_code == 400
    assert bench.caller("lin").patch(path, {"name": "x"}).status_code == 404
    assert bench.caller("lin").post(f"{path}/removal", {"id": str(uuid.uuid4())}).status_code == 404


def _removal(bench: Bench, sheet: Sheet | None = None) -> Sheet:
    key = Passkey.objects.get(removed_at=None)
    asked = {"id": str(uuid.uuid4())}
    prepared_one = bench.caller().post(f"/api/finance/passkeys/{key.pk}/removal", asked).json()
    if sheet is None:
        return Sheet(prepared_one["confirm_url"])
    step_up(sheet.client.cookies["rl_bank"].value)
    copy = Sheet(cookie=sheet.client.cookies["rl_bank"].value)
    copy.intent_id = prepared_one["intent_id"]
    return copy


def test_two_removals_at_once_take_a_passkey_away_once(real_bench: Bench) -> None:
    added(real_bench)
    first = _removal(real_bench)
    pair = [first, _removal(real_bench, first)]
    seen = [sheet.shown_hash() for sheet in pair]

    answers = at_once(2, lambda index: pair[index].confirm(statement_hash=seen[index]))

    assert sorted(answer.status_code for answer in answers) == [200, 404], [one.content for one in answers]
    told = OutboxRow.objects.filter(topic="bank_session.security", payload__event="passkey_removed")
    assert told.count() == 1


def test_a_removal_that_was_shown_under_another_name_is_shown_again(bench: Bench) -> None:
    """Whoever renames keys on the chat's page must not have the wrong one taken away."""
    added(bench)
    sheet = _removal(bench)
    seen = sheet.shown_hash()
    path = f"/api/finance/passkeys/{Passkey.objects.get().pk}"
    assert bench.caller().patch(path, {"name": "旧手机"}).status_code == 200

    stale = sheet.confirm(statement_hash=seen)

    assert code_of(stale) == "statement_stale" and "旧手机" in stale.json()["intent"]["statement"]
    assert Passkey.objects.get().removed_at is None
    assert sheet.confirm().status_code == 200
    assert bench.caller().patch(path, {"name": "x"}).status_code == 404


def test_a_passkey_signs_its_own_removal_once(bench: Bench) -> None:
    key = added(bench)
    sheet = _removal(bench)

    done = signed(sheet, key)

    assert done.status_code == 200, done.content
    gone = Passkey.objects.get()
    assert gone.removed_at is not None and gone.used_at is not None and gone.sign_count == key.count
    assert Confirmation.objects.get(intent_id=sheet.intent_id).proof == "passkey"
    assert code_of(signed(Sheet(bench.prepare().handoff_url), key)) == "passkey_refused"


def test_a_key_that_somebody_else_made_for_their_own_statement_is_not_added(bench: Bench) -> None:
    set_pin(bench.world.people["lin"])
    mine, theirs = prepared(bench, "passkeys", name="手机"), prepared(bench, "passkeys", "lin", name="手机")
    for sheet in (mine, theirs):
        assert sheet.confirm().status_code == 200
    options = theirs.call("GET", f"intents/{theirs.intent_id}/passkey").json()["options"]
    key = Authenticator()

    refused = mine.call("POST", f"intents/{mine.intent_id}/passkey", {"credential": key.create(options)})
    not_found = mine.call("POST", f"intents/{theirs.intent_id}/passkey", {"credential": key.create(options)})

    assert (code_of(refused), not_found.status_code) == ("passkey_refused", 404)
    assert not Passkey.objects.exists()
    assert (
        theirs.call("POST", f"intents/{theirs.intent_id}/passkey", {"credential": key.create(options)}).status_code
        == 204
    )
    # The same key for two people: its owner keeps it.
    again = mine.call("GET", f"intents/{mine.intent_id}/passkey").json()["options"]
    assert (
        code_of(mine.call("POST", f"intents/{mine.intent_id}/passkey", {"credential": key.create(again)}))
        == "passkey_refused"
    )
