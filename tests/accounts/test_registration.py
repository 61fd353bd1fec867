"""Becoming somebody: codes, registration, real name, cards."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections

from accounts import limits, ports
from accounts.models import BankCard, Consent, Identity, OneTimeCode, Person
from kernel.models import AuditRow
from rongliao.demo import World
from rongliao.demo.accounts import CUSTOMERS, card_number, id_number
from tests.accounts.conftest import AGREED, NEW_PHONE, Caller, error

People = Callable[[str], Caller]
NAME = "温岚"
ID_NUMBER = "33010619900307009X"
CARD = card_number("621700880000123401")


@dataclass
class OtherBank:
    """The other bank: the outside world, which is not ours to run here. The product's own simulator is another's."""

    answer: ports.Verdict = field(default_factory=lambda: ports.Verdict(True))
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)

    def verify(self, name: str, id_number: str, card_number: str, phone: str) -> ports.Verdict:
        self.asked.append((name, id_number, card_number, phone))
        return self.answer


@pytest.fixture
def other_bank(monkeypatch: Any) -> OtherBank:
    bank = OtherBank()
    monkeypatch.setattr(ports.verification, "_adapter", bank)
    return bank


@pytest.fixture
def newcomer(guest: Caller, world: World) -> Caller:
    assert guest.register().status_code == 201
    return guest


def test_somebody_registers_with_a_code_and_is_signed_in_as_a_visitor(guest: Caller, world: World) -> None:
    answer = guest.register()
    assert answer.status_code == 201, answer.content
    assert answer.json()["kind"] == "visitor"
    assert answer.json()["seal"] is None and answer.json()["roles"] == []
    assert guest.get("/api/me").json()["identity"]["level"] == "none"
    person = Person.objects.get(pk=answer.json()["id"])
    assert not person.is_staff and not person.is_superuser
    assert set(Consent.objects.filter(person=person).values_list("kind", "version")) == set(AGREED.items())
    assert Caller().sign_in(NEW_PHONE, "quiet-harbour-9").status_code == 200


def test_registration_cannot_make_staff(guest: Caller, world: World) -> None:
    answer = guest.register(kind="staff", roles=["operator"], is_staff=True, is_superuser=True)
    assert answer.status_code == 201
    person = Person.objects.get(pk=answer.json()["id"])
    assert (person.kind, person.is_staff, person.is_superuser) == ("visitor", False, False)


def test_a_number_that_is_registered_is_told_only_to_whoever_holds_it(guest: Caller, world: World) -> None:
    known = guest.post("/api/codes", {"phone": "13800000001", "purpose": "register"})
    unknown = guest.post("/api/codes", {"phone": NEW_PHONE, "purpose": "register"})
    assert known.status_code == unknown.status_code == 201
    assert known.json().keys() == unknown.json().keys()
    taken = guest.post(
        "/api/registrations",
        {
            "phone": "13800000001",
            "code": known.json()["demo_code"],
            "password": "quiet-harbour-9",
            "display_name": "新来的人",
            "agreed": AGREED,
        },
    )
    assert (taken.status_code, error(taken)) == (409, "phone_taken")


def test_of_two_registrations_at_once_with_one_phone_exactly_one_succeeds(fresh_database: Any) -> None:
    asker = Caller()
    code = asker.code(NEW_PHONE, "register")

    def register(_: int) -> int:
        try:
            body = {
                "phone": NEW_PHONE,
                "code": code,
                "password": "quiet-harbour-9",
                "display_name": "新来的人",
                "device_id": asker.device,
                "agreed": AGREED,
            }
            return int(Caller().post("/api/registrations", body).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(register, range(8)))
    assert answers == [201] + [400] * 7
    assert Person.objects.filter(display_name="新来的人").count() == 1


def test_the_database_holds_one_person_per_number_whatever_the_code_says(fresh_database: Any) -> None:
    from accounts.actions.registration import create_person
    from accounts.errors import PhoneTaken

    def make(_: int) -> bool:
        try:
            create_person(kind="visitor", phone=NEW_PHONE, display_name="甲", password=None)
        except PhoneTaken:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(make, range(8))) == [False] * 7 + [True]


def test_a_code_is_refused_when_wrong_old_spent_or_for_something_else(guest: Caller, world: World) -> None:
    code = guest.code(NEW_PHONE, "register")
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    body = {
        "phone": NEW_PHONE,
        "password": "quiet-harbour-9",
        "display_name": "新来的人",
        "device_id": guest.device,
        "agreed": AGREED,
    }
    assert error(guest.post("/api/registrations", {**body, "code": wrong})) == "code_refused"
    assert (
        error(guest.post("/api/session", {"phone": NEW_PHONE, "code": code, "device_id": guest.device}))
        == "code_refused"
    )
    assert error(guest.post("/api/registrations", {**body, "phone": "13700000009", "code": code})) == "code_refused"
    OneTimeCode.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert error(guest.post("/api/registrations", {**body, "code": code})) == "code_refused"
    assert not Person.objects.filter(display_name="新来的人").exists()


def test_after_five_wrong_tries_the_right_code_is_worth_nothing(guest: Caller, world: World) -> None:
    code = guest.code(NEW_PHONE, "register")
    body = {
        "phone": NEW_PHONE,
        "password": "quiet-harbour-9",
        "display_name": "新来的人",
        "device_id": guest.device,
        "agreed": AGREED,
    }
    for step in range(limits.CODE_TRIES):
        wrong = f"{(int(code) + 1 + step) % 10**6:06d}"
        assert guest.post("/api/registrations", {**body, "code": wrong}).status_code == 400
    assert error(guest.post("/api/registrations", {**body, "code": code})) == "code_refused"


def test_codes_are_not_sent_again_at_once(guest: Caller, world: World) -> None:
    guest.code(NEW_PHONE, "register")
    again = guest.post("/api/codes", {"phone": NEW_PHONE, "purpose": "register"})
    assert (again.status_code, error(again)) == (429, "too_many")
    assert 0 < int(again["Retry-After"]) <= 61
    assert guest.post("/api/codes", {"phone": NEW_PHONE, "purpose": "sign_in"}).status_code == 201


def test_outside_demo_mode_a_code_needs_a_sender_and_is_never_in_the_answer(
    guest: Caller, world: World, settings: Any, monkeypatch: Any
) -> None:
    settings.DEMO = False
    monkeypatch.setattr(ports.sms, "_adapter", None)
    refused = guest.post("/api/codes", {"phone": NEW_PHONE, "purpose": "register"})
    assert (refused.status_code, error(refused)) == (503, "not_connected")
    sent: list[tuple[str, str, str]] = []

    class Gateway:
        """The operator's gateway: the outside world."""

        def send_code(self, phone: str, code: str, purpose: str) -> None:
            sent.append((phone, code, purpose))

    monkeypatch.setattr(ports.sms, "_adapter", Gateway())
    answer = guest.post("/api/codes", {"phone": NEW_PHONE, "purpose": "sign_in"})
    assert answer.status_code == 201
    assert answer.json()["demo_code"] is None
    assert sent[0][0] == NEW_PHONE and sent[0][1] not in answer.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        "远山银行",
        "远山 银行",
        "遠山銀行",
        "远.山.银.行",
        "YuanShan Bank",
        "Уuаnshаn Ваnk",
        "官方小助手",
        "宫方通知",
        "在线客服",
        "客 服小远",
        "周经理",
        "客户经理周岚",
        "融聊",
        "0fficial",
        "Admin",
        "系统消息",
        "账戶变动",
    ],
)
def test_a_name_that_looks_like_the_banks_is_refused(su: Caller, world: World, name: str) -> None:
    answer = su.patch("/api/me", {"display_name": name})
    assert (answer.status_code, error(answer)) == (400, "name_not_allowed"), name
    assert su.get("/api/me").json()["name"] == "苏禾"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "好" * 21,
        "苏\u202e禾",
        "苏\u200b禾",
        "苏\n禾",
        "\u3164",
        42,
        None,
        ["苏"],
        "苏\u0000禾",
        "。。。",
        "😀",
    ],
)
def test_a_name_that_cannot_be_read_is_refused(su: Caller, world: World, name: Any) -> None:
    assert su.patch("/api/me", {"display_name": name}).status_code == 400
    assert su.get("/api/me").json()["name"] == "苏禾"


