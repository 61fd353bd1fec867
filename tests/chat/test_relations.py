"""Who is charged with a customer reads and writes; whoever is so no longer does neither, from that moment on."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from accounts import actions as accounts
from accounts import queries as people
from chat import actions
from chat.models import ArchiveRow, Member
from kernel.errors import NotFound
from rongliao.demo import World
from tests.chat.conftest import Scene
from tests.chat.support import Phone, database, gather, http, post, texts

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
