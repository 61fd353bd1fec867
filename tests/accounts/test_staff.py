"""Staff, the admin, and the demonstration's log-ins: what registration never gives."""

import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import actions, queries
from accounts.management.commands import create_staff
from accounts.models import Advising, Person, StaffChange, StaffRole
from kernel.errors import NotAllowed
from kernel.models import AuditRow
from rongliao.demo import PASSWORD, World
from tests.accounts.conftest import Caller, error
from tests.support.browser import PHONES

People = Callable[[str], Caller]
PHONE = "13900000077"
FORM = {"display_name": "钱经理", "phone_number": PHONE, "wanted": ["advisor"], "branch": "城东支行"}


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
    body = {"phone": PHONE, "code": code, "password": "calm-lake-42", "device_id": guest.device}
    answer = guest.post("/api/password-resets", body)
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
        {"branch": "城东\u202e支行"},
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


ASK, LIST = "/admin/accounts/staffchange/add/", "/admin/accounts/staffchange/"


def ask(caller: Caller, **changed: Any) -> StaffChange | None:
    """Fills in the form for a change of staff; the request that came of it."""
    known = set(StaffChange.objects.values_list("pk", flat=True))
    form(caller, ASK, **{**FORM, **changed})
    return StaffChange.objects.exclude(pk__in=known).first()


def decide(caller: Caller, change: StaffChange | None, verdict: str = "approve") -> str:
    """Ticks the request in the list; what it is then."""
    assert change is not None
    form(caller, LIST, action=verdict, _selected_action=str(change.pk))
    return str(StaffChange.objects.get(pk=change.pk).state)


def test_one_operator_asks_for_staff_and_a_second_person_lets_them_in(person: People, world: World) -> None:
    fang, qin = person("fang"), person("qin")
    asked = ask(fang)
    assert queries.person_by_phone(PHONE) is None
    assert decide(fang, asked) == "waiting"
    assert queries.person_by_phone(PHONE) is None
    assert decide(qin, asked) == "approved"
    made = queries.person_by_phone(PHONE)
    assert made is not None
    assert queries.roles_of(made) == {"advisor"}
    assert not Person.objects.get(pk=made).has_usable_password()
    noted = {row.action: row.actor_id for row in AuditRow.objects.filter(action__startswith="accounts.staff_")}
    assert (noted["accounts.staff_asked"], noted["accounts.staff_approved"]) == (
        world.people["fang"],
        world.people["qin"],
    )


def test_there_is_no_way_round_the_second_person(person: People, world: World) -> None:
    fang, qin = person("fang"), person("qin")
    assert form(fang, "/admin/accounts/person/add/", **FORM).status_code == 403
    song = world.people["song"]
    fields = {"staff_roles-TOTAL_FORMS": 2, "staff_roles-INITIAL_FORMS": 1, "staff_roles-1-role": "checker"}
    fields |= {"staff_roles-0-id": StaffRole.objects.get(person=song).pk, "staff_roles-1-person": str(song)}
    form(fang, f"/admin/accounts/person/{song}/change/", display_name="客服小远", is_active="on", **fields)
    assert queries.roles_of(song) == {"agent"}
    # Nobody asks for themselves, nobody decides about themselves, and who only checks does not ask.
    assert ask(fang, person=str(world.people["fang"]), wanted=["checker"]) is None
    assert ask(qin, person=str(song)) is None
    about_qin = ask(fang, person=str(world.people["qin"]), wanted=["compliance"])
    assert decide(qin, about_qin) == "waiting"
    for other in ("su", "song", "zhou", "liang"):
        assert form(person(other), LIST, action="approve", _selected_action=str(uuid4())).status_code in {302, 403}
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffChange.objects.filter(person=world.people["qin"]).update(state="approved", decided_by=world.people["fang"])


def test_roles_are_given_by_two_and_taken_by_one(person: People, world: World) -> None:
    fang, qin, song = person("fang"), person("qin"), world.people["song"]
    asked = ask(fang, person=str(song), wanted=["checker", "compliance"], display_name="", phone_number="")
    assert ask(fang, person=str(song), wanted=["operator"]) is None
    assert queries.roles_of(song) == {"agent"}
    assert (decide(qin, asked), queries.roles_of(song)) == ("approved", {"agent", "checker", "compliance"})
    assert Person.objects.get(pk=song).is_staff
    noted = AuditRow.objects.get(action="accounts.roles_changed")
    assert noted.detail == {"before": ["agent"], "after": ["agent", "checker", "compliance"]}
    kept = list(StaffRole.objects.filter(person=song).order_by("pk"))
    fields: dict[str, Any] = {"staff_roles-TOTAL_FORMS": 3, "staff_roles-INITIAL_FORMS": 3}
    for index, row in enumerate(kept):
        fields |= {f"staff_roles-{index}-id": row.pk, f"staff_roles-{index}-person": str(song)}
        if row.role == "checker":
            fields[f"staff_roles-{index}-DELETE"] = "on"
    form(fang, f"/admin/accounts/person/{song}/change/", display_name="客服小远", is_active="on", **fields)
    assert queries.roles_of(song) == {"agent", "compliance"}


