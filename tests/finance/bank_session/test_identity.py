"""A PIN is chosen only by somebody who has just proved who they are: the phone alone is not its owner."""

import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from accounts import actions as accounts
from accounts import limits, ports
from accounts.models import OneTimeCode, Throttle
from accounts.ports import Verdict
from accounts.throttles import Asker
from finance.bank_session import access, identity
from finance.bank_session.errors import ProofNeeded
from finance.bank_session.models import IdentityProof, Intent, PinVerifier, Proving
from finance.ledger import actions as ledger
from finance.ledger.numbers import number_with_tail
from kernel.clock import now
from kernel.models import AuditRow, OutboxRow
from rongliao.demo import World
from rongliao.demo.accounts import CUSTOMERS, JIANG_CARD, card_number, id_number
from tests.finance.bank_session.conftest import Bench
from tests.finance.ledger.conftest import at_once
from tests.support.bank import Sheet, set_pin, step_up
from tests.support.browser import PHONES
from tests.support.caller import Caller

CARD = card_number(JIANG_CARD)
OWN = number_with_tail("8823")


def tail_of(name: str) -> str:
    _, _, _, _, region, born, order = CUSTOMERS[name]
    return id_number(region, born, order)[-6:]


@pytest.fixture(autouse=True)
def codes_are_shown(settings: Any) -> None:
    """As in a demonstration: no text message leaves the machine."""
    settings.DEMO = True


def again(sheet: Sheet) -> str:
    """Another code without the minute's wait."""
    Throttle.objects.all().delete()
    return sheet.ask_code()


def opened(caller: Caller, what: str = "set") -> Sheet:
    prepared = caller.post("/api/finance/pin", {"id": str(uuid.uuid4()), "what": what})
    assert prepared.status_code == 201, prepared.content
    return Sheet(prepared.json()["confirm_url"])


def code_of(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


@pytest.fixture
def tao(world: World) -> Caller:
    return Caller(world.people["tao"])


@pytest.fixture
def jiang(world: World) -> Caller:
    """A visitor with another bank's card."""
    return Caller(world.people["jiang"])


def test_the_sign_in_alone_sets_no_pin(tao: Caller) -> None:
    answer = opened(tao).choose("147036")

    assert (answer.status_code, code_of(answer)) == (403, "proof_needed")
    assert not PinVerifier.objects.filter(pk=tao.id).exists()


def test_a_person_is_told_what_to_give_and_where_the_code_goes(tao: Caller, jiang: Caller) -> None:
    asked = opened(tao)
    asked.call("GET", f"intents/{asked.intent_id}/proof")

    assert asked.call("GET", f"intents/{asked.intent_id}/proof").json() == {
        "purpose": "first",
        "needs": ["id_tail"],
        "sent_to": "138****0003",
        "proved": False,
    }
    theirs = opened(jiang)
    assert theirs.call("GET", f"intents/{theirs.intent_id}/proof").json()["needs"] == ["card_number"]


@pytest.mark.parametrize(
    "given", [{"id_tail": "000000"}, {}, {"card_number": CARD}, {"code": "000000", "id_tail": tail_of("tao")}]
)
def test_a_code_without_the_identity_and_the_identity_without_the_code_prove_nothing(
    tao: Caller, given: dict[str, str]
) -> None:
    sheet = opened(tao)
    if "code" in given:
        sheet.ask_code()

    refused = sheet.prove(**given)

    assert (refused.status_code, code_of(refused)) == (403, "proof_refused")
    assert refused.json()["error"]["params"] == {"tries_left": 4}
    assert code_of(sheet.choose("147036")) == "proof_needed"
    assert AuditRow.objects.filter(action="identity.refused", actor_id=tao.id).count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": 123456},
        {"code": "１２３４５６"},
        {"code": "123456", "id_tail": "12345６"},
        {"code": "1" * 7},
        [],
        "x",
    ],
)
def test_what_is_no_proof_costs_no_try(tao: Caller, body: Any) -> None:
    sheet = opened(tao)

    assert sheet.call("POST", f"intents/{sheet.intent_id}/proof", body).status_code == 400
    assert not Proving.objects.exists()


def test_a_visitor_proves_with_the_bound_card(jiang: Caller) -> None:
    sheet = opened(jiang)

    assert code_of(sheet.prove(card_number=card_number("621700123456789013"))) == "proof_refused"
    assert sheet.prove(code=again(sheet), card_number=CARD).status_code == 204
    assert sheet.choose("147036").json()["state"] == "executed"


def test_somebody_without_a_verified_identity_is_told_the_way(world: World) -> None:
    """They might have typed somebody else's number into the unlocked phone a minute ago."""
    from accounts.models import Identity

    Identity.objects.filter(person=world.people["tao"]).update(level="named", verified_at=None)
    sheet = opened(Caller(world.people["tao"]))

    assert code_of(sheet.call("POST", f"intents/{sheet.intent_id}/proof/code", {})) == "identity_unproved"
    assert code_of(sheet.prove(code="123456", id_tail=tail_of("tao"))) == "identity_unproved"
    assert not OneTimeCode.objects.exists()


