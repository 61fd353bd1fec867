"""Writing articles, sending them to everybody who follows, reading them."""

import os
import signal
import subprocess
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Person
from deploy.local import install
from kernel import jobs
from kernel.clock import now
from kernel.ids import new_id
from kernel.models import OutboxRow
from officials import actions
from officials.actions import articles
from officials.models import Broadcast, Delivery, Follow, Official
from tests.conftest import FreshDatabase
from tests.moments.conftest import png
from tests.officials.conftest import article_body, draft, follow, make_official, messages
from tests.support import run as test_run
from tests.support.caller import Caller

People = Callable[[str], Caller]
OPERATIONS = "/api/officials/operations"


def cards(who: Caller, conversation: str) -> list[dict[str, Any]]:
    return [one["card"] for one in messages(who, conversation) if one["kind"] == "card"]


def test_an_article_is_written_previewed_sent_and_read(caller: People, official: Official) -> None:
    fang, su, bai = caller("fang"), caller("su"), caller("bai")
    conversation = follow(su)
    cover = fang.upload(f"{OPERATIONS}/test-news/pictures", png(800, 400)).json()["id"]
    inside = fang.upload(f"{OPERATIONS}/test-news/pictures", png(300, 300)).json()["id"]
    written = draft(
        fang, cover_id=cover, blocks=[{"kind": "picture", "picture_id": inside}, {"kind": "paragraph", "text": "正文"}]
    )
    address = f"/api/officials/articles/{written['id']}"
    assert su.get(address).status_code == 404, "a draft is not out"
    assert su.get(f"/api/officials/pictures/{cover}").status_code == 404
    assert fang.get(f"{OPERATIONS}/articles/{written['id']}").json()["status"] == "draft"
    assert fang.get(f"/api/officials/pictures/{cover}").status_code == 200
    started = fang.post(f"{OPERATIONS}/articles/{written['id']}/broadcast")
    assert started.status_code == 200 and started.json()["total"] == 1 and started.json()["sent"] == 0
    jobs.drain()
    assert fang.get(f"{OPERATIONS}/articles/{written['id']}/broadcast").json()["sent"] == 1
    (card,) = cards(su, conversation)
    assert (card["kind"], card["ref"], card["payload"]["title"], card["payload"]["cover_id"]) == (
        "article",
        written["id"],
        "年末资金安排三问",
        cover,
    )
    shown = su.get(address).json()
    assert [one["kind"] for one in shown["blocks"]] == ["picture", "paragraph"] and shown["person"][
        "name"
    ] == "测试服务号"
    assert su.get(f"/api/officials/pictures/{inside}?size=thumb")["Content-Type"] == "image/webp"
    assert bai.get(address).status_code == 200, "published means that everybody may read it"
    assert [one["id"] for one in su.get("/api/officials/test-news/articles").json()["items"]] == [written["id"]]


def test_sending_twice_sends_once(caller: People, official: Official) -> None:
    fang, su = caller("fang"), caller("su")
    conversation = follow(su)
    written = draft(fang)
    for _ in range(3):
        assert fang.post(f"{OPERATIONS}/articles/{written['id']}/broadcast").status_code == 200
    jobs.drain()
    sending = Broadcast.objects.get(article_id=written["id"])
    for _ in range(2):
        with transaction.atomic():
            actions.deliver_batch(broadcast_id=sending.pk)
    Delivery.objects.filter(broadcast=sending).update(sent_at=None)
    with transaction.atomic():
        actions.deliver_batch(broadcast_id=sending.pk)
    assert len(cards(su, conversation)) == 1, "even if the mark was lost, the message's own id keeps it one"


def test_what_was_sent_can_no_longer_be_changed(caller: People, official: Official) -> None:
    fang = caller("fang")
    follow(caller("su"))
    written = draft(fang)
    fang.post(f"{OPERATIONS}/articles/{written['id']}/broadcast")
    body = article_body(id=written["id"], revision=1, title="改标题")
    answer = fang.put(f"{OPERATIONS}/test-news/articles", body)
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "article_sent"


def test_without_followers_nothing_is_sent_and_the_article_stays_a_draft(caller: People, official: Official) -> None:
    fang = caller("fang")
    written = draft(fang)
    answer = fang.post(f"{OPERATIONS}/articles/{written['id']}/broadcast")
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "nobody_follows"
    assert fang.get(f"{OPERATIONS}/articles/{written['id']}").json()["status"] == "draft"
    assert fang.get(f"{OPERATIONS}/articles/{written['id']}/broadcast").status_code == 404