@pytest.mark.parametrize("name", ["苏禾", "阿陶 🌿", "Xu Zhiyuan", "银杏", "官渡"])
def test_an_ordinary_name_is_kept(su: Caller, world: World, name: str) -> None:
    assert su.patch("/api/me", {"display_name": name}).status_code == 200
    assert su.get("/api/me").json()["name"] == name


def test_a_name_that_everybody_hears_of_is_changed_a_few_times_an_hour(su: Caller, world: World) -> None:
    for number in range(limits.LOOKS_PER_HOUR):
        assert su.patch("/api/me", {"display_name": f"苏{number}"}).status_code == 200
    again = su.patch("/api/me", {"display_name": "苏禾"})
    assert (again.status_code, error(again)) == (429, "too_many")
    assert su.get("/api/me").json()["name"] == f"苏{limits.LOOKS_PER_HOUR - 1}"


def give(caller: Caller, **changed: Any) -> Any:
    return caller.post("/api/identity", {"name": NAME, "id_number": ID_NUMBER, **changed})


def bind(caller: Caller, **changed: Any) -> Any:
    return caller.post("/api/cards", {"id": str(uuid4()), "number": CARD, **changed})


def test_a_newcomer_proves_who_they_are_with_another_banks_card(newcomer: Caller, other_bank: OtherBank) -> None:
    early = bind(newcomer)
    assert (early.status_code, error(early)) == (409, "identity_needed")
    assert give(newcomer).json() == {"level": "named", "masked_name": "*岚"}
    answer = bind(newcomer)
    assert answer.status_code == 201, answer.content
    assert answer.json()["bank_name"] == "建设银行"
    assert (answer.json()["tail"], answer.json()["kind"]) == (CARD[-4:], "debit")
    assert other_bank.asked == [(NAME, ID_NUMBER, CARD, NEW_PHONE)]
    assert newcomer.get("/api/me").json()["identity"]["level"] == "verified"
    assert [card["tail"] for card in newcomer.get("/api/cards").json()["items"]] == [CARD[-4:]]


