"""What a person can do in moments. Each function is one deed in one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import IO
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Greatest

from accounts import queries as accounts
from chat import push
from kernel import pictures
from kernel.clock import business_now, now
from kernel.errors import KeyReused, NotFound
from kernel.jobs import enqueue
from kernel.models import Picture
from moments import access
from moments.errors import (
    AudienceNotFriends,
    EmptyPost,
    PictureNotReady,
    PostTooOften,
    TooManyLoosePictures,
)
from moments.models import Comment, Like, Post, PostPerson, PostPicture, Profile

MAX_POSTS_A_DAY = 200
MAX_LOOSE_PICTURES = 36
MAX_COMMENTS_A_DAY = 1_000
LOOSE_PICTURE_LIFE = timedelta(days=1)
HINT = "moments"


def profile_of(person_id: UUID) -> Profile:
    """The person's row of settings, made at first use."""
    return Profile.objects.get_or_create(person_id=person_id)[0]


def _told(post: Post) -> list[UUID]:
    """The author's friends whom the post is for, and the author's other devices."""
    friends = set(accounts.friend_ids(post.author_id))
    named = set(post.people.values_list("person_id", flat=True))
    match post.audience:
        case Post.Audience.PRIVATE:
            friends = set()
        case Post.Audience.SOME:
            friends &= named
        case Post.Audience.EXCEPT:
            friends -= named
    return [post.author_id, *friends]


@transaction.atomic
def upload_picture(*, person_id: UUID, upload: IO[bytes]) -> Picture:
    """Keeps a picture for a post to come. Raises PictureRefused, TooManyLoosePictures.

    One that no post takes within LOOSE_PICTURE_LIFE is thrown away.
    """
    # The profile's row is the gate that makes the count below true when several uploads arrive at once.
    profile_of(person_id)
    Profile.objects.select_for_update().get(person_id=person_id)
    if PostPicture.objects.filter(owner_id=person_id, post=None).count() >= MAX_LOOSE_PICTURES:
        raise TooManyLoosePictures(limit=MAX_LOOSE_PICTURES)
    picture = pictures.store(upload, owner_id=person_id)
    at = now()
    PostPicture.objects.create(picture=picture, owner_id=person_id, uploaded_at=at)
    enqueue(
        "moments.forget_picture",
        {"picture_id": str(picture.pk)},
        run_at=business_now() + LOOSE_PICTURE_LIFE,
        key=str(picture.pk),
    )
    return picture


@transaction.atomic
def forget_loose_picture(*, picture_id: UUID) -> None:
    """Throws an uploaded picture away if no post took it."""
    shown = PostPicture.objects.select_for_update().filter(picture_id=picture_id, post=None).first()
    if shown is not None:
        shown.delete()
        pictures.discard(Picture.objects.get(pk=picture_id))


def _same(post: Post, text: str, audience: str, people: Sequence[UUID], picture_ids: Sequence[UUID]) -> bool:
    kept = list(post.pictures.order_by("position").values_list("picture_id", flat=True))
    named = set(post.people.values_list("person_id", flat=True))
    return (post.text, post.audience, named, kept) == (text, audience, set(people), list(picture_ids))


def _claim_pictures(person_id: UUID, post: Post, picture_ids: Sequence[UUID]) -> None:
    loose = PostPicture.objects.select_for_update().filter(owner_id=person_id, post=None, picture_id__in=picture_ids)
    rows = {row.picture_id: row for row in loose.order_by("picture_id")}
    if len(rows) != len(picture_ids):
        raise PictureNotReady
    for position, picture_id in enumerate(picture_ids):
        rows[picture_id].post = post
        rows[picture_id].position = position
    PostPicture.objects.bulk_update(rows.values(), ["post", "position"])


@transaction.atomic
def post(
    *,
    person_id: UUID,
    post_id: UUID,
    text: str,
    audience: str,
    people: Sequence[UUID],
    picture_ids: Sequence[UUID],
    at: datetime | None = None,
) -> tuple[Post, bool]:
    """Posts; the client makes the id, and the same post again is the same post. Answers it and whether it is new.

    `at` is for a past that is brought along. It may not lie in the future.
    Raises EmptyPost, AudienceNotFriends, PictureNotReady, PostTooOften, KeyReused for an id of another post.
    """
    if not text.strip() and not picture_ids:
        raise EmptyPost
    profile_of(person_id)
    # One post of a person at a time: the daily count and a repeat of the same id see the one before.
    Profile.objects.select_for_update().get(person_id=person_id)
    at = min(at or now(), now())
    known = Post.objects.filter(pk=post_id).first()
    if known is not None:
        if known.author_id != person_id or not _same(known, text, audience, people, picture_ids):
            raise KeyReused
        if known.deleted_at is not None:
            raise NotFound
        return known, False
    named = set(people)
    listed = audience in (Post.Audience.SOME, Post.Audience.EXCEPT)
    if bool(named) != listed or not named <= set(accounts.friend_ids(person_id)):
        raise AudienceNotFriends
    if Post.objects.filter(author_id=person_id, created_at__gt=at - timedelta(days=1)).count() >= MAX_POSTS_A_DAY:
        raise PostTooOften(limit=MAX_POSTS_A_DAY)
    made = _insert(post_id, person_id, text, audience, at)
    PostPerson.objects.bulk_create(PostPerson(post=made, person_id=one) for one in sorted(named))
    _claim_pictures(person_id, made, picture_ids)
    Profile.objects.filter(person_id=person_id).update(newest_at=Greatest("newest_at", at))
    push.hint(_told(made), HINT, {"what": "post"})
    return made, True


