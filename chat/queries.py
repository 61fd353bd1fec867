"""Every shared read of chat. Each takes a fixed number of statements, whatever the length of a conversation."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from accounts import queries as people
from accounts.queries import PersonCard
from chat import access, log
from chat.models import Conversation, Member, members_key
from chat.ports import BANK_PEOPLE, RING_TOPIC, RingRefused
from chat.wire import MessageEnvelope
from kernel import jobs
from kernel.errors import NotFound
from kernel.statements import Question

PEERS_SHOWN = 9
MAX_LISTED = 1_000
RESET_AFTER = 500
"""Changes behind which a client gets the newest page instead of every change."""
NEWEST_PAGE = 50
MAX_TOLD = 2_000
"""Messages among the changes of one answer; a conversation for which none is left comes with its newest alone."""


class ConversationItem(msgspec.Struct):
    """A conversation as its member's list shows it."""

    id: UUID
    kind: str
    title: str
    seq: int
    version: int
    archived: bool
    notice_version: str
    active_at: datetime
    barred: str
    read_seq: int
    muted: bool
    pinned: bool
    hidden: bool
    unread: int
    member_count: int
    peer_ids: list[UUID]
    last: MessageEnvelope | None


class Change(msgspec.Struct):
    """What changed in a conversation after the version that the client has, up to `upto`.

    `reset`: instead of that, its newest page; and with `more`, its newest message alone.
    """

    conversation_id: UUID
    reset: bool
    upto: int
    more: bool
    messages: list[MessageEnvelope]


class Mark(msgspec.Struct):
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
    next: ConversationItem | None = None


class _Listed(msgspec.Struct):
    """A row of the list, as PostgreSQL writes it in JSON."""

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
    last: log.Stored | None

    def item(self) -> ConversationItem:
        """The conversation as its member's list shows it."""
        return ConversationItem(
            id=self.id,
            kind=self.kind,
            title=self.title,
            seq=self.seq,
            version=self.version,
            archived=self.archived,
            notice_version=self.notice_version,
            active_at=self.active_at,
            barred=self.barred,
            read_seq=self.read_seq,
            muted=self.muted,
            pinned=self.pinned,
            hidden=self.hidden,
            unread=self.unread,
            member_count=self.member_count,
            peer_ids=self.peer_ids,
            last=None if self.last is None else self.last.envelope(),
        )


_listed = msgspec.json.Decoder(list[_Listed])

# The list is one JSON text: 500 conversations with their newest messages are one row to fetch and one to decode. Where
# a client has the conversation in this version (`have`), its newest message is left out.
_LIST = f"""
SELECT coalesce(json_agg(t), '[]')::text FROM (
SELECT c.id, c.kind, c.title, c.seq, c.version, c.archived, c.notice_version, c.active_at, m.joined_at_seq,
    m.barred, m.read_seq, m.muted, m.pinned, coalesce(m.hidden_at_seq >= c.seq, false) AS hidden,
    u.unread,
    (SELECT count(*) FROM chat_member o WHERE o.conversation_id = c.id) AS member_count,
    ARRAY(SELECT o.person_id FROM chat_member o
          WHERE o.conversation_id = c.id AND o.person_id <> m.person_id ORDER BY o.id LIMIT %(peers)s) AS peer_ids,
    (SELECT {log.ENVELOPE} FROM chat_message l
     WHERE l.conversation_id = c.id AND l.seq > m.joined_at_seq AND (%(have)s::jsonb->>c.id::text) IS DISTINCT FROM
         c.version::text
     ORDER BY l.seq DESC LIMIT 1) AS last
FROM chat_member m JOIN chat_conversation c ON c.id = m.conversation_id
CROSS JOIN LATERAL (
    SELECT count(*) AS unread FROM (
        SELECT 1 FROM chat_message x
        WHERE c.seq > m.read_seq AND x.conversation_id = c.id AND x.seq > m.read_seq AND x.sender_id <> m.person_id
            AND x.kind <> 'notice' AND x.recalled_at IS NULL
        ORDER BY x.seq LIMIT 100) seen) u
WHERE m.person_id = %(person)s
"""  # noqa: S608 - what is put in is another constant
_ORDER = " ORDER BY m.pinned DESC, c.active_at DESC, c.id DESC LIMIT %(limit)s) t"
# What the client does not have comes before what it has, so that asking again with what came ends.
_MISSING_FIRST = (
    " ORDER BY (%(have)s::jsonb->>c.id::text) IS NOT DISTINCT FROM c.version::text,"
    " m.pinned DESC, c.active_at DESC, c.id DESC LIMIT %(limit)s) t"
)
_AFTER = " AND (m.pinned, c.active_at, c.id) < (%(pinned)s, %(active_at)s, %(id)s)"

