"""Who may see what in moments: one rule, used by every door.

A post is seen by its author, and by the author's friends if its audience takes them in and it is not older than the
author's window. Likes and comments are seen by people who are friends of both the post's author and the speaker (or
are one of the two), and a reply only by those who also see whom it answers. Being bank staff grants nothing.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from accounts import queries as accounts
from kernel import pictures
from kernel.errors import NotFound
from kernel.models import Picture
from moments.models import Comment, Post, PostPicture, Profile

WINDOWS: dict[str, timedelta] = {
    Profile.Window.HALF_YEAR: timedelta(days=183),
    Profile.Window.MONTH: timedelta(days=31),
    Profile.Window.THREE_DAYS: timedelta(days=3),
}

# `p` is the post, `f` its author's profile; the author is the viewer or one of the viewer's friends.
VISIBLE = """
    p.deleted_at IS NULL AND (
        p.author_id = %(viewer)s
        OR p.created_at >= CASE f."window" WHEN 'three_days' THEN %(three_days)s WHEN 'month' THEN %(month)s
                                           WHEN 'half_year' THEN %(half_year)s ELSE '-infinity'::timestamptz END
        AND (p.audience = 'friends'
            OR p.audience = 'some' AND EXISTS (
                SELECT FROM moments_postperson a WHERE a.post_id = p.id AND a.person_id = %(viewer)s)
            OR p.audience = 'except' AND NOT EXISTS (
                SELECT FROM moments_postperson a WHERE a.post_id = p.id AND a.person_id = %(viewer)s))
    )
"""


def circle_of(person_id: UUID) -> list[UUID]:
    """The person and their friends: those whose posts and words they may see."""
    return [person_id, *accounts.friend_ids(person_id)]


def visible_params(viewer_id: UUID, at: datetime) -> dict[str, Any]:
    """What VISIBLE asks for, as of a moment."""
    return {"viewer": viewer_id} | {str(name): at - width for name, width in WINDOWS.items()}


def visible_ids(post_ids: list[UUID], viewer_id: UUID, circle: list[UUID], at: datetime) -> list[UUID]:
    """Those of the posts that the viewer may see."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.id FROM moments_post p JOIN moments_profile f ON f.person_id = p.author_id"  # noqa: S608
            f" WHERE p.id = ANY(%(posts)s) AND p.author_id = ANY(%(circle)s) AND {VISIBLE}",
            {"posts": post_ids, "circle": circle, **visible_params(viewer_id, at)},
        )
        return [row[0] for row in cursor.fetchall()]


def post_for(viewer_id: UUID, post_id: UUID, at: datetime) -> tuple[Post, list[UUID]]:
    """A post that the viewer may see, and the viewer's circle. Raises NotFound, whether hidden or unheard of."""
    circle = circle_of(viewer_id)
    if not visible_ids([post_id], viewer_id, circle, at):
        raise NotFound
    return Post.objects.get(pk=post_id), circle


def own_post(person_id: UUID, post_id: UUID) -> Post:
    """A post of the person's own that is still there, locked. Raises NotFound."""
    post = Post.objects.select_for_update().filter(pk=post_id, author_id=person_id, deleted_at=None).first()
    if post is None:
        raise NotFound
    return post


def audible(circle: list[UUID]) -> Q:
    """Which comments under a visible post somebody with this circle may read."""
    return Q(deleted_at=None, author_id__in=circle) & (Q(reply_to=None) | Q(reply_to__author_id__in=circle))


def comment_for(viewer_id: UUID, comment_id: UUID, at: datetime) -> Comment:
    """A comment that the viewer may read. Raises NotFound."""
    comment = Comment.objects.filter(pk=comment_id, deleted_at=None).first()
    if comment is None:
        raise NotFound
    _, circle = post_for(viewer_id, comment.post_id, at)
    if not Comment.objects.filter(audible(circle), pk=comment_id).exists():
        raise NotFound
    return comment


def picture_for(viewer_id: UUID, picture_id: UUID, size: pictures.Size, at: datetime) -> bytes:
    """A picture's bytes (WebP) for who may see its post, or for its owner while it has none. Raises NotFound."""
    shown = PostPicture.objects.filter(picture_id=picture_id).first()
    if shown is None:
        raise NotFound
    if shown.post_id is None:
        if shown.owner_id != viewer_id:
            raise NotFound
    else:
        post_for(viewer_id, shown.post_id, at)
    return pictures.read(Picture.objects.get(pk=picture_id), size)