def test_a_refused_change_makes_nobody_and_can_be_asked_for_again(person: People, world: World) -> None:
    fang, qin = person("fang"), person("qin")
    asked = ask(fang)
    assert (decide(qin, asked, "refuse"), decide(qin, asked)) == ("refused", "refused")
    assert queries.person_by_phone(PHONE) is None
    assert decide(qin, ask(fang)) == "approved"


@pytest.mark.parametrize(
    "changed",
    [
        {"phone_number": "１３９００００００７７"},
        {"phone_number": PHONES["su"]},
        {"phone_number": ""},
        {"display_name": ""},
        {"display_name": "钱\u202e经理"},
        {"wanted": ["king"]},
        {"branch": "城东\u200b支行"},
        {"wanted": []},
        {"person": "somebody"},
    ],
)
def test_a_request_that_does_not_fit_is_none(person: People, world: World, changed: dict[str, Any]) -> None:
    assert ask(person("fang"), **changed) is None


def test_who_was_blocked_and_let_in_again_has_no_roles(world: World) -> None:
    for blocked in (True, False):
        actions.block_person(person_id=world.people["qin"], blocked=blocked, by=world.people["fang"])
    assert queries.roles_of(world.people["qin"]) == frozenset()
    assert not Person.objects.get(pk=world.people["qin"]).is_staff


def test_an_operator_blocks_somebody_who_is_out_at_once(person: People, world: World) -> None:
    su, fang = person("su"), person("fang")
    path = f"/admin/accounts/person/{world.people['su']}/change/"
    shown = {"display_name": "苏禾", "initial-display_name": "苏禾", "initial-is_active": "True"}
    assert form(fang, path, **shown).status_code == 302
    assert su.get("/api/me").status_code == 401
    assert AuditRow.objects.filter(action="accounts.blocked", actor_id=world.people["fang"]).exists()


def test_an_operator_who_renames_somebody_undoes_nothing_that_happened_meanwhile(person: People, world: World) -> None:
    su, fang = world.people["su"], person("fang")
    path = f"/admin/accounts/person/{su}/change/"
    shown = {"initial-display_name": "苏禾", "initial-is_active": "True", "is_active": "on"}
    actions.block_person(person_id=su, blocked=True, by=world.people["qin"])
    epoch = Person.objects.get(pk=su).session_epoch
    assert form(fang, path, display_name="小禾", **shown).status_code == 302
    row = Person.objects.get(pk=su)
    assert (row.display_name, row.is_active, row.session_epoch) == ("小禾", False, epoch)
    assert AuditRow.objects.get(action="accounts.renamed").actor_id == world.people["fang"]


def test_a_rename_writes_the_name_alone(person: People, world: World) -> None:
    path = f"/admin/accounts/person/{world.people['su']}/change/"
    fields = {"initial-display_name": "苏禾", "initial-is_active": "True", "is_active": "on", "display_name": "小禾"}
    fang = person("fang")
    with CaptureQueriesContext(connection) as done:
        form(fang, path, **fields)
    written = [query["sql"] for query in done if query["sql"].startswith('UPDATE "accounts_person"')]
    assert len(written) == 1
    assert written[0].startswith('UPDATE "accounts_person" SET "display_name" = \'小禾\' WHERE')


@pytest.mark.parametrize("name", ["远山银行客服", "客服小远", "苏\u202e禾", "0fficial", "苏" * 41, ""])
def test_an_operator_gives_no_customer_a_name_like_the_banks(person: People, world: World, name: str) -> None:
    path = f"/admin/accounts/person/{world.people['su']}/change/"
    shown = {"initial-display_name": "苏禾", "initial-is_active": "True", "is_active": "on"}
    assert form(person("fang"), path, display_name=name, **shown).status_code == 200
    assert Person.objects.get(pk=world.people["su"]).display_name == "苏禾"


def test_an_operator_gives_a_customer_another_manager(person: People, world: World) -> None:
    command()
    other = queries.person_by_phone(PHONE)
    fang = person("fang")
    answer = form(fang, "/admin/accounts/advising/add/", customer=str(world.people["su"]), advisor=str(other))
    assert answer.status_code == 302
    assert queries.advisor_of(world.people["su"]) == other
    assert Advising.objects.filter(customer=world.people["su"]).count() == 2


def test_an_operator_who_is_an_advisor_too_takes_no_customer_to_themselves(person: People, world: World) -> None:
    StaffRole.objects.create(person_id=world.people["fang"], role="advisor")
    fang, before = person("fang"), queries.advisor_of(world.people["su"])
    for advisor in ("fang", "lin", "qin"):
        wanted = {"customer": str(world.people["su"]), "advisor": str(world.people[advisor])}
        assert form(fang, "/admin/accounts/advising/add/", **wanted).status_code == 200, advisor
    assert queries.advisor_of(world.people["su"]) == before
    with pytest.raises(NotAllowed):
        actions.assign_advisor(advisor_id=world.people["fang"], customer_id=world.people["su"], by=world.people["fang"])


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
