"""The feed against a plain model of who sees what, in a fixed count of statements, quickly."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import actions as accounts
from accounts.models import Friendship, Person
from kernel.clock import now
from kernel.ids import new_id
from moments import queries
from moments.models import Post, PostPerson, Profile
from rongliao.demo import World
from tests.moments.conftest import feed, ids, post
from tests.support.caller import Caller

People = Callable[[str], Caller]
WIDTHS = {"all": None, "half_year": 183, "month": 31, "three_days": 3}


@dataclass
class Plain:
    """What one remembers of the rules: friends, posts, windows; no database."""

    friends: set[frozenset[UUID]] = field(default_factory=set)
    posts: list[Any] = field(default_factory=list)
    windows: dict[UUID, str] = field(default_factory=dict)

    def sees(self, viewer: UUID, one: Any, at: datetime) -> bool:
        _, author, when, audience, people, deleted = one
        if deleted:
            return False
        if author == viewer:
            return True
        if frozenset((author, viewer)) not in self.friends:
            return False
        days = WIDTHS[self.windows.get(author, "all")]
        if days is not None and when < at - timedelta(days=days):
            return False
        return {"friends": True, "private": False, "some": viewer in people, "except": viewer not in people}[audience]

    def feed(self, viewer: UUID, at: datetime) -> list[UUID]:
        seen = [one for one in self.posts if self.sees(viewer, one, at)]
        return [one[0] for one in sorted(seen, key=lambda one: (one[2], one[0]), reverse=True)]


def _people(count: int) -> list[UUID]:
    rows = Person.objects.bulk_create(
        Person(id=new_id(), kind="customer", display_name=f"人{index}") for index in range(count)
    )
    return [row.pk for row in rows]


def _befriend(pairs: set[frozenset[UUID]]) -> None:
    rows = [(a, b) for pair in pairs for a, b in (tuple(pair), tuple(pair)[::-1])]
    Friendship.objects.bulk_create(Friendship(person_id=a, friend_id=b) for a, b in rows)


def _keep(plain: Plain) -> None:
    """Writes a model's posts as rows, with the same marks that posting leaves."""
    Post.objects.bulk_create(
        Post(
            id=id_, author_id=author, text="", audience=audience, created_at=when, deleted_at=when if deleted else None
        )
        for id_, author, when, audience, _, deleted in plain.posts
    )
    PostPerson.objects.bulk_create(
        PostPerson(post_id=one[0], person_id=person) for one in plain.posts for person in one[4]
    )
    newest: dict[UUID, datetime] = {}
    for one in plain.posts:
        newest[one[1]] = max(one[2], newest.get(one[1], one[2]))
    Profile.objects.bulk_create(
        Profile(person_id=person, newest_at=at, window=plain.windows.get(person, "all"))
        for person, at in newest.items()
    )