def test_five_wrong_proofs_lock_and_then_the_right_one_is_refused_for_a_day(tao: Caller) -> None:
    sheet = opened(tao)
    code = sheet.ask_code()
    answers = [sheet.prove(code=code, id_tail="000000") for _ in range(5)]

    assert [answer.json()["error"]["params"] for answer in answers] == [
        *({"tries_left": left} for left in (4, 3, 2, 1)),
        {"hours": 24},
    ]
    assert code_of(sheet.call("POST", f"intents/{sheet.intent_id}/proof/code", {})) == "proof_locked"
    assert code_of(sheet.prove(code=code, id_tail=tail_of("tao"))) == "proof_locked"
    assert OutboxRow.objects.filter(topic="bank_session.security", payload__event="proof_locked").count() == 1

    Proving.objects.update(locked_until=now() - timedelta(seconds=1))
    assert sheet.prove(code=again(sheet), id_tail=tail_of("tao")).status_code == 204
    assert Proving.objects.get().attempts == 0


def test_a_hundred_proofs_at_once_are_at_most_five_looks(real_bench: Bench, monkeypatch: Any) -> None:
    PinVerifier.objects.all().update(person_id=real_bench.world.people["he"])
    sheet = opened(real_bench.caller())
    looked: list[str] = []
    right = identity._right

    def counted(*asked: Any) -> bool:
        looked.append("looked")
        return right(*asked)

    monkeypatch.setattr(identity, "_right", counted)
    cookie = sheet.client.cookies["rl_bank"].value
    copies = [Sheet(cookie=cookie) for _ in range(100)]
    for copy in copies:
        copy.intent_id = sheet.intent_id

    answers = at_once(100, lambda index: copies[index].prove(code="000000", id_tail=f"{index:06d}"))

    assert len(looked) == 5 and Proving.objects.get().attempts == 5
    assert Counter(map(code_of, answers)) == {"proof_refused": 4, "proof_locked": 96}


def test_a_code_for_signing_in_proves_nothing_at_the_bank_and_nobody_asks_for_the_bank_s_at_the_chat(
    tao: Caller,
) -> None:
    phone = CUSTOMERS["tao"][3]
    code = accounts.send_code(phone=phone, purpose="sign_in", asker=Asker("test"))

    assert code_of(opened(tao).prove(code=str(code), id_tail=tail_of("tao"))) == "proof_refused"
    assert tao.post("/api/codes", {"phone": phone, "purpose": "bank_proof"}).status_code == 400


def test_codes_are_sent_once_a_minute(tao: Caller) -> None:
    sheet = opened(tao)
    sheet.ask_code()

    assert sheet.call("POST", f"intents/{sheet.intent_id}/proof/code", {}).status_code == 429


def test_a_proof_is_for_its_sheet_alone_and_for_once(tao: Caller) -> None:
    sheet, other = opened(tao), None
    sheet.prove(id_tail=tail_of("tao"))
    first = sheet.intent_id
    other = opened(tao)  # the same sign-in, another hand-off: another bank session
    assert code_of(other.choose("147036")) == "proof_needed"
    step_up(other.client.cookies["rl_bank"].value)
    other.intent_id = first
    assert code_of(other.choose("147036")) == "proof_needed"
    sheet = opened(tao)
    sheet.prove(code=again(sheet), id_tail=tail_of("tao"))
    IdentityProof.objects.update(expires_at=now())
    assert code_of(sheet.choose("147036")) == "proof_needed"


def test_a_proof_is_for_one_intent_of_its_session(tao: Caller) -> None:
    sheet = opened(tao)
    sheet.prove(id_tail=tail_of("tao"))
    first, asked = sheet.intent_id, {"id": str(uuid.uuid4()), "what": "set"}

    sheet.intent_id = tao.post("/api/finance/pin", asked).json()["intent_id"]
    assert code_of(sheet.choose("147036")) == "proof_needed"

    sheet.intent_id = first
    assert sheet.choose("147036").json()["state"] == "executed"


def test_a_proof_serves_once(tao: Caller) -> None:
    sheet = opened(tao)
    sheet.prove(id_tail=tail_of("tao"))
    session = access.session_of(sheet.client.cookies["rl_bank"].value)
    assert session is not None
    intent = Intent.objects.get(pk=sheet.intent_id)

    assert identity.proved(session, intent) and sheet.choose("147036").json()["state"] == "executed"
    assert not identity.proved(session, intent)
    with pytest.raises(ProofNeeded):
        identity.use(session, intent)


def test_somebody_else_s_id_number_and_card_prove_nothing(tao: Caller, jiang: Caller) -> None:
    sheet = opened(tao)
    assert code_of(sheet.prove(id_tail=tail_of("su"))) == "proof_refused"
    assert code_of(sheet.prove(code=again(sheet), card_number=CARD)) == "proof_refused"


