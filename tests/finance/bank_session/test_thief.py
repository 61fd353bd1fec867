"""What somebody gets who has a customer's chat session, or what lies about around it, and not their PIN or browser."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from finance.bank_session import access, actions, devices, pins, registry
from finance.bank_session.errors import BankSessionNeeded
from finance.bank_session.models import BankSession, Intent, Passkey, VerifiedDevice
from finance.bank_session.tokens import digest_of
from kernel.clock import now
from kernel.models import OutboxRow
from tests.finance.bank_session.conftest import KIND, Bench
from tests.finance.bank_session.test_devices import _told
from tests.finance.bank_session.test_identity import again, tail_of
from tests.finance.bank_session.test_passkeys import prepared
from tests.finance.ledger.conftest import at_once
from tests.support.authenticator import Authenticator
from tests.support.bank import Sheet
from tests.support.caller import Caller

LIMIT = 1_500
COOKIE = "rl_bank_device"


@pytest.fixture
def paying(bench: Bench, settings: Any) -> Bench:
    """What the bench confirms pays somebody else 1,600 fen, and a new device may pay 1,500."""
    settings.DEMO, settings.NEW_DEVICE_DAY_FEN = True, LIMIT
    registry._kinds[KIND] = replace(registry.kind_named(KIND), pays_others=True)
    bench.price = 1_600
    return bench


def verified(bench: Bench, code: Any = None) -> str:
    """The person proves who they are on their device; answers what the bank's page keeps there."""
    sheet = Sheet(bench.prepare().handoff_url)
    sent = code(sheet) if code else None
    assert sheet.prove(code=sent, id_tail=tail_of("su"), asked="device").status_code == 204
    kept = sheet.client.cookies[COOKIE]
    assert (kept["httponly"], kept["samesite"], kept["path"]) == (True, "Strict", "/api/bank")
    return str(kept.value)


def outcome(sheet: Sheet) -> str:
    answer = sheet.confirm()
    return "done" if answer.status_code == 200 else str(answer.json()["error"]["code"])


def test_a_chat_session_in_another_browser_is_a_new_device_even_with_the_pin(paying: Bench) -> None:
    token = verified(paying)

    thief = Sheet(paying.prepare().handoff_url)
    assert outcome(thief) == "device_unverified" and paying.balance() == 100_000
    assert thief.call("GET", f"intents/{thief.intent_id}/proof?asked=device").json()["proved"] is False

    owner = Sheet(paying.prepare().handoff_url, device=token)
    assert outcome(owner) == "done" and paying.balance() == 98_400
    assert owner.call("GET", f"intents/{owner.intent_id}/proof?asked=device").json()["proved"] is True


def elsewhere() -> list[str]:
    """The devices whose owners were told that somebody opened the bank's page as one of them in another browser."""
    rows = OutboxRow.objects.filter(topic="bank_session.security", payload__event="device_elsewhere")
    return [row.payload["device_id"] for row in rows]


def test_a_verified_device_that_opens_the_bank_s_page_elsewhere_is_told_once_for_each_session(paying: Bench) -> None:
    unverified = Sheet(paying.prepare().handoff_url)
    assert unverified.intent().status_code == 200 and elsewhere() == []
    token, device = verified(paying), str(paying.session_ids()["device_id"])
    owner = Sheet(paying.prepare().handoff_url, device=token)
    assert owner.intent().status_code == 200 and elsewhere() == []

    url = paying.prepare().handoff_url
    thief = Sheet(url, device="A" * 43)
    assert thief.intent().status_code == 200 and Sheet().redeem(url).status_code == 410
    assert elsewhere() == [device]
    assert "device_elsewhere" in {one["event"] for one in _told(paying.caller())}
    Sheet(paying.prepare().handoff_url)
    assert elsewhere() == [device] * 2
    paying.callers.clear()  # another device, which nobody verified
    Sheet(paying.prepare().handoff_url)
    assert elsewhere() == [device] * 2


def test_a_thief_who_opens_page_after_page_does_not_bury_what_else_is_told(paying: Bench) -> None:
    for _ in range(devices.TOLD_PER_HOUR):  # before it was verified, of which nobody is told
        Sheet(paying.prepare().handoff_url)
    verified(paying)
    for _ in range(devices.TOLD_PER_HOUR + 3):
        Sheet(paying.prepare().handoff_url)
    assert len(elsewhere()) == devices.TOLD_PER_HOUR
    an_hour_ago = now() - timedelta(hours=1)
    BankSession.objects.update(opened_at=an_hour_ago)
    VerifiedDevice.objects.update(at=an_hour_ago)
    Sheet(paying.prepare().handoff_url)
    assert len(elsewhere()) == devices.TOLD_PER_HOUR + 1


