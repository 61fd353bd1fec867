"""Posting, seeing, liking, commenting, through the doors."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from accounts import actions as accounts
from kernel import jobs
from rongliao.demo import World
from tests.moments.conftest import feed, png, post, upload
from tests.support.caller import Caller

People = Callable[[str], Caller]


def test_a_friend_sees_a_post_likes_it_and_comments(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    made = post(su, "第一场雪", pictures=[upload(su), upload(su)])
    seen = feed(lin)[0]
    assert (seen["id"], seen["text"], seen["author"]["name"], len(seen["pictures"])) == (
        made["id"],
        "第一场雪",
        "苏禾",
        2,
    )
    assert lin.put(f"/api/moments/posts/{made['id']}/like").json()["liked"] is True
    said = lin.post(f"/api/moments/posts/{made['id']}/comments", {"id": str(uuid.uuid4()), "text": "好美"})
    assert said.status_code == 201
    answer = su.post(
        f"/api/moments/posts/{made['id']}/comments",
        {"id": str(uuid.uuid4()), "text": "清晨拍的", "reply_to": said.json()["id"]},
    )
    assert answer.status_code == 201
    mine = su.get(f"/api/moments/posts/{made['id']}").json()
    assert [one["name"] for one in mine["likes"]] == ["林晓舟"]
    assert [(one["author"]["name"], one["text"]) for one in mine["comments"]] == [
        ("林晓舟", "好美"),
        ("苏禾", "清晨拍的"),
    ]
    assert mine["comments"][1]["reply_to"]["name"] == "林晓舟"
    assert mine["like_count"] == 1 and mine["comment_count"] == 2


@pytest.mark.parametrize("stranger", ["bai", "zhou", "song", "fang", "qin", "liang"])
def test_strangers_and_staff_find_nothing_at_any_door(caller: People, stranger: str) -> None:
    su, other = caller("su"), caller(stranger)
    picture = upload(su)
    made = post(su, "只给朋友", pictures=[picture])
    comment = su.post(f"/api/moments/posts/{made['id']}/comments", {"id": str(uuid.uuid4()), "text": "自言自语"}).json()
    loose = upload(su)
    one = f"/api/moments/posts/{made['id']}"
    doors = [
        other.get(one),
        other.delete(one),
        other.put(f"{one}/like"),
        other.delete(f"{one}/like"),
        other.get(f"{one}/comments"),
        other.post(f"{one}/comments", {"id": str(uuid.uuid4()), "text": "在吗"}),
        other.delete(f"/api/moments/comments/{comment['id']}"),
        other.get(f"/api/moments/persons/{su.id}/posts"),
        other.get(f"/api/moments/pictures/{picture}"),
        other.get(f"/api/moments/pictures/{picture}?size=thumb"),
        other.get(f"/api/moments/pictures/{loose}"),
    ]
    assert [answer.status_code for answer in doors] == [404] * len(doors)
    assert made["id"] not in {item["id"] for item in feed(other)}
    kept = su.get(one).json()
    assert (kept["like_count"], kept["comment_count"]) == (0, 1)


def test_without_a_session_every_door_is_closed(caller: People) -> None:
    made = post(caller("su"))
    guest = Caller(None)
    one = f"/api/moments/posts/{made['id']}"
    for answer in (
        guest.get("/api/moments/timeline"),
        guest.get(one),
        guest.put(f"{one}/like"),
        guest.post("/api/moments/posts", {"id": str(uuid.uuid4()), "text": "x"}),
        guest.upload("/api/moments/pictures", png()),
        guest.get("/api/moments/unseen"),
        guest.get("/api/moments/settings"),
    ):
        assert answer.status_code == 401


def test_the_same_post_twice_is_one_post_and_another_under_its_id_is_refused(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    picture = upload(su)
    body = {"id": str(uuid.uuid4()), "text": "一次", "pictures": [picture], "audience": "friends"}
    assert su.post("/api/moments/posts", body).status_code == 201
    again = su.post("/api/moments/posts", body)
    assert again.status_code == 200 and again.json()["id"] == body["id"]
    assert su.post("/api/moments/posts", {**body, "text": "两次"}).json()["error"]["code"] == "key_reused"
    assert lin.post("/api/moments/posts", {"id": body["id"], "text": "一次"}).json()["error"]["code"] == "key_reused"
    assert [one["text"] for one in feed(su) if one["id"] == body["id"]] == ["一次"]


def test_a_deleted_post_is_gone_for_everybody_with_its_pictures(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    picture = upload(su)
    made = post(su, "后悔了", pictures=[picture])
    assert lin.delete(f"/api/moments/posts/{made['id']}").status_code == 404
    assert su.delete(f"/api/moments/posts/{made['id']}").status_code == 204
    assert su.delete(f"/api/moments/posts/{made['id']}").status_code == 404
    jobs.drain()
    for who in (su, lin):
        assert who.get(f"/api/moments/posts/{made['id']}").status_code == 404
        assert who.get(f"/api/moments/pictures/{picture}").status_code == 404
        assert made["id"] not in {one["id"] for one in feed(who)}
    again = su.post("/api/moments/posts", {"id": made["id"], "text": "后悔了", "pictures": [picture]})
    assert again.status_code in (404, 422)


def test_words_are_heard_only_by_friends_of_both(caller: People, world: World) -> None:
    """jiang and shen are both friends of su and not of each other."""
    su, shen, jiang, lin = caller("su"), caller("shen"), caller("jiang"), caller("lin")
    made = post(su, "周末去爬山")
    one = f"/api/moments/posts/{made['id']}"
    heard = shen.post(f"{one}/comments", {"id": str(uuid.uuid4()), "text": "带伞"}).json()
    shen.put(f"{one}/like")
    jiang.post(f"{one}/comments", {"id": str(uuid.uuid4()), "text": "算我一个"})
    reply = su.post(f"{one}/comments", {"id": str(uuid.uuid4()), "text": "好的妈", "reply_to": heard["id"]}).json()

    def texts(who: Caller) -> list[str]:
        shown = who.get(one).json()
        assert shown["comment_count"] == len(shown["comments"])
        assert [item["text"] for item in who.get(f"{one}/comments").json()["items"]][::-1] == [
            item["text"] for item in shown["comments"]
        ]
        return [item["text"] for item in shown["comments"]]

    assert texts(su) == ["带伞", "算我一个", "好的妈"]
    assert texts(shen) == ["带伞", "好的妈"]
    assert texts(jiang) == ["算我一个"], "neither a stranger's words nor the answer to them"
    assert texts(lin) == ["算我一个"], "lin knows jiang and not shen"
    assert jiang.get(one).json()["like_count"] == 0 and shen.get(one).json()["like_count"] == 1
    answer = jiang.post(f"{one}/comments", {"id": str(uuid.uuid4()), "text": "谁?", "reply_to": reply["id"]})
    assert answer.status_code == 404
    assert jiang.delete(f"/api/moments/comments/{heard['id']}").status_code == 404
    accounts.remove_friend(person_id=world.people["su"], friend_id=world.people["jiang"])
    assert jiang.get(one).status_code == 404
    assert texts(su) == ["带伞", "好的妈"]


def test_a_comment_is_taken_away_by_its_author_or_under_ones_own_post_and_by_nobody_else(caller: People) -> None:
    su, lin, tao = caller("su"), caller("lin"), caller("tao")
    made = post(su)
    one = f"/api/moments/posts/{made['id']}/comments"
    first, second = (lin.post(one, {"id": str(uuid.uuid4()), "text": text}).json()["id"] for text in ("一", "二"))
    assert tao.delete(f"/api/moments/comments/{first}").status_code == 404
    assert lin.delete(f"/api/moments/comments/{first}").status_code == 204
    assert su.delete(f"/api/moments/comments/{second}").status_code == 204
    assert su.get(one).json()["items"] == []


def test_the_same_comment_twice_is_one_comment(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    made = post(su)
    one = f"/api/moments/posts/{made['id']}/comments"
    body = {"id": str(uuid.uuid4()), "text": "沙发"}
    assert [lin.post(one, body).status_code for _ in range(2)] == [201, 200]
    assert lin.post(one, {**body, "text": "板凳"}).status_code == 422
    assert su.post(one, body).status_code == 422
    assert len(su.get(one).json()["items"]) == 1


def test_liking_twice_is_liking_once_and_taking_it_back_twice_is_harmless(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    one = f"/api/moments/posts/{post(su)['id']}"
    assert [lin.put(f"{one}/like").json()["like_count"] for _ in range(2)] == [1, 1]
    assert [lin.delete(f"{one}/like").json()["like_count"] for _ in range(2)] == [0, 0]


BAD_POSTS: list[tuple[str, dict[str, Any]]] = [
    ("nothing", {"text": ""}),
    ("blanks", {"text": " \n\t "}),
    ("too long", {"text": "长" * 2_001}),
    ("a number as text", {"text": 5}),
    ("no id", {"id": None}),
    ("an id that is none", {"id": "一二三"}),
    ("an unknown audience", {"audience": "everybody"}),
    ("a NUL", {"text": "a\u0000b"}),
    ("some without people", {"audience": "some"}),
    ("everybody but nobody", {"audience": "except", "people": []}),
    ("people for all friends", {"audience": "friends", "people": ["su"]}),
    ("a stranger in the audience", {"audience": "some", "people": ["bai"]}),
    ("a person who is no id", {"audience": "some", "people": ["?"]}),
    ("a picture that is none", {"pictures": [str(uuid.uuid4())]}),
    ("ten pictures", {"pictures": [str(uuid.uuid4()) for _ in range(10)]}),
    ("a picture twice", {"pictures": ["01981bd2-0000-7000-8000-000000000001"] * 2}),
]


@pytest.mark.parametrize(("name", "change"), BAD_POSTS, ids=[name for name, _ in BAD_POSTS])
def test_a_post_that_does_not_fit_is_refused_and_changes_nothing(
    caller: People, world: World, name: str, change: dict[str, Any]
) -> None:
    su = caller("su")
    before = feed(su)
    body = {"id": str(uuid.uuid4()), "text": "好", **change}
    if "people" in change:
        body["people"] = [str(world.people.get(one, one)) for one in change["people"]]
    answer = su.post("/api/moments/posts", body)
    assert 400 <= answer.status_code < 500 and answer.json()["error"]["message"], name
    assert feed(su) == before


def test_2000_characters_of_any_script_and_emoji_are_kept_as_they_were(caller: People) -> None:
    su = caller("su")
    text = ("一二三🙂👨\u200d👩\u200d👧 שלום ١٢٣ 全角１２３\n" * 100)[:2_000]
    assert post(su, text)["text"] == text


@pytest.mark.parametrize("text", ["", " ", "长" * 501, 7, None, "a\u0000"])
def test_a_comment_that_does_not_fit_is_refused(caller: People, text: Any) -> None:
    su = caller("su")
    one = f"/api/moments/posts/{post(su)['id']}/comments"
    assert su.post(one, {"id": str(uuid.uuid4()), "text": text}).status_code == 400
    assert su.get(one).json()["items"] == []


def test_a_persons_album_is_theirs_as_friends_see_it(caller: People, world: World) -> None:
    su, lin, tao = caller("su"), caller("lin"), caller("tao")
    open_, hidden = post(su, "公开"), post(su, "日记", audience="private")
    some = post(su, "给小舟", audience="some", people=[str(world.people["lin"])])
    album = f"/api/moments/persons/{su.id}/posts"
    assert [one["id"] for one in lin.get(album).json()["items"]][:2] == [some["id"], open_["id"]]
    assert [one["id"] for one in tao.get(album).json()["items"]][:1] == [open_["id"]]
    own = su.get(album).json()["items"]
    assert [one["id"] for one in own][:3] == [some["id"], hidden["id"], open_["id"]]
    assert own[0]["people"][0]["name"] == "林晓舟" and own[1]["audience"] == "private"
    assert lin.get(album).json()["items"][0]["people"] == [], "whom it is for is told to the author alone"
    assert lin.get(album).json()["items"][0]["audience"] is None


def test_what_is_new_is_counted_until_it_was_seen(caller: People) -> None:
    su, lin, tao = caller("su"), caller("lin"), caller("tao")
    latest = feed(lin)
    lin.post("/api/moments/seen", {"upto": "2099-01-01T00:00:00Z"})
    assert lin.get("/api/moments/unseen").json() == {"posts": 0, "reactions": 0}, latest
    mine = post(lin, "我的")
    first = post(su, "一")
    post(su, "二", audience="private")
    tao.put(f"/api/moments/posts/{mine['id']}/like")
    su.post(f"/api/moments/posts/{mine['id']}/comments", {"id": str(uuid.uuid4()), "text": "赞"})
    assert lin.get("/api/moments/unseen").json() == {"posts": 1, "reactions": 2}
    assert lin.post("/api/moments/seen", {"upto": first["at"]}).status_code == 204
    assert lin.get("/api/moments/unseen").json() == {"posts": 0, "reactions": 2}
    assert lin.post("/api/moments/seen", {"upto": "2000-01-01T00:00:00Z"}).status_code == 204
    assert lin.get("/api/moments/unseen").json()["posts"] == 0, "a mark never goes back"


@pytest.mark.parametrize("cursor", ["x", "1.x", "-1.0", "9" * 30, "1e5.00000000-0000-0000-0000-000000000000", "１.２"])
def test_a_broken_cursor_is_a_clear_400(caller: People, cursor: str) -> None:
    assert (
        caller("su")
        .get(
            "/api/moments/timeline",
        )
        .status_code
        == 200
    )
    assert caller("su").get(f"/api/moments/timeline?before={cursor}").status_code == 400


@pytest.mark.parametrize("limit", ["0", "-1", "51", "x", "1.5", "１"])
def test_a_page_has_a_limit(caller: People, limit: str) -> None:
    assert caller("su").get(f"/api/moments/timeline?limit={limit}").status_code == 400


def test_the_window_hides_what_is_older_from_friends_and_not_from_oneself(caller: People) -> None:
    from datetime import timedelta

    from moments.models import Post

    su, lin = caller("su"), caller("lin")
    ages = {"four days": 4, "forty days": 40, "two hundred days": 200}
    made = {}
    for name, days in ages.items():
        made[name] = post(su, name)["id"]
        row = Post.objects.get(pk=made[name])
        Post.objects.filter(pk=row.pk).update(created_at=row.created_at - timedelta(days=days))
    album = f"/api/moments/persons/{su.id}/posts"
    for window, seen in {
        "all": 3,
        "half_year": 2,
        "month": 1,
        "three_days": 0,
    }.items():
        assert su.patch("/api/moments/settings", {"window": window}).json() == {"window": window}
        shown = {one["text"] for one in lin.get(album).json()["items"]}
        assert len(shown & set(ages)) == seen, window
        assert sum(lin.get(f"/api/moments/posts/{one}").status_code == 200 for one in made.values()) == seen
        assert len({one["text"] for one in su.get(album).json()["items"]} & set(ages)) == 3
    assert su.patch("/api/moments/settings", {"window": "week"}).status_code == 400
    assert su.get("/api/moments/settings").json() == {"window": "three_days"}