# For each conversation: what changed after the version that the client has, or the newest page.
_CHANGED = f"""
SELECT coalesce(json_agg({log.ENVELOPE}), '[]')::text
FROM jsonb_to_recordset(%(asked)s::jsonb) AS h(id uuid, version bigint, upto bigint, joined bigint, reset boolean)
JOIN LATERAL (
    (SELECT * FROM chat_message
     WHERE NOT h.reset AND conversation_id = h.id AND version > h.version AND version <= h.upto AND seq > h.joined)
    UNION ALL
    (SELECT * FROM chat_message
     WHERE h.reset AND conversation_id = h.id AND seq > h.joined ORDER BY seq DESC LIMIT %(newest)s)
) l ON true
"""  # noqa: S608 - as above

_PAGE = f"""
SELECT c.version, (SELECT coalesce(json_agg({log.ENVELOPE}), '[]')::text FROM (
    SELECT * FROM chat_message WHERE conversation_id = c.id AND seq > m.joined_at_seq AND seq < %s
    ORDER BY seq DESC LIMIT %s) l)
FROM chat_member m JOIN chat_conversation c ON c.id = m.conversation_id
WHERE m.conversation_id = %s AND m.person_id = %s
"""  # noqa: S608 - as above
_LAST_SEQ = 2**63 - 1


def _listing(statement: str, params: Mapping[str, Any]) -> list[_Listed]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"peers": PEERS_SHOWN, "have": "{}", **params})
        return _listed.decode(cursor.fetchone()[0])


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
    rows = _listing(
        statement, {"person": person_id, "limit": limit + 1, "pinned": pinned, "active_at": active_at, "id": id_}
    )
    items = [row.item() for row in rows]
    return items, _people_of(items, (), person_id)


def conversation(person_id: UUID, conversation_id: UUID) -> tuple[ConversationItem, list[PersonCard]]:
    """One conversation of the person's, and everybody in it (at most 500). Raises NotFound."""
    access.member_for(person_id, conversation_id)
    rows = _listing(_LIST + " AND c.id = %(id)s) t", {"person": person_id, "id": conversation_id})
    members = log.members_of([conversation_id])[conversation_id]
    cards = people.person_cards(members, viewer_id=person_id)
    return rows[0].item(), [cards[member] for member in members if member in cards]