def test_what_the_owner_pays_does_not_widen_what_the_thief_may_nor_the_other_way(paying: Bench) -> None:
    token = verified(paying)
    paying.price = 1_000
    assert outcome(Sheet(paying.prepare().handoff_url, device=token)) == "done"
    assert outcome(Sheet(paying.prepare().handoff_url)) == "done"
    assert outcome(Sheet(paying.prepare().handoff_url)) == "device_unverified"
    assert outcome(Sheet(paying.prepare().handoff_url, device=token)) == "done"


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 101, "汉字", "' OR 1=1 --"])
def test_a_made_up_token_makes_no_device_known(paying: Bench, token: str) -> None:
    verified(paying)
    sheet = Sheet(paying.prepare().handoff_url)
    sheet.client.cookies[COOKIE] = token.encode("utf-8").decode("latin-1")
    code = paying.prepare().handoff_url
    assert sheet.redeem(code).status_code == 201
    assert not BankSession.objects.filter(device_known=True, ended_at__isnull=True).exists()


def test_a_token_of_somebody_else_or_of_another_device_makes_none_known(paying: Bench) -> None:
    token = verified(paying)
    paying.callers.clear()
    assert outcome(Sheet(paying.prepare().handoff_url, device=token)) == "device_unverified"
    lin = paying.caller("lin").post("/api/finance/passkeys", {"id": str(uuid.uuid4()), "name": "x"})
    Sheet(lin.json()["confirm_url"], device=token)
    assert not BankSession.objects.filter(person_id=paying.world.people["lin"], device_known=True).exists()


def test_a_device_from_before_there_were_tokens_is_verified_anew(paying: Bench) -> None:
    verified(paying)
    VerifiedDevice.objects.update(token_hash=None)
    for token in ("", "None", "null"):
        assert outcome(Sheet(paying.prepare().handoff_url, device=token)) == "device_unverified"


def test_a_proof_elsewhere_takes_the_token_s_place_and_is_told(paying: Bench) -> None:
    token = verified(paying)
    other = verified(paying, again)

    assert outcome(Sheet(paying.prepare().handoff_url, device=token)) == "device_unverified"
    assert outcome(Sheet(paying.prepare().handoff_url, device=other)) == "done"
    assert VerifiedDevice.objects.count() == 1
    assert bytes(VerifiedDevice.objects.get().token_hash or b"") == digest_of(other)
    assert OutboxRow.objects.filter(topic="bank_session.security", payload__event="device_verified").count() == 2


def test_guesses_over_many_intents_and_devices_at_once_are_at_most_five_checks(
    real_bench: Bench, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.PIN_HASH_WAIT_S = 60
    checked: list[str] = []
    matches = pins._matches

    def counted(encoded: str, keyed: str) -> bool:
        checked.append(keyed)
        return matches(encoded, keyed)

    monkeypatch.setattr(pins, "_matches", counted)
    sheets = []
    for _ in range(10):
        real_bench.callers["su"] = Caller(real_bench.world.people["su"])
        sheets.append(Sheet(real_bench.prepare().handoff_url))
    seen = [sheet.shown_hash() for sheet in sheets]

    answers = at_once(30, lambda index: _guess(sheets[index % 10], seen[index % 10], f"{100_001 + index * 7}"))

    assert len(checked) <= 5 and all(answer.status_code in (403, 423, 429) for answer in answers)
    assert sheets[0].confirm().json()["error"]["code"] == "pin_locked"
    assert real_bench.balance() == 100_000


def _guess(sheet: Sheet, seen: str, pin: str) -> Any:
    copy = Sheet(cookie=sheet.client.cookies["rl_bank"].value)
    copy.intent_id = sheet.intent_id
    return copy.confirm(pin, seen)


@pytest.mark.parametrize("how", ["the session is closed", "the device is signed out"])
def test_no_passkey_is_kept_once_its_session_is_over(bench: Bench, how: str) -> None:
    sheet, key = prepared(bench, "passkeys", name="我的手机"), Authenticator()
    assert sheet.confirm().status_code == 200
    made = key.create(sheet.call("GET", f"intents/{sheet.intent_id}/passkey").json()["options"])
    session = access.session_of(sheet.client.cookies["rl_bank"].value)
    assert session is not None
    # The door had looked at the session when this came between.
    if how == "the session is closed":
        actions.close_all(person_id=session.person_id)
    else:
        assert bench.caller().delete("/api/session").status_code == 204

    with pytest.raises(BankSessionNeeded):
        actions.add_passkey(session=session, intent=Intent.objects.get(pk=sheet.intent_id), credential=made)

    assert not Passkey.objects.exists()


def test_a_hand_off_is_worth_one_session_for_its_own_sign_in_and_nothing_without_a_proof(bench: Bench) -> None:
    code = bench.prepare().handoff_url
    stolen = Sheet(code)
    assert Sheet().redeem(code).status_code == 410
    session = BankSession.objects.get(ended_at__isnull=True)
    assert (session.person_id, session.chat_session_id) == (
        bench.world.people["su"],
        bench.session_ids()["chat_session_id"],
    )
    other = bench.prepare("lin")
    assert stolen.call("GET", f"intents/{other.intent_id}").status_code == 404
    assert bench.balance() == 100_000
    # The owner signs the thief's sign-in out from another device: it is over at once.
    assert bench.caller().delete("/api/session").status_code == 204
    assert stolen.intent().status_code == 401
