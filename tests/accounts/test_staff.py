"""Staff, the admin, and the demonstration's log-ins: what registration never gives."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import queries
from accounts.management.commands import create_staff
from accounts.models import Advising, Person, StaffRole
from kernel.models import AuditRow
from rongliao.demo import PASSWORD, World
from tests.accounts.conftest import Caller, error
from tests.support.browser import PHONES

People = Callable[[str], Caller]
PHONE = "13900000077"
FORM = {"display_name": "钱经理", "phone_number": PHONE, "roles": ["advisor"], "branch": "城东支行"}


def command(**changed: Any) -> str:
    out = io.StringIO()
    words = {
        "name": "钱经理",
        "phone": PHONE,
        "roles": ["advisor"],
        "branch": "城东支行",
        "no_password": True,
        **changed,
    }
    call_command("create_staff", stdout=out, **{**words, **changed})
    return out.getvalue()


def test_the_command_makes_staff_who_set_their_password_by_a_code(world: World, guest: Caller) -> None:
    command()
    assert guest.sign_in(PHONE, "").status_code == 400
    code = guest.code(PHONE, "reset_password")
    answer = guest.post("/api/password-resets", {"phone": PHONE, "code": code, "password": "calm-lake-42"})
    assert answer.status_code == 204
    me = guest.sign_in(PHONE, "calm-lake-42").json()
    assert (me["kind"], me["roles"]) == ("staff", ["advisor"])
    assert me["seal"]["organisation"].endswith("城东支行")


def test_the_command_asks_for_the_password_and_never_takes_it_as_a_word(
    world: World, guest: Caller, monkeypatch: Any
) -> None:
    typed = iter(["calm-lake-42", "calm-lake-42"])
    monkeypatch.setattr(create_staff, "getpass", lambda prompt: next(typed))
    assert "calm-lake-42" not in command(no_password=False)
    assert guest.sign_in(PHONE, "calm-lake-42").status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"phone": "12345"},
        {"phone": "１３９００００００７７"},
        {"phone": PHONES["su"]},
        {"roles": ["king"]},
        {"name": ""},
        {"name": "钱\u202e经理"},
        {"name": "钱" * 41},
    ],
)
def test_the_command_refuses_what_does_not_fit_and_makes_nobody(world: World, changed: dict[str, Any]) -> None:
    before = Person.objects.count()
    with pytest.raises(CommandError):
        command(**changed)
    assert Person.objects.count() == before


def test_the_admin_sends_people_to_the_one_sign_in_page(guest: Caller, world: World) -> None:
    answer = guest.get("/admin/login/?next=/admin/accounts/person/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?to=%2Fadmin%2Faccounts%2Fperson%2F")


def test_only_operators_see_people_in_the_admin_and_only_masked(person: People, world: World) -> None:
    path = f"/admin/accounts/person/{world.people['su']}/change/"
    for name in ("su", "zhou", "liang"):
        assert person(name).get(path).status_code in {302, 403}
    fang = person("fang")
    for page in (path, "/admin/accounts/person/"):
        answer = fang.get(page)
        assert answer.status_code == 200
        shown = answer.content.decode()
        assert "138****0001" in shown and "*禾" in shown
        assert PHONES["su"] not in shown and "argon2" not in shown and 'name="password' not in shown
    away = fang.get("/admin/password_change/")
    assert (away.status_code, away["Location"]) == (302, "/me/password")


def form(caller: Caller, path: str, **fields: Any) -> Any:
    """What a browser does with an admin form: its token from the page, then the fields."""
    caller.client.handler.enforce_csrf_checks = True
    caller.get(path)
    token = caller.client.cookies["rl_csrf"].value
    return caller.client.post(
        path, {**fields, "csrfmiddlewaretoken": token}, headers={"origin": "http://localhost:8000"}
    )


def test_an_operator_makes_staff_in_the_admin_without_a_password(person: People, world: World) -> None:
    fang = person("fang")
    assert form(fang, "/admin/accounts/person/add/", **FORM).status_code == 302
    made = queries.person_by_phone(PHONE)
    assert made is not None
    assert queries.roles_of(made) == {"advisor"}
    assert not Person.objects.get(pk=made).has_usable_password()
    assert AuditRow.objects.filter(action="accounts.staff_created", actor_id=world.people["fang"]).exists()


def test_an_operator_gives_roles_to_others_and_none_to_themselves(person: People, world: World) -> None:
    fang, roles = person("fang"), "staff_roles-"
    for name in ("song", "fang"):
        whom = world.people[name]
        kept = list(StaffRole.objects.filter(person=whom).order_by("pk"))
        fields = {f"{roles}TOTAL_FORMS": len(kept) + 1, f"{roles}INITIAL_FORMS": len(kept)}
        for index, row in enumerate(kept):
            fields |= {f"{roles}{index}-id": row.pk, f"{roles}{index}-role": row.role}
        fields |= {f"{roles}{index}-person": str(whom) for index in range(len(kept) + 1)}
        fields[f"{roles}{len(kept)}-role"] = "checker"
        name_shown = Person.objects.get(pk=whom).display_name
        form(fang, f"/admin/accounts/person/{whom}/change/", display_name=name_shown, is_active="on", **fields)
    assert "checker" in queries.roles_of(world.people["song"])
    assert "checker" not in queries.roles_of(world.people["fang"])
    noted = AuditRow.objects.get(action="accounts.roles_changed")
    assert (noted.subject, noted.detail) == (
        f"person:{world.people['song']}",
        {"before": ["agent"], "after": ["agent", "checker"]},
    )


def test_an_operator_blocks_somebody_who_is_out_at_once(person: People, world: World) -> None:
    su, fang = person("su"), person("fang")
    path = f"/admin/accounts/person/{world.people['su']}/change/"
    assert form(fang, path, display_name="苏禾").status_code == 302
    assert su.get("/api/me").status_code == 401
    assert AuditRow.objects.filter(action="accounts.blocked", actor_id=world.people["fang"]).exists()


def test_an_operator_gives_a_customer_another_manager(person: People, world: World) -> None:
    command()
    other = queries.person_by_phone(PHONE)
    fang = person("fang")
    answer = form(fang, "/admin/accounts/advising/add/", customer=str(world.people["su"]), advisor=str(other))
    assert answer.status_code == 302
    assert queries.advisor_of(world.people["su"]) == other
    assert Advising.objects.filter(customer=world.people["su"]).count() == 2


def test_a_role_given_to_a_customer_is_worth_nothing(world: World) -> None:
    StaffRole.objects.create(person_id=world.people["su"], role="operator")
    assert queries.roles_of(world.people["su"]) == frozenset()


def test_the_demo_offers_its_log_ins_and_each_works(guest: Caller, world: World) -> None:
    answer = guest.get("/api/demo/logins").json()
    assert (answer["password"], len(answer["items"])) == (PASSWORD, len(world.people))
    assert {login["phone"] for login in answer["items"]} == set(PHONES.values())
    assert {login["person"]["name"] for login in answer["items"]} >= {"苏禾", "周经理", "客服小远"}


def test_outside_demo_mode_no_log_in_is_offered_and_none_of_the_demos_works(
    guest: Caller, world: World, settings: Any
) -> None:
    settings.DEMO = settings.TESTING = False
    assert guest.get("/api/demo/logins").json() == {"items": [], "password": None, "pin": None}
    refused = guest.sign_in(PHONES["su"])
    assert (refused.status_code, error(refused)) == (401, "sign_in_refused")


def test_old_codes_and_counters_are_swept_away_and_fresh_ones_stay(guest: Caller, world: World) -> None:
    from accounts.actions import sweep
    from accounts.models import OneTimeCode, Throttle

    guest.code("13712345671", "register")
    before = OneTimeCode.objects.count(), Throttle.objects.count()
    assert sweep() == 0
    assert (OneTimeCode.objects.count(), Throttle.objects.count()) == before
    OneTimeCode.objects.update(expires_at="2020-01-01T00:00:00Z")
    Throttle.objects.update(resets_at="2020-01-01T00:00:00Z")
    assert sweep() == sum(before)
