"""Every shared read of chat. Each takes a fixed number of statements, whatever the length of a conversation."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts import queries as people
from accounts.queries import PersonCard
from chat import access, log
from chat.models import Conversation, Member, Message, members_key
from chat.ports import BANK_PEOPLE
from chat.wire import MessageEnvelope

PEERS_SHOWN = 9
MAX_LISTED = 1_000
RESET_AFTER = 500
"""Changes behind which a client gets the newest page instead of every change."""
CHANGES_PAGE = 100
NEWEST_PAGE = 50
CATCHING_UP = 60
"""Conversations whose changes one answer carries; the others say `more`."""


@dataclass
class ConversationItem:
    """A conversation as its member's list shows it."""

    id: UUID
    kind: str
    title: str
    seq: int
    version: int
    archived: bool
    notice_version: str
    active_at: datetime
    joined_at_seq: int
    barred: str
    read_seq: int
    muted: bool
    pinned: bool
    hidden: bool
    unread: int
    member_count: int
    peer_ids: list[UUID]
    last_id: UUID | None
    last: MessageEnvelope | None = None


@dataclass
class Change:
    """What changed in a conversation after the version that the client has, up to `upto`."""

    conversation_id: UUID
    reset: bool
    upto: int
    more: bool
    messages: list[MessageEnvelope]


@dataclass
class Mark:
    """A conversation without changes: how far it is read."""

    id: UUID
    version: int
    barred: str
    read_seq: int
    unread: int
    muted: bool
    pinned: bool
    hidden: bool


@dataclass
class SyncAnswer:
    """Everything that brings a client from what it has to the present."""

    conversations: list[ConversationItem] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    people: list[PersonCard] = field(default_factory=list)
    more: bool = False


_LIST = """
SELECT c.id, c.kind, c.title, c.seq, c.version, c.archived, c.notice_version, c.active_at, m.joined_at_seq,
    m.barred, m.read_seq, m.muted, m.pinned, coalesce(m.hidden_at_seq >= c.seq, false) AS hidden,
    CASE WHEN c.seq > m.read_seq THEN chat_unread(c.id, m.person_id, m.read_seq) ELSE 0 END,
    (SELECT count(*) FROM chat_member o WHERE o.conversation_id = c.id),
    ARRAY(SELECT o.person_id FROM chat_member o
          WHERE o.conversation_id = c.id AND o.person_id <> m.person_id ORDER BY o.id LIMIT %(peers)s),
    (SELECT l.id FROM chat_message l
     WHERE l.conversation_id = c.id AND l.seq > m.joined_at_seq ORDER BY l.seq DESC LIMIT 1)
FROM chat_member m JOIN chat_conversation c ON c.id = m.conversation_id
WHERE m.person_id = %(person)s
"""
_ORDER = " ORDER BY m.pinned DESC, c.active_at DESC, c.id DESC LIMIT %(limit)s"
_AFTER = " AND (m.pinned, c.active_at, c.id) < (%(pinned)s, %(active_at)s, %(id)s)"

# For each conversation: the ids after the version that the client has, or those of the newest page.
_CHANGED = """
SELECT h.id, x.id FROM jsonb_to_recordset(%(have)s::jsonb) AS h(id uuid, version bigint, joined bigint, reset boolean)
JOIN LATERAL (
    (SELECT id, version FROM chat_message
     WHERE NOT h.reset AND conversation_id = h.id AND version > h.version ORDER BY version LIMIT %(changes)s)
    UNION ALL
    (SELECT id, version FROM chat_message
     WHERE h.reset AND conversation_id = h.id AND seq > h.joined ORDER BY seq DESC LIMIT %(newest)s)
) x ON true
"""


def _rows(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"peers": PEERS_SHOWN, **params})
        return list(cursor.fetchall())


def _with_last(items: Sequence[ConversationItem]) -> None:
    found = log.envelopes(item.last_id for item in items if item.last_id)
    for item in items:
        item.last = found.get(item.last_id) if item.last_id else None


def _people_of(
    items: Iterable[ConversationItem], messages: Iterable[MessageEnvelope], viewer_id: UUID
) -> list[PersonCard]:
    wanted: set[UUID] = {viewer_id}
    for item in items:
        wanted.update(item.peer_ids)
        if item.last is not None and item.last.sender_id is not None:
            wanted.add(item.last.sender_id)
    wanted.update(message.sender_id for message in messages if message.sender_id is not None)
    return list(people.person_cards(wanted, viewer_id=viewer_id).values())


Cursor = tuple[bool, datetime, UUID]


def conversations(
    person_id: UUID, *, limit: int, after: Cursor | None = None
) -> tuple[list[ConversationItem], list[PersonCard]]:
    """A page of the person's conversations, newest first (one more than `limit`), and the people in them."""
    statement = _LIST + (_AFTER if after else "") + _ORDER
    pinned, active_at, id_ = after or (None, None, None)
    rows = _rows(
        statement, {"person": person_id, "limit": limit + 1, "pinned": pinned, "active_at": active_at, "id": id_}
    )
    items = [ConversationItem(*row) for row in rows]
    _with_last(items)
    return items, _people_of(items, (), person_id)


def conversation(person_id: UUID, conversation_id: UUID) -> tuple[ConversationItem, list[PersonCard]]:
    """One conversation of the person's, and everybody in it (at most 500). Raises NotFound."""
    access.member_for(person_id, conversation_id)
    rows = _rows(_LIST + " AND c.id = %(id)s", {"person": person_id, "id": conversation_id})
    item = ConversationItem(*rows[0])
    _with_last([item])
    members = log.members_of([conversation_id])[conversation_id]
    cards = people.person_cards(members, viewer_id=person_id)
    return item, [cards[member] for member in members if member in cards]