def test_the_same_card_again_is_the_same_card_and_asks_nobody(newcomer: Caller, other_bank: OtherBank) -> None:
    give(newcomer)
    card_id = str(uuid4())
    first, again, other_id = bind(newcomer, id=card_id), bind(newcomer, id=card_id), bind(newcomer)
    assert first.json() == again.json() == other_id.json()
    assert len(other_bank.asked) == 1
    other_card = card_number("621483880000123")
    reused = bind(newcomer, id=card_id, number=other_card)
    assert (reused.status_code, error(reused)) == (422, "key_reused")
    assert BankCard.objects.filter(tail=CARD[-4:]).count() == 1


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        ("mismatch", 422, "card_refused"),
        ("card_unusable", 422, "card_unusable"),
        ("unavailable", 503, "card_check_unavailable"),
    ],
)
def test_what_the_other_bank_refuses_binds_and_proves_nothing(
    newcomer: Caller, other_bank: OtherBank, reason: str, status: int, code: str
) -> None:
    give(newcomer)
    other_bank.answer = ports.Verdict(False, reason)
    answer = bind(newcomer)
    assert (answer.status_code, error(answer)) == (status, code)
    assert newcomer.get("/api/cards").json()["items"] == []
    assert newcomer.get("/api/me").json()["identity"]["level"] == "named"


def test_card_numbers_cannot_be_tried_out(newcomer: Caller, other_bank: OtherBank) -> None:
    give(newcomer)
    other_bank.answer = ports.Verdict(False, "mismatch")
    for index in range(limits.CARD_TRIES_PER_DAY):
        assert bind(newcomer, number=card_number(f"62170088000012{index:04d}")).status_code == 422
    assert bind(newcomer).status_code == 429
    assert len(other_bank.asked) == limits.CARD_TRIES_PER_DAY


def test_a_proved_identity_is_not_changed_and_not_shared(
    newcomer: Caller, other_bank: OtherBank, person: People
) -> None:
    _, name, _, _, region, born, order = CUSTOMERS["lin"]
    lins = id_number(region, born, order)
    assert give(newcomer, name=name, id_number=lins).status_code == 200
    taken = bind(newcomer)
    assert (taken.status_code, error(taken)) == (409, "identity_taken")
    assert newcomer.get("/api/cards").json()["items"] == []
    assert give(newcomer).status_code == 200
    assert bind(newcomer).status_code == 201
    settled = give(newcomer, name="温澜")
    assert (settled.status_code, error(settled)) == (409, "identity_settled")
    assert give(newcomer).status_code == 200


