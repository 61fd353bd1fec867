"""Who is charged with a customer reads and writes; whoever is so no longer does neither, from that moment on."""

import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from accounts import actions as accounts
from accounts import queries as people
from chat import actions
from chat.delivery import relay
from chat.delivery.hub import Parcel
from chat.errors import NotFriends
from chat.models import ArchiveRow, Member, Message
from kernel.errors import NotFound
from rongliao.demo import World
from tests.chat.conftest import Scene
from tests.chat.support import Phone, database, gather, http, post, texts
from tests.chat.test_http import upload

Open = Callable[[UUID], Awaitable[Phone]]


def other_manager() -> UUID:
    return accounts.create_staff(name="钱经理", phone="13900000088", password=None, roles=["advisor"]).pk


def said(talk: UUID, sender: UUID, text: str) -> None:
    actions.send_text(conversation_id=talk, sender_id=sender, client_id=uuid.uuid4(), text=text)


def messages(person: UUID, talk: UUID) -> Any:
    return http(person).get(f"/api/chat/conversations/{talk}/messages")


def write(person: UUID, talk: UUID) -> Any:
    return post(
        http(person), f"/api/chat/conversations/{talk}/messages", {"client_id": str(uuid.uuid4()), "text": "在吗"}
    )


def notices(answer: Any) -> list[str]:
    return [item["notice"]["code"] for item in answer.json()["items"] if item["kind"] == "notice"]


def test_a_former_manager_is_out_and_the_successor_takes_the_conversation_over(scene: Scene) -> None:
    said(scene.advisor, scene.zhou, "到期的产品请您看看")
    successor = other_manager()
    accounts.assign_advisor(advisor_id=successor, customer_id=scene.su)
    assert messages(scene.zhou, scene.advisor).status_code == write(scene.zhou, scene.advisor).status_code == 404
    gone = post(http(scene.zhou), "/api/chat/sync", {"have": {str(scene.advisor): 1}}).json()
    assert gone["gone"] == [str(scene.advisor)]
    mine = messages(scene.su, scene.advisor)
    assert notices(mine) == ["advisor_changed", "left", "archive"]
    assert "到期的产品请您看看" in texts(mine.json()["items"])
    assert "到期的产品请您看看" in texts(messages(successor, scene.advisor).json()["items"])
    assert write(successor, scene.advisor).status_code == write(scene.su, scene.advisor).status_code == 200
    assert actions.open_direct(person_id=scene.su, other_id=successor) == scene.advisor
    assert ArchiveRow.objects.filter(conversation_id=scene.advisor, sender_id=scene.zhou).exists()


def test_a_manager_who_is_given_the_customer_back_has_the_same_conversation(scene: Scene) -> None:
    successor = other_manager()
    for one in (successor, scene.zhou):
        accounts.assign_advisor(advisor_id=one, customer_id=scene.su)
    assert actions.open_direct(person_id=scene.su, other_id=scene.zhou) == scene.advisor
    assert set(Member.objects.filter(conversation=scene.advisor).values_list("person", flat=True)) == {
        scene.su,
        scene.zhou,
    }


@pytest.mark.parametrize("how", ["role", "blocked"])
def test_without_a_manager_the_customer_reads_and_is_told_why_they_cannot_write(scene: Scene, how: str) -> None:
    said(scene.advisor, scene.zhou, "明天见")
    if how == "role":
        accounts.set_roles(person_id=scene.zhou, roles={"agent": ""}, by=None)
        assert messages(scene.zhou, scene.advisor).status_code == write(scene.zhou, scene.advisor).status_code == 404
    else:
        accounts.block_person(person_id=scene.zhou, blocked=True, by=None)
        accounts.block_person(person_id=scene.zhou, blocked=False, by=None)
    assert people.advisor_of(scene.su) is None
    assert not Member.objects.filter(conversation=scene.advisor, person=scene.zhou).exists()
    assert "明天见" in texts(messages(scene.su, scene.advisor).json()["items"])
    refused = write(scene.su, scene.advisor)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "no_advisor")
    item = http(scene.su).get(f"/api/chat/conversations/{scene.advisor}").json()["conversation"]
    assert item["barred"] == "no_advisor"
    accounts.assign_advisor(advisor_id=other_manager(), customer_id=scene.su)
    assert write(scene.su, scene.advisor).status_code == 200


