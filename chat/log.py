"""The log's own reads and writes: rows to envelopes, and the calls of the database functions that give numbers.

What is here knows nothing of who may do what; actions and queries ask it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from django.db import connection

from chat import cards
from chat.models import Member
from chat.wire import CardView, MessageEnvelope, MessageKind, Notice, PictureRef

Outcome = Literal["new", "again", "twin", "busy", "refused", "barred", "ended"]


class Draft(msgspec.Struct):
    """One item of chat_append; the short names are those of the SQL function. `h`: the house shows it, so that a
    sender who is barred from writing does not stop it. `e`: the session of the socket that it came by."""

    o: int
    id: UUID
    c: UUID
    s: UUID | None
    k: UUID
    kind: MessageKind
    body: str = ""
    n: Notice | None = None
    w: str = ""
    p: UUID | None = None
    d: int | None = None
    at: datetime | None = None
    h: bool = False
    e: UUID | None = None


class Written(msgspec.Struct):
    """What chat_append answers for an item; `mv` is the version of the conversation's members, `why` what bars."""

    o: int
    r: Outcome
    id: UUID | None = None
    seq: int | None = None
    version: int | None = None
    at: datetime | None = None
    mv: int | None = None
    why: str = ""


class Touched(msgspec.Struct):
    """What chat_touch answers for a message."""

    id: UUID
    c: UUID
    version: int
    mv: int


class Marked(msgspec.Struct):
    """What chat_mark_read answers for a member."""

    o: int
    seq: int
    unread: int


written_decoder = msgspec.json.Decoder(list[Written])
marked_decoder = msgspec.json.Decoder(list[Marked])
encoder = msgspec.json.Encoder()
_touched = msgspec.json.Decoder(list[Touched])

APPEND_SQL = "SELECT chat_append(%s::jsonb, %s, %s)::text"
MARK_SQL = "SELECT chat_mark_read(%s::jsonb)::text"


def _call(statement: str, params: Sequence[Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return str(cursor.fetchone()[0])


def append(drafts: Sequence[Draft], *, trusted: bool) -> list[Written]:
    """Appends messages in the current transaction, waiting for the conversations; outcomes in order.

    `trusted`: the caller answers for the senders. An item with the client id of another in the batch is "twin".
    """
    return written_decoder.decode(_call(APPEND_SQL, [encoder.encode(list(drafts)).decode(), True, trusted]))


def touch(message_ids: Sequence[UUID], event: Literal["recalled", "card"]) -> list[Touched]:
    """Gives changed messages their new versions, in the current transaction; notes the change in the archive."""
    if not message_ids:
        return []
    return _touched.decode(_call("SELECT chat_touch(%s::uuid[], %s)::text", [list(message_ids), event]))


def mark_read(conversation_id: UUID, person_id: UUID, seq: int) -> Marked | None:
    """Moves a read mark on, never back; None for somebody who is not a member."""
    item = {"o": 0, "c": conversation_id, "s": person_id, "seq": seq}
    answer = marked_decoder.decode(_call(MARK_SQL, [encoder.encode([item]).decode()]))
    return answer[0] if answer else None


# A message as PostgreSQL writes it in JSON: one text that msgspec reads at once, instead of a row of Python objects
# that the ORM makes one by one. `l` is the message.
ENVELOPE = """json_build_object('id', l.id, 'conversation_id', l.conversation_id, 'seq', l.seq, 'version', l.version,
    'client_id', l.client_id, 'sender_id', l.sender_id, 'kind', l.kind, 'text', l.text, 'notice', l.notice,
    'warning', nullif(l.warning, ''), 'at', l.at, 'recalled', l.recalled_at IS NOT NULL,
    'picture', (SELECT json_build_object('id', p.id, 'width', p.width, 'height', p.height)
                FROM kernel_picture p WHERE p.id = l.picture_id),
    'card', (SELECT json_build_object('kind', d.kind, 'ref', d.ref, 'state', d.state, 'payload', d.payload,
                                      'revision', d.revision)
             FROM chat_card d WHERE d.id = l.card_id))"""
_BY_ID = f"SELECT coalesce(json_agg({ENVELOPE}), '[]')::text FROM chat_message l WHERE l.id = ANY(%s::uuid[])"  # noqa: S608 - our own constant


class StoredCard(msgspec.Struct):
    """A card as its row has it; its lines for lists are made here."""

    kind: str
    ref: UUID
    state: str
    payload: dict[str, Any]
    revision: int


class Stored(msgspec.Struct):
    """A message as ENVELOPE writes it."""

    id: UUID
    conversation_id: UUID
    seq: int
    version: int
    client_id: UUID
    sender_id: UUID | None
    kind: MessageKind
    text: str
    notice: Notice | None
    warning: str | None
    at: datetime
    recalled: bool
    picture: PictureRef | None
    card: StoredCard | None

    def envelope(self) -> MessageEnvelope:
        """The message as clients see it."""
        return MessageEnvelope(
            id=self.id,
            conversation_id=self.conversation_id,
            seq=self.seq,
            version=self.version,
            client_id=self.client_id,
            sender_id=self.sender_id,
            kind=self.kind,
            text=self.text,
            picture=self.picture,
            card=None if self.card is None else _card(self.card),
            notice=self.notice,
            warning=self.warning,
            at=self.at,
            recalled=self.recalled,
        )


stored_decoder = msgspec.json.Decoder(list[Stored])


def _card(card: StoredCard) -> CardView:
    lines = {language: cards.summary(card.kind, card.state, card.payload, language) for language in ("zh", "en")}
    return CardView(card.kind, card.ref, card.state, card.payload, card.revision, lines)


def read(statement: str, params: Sequence[Any]) -> list[MessageEnvelope]:
    """The messages of a statement that answers one JSON list of ENVELOPE."""
    return [stored.envelope() for stored in stored_decoder.decode(_call(statement, params))]


def envelopes(ids: Iterable[UUID]) -> dict[UUID, MessageEnvelope]:
    """The messages with these ids. One statement; who may see them was decided by the caller."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {message.id: message for message in read(_BY_ID, [wanted])}


def readers_of(messages: Iterable[MessageEnvelope]) -> dict[UUID, list[UUID]]:
    """Who may see each message, by its id: the members, without those from whom what was before them is kept. One
    statement."""
    wanted = list(messages)
    members: dict[UUID, list[tuple[UUID, int]]] = {}
    rows = Member.objects.filter(conversation__in={message.conversation_id for message in wanted})
    for conversation_id, person_id, joined in rows.values_list("conversation_id", "person_id", "joined_at_seq"):
        members.setdefault(conversation_id, []).append((person_id, joined))
    return {
        message.id: [person for person, joined in members.get(message.conversation_id, ()) if joined < message.seq]
        for message in wanted
    }


def members_of(conversation_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Who is in each conversation. One statement."""
    found: dict[UUID, list[UUID]] = {}
    rows = Member.objects.filter(conversation__in=list(conversation_ids)).values_list("conversation_id", "person_id")
    for conversation_id, person_id in rows:
        found.setdefault(conversation_id, []).append(person_id)
    return found