def messages(
    person_id: UUID, conversation_id: UUID, *, before: int | None, limit: int
) -> tuple[list[MessageEnvelope], int, list[PersonCard]]:
    """Messages before a `seq` (None: the newest), newest first, one more than `limit`; the version at which they
    were read, and the people who wrote them. Raises NotFound."""
    member = access.member_for(person_id, conversation_id)
    found = Message.objects.filter(conversation=conversation_id, seq__gt=member.joined_at_seq)
    if before is not None:
        found = found.filter(seq__lt=before)
    ids = list(found.order_by("-seq").values_list("pk", flat=True)[: limit + 1])
    by_id = log.envelopes(ids)
    page = [by_id[id_] for id_ in ids]
    # The version was read before the messages: what changed in between comes again, and nothing is missed.
    return page, member.conversation.version, _people_of((), page, person_id)


def sync(person_id: UUID, have: Mapping[UUID, int]) -> SyncAnswer:
    """What a client misses that has these conversations in these versions.

    Changed and new conversations come whole, unchanged ones as marks. A conversation that is more than RESET_AFTER
    changes behind comes as `reset` with its newest page. `more`: ask again with what came.
    """
    rows = _rows(_LIST + _ORDER, {"person": person_id, "limit": MAX_LISTED + 1})
    items = [ConversationItem(*row) for row in rows[:MAX_LISTED]]
    answer = SyncAnswer(more=len(rows) > MAX_LISTED)
    mine = {item.id for item in items}
    asked = [id_ for id_ in have if id_ not in mine]
    still = set(
        Member.objects.filter(person=person_id, conversation__in=asked).values_list("conversation_id", flat=True)
    )
    answer.gone = [id_ for id_ in asked if id_ not in still]
    behind = []
    for item in items:
        if have.get(item.id) == item.version:
            answer.marks.append(
                Mark(
                    *(item.id, item.version, item.barred, item.read_seq, item.unread),
                    *(item.muted, item.pinned, item.hidden),
                )
            )
            continue
        answer.conversations.append(item)
        if item.id in have:
            behind.append(item)
    _with_last(answer.conversations)
    _add_changes(answer, behind, have)
    told = [message for change in answer.changes for message in change.messages]
    answer.people = _people_of(answer.conversations, told, person_id)
    return answer


def _add_changes(answer: SyncAnswer, behind: Sequence[ConversationItem], have: Mapping[UUID, int]) -> None:
    served = behind[:CATCHING_UP]
    # A client that is ahead of the server has seen another history (a restored database): it starts afresh.
    resets = {item.id for item in served if item.version - have[item.id] > RESET_AFTER or have[item.id] > item.version}
    rows = _rows(
        _CHANGED,
        {
            "have": json.dumps(
                [
                    {
                        "id": str(item.id),
                        "version": have[item.id],
                        "joined": item.joined_at_seq,
                        "reset": item.id in resets,
                    }
                    for item in served
                ]
            ),
            "changes": CHANGES_PAGE + 1,
            "newest": NEWEST_PAGE,
        },
    )
    found = log.envelopes(message_id for _, message_id in rows)
    per: dict[UUID, list[MessageEnvelope]] = {}
    for conversation_id, message_id in rows:
        per.setdefault(conversation_id, []).append(found[message_id])
    for item in behind:
        changed = sorted(per.get(item.id, []), key=lambda message: message.version)
        reset = item.id in resets
        more = item not in served or (not reset and len(changed) > CHANGES_PAGE)
        changed = changed if reset else changed[:CHANGES_PAGE]
        upto = item.version if not more else changed[-1].version if changed else have[item.id]
        visible = [message for message in changed if message.seq > item.joined_at_seq]
        answer.changes.append(Change(item.id, reset, upto, more, visible))
        answer.more = answer.more or more


def is_member(person_id: UUID, conversation_id: UUID) -> bool:
    """Whether the person is in the conversation."""
    return Member.objects.filter(conversation=conversation_id, person=person_id).exists()


def member_ids(conversation_id: UUID) -> list[UUID]:
    """Who is in the conversation."""
    return log.members_of([conversation_id]).get(conversation_id, [])


def conversation_of(kind: str, member_ids: Sequence[UUID]) -> UUID | None:
    """The conversation of this kind among exactly these people, if it was opened without a key of its own."""
    return Conversation.objects.filter(key=members_key(kind, member_ids)).values_list("pk", flat=True).first()


def conversations_with(person_id: UUID, other_ids: Sequence[UUID], *, kind: str) -> dict[UUID, UUID]:
    """The person's conversations of this kind with each of the others, by the other; one statement."""
    keys = {members_key(kind, [person_id, other]): other for other in other_ids}
    found = Conversation.objects.filter(key__in=list(keys)).values_list("key", "pk")
    return {keys[key]: conversation_id for key, conversation_id in found if key is not None}


def unread_total(person_id: UUID) -> int:
    """How many messages the person has not read, over all conversations that are not muted."""
    rows = _rows(
        "SELECT coalesce(sum(chat_unread(c.id, m.person_id, m.read_seq)), 0) FROM chat_member m "
        "JOIN chat_conversation c ON c.id = m.conversation_id "
        "WHERE m.person_id = %(person)s AND NOT m.muted AND c.seq > m.read_seq",
        {"person": person_id},
    )
    return int(rows[0][0])


def is_bank_identity(person_id: UUID) -> bool:
    """Whether the bank vouches for the person, so that their words need no warning."""
    return people.kind_of(person_id) in BANK_PEOPLE
