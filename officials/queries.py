"""Reads of service accounts, each in a fixed number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts import queries as accounts
from accounts.queries import PersonCard
from officials import access, menu
from officials.models import Article, Broadcast, Follow, Official


@dataclass(frozen=True)
class Face:
    """A service account as one person sees it."""

    official: Official
    person: PersonCard
    followed: bool
    followers: int | None = None


def _with_follow(viewer_id: UUID) -> QuerySet[Official]:
    return Official.objects.filter(listed=True).annotate(
        followed=Exists(Follow.objects.filter(official=OuterRef("pk"), person_id=viewer_id))
    )


def _faces(rows: Sequence[Official], viewer_id: UUID) -> list[Face]:
    cards = accounts.person_cards([row.person_id for row in rows], viewer_id=viewer_id)
    return [
        Face(
            row,
            cards[row.person_id],
            row.always_on or bool(getattr(row, "followed", False)),
            getattr(row, "follower_count", None),
        )
        for row in rows
    ]


def listing(viewer_id: UUID, *, words: str, followed: bool, before: str, limit: int) -> list[Face]:
    """Service accounts by code, whose name or description holds `words`, or only those followed."""
    rows = _with_follow(viewer_id).filter(code__gt=before)
    if words:
        rows = rows.filter(Q(person__display_name__icontains=words) | Q(description__icontains=words))
    if followed:
        rows = rows.filter(Q(followed=True) | Q(always_on=True))
    return _faces(list(rows.order_by("code")[: limit + 1]), viewer_id)


def face(viewer_id: UUID, code: str) -> Face:
    """One service account. Raises NotFound."""
    official = access.official(code)
    return _faces(list(_with_follow(viewer_id).filter(pk=official.pk)), viewer_id)[0]


def by_person(viewer_id: UUID, person_id: UUID) -> Face | None:
    """The service account behind this person, or None."""
    found = _faces(list(_with_follow(viewer_id).filter(person_id=person_id)), viewer_id)
    return found[0] if found else None


def is_unlisted(person_id: UUID) -> bool:
    """Whether this person is a face that only lends itself, as the service desk's."""
    return Official.objects.filter(person_id=person_id, listed=False).exists()


def menu_of(official: Official) -> list[menu.Branch]:
    """Its menu."""
    return menu.parse(official.menu)


def articles(code: str, *, before: tuple[datetime, UUID] | None, limit: int, drafts: bool) -> list[Article]:
    """Articles of a service account, the last touched first; published ones alone unless `drafts`. Raises NotFound."""
    official = access.official(code)
    rows = Article.objects.filter(official=official).select_related("official", "cover", "broadcast")
    if not drafts:
        rows = rows.filter(status=Article.Status.PUBLISHED)
    if before is not None:
        at, article_id = before
        rows = rows.filter(Q(updated_at__lt=at) | Q(updated_at=at, id__lt=article_id))
    return list(rows.order_by("-updated_at", "-id")[: limit + 1])


def managed(viewer_id: UUID) -> list[Face]:
    """All service accounts with their number of followers, for operations."""
    rows = Official.objects.filter(listed=True).annotate(follower_count=Count("follows")).order_by("code")
    return _faces(list(rows), viewer_id)


@dataclass(frozen=True)
class Progress:
    """How far a broadcast has come."""

    total: int
    sent: int
    started_at: datetime
    finished_at: datetime | None


def progress(article_id: UUID) -> Progress | None:
    """How far an article's broadcast has come, or None while it has none."""
    sending = (
        Broadcast.objects.filter(article_id=article_id)
        .annotate(due=Count("deliveries", filter=Q(deliveries__sent_at=None)))
        .first()
    )
    if sending is None:
        return None
    return Progress(sending.total, sending.total - sending.due, sending.started_at, sending.finished_at)
