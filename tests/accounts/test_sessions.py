"""Signing in and out, devices, passwords."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session

from accounts import limits, ports
from accounts.auth import session_by_key
from accounts.models import Device, DeviceSession, Person, Throttle
from accounts.queries import session_is_open
from finance.bank_session.devices import verified
from kernel.clock import now
from kernel.models import OutboxRow
from rongliao.demo import PASSWORD, World
from tests.accounts.conftest import Caller, error
from tests.support.browser import PHONES

People = Callable[[str], Caller]


def test_the_right_password_opens_a_session_and_names_the_person(guest: Caller, world: World) -> None:
    assert guest.get("/api/me").status_code == 401
    assert guest.get("/api/session").json() == {"me": None}
    answer = guest.sign_in(PHONES["su"])
    assert answer.status_code == 200
    assert answer.json()["id"] == str(world.people["su"])
    assert answer.json()["phone_masked"] == "138****0001"
    assert guest.get("/api/me").json()["identity"] == {"level": "verified", "masked_name": "*禾"}
    assert guest.get("/api/session").json() == {"me": guest.get("/api/me").json()}


def test_an_unknown_number_and_a_wrong_password_get_the_very_same_answer(guest: Caller, world: World) -> None:
    wrong = guest.sign_in(PHONES["su"], "not-the-password")
    unknown = guest.sign_in("13712345678", "not-the-password")
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content) == (401, wrong.content)
    assert error(wrong) == "sign_in_refused"


def test_the_session_id_changes_at_every_sign_in(guest: Caller, world: World) -> None:
    guest.client.cookies[settings.SESSION_COOKIE_NAME] = "chosen-by-somebody-else-000000000"
    guest.sign_in(PHONES["su"])
    first = guest.cookie
    assert first != "chosen-by-somebody-else-000000000"
    guest.sign_in(PHONES["su"])
    assert guest.cookie != first
    assert session_by_key(first) is None
    assert not Session.objects.filter(session_key=first).exists()


@pytest.mark.parametrize("said", ['"{}\\000"', '"\\000{}"', '"{}\\015\\012"', '"\\377{}"', "{}{}", '"', ""])
def test_a_cookie_that_is_no_session_s_key_signs_nobody_in_and_breaks_nothing(su: Caller, said: str) -> None:
    cookie = f"{settings.SESSION_COOKIE_NAME}={said.replace('{}', su.cookie)}"
    answer = Caller().client.get("/api/me", headers={"Cookie": cookie})
    assert answer.status_code == 401, answer.content


def test_signing_out_ends_the_session_on_the_server(su: Caller) -> None:
    key = su.cookie
    assert session_by_key(key) is not None
    assert su.delete("/api/session").status_code == 204
    assert session_by_key(key) is None
    su.client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert su.get("/api/me").status_code == 401
    assert su.delete("/api/session").status_code == 204


def test_wrong_passwords_are_counted_and_then_even_the_right_one_waits(guest: Caller, world: World) -> None:
    for _ in range(limits.SIGN_IN_TRIES):
        assert guest.sign_in(PHONES["su"], "wrong").status_code == 401
    locked = guest.sign_in(PHONES["su"])
    assert locked.status_code == 429
    assert int(locked["Retry-After"]) > 0
    assert guest.sign_in(PHONES["lin"]).status_code == 200


def test_a_success_gives_the_tries_back(guest: Caller, world: World) -> None:
    for _ in range(limits.SIGN_IN_TRIES - 1):
        guest.sign_in(PHONES["su"], "wrong")
    assert guest.sign_in(PHONES["su"]).status_code == 200
    assert guest.sign_in(PHONES["su"], "wrong").status_code == 401


def test_many_numbers_from_one_address_are_stopped(guest: Caller, world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "SIGN_IN_TRIES_PER_ADDRESS", 5)
    for last in range(5):
        assert guest.sign_in(f"1371234567{last}", "wrong").status_code == 401
    assert guest.sign_in("13712345679", "wrong").status_code == 429
    assert Caller(address="127.0.0.2").sign_in("13712345679", "wrong").status_code == 401


def test_the_counters_name_nobody(guest: Caller, world: World) -> None:
    Throttle.objects.all().delete()
    guest.sign_in(PHONES["su"], "wrong")
    keys = [bytes(key) for key in Throttle.objects.values_list("key", flat=True)]
    assert len(keys) == 3
    assert all(len(key) == 32 and PHONES["su"].encode() not in key for key in keys)


def test_devices_are_listed_and_one_can_be_kicked_out_at_once(
    person: People, world: World, django_capture_on_commit_callbacks: Any, monkeypatch: Any
) -> None:
    told: list[tuple[UUID, Sequence[UUID]]] = []
    monkeypatch.setattr(ports.session_ended, "_all", [lambda who, sessions: told.append((who, sessions))])
    here, there = person("su"), person("su")
    listed = here.get("/api/devices").json()["items"]
    assert sorted(device["current"] for device in listed) == [False, True]
    other = next(device["id"] for device in listed if not device["current"])
    opened = session_by_key(there.cookie)
    assert opened is not None and session_is_open(opened.id)
    with django_capture_on_commit_callbacks(execute=True):
        assert here.delete(f"/api/devices/{other}").status_code == 204
    assert told == [(world.people["su"], [opened.id])]
    assert not session_is_open(opened.id)
    assert there.get("/api/me").status_code == 401
    assert here.get("/api/me").status_code == 200
    assert [device["current"] for device in here.get("/api/devices").json()["items"]] == [True]


def test_each_device_says_since_when_it_is_signed_in_and_whether_it_is_verified(person: People, world: World) -> None:
    here, there = person("su"), person("su")
    other = there.get("/api/me").json()["device_id"]
    verified(world.people["su"], UUID(other), by="identity")
    before = now() - timedelta(hours=3)
    DeviceSession.objects.filter(device_id=other).update(created_at=before)

    listed = {device["id"]: device for device in here.get("/api/devices").json()["items"]}

    mine = listed.pop(here.get("/api/me").json()["device_id"])
    (theirs,) = listed.values()
    assert (mine["verified"], theirs["verified"]) == (False, True)
    assert datetime.fromisoformat(theirs["signed_in_at"]) == before < datetime.fromisoformat(mine["signed_in_at"])
    assert there.delete("/api/session").status_code == 204
    (theirs,) = [device for device in here.get("/api/devices").json()["items"] if device["id"] == other]
    assert (theirs["signed_in"], theirs["signed_in_at"]) == (False, None)


def test_whoever_signs_in_again_on_a_device_that_was_kicked_out_is_on_a_new_one(person: People, world: World) -> None:
    here, there = person("su"), person("su")
    before = there.get("/api/me").json()["device_id"]
    assert here.delete(f"/api/devices/{before}").status_code == 204
    told = OutboxRow.objects.filter(topic="accounts.device_new").count()

    assert there.sign_in(PHONES["su"]).status_code == 200

    assert there.get("/api/me").json()["device_id"] != before
    assert OutboxRow.objects.filter(topic="accounts.device_new").count() == told + 1
    assert len(here.get("/api/devices").json()["items"]) == 2


def test_devices_come_in_pages_the_last_used_first(person: People, world: World) -> None:
    su = person("su")
    made = now()
    for number in range(5):
        device = Device.objects.create(person_id=world.people["su"], client_id=uuid4(), name=f"Phone {number}")
        # Two of one moment: the id decides, and neither is lost between two pages.
        Device.objects.filter(pk=device.pk).update(last_seen_at=made - timedelta(days=1 + number // 2))
    seen: list[str] = []
    before: str | None = ""
    while before is not None:
        page = su.get(f"/api/devices?limit=2&before={quote(before)}").json()
        assert 1 <= len(page["items"]) <= 2
        seen += [device["id"] for device in page["items"]]
        before = page["next"]
    whole = [device["id"] for device in su.get("/api/devices").json()["items"]]
    assert seen == whole
    assert len(set(seen)) == 6
    moments = ("2026-01-01T00:00:00", "9999-12-31T23:59:59-23:59")
    for wrong in ("x", "2026-01-01_x", "a_b_c", *(f"{moment}_{uuid4()}" for moment in moments)):
        assert su.get(f"/api/devices?before={quote(wrong)}").status_code == 400


def test_somebody_elses_device_does_not_exist(person: People) -> None:
    su, lin = person("su"), person("lin")
    device = su.get("/api/devices").json()["items"][0]["id"]
    assert lin.delete(f"/api/devices/{device}").status_code == 404
    assert lin.delete(f"/api/devices/{uuid4()}").status_code == 404
    assert su.get("/api/me").status_code == 200


def test_a_device_that_names_somebody_elses_device_gets_one_of_its_own(person: People, world: World) -> None:
    su = person("su")
    lin = Caller()
    lin.device = su.device
    assert lin.sign_in(PHONES["lin"]).status_code == 200
    assert Device.objects.filter(client_id=su.device).count() == 2


def test_a_new_password_ends_every_other_session_and_keeps_this_one(person: People) -> None:
    here, there = person("su"), person("su")
    wrong = here.post("/api/me/password", {"current": "nope", "new": "calm-lake-42"})
    assert (wrong.status_code, error(wrong)) == (400, "password_wrong")
    weak = here.post("/api/me/password", {"current": PASSWORD, "new": "12345678"})
    assert (weak.status_code, error(weak)) == (400, "password_too_weak")
    assert there.get("/api/me").status_code == 200
    assert here.post("/api/me/password", {"current": PASSWORD, "new": "calm-lake-42"}).status_code == 204
    assert here.get("/api/me").status_code == 200
    assert there.get("/api/me").status_code == 401
    assert Caller().sign_in(PHONES["su"]).status_code == 401
    assert Caller().sign_in(PHONES["su"], "calm-lake-42").status_code == 200


def test_a_blocked_person_is_out_at_once_and_cannot_come_back(su: Caller, world: World) -> None:
    from accounts.actions import block_person

    block_person(person_id=world.people["su"], blocked=True, by=None)
    assert su.get("/api/me").status_code == 401
    assert Caller().sign_in(PHONES["su"]).status_code == 401
    block_person(person_id=world.people["su"], blocked=False, by=None)
    assert Caller().sign_in(PHONES["su"]).status_code == 200


def test_a_session_of_an_older_epoch_is_over(su: Caller, world: World) -> None:
    Person.objects.filter(pk=world.people["su"]).update(session_epoch=7)
    assert su.get("/api/me").status_code == 401


def test_a_session_is_looked_up_in_one_statement(su: Caller, world: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        opened = session_by_key(su.cookie)
    assert opened is not None and opened.person_id == world.people["su"]


def _over(row: str, **values: Any) -> Callable[[Person, str], None]:
    def change(person: Person, key: str) -> None:
        rows: Any = {
            "session": Session.objects.filter(session_key=key),
            "device session": DeviceSession.objects.filter(person=person),
            "person": Person.objects.filter(pk=person.pk),
        }[row]
        assert rows.update(**values) == 1

    return change


@pytest.mark.parametrize(
    "ended_by",
    [
        _over("session", expire_date=now() - timedelta(seconds=1)),
        _over("device session", ended_at=now()),
        _over("device session", key_hash=b"\x00" * 32),
        _over("device session", epoch=3),
        _over("person", is_active=False),
        _over("person", password="argon2$of-another-password"),
    ],
)
def test_a_session_is_over_whichever_row_says_so(
    su: Caller, world: World, ended_by: Callable[[Person, str], None]
) -> None:
    assert su.get("/api/me").status_code == 200
    ended_by(Person.objects.get(pk=world.people["su"]), su.cookie)
    assert session_by_key(su.cookie) is None
    assert su.get("/api/me").status_code == 401


def test_a_device_was_last_seen_at_most_minutes_ago(su: Caller, world: World) -> None:
    long_ago = now() - timedelta(hours=1)
    DeviceSession.objects.filter(person=world.people["su"]).update(last_seen_at=long_ago)
    Device.objects.filter(person=world.people["su"]).update(last_seen_at=long_ago)
    su.get("/api/me")
    assert Device.objects.get(person=world.people["su"]).last_seen_at > long_ago
    assert DeviceSession.objects.get(person=world.people["su"]).last_seen_at > long_ago


def test_a_cookie_whose_device_session_is_anothers_opens_nothing(person: People) -> None:
    su, lin = person("su"), person("lin")
    lins = session_by_key(lin.cookie)
    assert lins is not None
    session = Session.objects.get(session_key=su.cookie)
    forged = {**session.get_decoded(), "device_session": str(lins.id)}
    session.session_data = Session.objects.encode(forged)
    session.save()
    assert su.get("/api/me").status_code == 401


def test_an_official_cannot_sign_in(world: World) -> None:
    from accounts.actions import create_official

    official = Person.objects.get(pk=create_official(name="测试号"))
    assert not official.has_usable_password()
    assert official.phone is None


def test_a_code_signs_in_once(guest: Caller, world: World) -> None:
    code = guest.code(PHONES["su"], "sign_in")
    body = {"phone": PHONES["su"], "code": code, "device_id": guest.device}
    assert guest.post("/api/session", body).status_code == 200
    again = Caller().post("/api/session", body)
    assert (again.status_code, error(again)) == (400, "code_refused")


def test_a_forgotten_password_is_reset_by_a_code_and_every_session_ends(su: Caller, guest: Caller) -> None:
    code = guest.code(PHONES["su"], "reset_password")
    answer = guest.post(
        "/api/password-resets",
        {"phone": PHONES["su"], "code": code, "password": "calm-lake-42", "device_id": guest.device},
    )
    assert answer.status_code == 204
    assert su.get("/api/me").status_code == 401
    assert Caller().sign_in(PHONES["su"], "calm-lake-42").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": "13800000001"},
        {"phone": "13800000001", "password": "x", "code": "123456"},
        {"phone": "１３８００００００００１", "password": "rongliao123"},
        {"phone": 13800000001, "password": "rongliao123"},
        {"phone": "+8613800000001", "password": "rongliao123"},
        {"phone": "13800000001\n", "password": "rongliao123"},
        {"phone": "13800000001", "password": ["rongliao123"]},
        {"phone": "13800000001", "password": "x" * 129},
        {"phone": "13800000001", "password": "a\u0000b"},
        {"phone": "13800000001", "code": "１２３４５６"},
        {"phone": "13800000001", "code": 123456},
        {"phone": "13800000001", "password": "rongliao123", "device_id": "not-a-uuid"},
        {"phone": "13800000001", "password": "rongliao123", "device_name": "\u202eevil"},
        {"phone": "🦊", "password": "rongliao123"},
        {"phone": None, "password": None},
    ],
)
def test_bad_input_is_refused_and_opens_nothing(guest: Caller, world: World, body: dict[str, Any]) -> None:
    answer = guest.post("/api/session", body)
    assert answer.status_code == 400, answer.content
    assert error(answer) == "invalid"
    assert not DeviceSession.objects.exists()


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'"x"', b"\xff\xfe", b'{"phone": NaN}'])
def test_a_body_that_is_no_object_is_refused(guest: Caller, world: World, raw: bytes) -> None:
    assert guest.call("POST", "/api/session", raw).status_code == 400


def test_a_page_of_another_site_cannot_sign_anybody_in_or_out(su: Caller) -> None:
    for origin in ("https://evil.example", "null", settings.BANK_ORIGIN, settings.APP_ORIGIN + "0"):
        assert su.call("DELETE", "/api/session", None, origin=origin).status_code == 403
    assert su.get("/api/me").status_code == 200


def test_the_cookie_is_strict_and_unreadable_for_scripts(guest: Caller, world: World) -> None:
    cookie = guest.sign_in(PHONES["su"]).cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["samesite"], cookie["httponly"]) == ("Strict", True)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("first", "second", "one_connection"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002:0:0:0:0009", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("192.0.2.7", "192.0.2.8", False),
    ],
)
def test_tries_are_counted_per_connection_however_many_addresses_it_has(
    settings: Any, monkeypatch: pytest.MonkeyPatch, first: str, second: str, one_connection: bool
) -> None:
    settings.DEMO = False  # a demonstration is for this machine alone
    monkeypatch.setattr(limits, "SIGN_IN_TRIES_PER_ADDRESS", 1)
    assert Caller(first).sign_in("13812345670", "wrong").status_code == 401
    answer = Caller(second).sign_in("13812345671", "wrong")
    assert answer.status_code == (429 if one_connection else 401)