def _pages(viewer: UUID, limit: int) -> list[UUID]:
    found: list[UUID] = []
    before = None
    while True:
        shown = queries.timeline(viewer, before=before, limit=limit)
        found += [one.post.pk for one in shown[:limit]]
        if len(shown) <= limit:
            return found
        before = shown[limit - 1].place


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), crowd=st.sampled_from([3, 8, 45, 70]), limit=st.sampled_from([1, 3, 20]))
def test_the_feed_is_what_a_plain_model_says(world: World, seed: int, crowd: int, limit: int) -> None:
    """With crowds beyond the thirty nearest, equal times, windows, all audiences and deleted posts."""
    from django.db import transaction

    dice = random.Random(seed)
    at = now()
    with transaction.atomic():
        people = _people(crowd)
        viewer = people[0]
        plain = Plain(windows={one: dice.choice(list(WIDTHS)) for one in people})
        plain.friends = {frozenset((viewer, one)) for one in people[1:] if dice.random() < 0.9}
        for _ in range(dice.choice([0, 5, 60, 200])):
            author = dice.choice(people[: max(1, dice.choice([2, crowd]))])
            audience = dice.choice(["friends"] * 6 + ["private", "some", "except"])
            named = set(dice.sample(people, 2)) if audience in ("some", "except") else set()
            when = at - timedelta(days=dice.choice([0, 1, 2, 10, 100, 300]), minutes=dice.randrange(5))
            plain.posts.append((new_id(), author, when, audience, named, dice.random() < 0.1))
        _befriend(plain.friends)
        _keep(plain)
        assert _pages(viewer, limit) == plain.feed(viewer, at)
        for one in plain.posts[:20]:
            seen = queries.access.visible_ids([one[0]], viewer, queries.access.circle_of(viewer), at)
            assert bool(seen) == plain.sees(viewer, one, at)
        transaction.set_rollback(True)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_audiences_hold_through_the_doors(caller: People, world: World, data: st.DataObject) -> None:
    """Posts, friendships made and ended, windows: every person's feed stays what the model says."""
    from django.db import transaction

    names = ["su", "lin", "tao", "shen"]
    with transaction.atomic():
        who = {name: caller(name) for name in names}
        person = {name: world.people[name] for name in names}
        plain = Plain(friends={frozenset((a, b)) for a, b in Friendship.objects.values_list("person_id", "friend_id")})
        known = {name: set(ids(feed(who[name]))) for name in names}
        for _ in range(data.draw(st.integers(1, 8))):
            name = data.draw(st.sampled_from(names))
            friends = sorted(
                other for other in names if frozenset((person[name], person[other])) in plain.friends and other != name
            )
            match data.draw(st.sampled_from(["post", "post", "post", "part", "meet", "delete"])):
                case "post":
                    audience = data.draw(st.sampled_from(["friends", "private", "some", "except"]))
                    named = set()
                    if audience in ("some", "except"):
                        if not friends:
                            continue
                        named = data.draw(st.sets(st.sampled_from(friends), min_size=1))
                    made = post(who[name], "x", audience=audience, people=[str(person[one]) for one in sorted(named)])
                    plain.posts.append(
                        [
                            UUID(made["id"]),
                            person[name],
                            datetime.fromisoformat(made["at"]),
                            audience,
                            {person[one] for one in named},
                            False,
                        ]
                    )
                case "part" if friends:
                    other = data.draw(st.sampled_from(friends))
                    accounts.remove_friend(person_id=person[name], friend_id=person[other])
                    plain.friends.discard(frozenset((person[name], person[other])))
                case "meet":
                    other = data.draw(st.sampled_from([one for one in names if one != name]))
                    accounts.make_friends(person[name], person[other])
                    plain.friends.add(frozenset((person[name], person[other])))
                case "delete":
                    mine = [one for one in plain.posts if one[1] == person[name] and not one[5]]
                    if mine:
                        gone = data.draw(st.sampled_from(mine))
                        assert who[name].delete(f"/api/moments/posts/{gone[0]}").status_code == 204
                        gone[5] = True
        at = now()
        for name in names:
            expected = plain.feed(person[name], at)
            shown = [one for one in ids(feed(who[name], limit=3)) if one in {item[0] for item in plain.posts}]
            assert shown == expected, name
            for one in plain.posts:
                answer = who[name].get(f"/api/moments/posts/{one[0]}").status_code
                assert answer == (200 if plain.sees(person[name], one, at) else 404)
        assert known
        transaction.set_rollback(True)


def _crowd(viewer: UUID, friends: int, posts: int) -> list[UUID]:
    people = _people(friends)
    _befriend({frozenset((viewer, one)) for one in people})
    dice = random.Random(7)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    plain = Plain()
    plain.posts = [
        (new_id(), dice.choice(people), at + timedelta(seconds=index), "friends", set(), False)
        for index in range(posts)
    ]
    _keep(plain)
    return [one[0] for one in reversed(plain.posts)]