def test_two_bindings_at_once_make_one_card(fresh_database: Any, other_bank: OtherBank) -> None:
    caller = Caller()
    caller.register()
    give(caller)

    def once(_: int) -> int:
        try:
            mine = Caller()
            mine.client.cookies = caller.client.cookies
            return int(bind(mine).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(once, range(6)))
    assert answers == [201] * 6
    assert BankCard.objects.filter(tail=CARD[-4:]).count() == 1


@pytest.mark.parametrize(
    "id_number_given",
    [
        "330106199003070090",  # wrong check digit
        "33010619900230009X",  # 30 February
        "99010619900307009X",  # no such region
        "33010620900307009X",  # not born yet
        "33010619900307009",  # too short
        "３３０１０６１９９００３０７００９Ｘ",
        "33010619900307-09X",
        "",
        330106199003070091,
        None,
    ],
)
def test_a_wrong_id_number_is_refused(newcomer: Caller, id_number_given: Any) -> None:
    answer = give(newcomer, id_number=id_number_given)
    assert answer.status_code == 400
    assert "id_number" in answer.json()["error"]["fields"]
    assert not Identity.objects.filter(person=newcomer.get("/api/me").json()["id"]).exists()


def test_a_small_x_is_the_same_number(newcomer: Caller) -> None:
    assert give(newcomer, id_number=ID_NUMBER.lower()).status_code == 200


@pytest.mark.parametrize(
    "name", ["W", "温", "Wen Lan", "温 岚", "·温岚", "温\u202e岚", "温岚1", "😀😀", "温" * 31, None, 7]
)
def test_a_wrong_real_name_is_refused(newcomer: Caller, name: Any) -> None:
    answer = give(newcomer, name=name)
    assert answer.status_code == 400
    assert "name" in answer.json()["error"]["fields"]


def test_a_name_of_several_parts_is_fine(newcomer: Caller) -> None:
    assert give(newcomer, name="阿依古丽·买买提").status_code == 200


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (CARD[:-1] + str((int(CARD[-1]) + 1) % 10), "card_number_wrong"),
        (card_number("999999880000123401"), "card_bank_unknown"),
        (card_number("6217008800001234"), "card_bank_unknown"),  # that bank's numbers are longer
        ("６２１７００８８００００１２３４０１１", "invalid"),
        (CARD[:4] + " " + CARD[4:], "invalid"),
        (int(CARD), "invalid"),
        ("", "invalid"),
        ("0" * 40, "invalid"),
    ],
)
def test_a_wrong_card_number_is_refused_and_nobody_is_asked(
    newcomer: Caller, other_bank: OtherBank, number: Any, code: str
) -> None:
    give(newcomer)
    answer = bind(newcomer, number=number)
    assert (answer.status_code, error(answer)) == (400, code)
    assert other_bank.asked == []


def test_the_bank_of_a_card_is_named_while_one_types(newcomer: Caller) -> None:
    assert newcomer.get("/api/cards/issuers/621700").json()["bank_name"] == "建设银行"
    assert newcomer.get("/api/cards/issuers/999999").status_code == 404
    assert newcomer.get("/api/cards/issuers/62170").status_code == 404
    assert Caller().get("/api/cards/issuers/621700").status_code == 401


def test_nothing_personal_stands_in_clear_in_any_column(newcomer: Caller, other_bank: OtherBank) -> None:
    give(newcomer)
    bind(newcomer)
    Caller().sign_in(NEW_PHONE, "wrong")
    secrets = [NEW_PHONE, ID_NUMBER, CARD, NAME, "quiet-harbour-9"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows = [row[0] for row in cursor.fetchall()]
            for secret in secrets:
                # A bytea is shown as hex: look for the text's bytes as well.
                forms = (secret, secret.encode().hex())
                assert not [row for row in rows if any(form in row for form in forms)], (table, secret[:4])
    assert AuditRow.objects.filter(action="accounts.card_bound").exists()


def test_errors_and_logs_name_no_number(newcomer: Caller, other_bank: OtherBank, caplog: Any) -> None:
    give(newcomer)
    other_bank.answer = ports.Verdict(False, "mismatch")
    answers = [bind(newcomer), give(newcomer, id_number=ID_NUMBER[:-1] + "1"), Caller().sign_in(NEW_PHONE, "wrong")]
    for secret in (NEW_PHONE, ID_NUMBER[:-1], CARD, NAME):
        assert secret not in caplog.text
        assert not [answer for answer in answers if secret in answer.content.decode()]
