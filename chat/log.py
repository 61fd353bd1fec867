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
from chat.models import Member, Message
from chat.wire import CardView, MessageEnvelope, MessageKind, Notice, PictureRef

Outcome = Literal["new", "again", "twin", "busy", "refused", "barred"]


class Draft(msgspec.Struct):
    """One item of chat_append; the short names are those of the SQL function. `h`: the house shows it, so that a
    sender who is barred from writing does not stop it."""

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


_COLUMNS = (
    *("id", "conversation_id", "seq", "version", "client_id", "sender_id", "kind", "text", "notice", "warning"),
    *("at", "recalled_at", "picture_id", "picture__width", "picture__height"),
    *("card__kind", "card__ref", "card__state", "card__payload", "card__revision"),
)


def _card(kind: str, ref: UUID, state: str, payload: dict[str, Any], revision: int) -> CardView:
    lines = {language: cards.summary(kind, state, payload, language) for language in ("zh", "en")}
    return CardView(kind, ref, state, payload, revision, lines)


def _envelope(row: tuple[Any, ...]) -> MessageEnvelope:
    (id_, conversation_id, seq, version, client_id, sender_id, kind, text, notice, warning) = row[:10]
    (at, recalled_at, picture_id, width, height, card_kind, ref, state, payload, revision) = row[10:]
    return MessageEnvelope(
        id=id_,
        conversation_id=conversation_id,
        seq=seq,
        version=version,
        client_id=client_id,
        sender_id=sender_id,
        kind=kind,
        text=text,
        picture=None if picture_id is None else PictureRef(picture_id, width, height),
        card=None if card_kind is None else _card(card_kind, ref, state, payload, revision),
        notice=None if notice is None else Notice(notice["code"], notice["params"]),
        warning=warning or None,
        at=at,
        recalled=recalled_at is not None,
    )


def envelopes(ids: Iterable[UUID]) -> dict[UUID, MessageEnvelope]:
    """The messages with these ids. One statement; who may see them was decided by the caller."""
    wanted = list(ids)
    if not wanted:
        return {}
    return {row[0]: _envelope(row) for row in Message.objects.filter(pk__in=wanted).values_list(*_COLUMNS)}


def members_of(conversation_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Who is in each conversation. One statement."""
    found: dict[UUID, list[UUID]] = {}
    rows = Member.objects.filter(conversation__in=list(conversation_ids)).values_list("conversation_id", "person_id")
    for conversation_id, person_id in rows:
        found.setdefault(conversation_id, []).append(person_id)
    return found