def test_two_editors_do_not_overwrite_each_other_and_a_lost_answer_is_no_conflict(
    caller: People, official: Official
) -> None:
    fang = caller("fang")
    written = draft(fang)
    body = article_body(id=written["id"], revision=1, title="第二稿")
    first = fang.put(f"{OPERATIONS}/test-news/articles", body)
    assert first.status_code == 200 and first.json()["revision"] == 2
    again = fang.put(f"{OPERATIONS}/test-news/articles", body)
    assert again.status_code == 200 and again.json()["revision"] == 2
    other = fang.put(f"{OPERATIONS}/test-news/articles", {**body, "title": "别人的第二稿"})
    assert other.status_code == 409 and other.json()["error"]["code"] == "article_moved"
    assert fang.get(f"{OPERATIONS}/articles/{written['id']}").json()["title"] == "第二稿"


@pytest.mark.parametrize("who", ["su", "zhou", "song", "qin", "liang"])
def test_only_operators_of_service_accounts_come_through(caller: People, official: Official, who: str) -> None:
    written = draft(caller("fang"))
    other = caller(who)
    doors = [
        other.get(f"{OPERATIONS}/"),
        other.get(f"{OPERATIONS}/test-news/articles"),
        other.put(f"{OPERATIONS}/test-news/articles", article_body()),
        other.get(f"{OPERATIONS}/test-news/replies"),
        other.put(f"{OPERATIONS}/test-news/replies", {}),
        other.get(f"{OPERATIONS}/articles/{written['id']}"),
        other.get(f"{OPERATIONS}/articles/{written['id']}/broadcast"),
        other.post(f"{OPERATIONS}/articles/{written['id']}/broadcast"),
        other.upload(f"{OPERATIONS}/test-news/pictures", png()),
    ]
    assert [answer.status_code for answer in doors] == [403] * len(doors)
    assert not Broadcast.objects.exists()
    guest = Caller(None)
    assert guest.get(f"{OPERATIONS}/").status_code == 401
    assert guest.post(f"{OPERATIONS}/articles/{written['id']}/broadcast").status_code == 401


def test_unknown_articles_and_accounts_are_not_found(caller: People, official: Official) -> None:
    fang = caller("fang")
    unknown = uuid.uuid4()
    for answer in (
        fang.get(f"{OPERATIONS}/articles/{unknown}"),
        fang.get(f"{OPERATIONS}/articles/{unknown}/broadcast"),
        fang.post(f"{OPERATIONS}/articles/{unknown}/broadcast"),
        fang.put(f"{OPERATIONS}/nobody/articles", article_body()),
        fang.put(f"{OPERATIONS}/test-news/articles", article_body(revision=3)),
        fang.get(f"{OPERATIONS}/nobody/replies"),
        fang.upload(f"{OPERATIONS}/nobody/pictures", png()),
    ):
        assert answer.status_code == 404


BAD: list[dict[str, Any]] = [
    {"title": ""},
    {"title": "长" * 65},
    {"title": "两\n行"},
    {"title": 7},
    {"summary": "长" * 121},
    {"blocks": []},
    {"blocks": [{"kind": "paragraph", "text": ""}]},
    {"blocks": [{"kind": "paragraph", "text": " \n "}]},
    {"blocks": [{"kind": "paragraph", "text": "长" * 2_001}]},
    {"blocks": [{"kind": "paragraph", "text": "x"}] * 101},
    {"blocks": [{"kind": "html", "text": "<script>"}]},
    {"blocks": [{"kind": "paragraph", "text": "x", "html": "<b>"}]},
    {"blocks": [{"kind": "picture", "picture_id": "x"}]},
    {"blocks": [{"kind": "picture", "picture_id": str(uuid.uuid4())}]},
    {"blocks": ["x"]},
    {"cover_id": str(uuid.uuid4())},
    {"revision": -1},
    {"revision": True},
    {"revision": "0"},
    {"id": "x"},
]


@pytest.mark.parametrize("change", BAD, ids=range(len(BAD)))
def test_an_article_that_does_not_fit_is_refused(caller: People, official: Official, change: dict[str, Any]) -> None:
    fang = caller("fang")
    answer = fang.put(f"{OPERATIONS}/test-news/articles", article_body(**change))
    assert answer.status_code == 400 and answer.json()["error"]["message"], answer.content
    assert fang.get(f"{OPERATIONS}/test-news/articles").json()["items"] == []


def test_pictures_of_another_service_account_or_article_cannot_be_used(caller: People, official: Official) -> None:
    make_official("test-other")
    fang = caller("fang")
    foreign = fang.upload(f"{OPERATIONS}/test-other/pictures", png()).json()["id"]
    used = fang.upload(f"{OPERATIONS}/test-news/pictures", png()).json()["id"]
    draft(fang, cover_id=used)
    for picture in (foreign, used):
        answer = fang.put(f"{OPERATIONS}/test-news/articles", article_body(cover_id=picture))
        assert answer.status_code == 400


