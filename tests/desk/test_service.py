from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts import actions as accounts
from accounts.models import Person
from desk.actions import MAX_ACTIVE_CASES
from desk.models import ServiceCase
from kernel.models import AuditRow
from tests.conftest import FreshDatabase
from tests.desk.conftest import As, post
from tests.support.signing import sign_in

ASK = "/api/desk/service"


def ask(client: Client, question: str = "怎么修改预留手机号?", case_id: str | None = None) -> Any:
    return post(client, ASK, {"id": case_id or str(uuid4()), "question": question})


def test_a_question_waits_in_the_queue_with_its_position(signed_in: As) -> None:
    first, second = ask(signed_in("su")).json()["case"], ask(signed_in("lin")).json()["case"]
    assert (first["state"], first["position"], second["position"]) == ("waiting", 1, 2)
    queue = signed_in("song").get("/api/desk/queue").json()
    assert [item["id"] for item in queue["items"]] == [first["id"], second["id"]]
    assert queue["figures"]["waiting"] == 2


def test_the_question_stands_in_an_archived_conversation(signed_in: As) -> None:
    su = signed_in("su")
    case = ask(su).json()["case"]
    messages = su.get(f"/api/chat/conversations/{case['conversation_id']}/messages").json()["items"]
    kinds = [(message["kind"], (message["notice"] or {}).get("code")) for message in messages]
    assert ("notice", "archive") in kinds
    assert any(message["text"] == "怎么修改预留手机号?" for message in messages)


def test_the_same_id_again_is_the_same_case_and_one_message(signed_in: As) -> None:
    su, case_id = signed_in("su"), str(uuid4())
    case = ask(su, case_id=case_id).json()["case"]
    assert ask(su, case_id=case_id).json()["case"]["id"] == case["id"]
    messages = su.get(f"/api/chat/conversations/{case['conversation_id']}/messages").json()["items"]
    assert len([message for message in messages if message["kind"] == "text"]) == 1


def test_a_second_question_joins_the_open_case(signed_in: As) -> None:
    su = signed_in("su")
    first, second = ask(su).json()["case"], ask(su, "还有一个问题").json()["case"]
    assert (first["id"], ServiceCase.objects.count()) == (second["id"], 1)


def test_an_agent_takes_answers_closes_and_is_rated(signed_in: As) -> None:
    su, song = signed_in("su"), signed_in("song")
    case = ask(su).json()["case"]
    talk = f"/api/chat/conversations/{case['conversation_id']}/messages"
    assert song.get(talk).status_code == 404
    taken = post(song, f"/api/desk/cases/{case['id']}/take").json()["case"]
    assert (taken["state"], taken["agent"]["seal"]["role"]) == ("active", "agent")
    assert song.get(talk).status_code == 200
    assert post(song, f"/api/desk/cases/{case['id']}/close").json()["case"]["state"] == "closed"
    assert song.get(talk).status_code == 404
    cards = [item["card"] for item in su.get(talk).json()["items"] if item["kind"] == "card"]
    assert [(card["kind"], card["state"]) for card in cards] == [("rating", "open")]
    rated = post(su, f"{ASK}/{case['id']}/rating", {"stars": 5, "comment": "很快"})
    assert rated.json()["case"]["stars"] == 5
    cards = [item["card"] for item in su.get(talk).json()["items"] if item["kind"] == "card"]
    assert [(card["state"], card["payload"]["stars"]) for card in cards] == [("rated", 5)]
    assert song.get("/api/desk/queue").json()["figures"]["stars_mean_tenths"] == 50


def test_a_rating_is_given_once(signed_in: As) -> None:
    su, song = signed_in("su"), signed_in("song")
    case = ask(su).json()["case"]
    rate = f"{ASK}/{case['id']}/rating"
    assert post(su, rate, {"stars": 5}).json()["error"]["code"] == "case_not_active"
    post(song, f"/api/desk/cases/{case['id']}/take")
    post(song, f"/api/desk/cases/{case['id']}/close")
    assert [post(su, rate, {"stars": stars}).status_code for stars in (5, 5, 1)] == [200, 200, 409]
    assert ServiceCase.objects.get().stars == 5


@pytest.mark.parametrize("stars", [0, 6, -1, 5.0, "5", "５", True, None, 10**30])
def test_a_rating_that_is_no_number_of_stars_is_refused(signed_in: As, stars: Any) -> None:
    su, song = signed_in("su"), signed_in("song")
    case = ask(su).json()["case"]
    post(song, f"/api/desk/cases/{case['id']}/take")
    post(song, f"/api/desk/cases/{case['id']}/close")
    assert post(su, f"{ASK}/{case['id']}/rating", {"stars": stars}).status_code == 400
    assert ServiceCase.objects.get().stars is None


