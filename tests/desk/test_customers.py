from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from desk.words import FORBIDDEN, forbidden_in
from kernel.models import AuditRow
from rongliao.demo import World
from tests.desk.conftest import As, post


def test_a_manager_sees_their_own_customers_alone(signed_in: As, world: World) -> None:
    items = signed_in("zhou").get("/api/desk/customers").json()["items"]
    assert {item["person"]["id"] for item in items} == {
        str(world.people[name]) for name in ("su", "xu", "jiang", "he", "bai")
    }


def test_customers_come_in_pages(signed_in: As) -> None:
    zhou = signed_in("zhou")
    first = zhou.get("/api/desk/customers?limit=3").json()
    rest = zhou.get(f"/api/desk/customers?limit=3&before={first['next']}").json()
    ids = [item["person"]["id"] for item in first["items"] + rest["items"]]
    assert (len(ids), len(set(ids)), rest["next"]) == (5, 5, None)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "１", "00000010099999", "000000001" + "0" * 5_000])
def test_a_page_has_an_end(signed_in: As, limit: str) -> None:
    answer = signed_in("zhou").get("/api/desk/customers", {"limit": limit})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


def test_the_list_costs_the_same_for_one_customer_and_for_five(signed_in: As) -> None:
    zhou = signed_in("zhou")
    counts = []
    for limit in (1, 5):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            zhou.get(f"/api/desk/customers?limit={limit}")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_somebody_elses_customer_is_not_found_and_not_recorded(signed_in: As, world: World) -> None:
    zhou = signed_in("zhou")
    for stranger in (world.people["lin"], world.people["qin"], uuid4()):
        path = f"/api/desk/customers/{stranger}"
        assert zhou.get(path).status_code == 404
        assert post(zhou, f"{path}/conversation").status_code == 404
        body = {"client_id": str(uuid4()), "product_id": str(uuid4())}
        assert post(zhou, f"{path}/product-cards", body).status_code == 404
    assert not AuditRow.objects.filter(action="customer.read").exists()


@pytest.mark.parametrize("name", ["su", "song", "qin", "fang"])
def test_only_managers_have_customers(signed_in: As, world: World, name: str) -> None:
    client = signed_in(name)
    su = world.people["su"]
    for path in ("/api/desk/customers", f"/api/desk/customers/{su}"):
        assert client.get(path).status_code == 403
    assert post(client, f"/api/desk/customers/{su}/conversation").status_code == 403


def test_a_look_at_a_customer_is_recorded_with_its_purpose(signed_in: As, world: World) -> None:
    assert signed_in("zhou").get(f"/api/desk/customers/{world.people['su']}").status_code == 200
    row = AuditRow.objects.get(action="customer.read")
    assert (row.actor_id, row.subject, row.detail) == (
        world.people["zhou"], f"person:{world.people['su']}", {"purpose": "advice"},
    )  # fmt: skip


def test_a_conversation_begins_with_the_notice_that_the_bank_keeps_it(signed_in: As, world: World) -> None:
    zhou = signed_in("zhou")
    talk = post(zhou, f"/api/desk/customers/{world.people['he']}/conversation").json()["conversation_id"]
    first = signed_in("he").get(f"/api/chat/conversations/{talk}/messages").json()["items"]
    assert any(
        (item["notice"] or {}).get("code") == "archive" and item["notice"]["params"]["version"] for item in first
    )
    assert post(zhou, f"/api/desk/customers/{world.people['he']}/conversation").json()["conversation_id"] == talk


def test_staff_cannot_say_that_a_product_is_safe(signed_in: As, world: World) -> None:
    from chat import actions as chat
    from desk.errors import ForbiddenWords

    talk = post(signed_in("zhou"), f"/api/desk/customers/{world.people['he']}/conversation").json()["conversation_id"]
    with pytest.raises(ForbiddenWords):
        chat.send_text(
            conversation_id=talk, sender_id=world.people["zhou"], client_id=uuid4(), text="这款类似保本,您可以放心"
        )
    chat.send_text(conversation_id=talk, sender_id=world.people["he"], client_id=uuid4(), text="这款保本吗?")


@pytest.mark.parametrize("text", ["保本", "保 本", "保\u200b本", "保.本", "稳赚不赔", "零风险", "保、本"])
def test_width_spaces_and_marks_do_not_hide_a_word(text: str) -> None:
    assert forbidden_in(text) is not None


@pytest.mark.parametrize("text", ["非保本浮动收益", "不保证收益", "本产品不保本", "业绩比较基准 2.65%–3.10%", ""])
def test_what_must_be_said_may_be_said(text: str) -> None:
    assert forbidden_in(text) is None


def test_what_is_offered_instead_is_itself_allowed() -> None:
    assert [forbidden_in(entry.instead) for entry in FORBIDDEN] == [None] * len(FORBIDDEN)


def test_the_words_are_for_staff(signed_in: As) -> None:
    answer: Any = signed_in("zhou").get("/api/desk/words").json()
    assert {"word": "保本", "instead": "非保本浮动收益"} in answer["items"]
    assert signed_in("su").get("/api/desk/words").status_code == 403