def _insert(post_id: UUID, person_id: UUID, text: str, audience: str, at: datetime) -> Post:
    made = Post(id=post_id, author_id=person_id, text=text, audience=audience, created_at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO moments_post (id, author_id, text, audience, created_at) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (id) DO NOTHING",
            [made.pk, person_id, text, audience, at],
        )
        if not cursor.rowcount:
            raise KeyReused  # somebody else took the very same id a moment ago
    return made


@transaction.atomic
def delete_post(*, person_id: UUID, post_id: UUID) -> None:
    """Takes a post of one's own away, with its pictures. Raises NotFound."""
    gone = access.own_post(person_id, post_id)
    gone.deleted_at = now()
    gone.save(update_fields=["deleted_at"])
    enqueue("moments.forget_post_pictures", {"post_id": str(post_id)}, key=str(post_id))
    push.hint(_told(gone), HINT, {"what": "gone", "post_id": str(post_id)})


@transaction.atomic
def forget_post_pictures(*, post_id: UUID) -> None:
    """Throws away the pictures of a deleted post."""
    shown = PostPicture.objects.select_for_update().filter(post_id=post_id, post__deleted_at__isnull=False)
    for row in list(shown.select_related("picture")):
        picture = row.picture
        row.delete()
        pictures.discard(picture)


def _hearers(post: Post, speaker_id: UUID) -> list[UUID]:
    """Who may know what the speaker does under the post."""
    if speaker_id == post.author_id:
        return _told(post)
    circle = {speaker_id, *accounts.friend_ids(speaker_id)}
    return [one for one in _told(post) if one in circle]


@transaction.atomic
def like(*, person_id: UUID, post_id: UUID, at: datetime | None = None) -> None:
    """Likes a post (in the past: `at`); liking it twice is liking it once. Raises NotFound."""
    at = min(at or now(), now())
    liked, _ = access.post_for(person_id, post_id, now())
    made = Like.objects.bulk_create([Like(post=liked, person_id=person_id, created_at=at)], ignore_conflicts=True)
    if made:
        push.hint(_hearers(liked, person_id), HINT, {"what": "reaction", "post_id": str(post_id)})


@transaction.atomic
def unlike(*, person_id: UUID, post_id: UUID) -> None:
    """Takes a like back, if there was one. Raises NotFound."""
    liked, _ = access.post_for(person_id, post_id, now())
    removed, _ = Like.objects.filter(post=liked, person_id=person_id).delete()
    if removed:
        push.hint(_hearers(liked, person_id), HINT, {"what": "reaction", "post_id": str(post_id)})


@transaction.atomic
def comment(
    *,
    person_id: UUID,
    post_id: UUID,
    comment_id: UUID,
    text: str,
    reply_to: UUID | None,
    at: datetime | None = None,
) -> tuple[Comment, bool]:
    """Comments on a post, perhaps in reply; the client makes the id. Answers the comment and whether it is new.

    `at` is for a past that is brought along.

    Raises NotFound for a post or a comment that the person may not see, KeyReused, PostTooOften.
    """
    at = min(at or now(), now())
    under, circle = access.post_for(person_id, post_id, now())
    answered = None
    if reply_to is not None:
        answered = Comment.objects.filter(access.audible(circle), pk=reply_to, post=under).first()
        if answered is None:
            raise NotFound
    mine = Comment.objects.filter(author_id=person_id, created_at__gt=at - timedelta(days=1))
    if mine.count() >= MAX_COMMENTS_A_DAY:
        raise PostTooOften(limit=MAX_COMMENTS_A_DAY)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO moments_comment (id, post_id, author_id, reply_to_id, text, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
            [comment_id, under.pk, person_id, reply_to, text, at],
        )
        new = bool(cursor.rowcount)
    kept = Comment.objects.get(pk=comment_id)
    if (kept.author_id, kept.post_id, kept.text, kept.reply_to_id) != (person_id, under.pk, text, reply_to):
        raise KeyReused
    if kept.deleted_at is not None:
        raise NotFound
    if new:
        hearers = _hearers(under, person_id)
        if answered is not None:
            also = {answered.author_id, *accounts.friend_ids(answered.author_id)}
            hearers = [one for one in hearers if one in also]
        push.hint(hearers, HINT, {"what": "reaction", "post_id": str(post_id)})
    return kept, new


@transaction.atomic
def delete_comment(*, person_id: UUID, comment_id: UUID) -> None:
    """Takes away a comment of one's own, or one under one's own post. Raises NotFound."""
    at = now()
    gone = access.comment_for(person_id, comment_id, at)
    if person_id not in (gone.author_id, gone.post.author_id):
        raise NotFound
    if Comment.objects.filter(pk=comment_id, deleted_at=None).update(deleted_at=at):
        push.hint(_hearers(gone.post, gone.author_id), HINT, {"what": "reaction", "post_id": str(gone.post_id)})


@transaction.atomic
def set_window(*, person_id: UUID, window: str) -> Profile:
    """Says how far back friends may look."""
    profile_of(person_id)
    Profile.objects.filter(person_id=person_id).update(window=window)
    push.hint([person_id], HINT, {"what": "settings"})
    return Profile.objects.get(person_id=person_id)


@transaction.atomic
def mark_seen(*, person_id: UUID, upto: datetime) -> None:
    """Notes that the person has seen the feed up to a moment; it never goes back nor beyond the present."""
    profile_of(person_id)
    Profile.objects.filter(person_id=person_id).update(seen_at=Greatest("seen_at", min(upto, now())))
    push.hint([person_id], HINT, {"what": "seen"})