def messages(
    person_id: UUID, conversation_id: UUID, *, before: int | None, limit: int
) -> tuple[list[MessageEnvelope], int, list[PersonCard]]:
    """Messages before a `seq` (None: the newest), newest first, one more than `limit`; the version at which they
    were read, and the people who wrote them. Raises NotFound."""
    bound = _LAST_SEQ if before is None else before
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, [bound, limit + 1, conversation_id, person_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound
    version, text = row
    page = [stored.envelope() for stored in log.stored_decoder.decode(text)]
    return page, version, _people_of((), page, person_id)


def sync(
    person_id: UUID,
    have: Mapping[UUID, int],
    *,
    paged: bool = False,
    after: Cursor | None = None,
    everybody: bool = False,
) -> SyncAnswer:
    """What a client misses that has these conversations in these versions, MAX_LISTED conversations in an answer.

    Changed and new conversations come whole, unchanged ones as marks. What changed comes for as many as MAX_TOLD
    messages go round, the first in the list first; the others come as `reset` with their newest page, or with their
    newest message alone and `more`. `paged`: the whole list, newest first; where the answer has a `next`, go on
    `after` it. Otherwise, as the first clients know it: those first that the client does not have as they are, and
    `more` asks again with what came. `everybody`: the people of unchanged conversations come too, for a name changes
    without a new version of any conversation.
    """
    known = json.dumps({str(id_): version for id_, version in have.items()})
    pinned, active_at, id_ = after or (None, None, None)
    rows = _listing(
        _LIST + (_AFTER if after else "") + (_ORDER if paged else _MISSING_FIRST),
        {"person": person_id, "limit": MAX_LISTED + 1, "have": known}
        | {"pinned": pinned, "active_at": active_at, "id": id_},
    )
    following = rows[MAX_LISTED] if len(rows) > MAX_LISTED else None
    rows = rows[:MAX_LISTED]
    answer = SyncAnswer(more=following is not None and (paged or have.get(following.id) != following.version))
    if paged and answer.more:
        answer.next = rows[-1].item()
    if after is None:
        answer.gone = _gone(person_id, have, rows)
    behind = []
    for row in rows:
        if have.get(row.id) == row.version:
            answer.marks.append(
                Mark(
                    *(row.id, row.version, row.barred, row.read_seq, row.unread),
                    *(row.muted, row.pinned, row.hidden),
                )
            )
            continue
        answer.conversations.append(row.item())
        if row.id in have:
            behind.append(row)
    answer.changes = _changes(behind, have)
    told = [message for change in answer.changes for message in change.messages]
    met = [row.item() for row in rows] if everybody else answer.conversations
    answer.people = _people_of(met, told, person_id)
    return answer


def _gone(person_id: UUID, have: Mapping[UUID, int], rows: Sequence[_Listed]) -> list[UUID]:
    """Of the conversations that a client has, those that are not the person's any more."""
    mine = {row.id for row in rows}
    asked = [id_ for id_ in have if id_ not in mine]
    still = set(
        Member.objects.filter(person=person_id, conversation__in=asked).values_list("conversation_id", flat=True)
    )
    return [id_ for id_ in asked if id_ not in still]


def _changes(behind: Sequence[_Listed], have: Mapping[UUID, int]) -> list[Change]:
    """What changed in each of these; one statement, however many there are."""
    left = MAX_TOLD
    asked = []
    resets, scant = set(), set()
    for row in behind:
        missing = row.version - have[row.id]
        # A client that is ahead of the server has seen another history (a restored database): it starts afresh.
        if not 0 < missing <= min(RESET_AFTER, left):
            resets.add(row.id)
            missing = NEWEST_PAGE
        if missing > left:
            scant.add(row.id)
            continue
        left -= missing
        asked.append(
            {"id": str(row.id), "version": have[row.id], "upto": row.version, "joined": row.joined_at_seq}
            | {"reset": row.id in resets}
        )
    per = {row.id: [row.last.envelope()] for row in behind if row.id in scant and row.last is not None}
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(_CHANGED, {"asked": json.dumps(asked), "newest": NEWEST_PAGE})
            for stored in log.stored_decoder.decode(cursor.fetchone()[0]):
                per.setdefault(stored.conversation_id, []).append(stored.envelope())
    return [
        Change(
            conversation_id=row.id,
            reset=row.id in resets,
            upto=row.version,
            more=row.id in scant,
            messages=sorted(per.get(row.id, ()), key=lambda message: message.version),
        )
        for row in behind
    ]


def is_member(person_id: UUID, conversation_id: UUID) -> bool:
    """Whether the person is in the conversation."""
    return Member.objects.filter(conversation=conversation_id, person=person_id).exists()


def member_ids(conversation_id: UUID) -> list[UUID]:
    """Who is in the conversation."""
    return log.members_of([conversation_id]).get(conversation_id, [])


def conversation_question(kind: str, member_ids: Sequence[UUID]) -> Question[UUID | None]:
    """For the conversation of this kind among exactly these people, if it was opened without a key of its own."""
    statement = "SELECT id FROM chat_conversation WHERE key = %s"
    return Question(statement, [members_key(kind, member_ids)], lambda found: found[0] if found else None)


def conversations_with(person_id: UUID, other_ids: Sequence[UUID], *, kind: str) -> dict[UUID, UUID]:
    """The person's conversations of this kind with each of the others, by the other; one statement."""
    keys = {members_key(kind, [person_id, other]): other for other in other_ids}
    found = Conversation.objects.filter(key__in=list(keys)).values_list("key", "pk")
    return {keys[key]: conversation_id for key, conversation_id in found if key is not None}


def unread_total(person_id: UUID) -> int:
    """How many messages the person has not read, over all conversations that are not muted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(chat_unread(c.id, m.person_id, m.read_seq)), 0) FROM chat_member m "
            "JOIN chat_conversation c ON c.id = m.conversation_id "
            "WHERE m.person_id = %(person)s AND NOT m.muted AND c.seq > m.read_seq",
            {"person": person_id},
        )
        return int(cursor.fetchone()[0])


def refused_rings() -> int:
    """How many rings of closed browsers wait because a push service refused them; after ten minutes none does."""
    return jobs.waiting_after(RING_TOPIC, RingRefused)


def is_bank_identity(person_id: UUID) -> bool:
    """Whether the bank vouches for the person, so that their words need no warning."""
    return people.kind_of(person_id) in BANK_PEOPLE
