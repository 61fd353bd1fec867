"""Articles: written by operations, sent to everybody who follows, each once."""

from datetime import datetime
from typing import IO, Any
from uuid import UUID

from django.db import connection, transaction

from chat import push
from kernel import audit, pictures
from kernel.clock import business_now, now
from kernel.errors import NotFound
from kernel.jobs import enqueue
from kernel.models import Picture
from officials import access, blocks, cards
from officials.actions.delivery import deliver_card
from officials.actions.profile import HINT, article_payload
from officials.errors import ArticleBroken, ArticleMoved, ArticleSent, NobodyFollows
from officials.models import Article, ArticlePicture, Broadcast, Delivery

BATCH = 50
"""Followers served in one transaction: what a crash in the middle takes back and does again."""
TOPIC = "officials.broadcast"


@transaction.atomic
def upload_picture(*, operator_id: UUID, code: str, upload: IO[bytes]) -> Picture:
    """Keeps a picture for articles of a service account. Raises NotFound, PictureRefused."""
    official = access.official(code)
    picture = pictures.store(upload, owner_id=operator_id)
    ArticlePicture.objects.create(picture=picture, official=official)
    return picture


@transaction.atomic
def save_article(
    *,
    operator_id: UUID,
    code: str,
    article_id: UUID,
    revision: int,
    title: str,
    summary: str,
    cover_id: UUID | None,
    raw_blocks: Any,
) -> Article:
    """Writes a draft: a new one (`revision` 0, the client makes the id), or a change of the one at `revision`.

    Raises NotFound, ArticleBroken, ArticleMoved if somebody else wrote meanwhile, ArticleSent.
    """
    official = access.official(code)
    body = blocks.parse(raw_blocks)
    used = {*blocks.picture_ids(body), *([] if cover_id is None else [cover_id])}
    own = ArticlePicture.objects.select_for_update().filter(official=official, picture_id__in=used)
    own = own.filter(article=None) | own.filter(article_id=article_id)
    if own.count() != len(used):
        raise ArticleBroken(reason="picture", fields={"pictures": "unknown"})
    at = now()
    fresh = {
        "title": title,
        "summary": summary,
        "cover_id": cover_id,
        "blocks": blocks.dump(body),
        "updated_at": at,
        "revision": revision + 1,
    }
    article = Article.objects.select_for_update().filter(pk=article_id).first()
    if article is None:
        if revision:
            raise NotFound
        article = Article(pk=article_id, official=official, author_id=operator_id, created_at=at)
    elif article.official_id != official.pk:
        raise NotFound
    elif article.status != Article.Status.DRAFT:
        raise ArticleSent
    elif article.revision != revision:
        if article.revision == revision + 1 and all(
            getattr(article, name) == fresh[name] for name in ("title", "summary", "cover_id", "blocks")
        ):
            return article  # the same save again, whose answer was lost
        raise ArticleMoved
    for name, value in fresh.items():
        setattr(article, name, value)
    article.save()
    ArticlePicture.objects.filter(article=article).exclude(picture_id__in=used).update(article=None)
    ArticlePicture.objects.filter(picture_id__in=used).update(article=article)
    audit.record(operator_id, "officials.article.saved", f"article:{article_id}", {"revision": article.revision})
    return article


@transaction.atomic
def publish(*, operator_id: UUID, article_id: UUID, at: datetime | None = None) -> Article:
    """Makes an article public without sending it; `at` is for one that came out elsewhere. Raises NotFound."""
    article = access.draft(article_id)
    if article.status == Article.Status.DRAFT:
        moment = min(at or now(), now())
        article.status, article.published_at, article.updated_at = Article.Status.PUBLISHED, moment, moment
        article.save(update_fields=["status", "published_at", "updated_at"])
        audit.record(operator_id, "officials.article.published", f"article:{article_id}")
    return article


@transaction.atomic
def broadcast(*, operator_id: UUID, article_id: UUID) -> Broadcast:
    """Publishes an article and sends it to all who follow now; sending it again answers the same broadcast.

    Raises NotFound, NobodyFollows.
    """
    article = access.draft(article_id)
    known = Broadcast.objects.filter(article=article).first()
    if known is not None:
        return known
    at = now()
    article = publish(operator_id=operator_id, article_id=article_id, at=at)
    made = Broadcast.objects.create(article=article, started_by_id=operator_id, started_at=at, total=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO officials_delivery (broadcast_id, person_id)"
            " SELECT %s, f.person_id FROM officials_follow f WHERE f.official_id = %s ORDER BY f.id",
            [made.pk, article.official_id],
        )
        made.total = cursor.rowcount
    if not made.total:
        raise NobodyFollows
    made.save(update_fields=["total"])
    audit.record(operator_id, "officials.broadcast", f"article:{article_id}", {"followers": made.total})
    enqueue(TOPIC, {"broadcast_id": str(made.pk)})
    return made


@transaction.atomic
def deliver_batch(*, broadcast_id: UUID) -> int:
    """Serves the next followers of a broadcast, and asks for the next batch; answers how many were served.

    A copy and its mark commit together, and the copy's id comes from broadcast and person, so that a crash or a
    second run sends nothing twice.
    """
    sending = Broadcast.objects.select_related("article__official").get(pk=broadcast_id)
    article = sending.article
    due = list(
        Delivery.objects.select_for_update(skip_locked=True)
        .filter(broadcast=sending, sent_at=None)
        .order_by("id")[:BATCH]
    )
    payload = article_payload(article)
    for one in due:
        deliver_card(
            code=article.official.code,
            person_id=one.person_id,
            kind=cards.KIND,
            ref=article.pk,
            state=cards.STATE,
            payload=payload,
            revision=article.revision,
            key=f"broadcast:{broadcast_id}",
        )
    at = now()
    Delivery.objects.filter(pk__in=[one.pk for one in due]).update(sent_at=at)
    if Delivery.objects.filter(broadcast=sending, sent_at=None).exists():
        # A moment later, so that other work of the worker comes in between.
        enqueue(TOPIC, {"broadcast_id": str(broadcast_id)}, run_at=business_now())
    elif sending.finished_at is None:
        sending.finished_at = at
        sending.save(update_fields=["finished_at"])
    push.hint([sending.started_by_id], HINT, {"article_id": str(article.pk)})
    return len(due)
