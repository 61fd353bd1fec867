"""Finding, following, tapping the menu, writing to a service account."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from kernel import jobs
from officials import actions, menu
from officials.errors import MenuBroken
from officials.models import Follow, Official
from rongliao.demo import World
from tests.conftest import FreshDatabase
from tests.officials.conftest import MENU, follow, make_official, messages
from tests.support.caller import Caller

People = Callable[[str], Caller]


def test_following_opens_the_conversation_and_greets_once(caller: People, official: Official) -> None:
    su = caller("su")
    assert su.get("/api/officials/test-news").json()["followed"] is False
    conversation = follow(su)
    assert follow(su) == conversation
    assert [one["text"] for one in messages(su, conversation)] == ["欢迎关注。"]
    shown = su.get("/api/officials/test-news").json()
    assert shown["followed"] is True and shown["person"]["seal"]["role"] == "official"
    assert [one["code"] for one in su.get("/api/officials/?followed=true").json()["items"] if not one["always_on"]] == [
        "test-news"
    ]
    assert su.delete("/api/officials/test-news/follow").status_code == 204
    assert su.delete("/api/officials/test-news/follow").status_code == 204
    assert su.get("/api/officials/test-news").json()["followed"] is False
    assert [one["text"] for one in messages(su, conversation)] == ["欢迎关注。"], "what was said stays"


def test_one_that_comes_with_the_account_cannot_be_left(caller: People) -> None:
    make_official("test-core", always_on=True)
    su = caller("su")
    assert su.get("/api/officials/test-core").json()["followed"] is True
    answer = su.delete("/api/officials/test-core/follow")
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "always_on"


def test_a_tap_is_answered_in_the_conversation_and_the_same_tap_once(caller: People, official: Official) -> None:
    su = caller("su")
    conversation = follow(su)
    tap = {"id": str(uuid.uuid4()), "key": "hours"}
    for _ in range(2):
        answer = su.post("/api/officials/test-news/menu", tap)
        assert answer.status_code == 200 and answer.json() == {"conversation_id": conversation}
    su.post("/api/officials/test-news/menu", {"id": str(uuid.uuid4()), "key": "phone"})
    assert [one["text"] for one in messages(su, conversation)] == ["欢迎关注。", "周一至周五 9:00–17:00。", "95588-0"]
    reused = su.post("/api/officials/test-news/menu", {**tap, "key": "phone"})
    assert reused.status_code == 422
    other = caller("lin").post("/api/officials/test-news/menu", tap)
    assert other.status_code == 422, "another person's tap"
    assert su.post("/api/officials/test-news/menu", {"id": str(uuid.uuid4()), "key": "wealth"}).status_code == 200
    assert len(messages(su, conversation)) == 3, "a view is opened by the app and says nothing"


@pytest.mark.parametrize(
    "body",
    [
        {"id": str(uuid.uuid4()), "key": "unknown"},
        {"id": str(uuid.uuid4()), "key": "more"},
        {"id": str(uuid.uuid4()), "key": "’; drop"},
        {"id": "x", "key": "hours"},
        {"key": "hours"},
        {"id": str(uuid.uuid4())},
        {"id": str(uuid.uuid4()), "key": "k" * 41},
        {"id": str(uuid.uuid4()), "key": None},
    ],
)
def test_a_tap_on_nothing_is_refused(caller: People, official: Official, body: dict[str, Any]) -> None:
    su = caller("su")
    conversation = follow(su)
    assert su.post("/api/officials/test-news/menu", body).status_code in (400, 404)
    assert len(messages(su, conversation)) == 1


def test_who_is_not_there_is_not_found(caller: People, official: Official, world: World) -> None:
    su = caller("su")
    for answer in (
        su.get("/api/officials/nobody"),
        su.put("/api/officials/nobody/follow"),
        su.delete("/api/officials/nobody/follow"),
        su.get("/api/officials/nobody/articles"),
        su.get(f"/api/officials/persons/{world.people['lin']}"),
        su.get(f"/api/officials/articles/{uuid.uuid4()}"),
        su.get(f"/api/officials/pictures/{uuid.uuid4()}"),
    ):
        assert answer.status_code == 404
    assert su.get(f"/api/officials/persons/{official.person_id}").json()["code"] == "test-news"
    # A face that only lends itself is there, and is no account.
    Official.objects.filter(pk=official.pk).update(listed=False)
    assert su.get(f"/api/officials/persons/{official.person_id}").status_code == 204


def test_service_accounts_are_listed_in_pages_and_found_by_words(caller: People) -> None:
    for index in range(5):
        make_official(f"test-page-{index}")
    su = caller("su")
    found: list[str] = []
    cursor = ""
    while True:
        page = su.get(f"/api/officials/?limit=2{cursor}").json()
        found += [one["code"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&before={page['next']}"
    assert found == sorted(set(found)) and {f"test-page-{index}" for index in range(5)} <= set(found)
    assert len(su.get("/api/officials/?q=测试服务").json()["items"]) == 5
    assert su.get("/api/officials/?q=没有这样的号").json()["items"] == []
    assert su.get(f"/api/officials/?q={'长' * 41}").status_code == 400
    assert su.get("/api/officials/?q=%25_%00").status_code == 400


def test_menu_texts_are_not_told_before_they_are_asked_for(caller: People, official: Official) -> None:
    shown = caller("su").get("/api/officials/test-news").json()["menu"]
    assert [one["name"] for one in shown] == ["营业时间", "更多"]
    assert shown[1]["entries"][0] == {"key": "wealth", "name": "看产品", "path": "/wealth"}
    assert "95588" not in str(shown)


def test_a_word_is_answered_by_its_keyword_and_any_other_by_the_automatic_reply(
    caller: People, official: Official
) -> None:
    su = caller("su")
    conversation = follow(su)
    for text in ("网点", "什么时候发货?"):
        said = {"client_id": str(uuid.uuid4()), "text": text}
        assert su.post(f"/api/chat/conversations/{conversation}/messages", said).status_code in (200, 201)
    jobs.drain()
    jobs.drain()
    assert [one["text"] for one in messages(su, conversation)] == [
        "欢迎关注。",
        "网点",
        "什么时候发货?",
        "最近的网点在城西。",
        "收到,稍后回复。",
    ]


BROKEN: list[Any] = [
    "x",
    [{"key": f"k{index}", "name": "名", "action": {"kind": "reply", "text": "答"}} for index in range(4)],
    [{"key": "a", "name": "名"}],
    [{"key": "a", "name": "名", "entries": []}],
    [{"key": "a", "name": "名", "action": {"kind": "reply", "text": ""}}],
    [{"key": "a", "name": "", "action": {"kind": "reply", "text": "答"}}],
    [{"key": "A b", "name": "名", "action": {"kind": "reply", "text": "答"}}],
    [{"key": "a", "name": "名", "action": {"kind": "script", "text": "答"}}],
    [{"key": "a", "name": "名", "action": {"kind": "view", "path": "https://elsewhere.example"}}],
    [{"key": "a", "name": "名", "action": {"kind": "view", "path": "//elsewhere.example"}}],
    [{"key": "a", "name": "名", "action": {"kind": "view", "path": "javascript:alert(1)"}}],
    [{"key": "a", "name": "\u202e名", "action": {"kind": "reply", "text": "答"}}],
    [{"key": "a", "name": "名", "action": {"kind": "reply", "text": "答", "html": "<b>"}}],
    [
        {"key": "a", "name": "名", "action": {"kind": "reply", "text": "答"}},
        {"key": "a", "name": "又", "action": {"kind": "reply", "text": "答"}},
    ],
    [
        {
            "key": "a",
            "name": "名",
            "entries": [
                {"key": f"b{index}", "name": "名", "action": {"kind": "reply", "text": "答"}} for index in range(6)
            ],
        }
    ],
]


@pytest.mark.parametrize("raw", BROKEN, ids=range(len(BROKEN)))
def test_a_menu_that_does_not_fit_is_refused(raw: Any) -> None:
    with pytest.raises(MenuBroken):
        menu.parse(raw)
    assert menu.dump(menu.parse(MENU)) == MENU


def test_making_one_at_once_makes_one(fresh_database: FreshDatabase) -> None:
    made: list[Official] = []
    gate = threading.Barrier(6)

    def run() -> None:
        gate.wait()
        made.append(make_official("test-race"))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6 and len({one.pk for one in made}) == 1


def test_following_at_once_greets_once(fresh_database: FreshDatabase) -> None:
    make_official()
    su = fresh_database.world.people["su"]
    opened: list[Any] = []
    gate = threading.Barrier(6)

    def run() -> None:
        gate.wait()
        opened.append(actions.follow(person_id=su, code="test-news"))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6 and len(set(opened)) == 1 and Follow.objects.filter(person_id=su).count() == 1
    assert [one["text"] for one in messages(Caller(su), str(opened[0]))] == ["欢迎关注。"]
