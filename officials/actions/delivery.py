"""What a service account says to one person."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chat import actions as chat
from chat.actions import Line, PastCard
from chat.wire import MessageEnvelope
from officials.actions.making import official_of
from officials.models import Follow, Official

_SPACE = UUID("4b6b3c0e-3a55-5c34-9d52-6f66696369a1")
"""Under which a delivery's key becomes the message's client id, so that a repeat is the same message."""


def conversation_with(*, code: str, person_id: UUID) -> UUID:
    """The conversation of a person with a service account, opened at first use."""
    return _conversation(official_of(code), person_id)


def _conversation(official: Official, person_id: UUID, at: datetime | None = None) -> UUID:
    return chat.open_conversation(
        kind="official",
        member_ids=[official.person_id, person_id],
        key=f"official:{official.code}:{person_id}",
        at=at,
    )


def client_id(official: Official, person_id: UUID, key: str) -> UUID:
    """The message id that a delivery's key stands for."""
    return uuid.uuid5(_SPACE, f"{official.code}:{person_id}:{key}")


def deliver_card(
    *,
    code: str,
    person_id: UUID,
    kind: str,
    ref: UUID,
    state: str,
    payload: Mapping[str, Any],
    key: str,
    revision: int = 0,
) -> MessageEnvelope:
    """Puts a card into the person's conversation with the service account; once for a `key`, however often called."""
    official = official_of(code)
    return chat.send_card(
        conversation_id=_conversation(official, person_id),
        sender_id=official.person_id,
        client_id=client_id(official, person_id, key),
        kind=kind,
        ref=ref,
        state=state,
        payload=dict(payload),
        revision=revision,
    )


def deliver_text(*, code: str, person_id: UUID, text: str, key: str) -> MessageEnvelope:
    """Says something in the person's conversation with the service account; once for a `key`."""
    official = official_of(code)
    return chat.send_text(
        conversation_id=_conversation(official, person_id),
        sender_id=official.person_id,
        client_id=client_id(official, person_id, key),
        text=text,
    )


def answer_text(*, official_person_id: UUID, person_id: UUID, text: str, key: str) -> None:
    """Answers what a person wrote to a service account: by its keyword, else with its automatic reply, if any.

    Once for a `key`. Somebody who is no service account here answers for themselves.
    """
    official = Official.objects.filter(person_id=official_person_id).first()
    if official is None:
        return
    word = text.strip().lower()[:20]
    keyword = official.keywords.filter(word=word).first()
    reply = keyword.reply if keyword is not None else official.auto_reply
    if reply:
        deliver_text(code=official.code, person_id=person_id, text=reply, key=key)


@dataclass(frozen=True)
class Past:
    """Something that a service account said before it came here. The key makes it once."""

    key: str
    at: datetime
    text: str = ""
    card: PastCard | None = None


def bring_past(*, code: str, person_id: UUID, said: Sequence[Past]) -> None:
    """Puts what was said earlier into the person's conversation with the service account, with its own times."""
    official = official_of(code)
    lines = [
        Line(
            sender_id=official.person_id,
            at=one.at,
            text=one.text,
            card=one.card,
            client_id=client_id(official, person_id, one.key),
        )
        for one in said
    ]
    began = min((line.at for line in lines), default=None)
    chat.append_past(conversation_id=_conversation(official, person_id, began), lines=lines)


def greet(official: Official, follow: Follow) -> UUID:
    """Opens the conversation with a new follower, with the greeting if there is one."""
    conversation_id = _conversation(official, follow.person_id)
    if official.greeting:
        deliver_text(
            code=official.code, person_id=follow.person_id, text=official.greeting, key=f"greeting:{follow.pk}"
        )
    return conversation_id