async def test_sockets_learn_of_it_at_once(live: Scene, phone: Open) -> None:
    su, zhou = await gather(phone(live.su), phone(live.zhou))
    await database(lambda: accounts.set_roles(person_id=live.zhou, roles={}, by=None))
    gone = await zhou.until("conversation")
    assert (gone["conversation_id"], gone["gone"]) == (str(live.advisor), True)
    left = await su.until("message")
    assert left["message"]["notice"] == {"code": "left", "params": {"name": "周经理"}}
    client_id = await su.say(live.advisor, "还在吗")
    error = await su.until("error")
    assert (error["code"], error["client_id"], error["retry"]) == ("no_advisor", str(client_id), False)
    await zhou.say(live.advisor, "我还在")
    assert (await zhou.until("error"))["code"] == "not_found"
    successor = await database(other_manager)
    new = await phone(successor)
    await database(lambda: accounts.assign_advisor(advisor_id=successor, customer_id=live.su))
    assert (await new.until("message"))["message"]["notice"]["code"] == "advisor_changed"
    await su.say(live.advisor, "您好")
    assert (await new.until("message"))["message"]["text"] == "您好"
    assert await zhou.hears_nothing()


def test_nobody_is_given_to_somebody_without_the_role(world: World, scene: Scene) -> None:
    accounts.set_roles(person_id=world.people["zhou"], roles={}, by=None)
    with pytest.raises(NotFound):
        accounts.assign_advisor(advisor_id=world.people["zhou"], customer_id=scene.su)


def test_a_removed_friend_reads_and_is_told_in_their_language_why_nothing_was_sent(scene: Scene) -> None:
    said(scene.friends, scene.lin, "周六爬山")
    accounts.remove_friend(person_id=scene.su, friend_id=scene.lin)
    for one in (scene.su, scene.lin):
        assert "周六爬山" in texts(messages(one, scene.friends).json()["items"])
        assert http(one).get(f"/api/chat/conversations/{scene.friends}").json()["conversation"]["barred"]
    refused = write(scene.lin, scene.friends)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "no_longer_friends")
    assert "已不是好友" in refused.json()["error"]["message"]
    english = http(scene.lin)
    english.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    body = {"client_id": str(uuid.uuid4()), "text": "hello"}
    answer = post(english, f"/api/chat/conversations/{scene.friends}/messages", body)
    assert "no longer friends" in answer.json()["error"]["message"]
    assert upload(http(scene.lin), scene.friends).json()["error"]["code"] == "no_longer_friends"
    assert Message.objects.filter(conversation=scene.friends).count() == 1
    marks = post(http(scene.su), "/api/chat/sync", {"have": {str(scene.friends): 1}}).json()["marks"]
    assert [mark["barred"] for mark in marks] == ["no_longer_friends"]
    accounts.make_friends(scene.lin, scene.su)
    assert write(scene.lin, scene.friends).status_code == write(scene.su, scene.friends).status_code == 200


async def test_an_open_socket_of_a_removed_friend_is_barred_too(live: Scene, phone: Open) -> None:
    su, lin = await gather(phone(live.su), phone(live.lin))
    await database(lambda: accounts.remove_friend(person_id=live.su, friend_id=live.lin))
    assert (await lin.until("conversation"))["gone"] is False
    await lin.say(live.friends, "为什么")
    assert (await lin.until("error"))["code"] == "no_longer_friends"
    await lin.send(type="typing", conversation_id=live.friends)
    await su.until("hint")
    assert await su.hears_nothing()


def test_who_opens_a_conversation_while_the_friend_is_removed_does_not_write(live: Scene) -> None:
    """The two meet at the friendship's row: whichever comes second sees what the first has done."""
    opened: list[UUID] = []

    def open_late() -> None:
        with contextlib.suppress(NotFriends):
            opened.append(actions.open_direct(person_id=live.su, other_id=live.tao))
        connection.close()

    with transaction.atomic():
        accounts.remove_friend(person_id=live.tao, friend_id=live.su)
        thread = Thread(target=open_late)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    assert not opened


def test_whoever_shares_a_conversation_hears_of_a_new_name_once_and_nobody_else_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Parcel] = []
    monkeypatch.setattr(relay, "publish_on_commit", told.extend)
    accounts.set_display_name(person_id=scene.tao, name="小陶")
    (parcel,) = told
    assert json.loads(parcel.frame) == {
        "type": "hint", "topic": "people", "data": {"person_id": str(scene.tao)},
    }  # fmt: skip
    sharing = {scene.su, scene.lin, scene.tao}
    assert len(parcel.people) == len(set(parcel.people))
    assert sharing <= set(parcel.people) and scene.xu not in parcel.people
    told.clear()
    accounts.set_remark(person_id=scene.su, friend_id=scene.lin, remark="林老师")
    assert [parcel.people for parcel in told] == [(scene.su,)]