@pytest.mark.parametrize("question", ["", "x" * 501, 5, None, "a\x00b", "\ud800", ["a"]])
def test_a_question_that_cannot_be_kept_is_refused(signed_in: As, question: Any) -> None:
    answer = post(signed_in("su"), ASK, {"id": str(uuid4()), "question": question})
    assert (answer.status_code, ServiceCase.objects.count()) == (400, 0)


def test_strangers_meet_nothing(signed_in: As) -> None:
    su, lin, song, zhou = (signed_in(name) for name in ("su", "lin", "song", "zhou"))
    case = ask(su).json()["case"]
    assert ask(lin, case_id=case["id"]).status_code == 404
    assert post(lin, f"{ASK}/{case['id']}/rating", {"stars": 1}).status_code == 404
    for client in (su, lin, zhou):
        assert client.get("/api/desk/queue").status_code == 403
        assert post(client, f"/api/desk/cases/{case['id']}/take").status_code == 403
        assert post(client, f"/api/desk/cases/{case['id']}/close").status_code == 403
    assert post(song, f"/api/desk/cases/{uuid4()}/take").status_code == 404
    assert post(song, f"/api/desk/cases/{case['id']}/close").status_code == 404
    assert ask(song).status_code == 403
    assert ServiceCase.objects.get().state == "waiting"


def test_an_agent_is_with_a_bounded_number_of_customers(signed_in: As, world: Any) -> None:
    song = signed_in("song")
    names = ["su", "lin", "tao", "shen", "xu", "jiang"]
    cases = [ask(signed_in(name)).json()["case"]["id"] for name in names]
    codes = [post(song, f"/api/desk/cases/{case}/take").status_code for case in cases]
    assert codes == [200] * MAX_ACTIVE_CASES + [409]


def test_the_queue_comes_in_pages(signed_in: As) -> None:
    for name in ("su", "lin", "tao"):
        ask(signed_in(name))
    song = signed_in("song")
    first = song.get("/api/desk/queue?limit=2").json()
    rest = song.get(f"/api/desk/queue?limit=2&before={first['next']}").json()
    assert ([item["position"] for item in first["items"] + rest["items"]], rest["next"]) == ([1, 2, 3], None)
    assert song.get("/api/desk/queue?before=1").status_code == 400


def test_of_two_agents_at_once_one_takes_the_case(fresh_database: FreshDatabase) -> None:
    people = fresh_database.world.people
    clients = {name: Client(headers={"host": settings.APP_NETLOC, "origin": settings.APP_ORIGIN}) for name in people}
    from accounts.models import StaffRole

    StaffRole.objects.get_or_create(person_id=people["zhou"], role="agent")
    for name in ("su", "song", "zhou"):
        sign_in(clients[name], Person.objects.get(pk=people[name]))
    case = ask(clients["su"]).json()["case"]["id"]
    start, codes = Barrier(2), []

    def take(name: str) -> None:
        start.wait()
        codes.append(post(clients[name], f"/api/desk/cases/{case}/take").status_code)
        connection.close()

    threads = [Thread(target=take, args=(name,)) for name in ("song", "zhou")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 409]
    assert AuditRow.objects.filter(action="service.take").count() == 1


@pytest.mark.parametrize("how", ["role", "blocked"])
def test_an_agent_who_is_none_any_more_gives_their_customers_back(signed_in: As, world: Any, how: str) -> None:
    su, lin, song = signed_in("su"), signed_in("lin"), signed_in("song")
    case = ask(su).json()["case"]
    ask(lin)
    post(song, f"/api/desk/cases/{case['id']}/take")
    talk = f"/api/chat/conversations/{case['conversation_id']}/messages"
    if how == "role":
        accounts.set_roles(person_id=world.people["song"], roles={"official_operator": ""}, by=None)
        assert post(song, f"/api/desk/cases/{case['id']}/take").status_code == 403
    else:
        accounts.block_person(person_id=world.people["song"], blocked=True, by=None)
        accounts.block_person(person_id=world.people["song"], blocked=False, by=None)
        song = signed_in("song")
    assert song.get(talk).status_code == 404
    again = su.get(ASK).json()["case"]
    assert (again["state"], again["position"], again["agent"]) == ("waiting", 1, None)
    assert post(su, talk, {"client_id": str(uuid4()), "text": "还有人吗"}).status_code == 200