def test_menu_and_answers_are_replaced_as_one(caller: People, official: Official) -> None:
    fang, su = caller("fang"), caller("su")
    kept = fang.get(f"{OPERATIONS}/test-news/replies").json()
    wanted = {
        **kept,
        "menu": [{"key": "new", "name": "新菜单", "action": {"kind": "reply", "text": "新答案"}}],
        "keywords": [{"word": "新", "reply": "答"}],
    }
    assert fang.put(f"{OPERATIONS}/test-news/replies", wanted).status_code == 200
    assert [one["key"] for one in su.get("/api/officials/test-news").json()["menu"]] == ["new"]
    broken = {**wanted, "menu": [{"key": "x", "name": "x"}]}
    assert fang.put(f"{OPERATIONS}/test-news/replies", broken).status_code == 400
    doubled = {**wanted, "keywords": [{"word": "A", "reply": "1"}, {"word": "a", "reply": "2"}]}
    assert fang.put(f"{OPERATIONS}/test-news/replies", doubled).status_code == 400
    assert fang.get(f"{OPERATIONS}/test-news/replies").json() == {**wanted, "revision": kept["revision"] + 1}


def test_two_operators_do_not_overwrite_each_others_menu_and_a_lost_answer_is_no_conflict(
    caller: People, official: Official
) -> None:
    fang, path = caller("fang"), f"{OPERATIONS}/test-news/replies"
    seen = fang.get(path).json()
    first = fang.put(path, {**seen, "greeting": "早上好。"})
    assert (first.status_code, first.json()["revision"]) == (200, seen["revision"] + 1)
    again = fang.put(path, {**seen, "greeting": "早上好。"})
    assert (again.status_code, again.json()) == (200, first.json())
    for change in (
        {"greeting": "晚上好。"},
        {"greeting": "早上好。", "keywords": []},
        {"revision": seen["revision"] + 2},
    ):
        other = fang.put(path, {**seen, **change})
        assert (other.status_code, other.json()["error"]["code"]) == (409, "replies_moved")
    without = {name: value for name, value in seen.items() if name != "revision"}
    assert fang.put(path, without).status_code == 400
    assert fang.get(path).json() == first.json()


def crowd(official: Official, count: int) -> list[Any]:
    """Followers who did not greet anybody."""
    people = Person.objects.bulk_create(
        Person(id=new_id(), kind="customer", display_name=f"粉丝{index}") for index in range(count)
    )
    Follow.objects.bulk_create(Follow(official=official, person=one, created_at=now()) for one in people)
    return [one.pk for one in people]


def test_a_failure_in_the_middle_takes_its_batch_back_and_the_rest_follows(
    caller: People, official: Official, monkeypatch: pytest.MonkeyPatch
) -> None:
    fang = caller("fang")
    people = crowd(official, 12)
    written = draft(fang)
    monkeypatch.setattr(articles, "BATCH", 5)
    assert fang.post(f"{OPERATIONS}/articles/{written['id']}/broadcast").json()["total"] == 12
    real, calls, dark = articles.deliver_card, [], [True]

    def stumble(**given: Any) -> Any:
        calls.append(given["person_id"])
        if dark[0] and len(calls) >= 8:
            raise OSError("the power went off")
        return real(**given)

    monkeypatch.setattr(articles, "deliver_card", stumble)
    jobs.drain()
    progress = fang.get(f"{OPERATIONS}/articles/{written['id']}/broadcast").json()
    assert (progress["sent"], progress["finished_at"]) == (5, None)
    dark[0] = False
    OutboxRow.objects.filter(done_at=None).update(run_at=now())
    jobs.drain()
    progress = fang.get(f"{OPERATIONS}/articles/{written['id']}/broadcast").json()
    assert progress["sent"] == 12 and progress["finished_at"]
    assert [len(cards(Caller(one), follow(Caller(one)))) for one in people] == [1] * 12


KILLED = """
import os, signal, sys
import django
django.setup()
from kernel import jobs
from officials.actions import articles
articles.BATCH = 5
real, calls = articles.deliver_card, []
def die(**given):
    calls.append(1)
    if len(calls) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(**given)
articles.deliver_card = die
jobs.drain()
"""


def test_killed_in_the_middle_and_started_again_it_reaches_everybody_once(fresh_database: FreshDatabase) -> None:
    """Real processes die after the 3rd, 9th and 13th copy; the next worker goes on."""
    official = make_official()
    people = crowd(official, 14)
    fang = Caller(fresh_database.world.people["fang"])
    written = draft(fang)
    fang.post(f"{OPERATIONS}/articles/{written['id']}/broadcast")
    for copies, expected in ((3, 0), (9, 5), (4, 5)):
        done = subprocess.run(
            [str(install.PYTHON), "-c", KILLED, str(copies)],
            cwd=test_run.ROOT,
            env={**os.environ, **fresh_database.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
        assert fang.get(f"{OPERATIONS}/articles/{written['id']}/broadcast").json()["sent"] == expected
    jobs.drain()
    progress = fang.get(f"{OPERATIONS}/articles/{written['id']}/broadcast").json()
    assert progress["sent"] == progress["total"] == 14
    assert [len(cards(Caller(one), follow(Caller(one)))) for one in people] == [1] * 14
