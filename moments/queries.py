"""Reads of moments, each in a fixed number of statements however many friends and posts there are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from accounts import queries as accounts
from accounts.queries import PersonCard
from kernel.clock import now
from moments import access
from moments.models import Comment, Like, Post, PostPicture, Profile

NEAREST = 30
"""Friends whose posts are looked at first: those who posted last."""
SHOWN_COMMENTS = 20
SHOWN_LIKES = 60
MAX_UNSEEN = 99

_LAST = UUID(int=2**128 - 1)


@dataclass(frozen=True)
class Place:
    """A place in the feed: newest first, by time and then by id."""

    at: datetime
    id: UUID

    @classmethod
    def parse(cls, text: str) -> "Place":
        """What `str` made. Raises ValueError on anything else."""
        micros, _, tail = text.partition(".")
        if not micros.isascii() or not micros.isdigit() or len(micros) > 17:
            raise ValueError(text)
        return cls(
            datetime.fromtimestamp(int(micros) // 1_000_000, UTC).replace(microsecond=int(micros) % 1_000_000),
            UUID(tail),
        )

    def __str__(self) -> str:
        return f"{int(self.at.timestamp()) * 1_000_000 + self.at.microsecond}.{self.id}"


@dataclass(frozen=True)
class Remark:
    """A comment as one reader sees it."""

    comment: Comment
    author: PersonCard
    reply_to: PersonCard | None


@dataclass
class Shown:
    """A post as one reader sees it."""

    post: Post
    author: PersonCard
    pictures: list[PostPicture]
    people: list[PersonCard] = field(default_factory=list)
    likes: list[PersonCard] = field(default_factory=list)
    like_count: int = 0
    liked: bool = False
    remarks: list[Remark] = field(default_factory=list)
    remark_count: int = 0
    older_remarks: str | None = None

    @property
    def place(self) -> Place:
        """Where it stands in the feed."""
        return Place(self.post.created_at, self.post.pk)


# {candidates} names the authors; LATERAL walks each one's covering index only as far as the page needs.
_FEED = f"""
    SELECT p.id, p.created_at, (SELECT newest_at FROM edge)
    FROM candidate f CROSS JOIN LATERAL (
        SELECT p.id, p.created_at FROM moments_post p
        WHERE p.author_id = f.person_id AND (p.created_at, p.id) < (%(at)s, %(id)s) AND {access.VISIBLE}
        ORDER BY p.created_at DESC, p.id DESC LIMIT %(limit)s
    ) p ORDER BY p.created_at DESC, p.id DESC LIMIT %(limit)s
"""  # noqa: S608
_ALL = f"""
    WITH candidate AS (SELECT person_id, "window" FROM moments_profile WHERE person_id = ANY(%(authors)s)),
    edge AS (SELECT NULL::timestamptz AS newest_at) {_FEED}
"""  # noqa: S608
_NEAREST = f"""
    WITH near AS MATERIALIZED (
        SELECT person_id, "window", newest_at FROM moments_profile
        WHERE person_id = ANY(%(authors)s) AND newest_at IS NOT NULL ORDER BY newest_at DESC LIMIT {NEAREST + 1}
    ),
    candidate AS (SELECT * FROM near ORDER BY newest_at DESC LIMIT {NEAREST}),
    edge AS (SELECT newest_at FROM near ORDER BY newest_at DESC OFFSET {NEAREST}) {_FEED}
"""  # noqa: S608

_UNSEEN = f"""
    SELECT count(*) FROM (
        SELECT FROM moments_profile f JOIN moments_post p ON p.author_id = f.person_id
        WHERE f.person_id = ANY(%(friends)s) AND f.newest_at > %(since)s AND p.created_at > %(since)s
            AND {access.VISIBLE}
        LIMIT {MAX_UNSEEN}
    ) unseen
