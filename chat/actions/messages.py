"""Writing into conversations, one message at a time, and changing what was written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID

from django.db import transaction

from chat import access, cards, log, notices, queries, screens, wire
from chat.delivery import relay
from chat.delivery.hub import Parcel
from chat.errors import CardRefused, NotRecallable, RecallTooLate, barred_by
from chat.models import Card, Conversation, Message
from chat.wire import MessageEnvelope, MessageKind, Notice
from kernel import audit, pictures
from kernel.clock import now
from kernel.errors import NotFound
from kernel.ids import new_id

RECALL_WITHIN = timedelta(minutes=2)


def _push(messages: Collection[MessageEnvelope]) -> None:
    """After commit, to those who may see them."""
    readers = log.readers_of(messages)
    relay.publish_on_commit(
        [Parcel(readers[message.id], wire.encode(wire.Pushed(message=message))) for message in messages]
    )


def _write(draft: log.Draft, *, trusted: bool) -> MessageEnvelope:
    """Appends one message and pushes it after commit; the same client id again gives the same message."""
    with transaction.atomic():
        done = log.append([draft], trusted=trusted)[0]
        if done.r == "barred":
            raise barred_by(done.why)
        if done.r == "refused" or done.id is None:
            raise NotFound
        message = log.envelopes([done.id])[done.id]
        if done.r == "new":
            _push([message])
    return message


def _draft(conversation_id: UUID, sender_id: UUID | None, client_id: UUID, kind: MessageKind) -> log.Draft:
    return log.Draft(o=0, id=new_id(), c=conversation_id, s=sender_id, k=client_id, kind=kind)


def send_text(*, conversation_id: UUID, sender_id: UUID, client_id: UUID, text: str) -> MessageEnvelope:
    """Says something. Raises NotFound for somebody outside, what bars a member from writing (chat.errors.BARRED),
    EmptyMessage, MessageTooLong, MarksRefused, and what a screen refuses."""
    draft = _draft(conversation_id, sender_id, client_id, "text")
    draft.body = screens.checked_text(text)
    draft.w = screens.judge(sender_id, conversation_id, text, bank_identity=queries.is_bank_identity(sender_id))
    return _write(draft, trusted=False)


def send_picture(*, conversation_id: UUID, sender_id: UUID, client_id: UUID, upload: IO[bytes]) -> MessageEnvelope:
    """Shows a picture. Raises NotFound for somebody outside, what bars a member from writing, PictureRefused."""
    member = access.member_for(sender_id, conversation_id)
    earlier = Message.objects.filter(conversation=conversation_id, client_id=client_id, sender=sender_id).first()
    if earlier is not None:
        return log.envelopes([earlier.pk])[earlier.pk]
    if member.barred:
        raise barred_by(member.barred)
    draft = _draft(conversation_id, sender_id, client_id, "picture")
    draft.p = pictures.store(upload, owner_id=sender_id).pk
    return _write(draft, trusted=False)


def send_notice(
    *,
    conversation_id: UUID,
    sender_id: UUID | None = None,
    client_id: UUID,
    text: str = "",
    notice: Notice | None = None,
    at: datetime | None = None,
) -> MessageEnvelope:
    """Writes a line of the house: a notice with a code (chat.notices), or a sentence. Raises NotFound."""
    draft = _draft(conversation_id, sender_id, client_id, "notice")
    draft.at = at
    draft.n = notice
    draft.body = text or (notices.text_of(notice) if notice else "")
    return _write(draft, trusted=True)


def _shared_card(kind: str, ref: UUID, state: str, payload: Mapping[str, Any], revision: int) -> Card:
    checked = cards.checked(kind, state, payload)
    Card.objects.bulk_create(
        [Card(kind=kind, ref=ref, state=state, payload=checked, revision=revision)], ignore_conflicts=True
    )
    return Card.objects.select_for_update().get(kind=kind, ref=ref)


def send_card(
    *,
    conversation_id: UUID,
    sender_id: UUID,
    client_id: UUID,
    kind: str,
    ref: UUID,
    state: str,
    payload: Mapping[str, Any],
    revision: int = 0,
    at: datetime | None = None,
) -> MessageEnvelope:
    """Shows a card: for apps above, never for a client. All messages with (kind, ref) share its newest state.

    A revision that is older than what is known is sent with what is known. `at` is for a past that is brought along.
    Raises UnknownCard, NotFound.
    """
    with transaction.atomic():
        card = _shared_card(kind, ref, state, payload, revision)
        if revision > card.revision:
            _change(card, state, payload, revision)
        draft = _draft(conversation_id, sender_id, client_id, "card")
        draft.d = card.pk
        draft.at = at
        # It shows what has happened already: whether it may was asked when it did.
        draft.h = True
        return _write(draft, trusted=False)


def forward_card(*, message_id: UUID, conversation_id: UUID, sender_id: UUID, client_id: UUID) -> MessageEnvelope:
    """Shows a card that the sender may see to somebody else, where its kind allows that. It grants nothing.

    Raises NotFound for a message or conversation of others, what bars a member from writing, CardRefused.
    """
    source = access.message_for(sender_id, message_id)
    if source.card is None or source.recalled_at is not None or not cards.client_may_send(source.card.kind):
        raise CardRefused
    draft = _draft(conversation_id, sender_id, client_id, "card")
    draft.d = source.card_id
    return _write(draft, trusted=False)


def _change(card: Card, state: str, payload: Mapping[str, Any], revision: int) -> None:
    card.state, card.payload, card.revision = state, cards.checked(card.kind, state, payload), revision
    card.save(update_fields=["state", "payload", "revision", "updated_at"])
    shown = list(Message.objects.filter(card=card).values_list("pk", flat=True))
    touched = log.touch(shown, "card")
    _push(log.envelopes(item.id for item in touched).values())


def update_card(*, kind: str, ref: UUID, state: str, payload: Mapping[str, Any], revision: int) -> None:
    """Gives a card a new state wherever it is shown. An older or equal revision changes nothing, nor does a card
    that nobody has sent. Raises UnknownCard."""
    with transaction.atomic():
        card = Card.objects.select_for_update().filter(kind=kind, ref=ref).first()
        if card is not None and revision > card.revision:
            _change(card, state, payload, revision)


def recall(*, message_id: UUID, person_id: UUID) -> MessageEnvelope:
    """Takes one's own text or picture back, within two minutes; recalling it again changes nothing.

    Where a bank role takes part the archive keeps what was said. Raises NotFound, NotRecallable, RecallTooLate.
    """
    access.message_for(person_id, message_id)
    with transaction.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.sender_id != person_id or message.kind not in {"text", "picture"}:
            raise NotRecallable
        if message.recalled_at is None:
            moment = now()
            if moment - message.at > RECALL_WITHIN:
                raise RecallTooLate(minutes=int(RECALL_WITHIN.total_seconds() // 60))
            Message.objects.filter(pk=message_id).update(recalled_at=moment, text="", picture=None, warning="")
            log.touch([message_id], "recalled")
            audit.record(person_id, "chat.recall", f"message:{message_id}")
        envelope = log.envelopes([message_id])[message_id]
        if message.recalled_at is None:
            _push([envelope])
    return envelope


def mark_read(*, conversation_id: UUID, person_id: UUID, seq: int) -> log.Marked:
    """Notes that the person has seen everything up to `seq`, and tells their other devices. Raises NotFound."""
    with transaction.atomic():
        marked = log.mark_read(conversation_id, person_id, seq)
        if marked is None:
            raise NotFound
        frame = wire.ReadMark(conversation_id=conversation_id, seq=marked.seq, unread=marked.unread)
        relay.publish_on_commit([Parcel((person_id,), wire.encode(frame))])
    return marked


@dataclass(frozen=True)
class PastCard:
    """A card of a past that is brought along."""

    kind: str
    ref: UUID
    state: str
    payload: Mapping[str, Any]
    revision: int = 0


@dataclass(frozen=True)
class Line:
    """One message of a past that is brought along: an import, the demo's world."""

    sender_id: UUID
    at: datetime
    text: str = ""
    picture_id: UUID | None = None
    client_id: UUID | None = None
    card: PastCard | None = None


def _past_card(card: PastCard) -> Card:
    return _shared_card(card.kind, card.ref, card.state, card.payload, card.revision)


def append_past(*, conversation_id: UUID, lines: Sequence[Line]) -> int:
    """Writes messages with the times that they had, in one statement; answers how many were new.

    Lines with a client id are written once however often this runs. Nothing is pushed. Raises NotFound where a
    sender is not a member, UnknownCard.
    """
    with transaction.atomic():
        drafts = [
            log.Draft(
                o=index,
                id=new_id(),
                c=conversation_id,
                s=line.sender_id,
                k=line.client_id or new_id(),
                kind="card" if line.card else "picture" if line.picture_id else "text",
                body=line.text,
                p=line.picture_id,
                d=_past_card(line.card).pk if line.card else None,
                at=line.at,
                h=True,
            )
            for index, line in enumerate(lines)
        ]
        done = log.append(drafts, trusted=False)
        if any(item.r == "refused" for item in done):
            raise NotFound
        if lines:
            Conversation.objects.filter(pk=conversation_id).update(active_at=max(line.at for line in lines))
    return sum(item.r == "new" for item in done)