def test_ten_thousand_posts_are_paged_exactly_and_each_page_costs_the_same_statements(caller: People) -> None:
    bai = caller("bai")
    assert bai.id
    expected = _crowd(bai.id, 120, 10_000)
    counts: list[int] = []
    found: list[UUID] = []
    cursor = ""
    while True:
        with CaptureQueriesContext(connection) as asked:
            page = bai.get(f"/api/moments/timeline?limit=50{cursor}").json()
        counts.append(len(asked))
        found += ids(page["items"])
        if page["next"] is None:
            break
        cursor = f"&before={page['next']}"
    assert found == expected
    assert max(counts) - min(counts) <= 1, counts
    few = caller("he")
    with CaptureQueriesContext(connection) as asked:
        few.get("/api/moments/timeline?limit=50")
    assert max(counts) <= 20, counts


def test_the_nearest_friends_are_enough_for_the_first_page_and_asked_again_when_not(
    caller: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lively feed asks the thirty nearest only; one where forty friends wrote once each must ask everybody."""
    bai, he = caller("bai"), caller("he")
    assert bai.id and he.id
    _crowd(bai.id, 120, 3_000)
    asked: list[str] = []
    real = queries._feed
    monkeypatch.setattr(queries, "_feed", lambda statement, params: asked.append(statement) or real(statement, params))
    newest = bai.get("/api/moments/timeline?limit=1").json()["items"]
    assert newest and asked == [queries._NEAREST]
    people = _people(40)
    _befriend({frozenset((he.id, one)) for one in people})
    plain = Plain(
        posts=[
            (new_id(), one, datetime(2026, 11, 2, tzinfo=UTC) + timedelta(seconds=index), "friends", set(), False)
            for index, one in enumerate(people)
        ]
    )
    _keep(plain)
    asked.clear()
    page = he.get("/api/moments/timeline?limit=35").json()
    mine = [one for one in ids(page["items"]) if one in {item[0] for item in plain.posts}]
    assert mine == [one[0] for one in reversed(plain.posts)][: len(mine)] and len(mine) >= 30
    assert asked == [queries._NEAREST, queries._ALL]


def test_many_comments_come_in_pages(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    one = f"/api/moments/posts/{post(su)['id']}/comments"
    for index in range(45):
        lin.post(one, {"id": str(uuid.uuid4()), "text": str(index)})
    shown = su.get(one.removesuffix("/comments")).json()
    assert [item["text"] for item in shown["comments"]] == [str(index) for index in range(25, 45)]
    assert shown["comment_count"] == 45
    older = su.get(f"{one}?before={shown['older_comments']}&limit=20").json()
    assert [item["text"] for item in older["items"]] == [str(index) for index in range(24, 4, -1)]
    rest = su.get(f"{one}?before={older['next']}").json()
    assert [item["text"] for item in rest["items"]] == [str(index) for index in range(4, -1, -1)]
    assert rest["next"] is None


def test_friends_whose_newest_posts_one_may_not_see_do_not_hide_the_quieter_ones(caller: People) -> None:
    """Thirty wrote last, but in private: their old posts fill the page, and newer ones of five others come first."""
    he = caller("he")
    assert he.id
    people = _people(35)
    _befriend({frozenset((he.id, one)) for one in people})
    at = datetime(2026, 11, 22, tzinfo=UTC)
    plain = Plain(friends={frozenset((he.id, one)) for one in people})
    for index, one in enumerate(people):
        second = timedelta(seconds=index)
        if index < 30:
            plain.posts.append((new_id(), one, at + timedelta(hours=2) + second, "private", set(), False))
            plain.posts.append((new_id(), one, at - timedelta(days=30) + second, "friends", set(), False))
        else:
            plain.posts.append((new_id(), one, at + timedelta(hours=1) + second, "friends", set(), False))
    _keep(plain)
    known = {one[0] for one in plain.posts}
    shown = [one for one in ids(he.get("/api/moments/timeline?limit=10").json()["items"]) if one in known]
    assert shown[:5] == plain.feed(he.id, now())[:5]