"""  # noqa: S608


def _feed(statement: str, params: dict[str, Any]) -> list[tuple[UUID, datetime, datetime | None]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


def feed_ids(viewer_id: UUID, authors: Sequence[UUID], *, before: Place | None, limit: int, at: datetime) -> list[UUID]:
    """The newest `limit` posts that these authors let the viewer see, older than `before`; exact.

    The first page asks only the NEAREST authors who posted last: when its last post is newer than anything that
    the next author ever wrote, nobody else can add to it. Otherwise, and on later pages, all authors are asked.
    """
    place = before or Place(datetime.max.replace(tzinfo=UTC), _LAST)
    params = {
        "authors": list(authors),
        "at": place.at,
        "id": place.id,
        "limit": limit,
        **access.visible_params(viewer_id, at),
    }
    if before is None and len(authors) > NEAREST:
        rows = _feed(_NEAREST, params)
        edge = rows[0][2] if rows else at
        if edge is None or (len(rows) == limit and rows[-1][1] > edge):
            return [row[0] for row in rows]
    return [row[0] for row in _feed(_ALL, params)]


def timeline(viewer_id: UUID, *, before: Place | None, limit: int) -> list[Shown]:
    """The posts of the person and their friends, newest first, one more than `limit` if there are more."""
    at = now()
    circle = access.circle_of(viewer_id)
    return _shown(feed_ids(viewer_id, circle, before=before, limit=limit + 1, at=at), viewer_id, circle)


def album(viewer_id: UUID, author_id: UUID, *, before: Place | None, limit: int) -> list[Shown] | None:
    """One person's posts that the viewer may see, as `timeline`; None if they are not friends."""
    at = now()
    circle = access.circle_of(viewer_id)
    if author_id not in circle:
        return None
    return _shown(feed_ids(viewer_id, [author_id], before=before, limit=limit + 1, at=at), viewer_id, circle)


def one_post(viewer_id: UUID, post_id: UUID) -> Shown:
    """A post with its likes and newest comments. Raises NotFound."""
    post, circle = access.post_for(viewer_id, post_id, now())
    return _shown([post.pk], viewer_id, circle)[0]


def remarks(viewer_id: UUID, post_id: UUID, *, before: Place | None, limit: int) -> list[Remark]:
    """Comments under a post, newest first, one more than `limit` if there are more. Raises NotFound."""
    _, circle = access.post_for(viewer_id, post_id, now())
    place = before or Place(datetime.max.replace(tzinfo=UTC), _LAST)
    found = list(
        Comment.objects.filter(access.audible(circle), post_id=post_id)
        .filter(Q(created_at__lt=place.at) | Q(created_at=place.at, id__lt=place.id))
        .select_related("reply_to")
        .order_by("-created_at", "-id")[: limit + 1]
    )
    cards = accounts.person_cards(_speakers(found), viewer_id=viewer_id)
    return [_remark(one, cards) for one in found]


def remark_of(viewer_id: UUID, comment: Comment) -> Remark:
    """A comment that the viewer may read, as they see it."""
    return _remark(comment, accounts.person_cards(_speakers([comment]), viewer_id=viewer_id))


def _speakers(comments: Sequence[Comment]) -> set[UUID]:
    named = {one.author_id for one in comments}
    return named | {one.reply_to.author_id for one in comments if one.reply_to is not None}


def _remark(comment: Comment, cards: dict[UUID, PersonCard]) -> Remark:
    answered = comment.reply_to
    return Remark(comment, cards[comment.author_id], None if answered is None else cards[answered.author_id])


def _shown(ids: Sequence[UUID], viewer_id: UUID, circle: list[UUID]) -> list[Shown]:
    posts = {post.pk: post for post in Post.objects.filter(pk__in=ids).prefetch_related("people")}
    pictures = defaultdict(list)
    for row in PostPicture.objects.filter(post_id__in=ids).select_related("picture").order_by("post_id", "position"):
        pictures[row.post_id].append(row)
    likes, like_counts = _likes(ids, circle)
    comments, comment_counts = _comments(ids, circle)
    mine = set(Like.objects.filter(post_id__in=ids, person_id=viewer_id).values_list("post_id", flat=True))
    named = {post.author_id for post in posts.values()} | {one for group in likes.values() for one in group}
    named |= _speakers([one for group in comments.values() for one in group])
    named |= {one.person_id for post in posts.values() if post.author_id == viewer_id for one in post.people.all()}
    cards = accounts.person_cards(named, viewer_id=viewer_id)
    shown = []
    for post in (posts[one] for one in ids):
        newest = comments[post.pk]
        more = comment_counts.get(post.pk, 0) > len(newest)
        shown.append(
            Shown(
                post=post,
                author=cards[post.author_id],
                pictures=pictures[post.pk],
                people=[cards[one.person_id] for one in post.people.all()] if post.author_id == viewer_id else [],
                likes=[cards[one] for one in likes[post.pk]],
                like_count=like_counts.get(post.pk, 0),
                liked=post.pk in mine,
                remarks=[_remark(one, cards) for one in newest],
                remark_count=comment_counts.get(post.pk, 0),
                older_remarks=str(Place(newest[0].created_at, newest[0].pk)) if more and newest else None,
            )
        )
    return shown


