"""What the contacts page shows: friends in the order of a Chinese address book, requests, relations."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from django.db.models import Q
from pypinyin import Style, lazy_pinyin

from accounts.models import Advising, FriendRequest, Friendship, Person
from accounts.queries import PersonCard, person_cards

MAX_OFFICIALS = 50
OTHER = "#"

# Family names that read otherwise than the common word.
_SURNAMES = {
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "曾": "zeng",
    "查": "zha",
    "任": "ren",
    "华": "hua",
    "盖": "ge",
    "朴": "piao",
    "尉迟": "yuchi",
    "万俟": "moqi",
    "长孙": "zhangsun",
    "沈": "shen",
    "翟": "zhai",
    "乐": "yue",
    "缪": "miao",
    "覃": "qin",
    "谌": "chen",
    "洗": "xian",
    "召": "shao",
    "黑": "he",
    "折": "she",
    "繁": "po",
    "晟": "cheng",
}

Relation = Literal["self", "friend", "asking", "asked", "advisor", "customer", "staff", "official", "none"]


@lru_cache(maxsize=20_000)
def pinyin_of(name: str) -> str:
    """The name as it is read, for sorting: `许知远` → `xu zhi yuan`. The first character is taken as a family name."""
    head = next((surname for surname in sorted(_SURNAMES, key=len, reverse=True) if name.startswith(surname)), "")
    parts = lazy_pinyin(name[len(head) :], style=Style.NORMAL)
    return " ".join([_SURNAMES[head], *parts] if head else parts).casefold()


def index_of(name: str) -> str:
    """The letter under which the name stands, or `#`."""
    first = pinyin_of(name)[:1].upper()
    return first if first.isascii() and first.isalpha() else OTHER


@dataclass(frozen=True)
class Contact:
    """A friend in the address book."""

    person: PersonCard
    index: str


@dataclass(frozen=True)
class Request:
    """A friend request as one of its two people sees it."""

    id: UUID
    direction: Literal["in", "out"]
    person: PersonCard
    message: str
    state: str
    at: datetime


def _order(name: str) -> tuple[bool, str, str]:
    return index_of(name) == OTHER, pinyin_of(name), name


def contacts_page(person_id: UUID, *, offset: int, limit: int) -> tuple[list[Contact], int | None]:
    """A stretch of the address book, and the offset of the next one or None. Four statements."""
    rows = Friendship.objects.filter(person=person_id, friend__is_active=True).values_list(
        "friend_id", "remark", "friend__display_name"
    )
    book = sorted(
        ((remark or name, friend) for friend, remark, name in rows), key=lambda row: (*_order(row[0]), row[1])
    )
    cut = book[offset : offset + limit]
    cards = person_cards((friend for _, friend in cut), viewer_id=person_id)
    items = [Contact(cards[friend], index_of(shown)) for shown, friend in cut if friend in cards]
    return items, offset + limit if len(book) > offset + limit else None


def officials(viewer_id: UUID) -> list[PersonCard]:
    """The service accounts, oldest first. At most MAX_OFFICIALS."""
    ids = list(
        Person.objects.filter(kind=Person.Kind.OFFICIAL, is_active=True)
        .order_by("created_at", "id")
        .values_list("pk", flat=True)[:MAX_OFFICIALS]
    )
    cards = person_cards(ids, viewer_id=viewer_id)
    return [cards[official] for official in ids]


def requests_waiting(person_id: UUID) -> int:
    """How many people wait for this person's answer."""
    return FriendRequest.objects.filter(receiver=person_id, state=FriendRequest.State.PENDING).count()


def requests_page(person_id: UUID, *, before: UUID | None, limit: int) -> list[Request]:
    """Requests that the person received or sent, newest first; one more than `limit` where there are more."""
    rows = FriendRequest.objects.filter(Q(receiver=person_id) | Q(sender=person_id)).order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    other = {row.pk: row.sender_id if row.receiver_id == person_id else row.receiver_id for row in found}
    cards = person_cards(other.values(), viewer_id=person_id)
    return [
        Request(
            id=row.pk,
            direction="in" if row.receiver_id == person_id else "out",
            person=cards[other[row.pk]],
            message=row.message,
            # Who declined is not told to who asked.
            state="pending" if row.state == "declined" and row.sender_id == person_id else row.state,
            at=row.created_at,
        )
        for row in found
    ]


def relation(viewer_id: UUID, other: Person) -> tuple[Relation, UUID | None]:
    """What the other is to the viewer, and the friend request that waits between them, if any."""
    if other.pk == viewer_id:
        return "self", None
    if other.kind == Person.Kind.OFFICIAL:
        return "official", None
    advising = Advising.objects.filter(until__isnull=True)
    if advising.filter(customer=viewer_id, advisor=other).exists():
        return "advisor", None
    if advising.filter(customer=other, advisor=viewer_id).exists():
        return "customer", None
    if Friendship.objects.filter(person=viewer_id, friend=other).exists():
        return "friend", None
    if other.kind == Person.Kind.STAFF:
        return "staff", None
    pending = FriendRequest.objects.filter(state=FriendRequest.State.PENDING)
    incoming = pending.filter(sender=other, receiver=viewer_id).values_list("pk", flat=True).first()
    if incoming is not None:
        return "asking", incoming
    outgoing = pending.filter(sender=viewer_id, receiver=other).values_list("pk", flat=True).first()
    return ("asked", outgoing) if outgoing is not None else ("none", None)