class Bank:
    """The card's bank at the other end of the port."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.asked: list[tuple[str, ...]] = []

    def verify(self, name: str, id_number: str, card_number: str, phone: str) -> Verdict:
        self.asked.append((name, id_number, card_number, phone))
        return self.verdict


def forgot(caller: Caller) -> Sheet:
    return opened(caller, "reset")


def test_a_forgotten_pin_is_reset_after_code_identity_and_card_which_its_bank_confirms_anew(
    jiang: Caller, monkeypatch: Any
) -> None:
    set_pin(jiang.id)
    bank = Bank(Verdict(True))
    monkeypatch.setattr(ports.verification, "_adapter", bank)
    sheet = forgot(jiang)
    assert sheet.call("GET", f"intents/{sheet.intent_id}/proof").json()["needs"] == ["id_tail", "card_number"]

    assert sheet.prove(id_tail=tail_of("jiang"), card_number=CARD).status_code == 204
    done = sheet.choose("147036")

    assert done.json()["state"] == "executed"
    assert [asked[2:] for asked in bank.asked] == [(CARD, "13800000006")]
    assert OutboxRow.objects.filter(topic="bank_session.security", payload__event="pin_reset").count() == 1


def test_a_card_that_its_bank_no_longer_knows_resets_nothing(jiang: Caller, monkeypatch: Any) -> None:
    set_pin(jiang.id)
    monkeypatch.setattr(ports.verification, "_adapter", Bank(Verdict(False, "mismatch")))
    sheet = forgot(jiang)

    assert code_of(sheet.prove(id_tail=tail_of("jiang"), card_number=CARD)) == "proof_refused"
    assert code_of(sheet.choose("147036")) == "proof_needed"


def test_a_bank_that_does_not_answer_costs_no_try(jiang: Caller, monkeypatch: Any) -> None:
    set_pin(jiang.id)
    monkeypatch.setattr(ports.verification, "_adapter", Bank(Verdict(False, "unavailable")))
    sheet = forgot(jiang)

    assert sheet.prove(id_tail=tail_of("jiang"), card_number=CARD).status_code == 503
    assert Proving.objects.get().attempts == 0


def test_a_customer_resets_with_the_number_of_their_own_account_and_a_locked_pin_is_unlocked(
    bench: Bench, monkeypatch: Any
) -> None:
    ledger.open_account(
        owner_id=bench.world.people["su"],
        account_type="customer",
        account_class="I",
        name="储蓄卡",
        number=OWN,
        key="test:numbered",
    )
    waiting = Sheet(bench.prepare().handoff_url)
    for digit in range(5):
        waiting.confirm(f"14703{digit}")
    assert waiting.confirm().status_code == 423

    assert waiting.prove(id_tail=tail_of("su"), card_number=OWN).status_code == 204
    assert waiting.choose("147036").json()["state"] == "prepared"

    assert bench.balance() == 100_000
    assert waiting.confirm().status_code == 403
    assert waiting.confirm("147036").status_code == 200 and bench.balance() == 99_000


def test_other_bank_sessions_end_when_the_pin_changes(bench: Bench) -> None:
    waiting = Sheet(bench.prepare().handoff_url)
    bench.callers["su"] = Caller(bench.world.people["su"])  # another device
    sheet = opened(bench.caller(), "change")

    assert sheet.choose("147036", current="258369").json()["state"] == "executed"
    assert waiting.intent().status_code == 401


def test_a_pin_is_changed_with_the_present_one_whose_tries_are_counted(bench: Bench) -> None:
    sheet = opened(bench.caller(), "change")

    assert code_of(sheet.choose("147036", current="258368")) == "wrong_pin"
    assert code_of(sheet.choose("258369", current="258369")) == "pin_unchanged"
    assert code_of(sheet.choose("147036")) == "proof_needed"
    assert sheet.choose("147036", current="258369").json()["state"] == "executed"
    assert Sheet(bench.prepare().handoff_url).confirm("147036").status_code == 200
    assert OutboxRow.objects.filter(topic="bank_session.security", payload__event="pin_changed").count() == 1


def test_the_present_pin_changes_nothing_in_a_sheet_that_is_about_something_else(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)

    assert code_of(sheet.choose("147036", current="258369")) == "proof_needed"


def test_a_pin_intent_is_not_confirmed_like_another(bench: Bench) -> None:
    sheet = opened(bench.caller(), "change")

    assert code_of(sheet.confirm()) == "pin_not_set" and sheet.intent().json()["state"] == "prepared"


@pytest.mark.parametrize(("what", "code"), [("change", "pin_not_set"), ("reset", "pin_not_set")])
def test_there_is_nothing_to_change_without_a_pin(tao: Caller, what: str, code: str) -> None:
    assert code_of(tao.post("/api/finance/pin", {"id": str(uuid.uuid4()), "what": what})) == code


def test_codes_that_strangers_ask_for_to_the_number_take_none_of_the_owners_away(
    tao: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODES_PER_DAY", 2)
    stranger = Caller(None)
    asked = [
        stranger.post("/api/codes", {"phone": PHONES["tao"], "purpose": purpose}).status_code
        for purpose in ("sign_in", "reset_password", "register")
    ]
    assert asked == [201, 201, 429]

    assert opened(tao).prove(id_tail=tail_of("tao")).status_code == 204