def _likes(ids: Sequence[UUID], circle: list[UUID]) -> tuple[dict[UUID, list[UUID]], dict[UUID, int]]:
    """The first likes of each post that somebody with this circle may see, oldest first, and how many there are."""
    rows = (
        Like.objects.filter(post_id__in=ids, person_id__in=circle)
        .annotate(
            place=Window(RowNumber(), partition_by=F("post_id"), order_by=[F("created_at").asc(), F("id").asc()]),
            total=Window(Count("id"), partition_by=F("post_id")),
        )
        .filter(place__lte=SHOWN_LIKES)
        .order_by("post_id", "place")
        .values_list("post_id", "person_id", "total")
    )
    likes, totals = defaultdict(list), {}
    for post_id, person_id, total in rows:
        likes[post_id].append(person_id)
        totals[post_id] = total
    return likes, totals


def _comments(ids: Sequence[UUID], circle: list[UUID]) -> tuple[dict[UUID, list[Comment]], dict[UUID, int]]:
    """The newest comments of each post that somebody with this circle may read, oldest first, and how many."""
    rows = (
        Comment.objects.filter(access.audible(circle), post_id__in=ids)
        .annotate(
            place=Window(RowNumber(), partition_by=F("post_id"), order_by=[F("created_at").desc(), F("id").desc()]),
            total=Window(Count("id"), partition_by=F("post_id")),
        )
        .filter(place__lte=SHOWN_COMMENTS)
        .select_related("reply_to")
        .order_by("post_id", "-place")
    )
    comments: dict[UUID, list[Comment]] = defaultdict(list)
    totals: dict[UUID, int] = {}
    for row in rows:
        comments[row.post_id].append(row)
        totals[row.post_id] = row.total
    return comments, totals


@dataclass(frozen=True)
class Unseen:
    """What happened since the person last looked."""

    posts: int
    reactions: int


def unseen(person_id: UUID) -> Unseen:
    """Friends' posts, and likes and comments meant for the person, since they last looked; each up to MAX_UNSEEN."""
    at = now()
    profile = Profile.objects.filter(person_id=person_id).first()
    since = profile.seen_at if profile and profile.seen_at else datetime.min.replace(tzinfo=UTC)
    friends = accounts.friend_ids(person_id)
    circle = [person_id, *friends]
    with connection.cursor() as cursor:
        cursor.execute(_UNSEEN, {"friends": friends, "since": since, **access.visible_params(person_id, at)})
        posts = int(cursor.fetchone()[0])
    others = [one for one in friends if one != person_id]
    likes = Like.objects.filter(
        post__author_id=person_id, post__deleted_at=None, person_id__in=others, created_at__gt=since
    )[:MAX_UNSEEN].count()
    for_me = Q(post__author_id=person_id) | Q(reply_to__author_id=person_id)
    comments = list(
        Comment.objects.filter(access.audible(circle), for_me, author_id__in=others, created_at__gt=since)
        .filter(post__deleted_at=None)
        .values_list("post_id", flat=True)[:MAX_UNSEEN]
    )
    seen = set(access.visible_ids(list(set(comments)), person_id, circle, at))
    reactions = likes + sum(one in seen for one in comments)
    return Unseen(posts=posts, reactions=min(reactions, MAX_UNSEEN))
