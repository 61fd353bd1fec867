"""Ringing closed browsers: who wants it, when, and what is said. Nothing is lost with a ring: the log has it all."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from accounts import queries as people
from chat import log, ports, queries, webpush
from chat.errors import PushNotConnected, PushRefused, TooManyBrowsers
from chat.models import Conversation, Member, Message, PushSettings, PushSubscription, RungUpTo
from chat.ports import RING_TOPIC, PushTarget, RingRefused
from chat.wire import MessageEnvelope
from kernel import jobs
from kernel.clock import now
from kernel.secrets import blind_index

RING_AFTER = timedelta(seconds=2)
"""What was read on an open device by then does not ring on a closed one."""
OVERLAP = timedelta(seconds=5)
"""Messages are stamped before they commit: the moments before the last look are looked at again."""
LOOK_BACK = timedelta(minutes=10)
RING_LIFE = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(minutes=10)
MAX_BROWSERS = 20
MAX_BODY = 80
_LONG_NUMBER = re.compile(r"[0-9０-９](?:[ -]?[0-9０-９]){5,}[Xx]?")

_SAID = {
    "picture": {"zh": "[图片]", "en": "[Picture]"},
    "hidden": {"zh": "你收到一条新消息", "en": "You have a new message"},
    "recalled": {"zh": "撤回了一条消息", "en": "A message was recalled"},
}


class LaterPlease(Exception):
    """The push service wants patience; the outbox tries again."""


@dataclass(frozen=True)
class Wishes:
    """How a person wants to be rung."""

    hide_content: bool = False
    quiet_from: time | None = None
    quiet_to: time | None = None


def subscribe(
    *, person_id: UUID, session_id: UUID, endpoint: str, p256dh: str, auth: str, language: str
) -> PushSubscription:
    """Rings this browser from now on, for as long as the sign-in is open; the same address again is one browser.

    Raises PushNotConnected where no key is set up, PushRefused for an address that is no known push service's or
    keys that are none, TooManyBrowsers.
    """
    if webpush.public_key() is None:
        raise PushNotConnected
    if not webpush.is_usable(endpoint):
        raise PushRefused(fields={"endpoint": ""})
    if not webpush.are_keys(p256dh, auth):
        raise PushRefused(fields={"keys": ""})
    index = blind_index("push", endpoint)
    with transaction.atomic():
        connection.cursor().execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"push:{person_id}"])
        PushSubscription.objects.filter(endpoint_index=index).delete()
        mine = list(PushSubscription.objects.filter(person=person_id).values_list("pk", "session_id"))
        still = people.open_sessions(session for _, session in mine)
        PushSubscription.objects.filter(pk__in=[id_ for id_, session in mine if session not in still]).delete()
        if sum(session in still for _, session in mine) >= MAX_BROWSERS:
            raise TooManyBrowsers(limit=MAX_BROWSERS)
        fresh = PushSubscription(
            person_id=person_id,
            session_id=session_id,
            endpoint=endpoint,
            endpoint_index=index,
            p256dh=p256dh,
            auth=auth,
            language=language,
        )
        fresh.save(force_insert=True)
    return fresh


def unsubscribe(*, person_id: UUID, endpoint: str) -> None:
    """Rings this browser no more; harmless twice, and for an address of somebody else."""
    PushSubscription.objects.filter(person=person_id, endpoint_index=blind_index("push", endpoint)).delete()


def wishes_of(person_id: UUID) -> Wishes:
    """How the person wants to be rung; the defaults where they never said."""
    row = PushSettings.objects.filter(person=person_id).first()
    return Wishes(row.hide_content, row.quiet_from, row.quiet_to) if row else Wishes()


def set_wishes(*, person_id: UUID, wishes: Wishes) -> None:
    """Replaces the person's wishes."""
    PushSettings.objects.update_or_create(person_id=person_id, defaults=vars(wishes))


# Members with something new that they have neither read nor been rung for. A row that somebody is writing (a read
# mark, most likely) is left for the next look, which overlaps this one.
_DUE = """
WITH fresh AS (
    SELECT conversation_id, sender_id, seq FROM chat_message
    WHERE at > %(since)s AND at <= %(upto)s AND kind <> 'notice' AND recalled_at IS NULL
), due AS (
    SELECT m.id, max(f.seq) AS seq FROM fresh f
    JOIN chat_member m ON m.conversation_id = f.conversation_id AND m.person_id IS DISTINCT FROM f.sender_id
    WHERE NOT m.muted AND f.seq > greatest(m.read_seq, m.rung_seq, m.joined_at_seq)
        AND EXISTS (SELECT 1 FROM chat_pushsubscription s WHERE s.person_id = m.person_id)
    GROUP BY m.id
), held AS (
    SELECT m.id FROM chat_member m WHERE m.id IN (SELECT id FROM due) ORDER BY m.id FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE chat_member m SET rung_seq = due.seq FROM due JOIN held ON held.id = due.id WHERE m.id = due.id
RETURNING m.person_id, m.conversation_id, m.rung_seq
"""


def look(moment: datetime | None = None) -> int:
    """Notes in the outbox whom to ring for what was said up to two seconds ago; answers how many browsers.

    After a stop of the worker it goes back to where it was, but no further than ten minutes.
    """
    moment = moment or now()
    upto = moment - RING_AFTER
    with transaction.atomic():
        mark = RungUpTo.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if mark is None:
            RungUpTo.objects.bulk_create([RungUpTo(pk=1, at=upto)], ignore_conflicts=True)
            return 0
        since = max(mark.at - OVERLAP, moment - LOOK_BACK)
        RungUpTo.objects.filter(pk=1).update(at=upto)
        if not PushSubscription.objects.exists():
            return 0
        with connection.cursor() as cursor:
            cursor.execute(_DUE, {"since": since, "upto": upto})
            due = cursor.fetchall()
        return _note(due)


def _note(due: list[tuple[UUID, UUID, int]]) -> int:
    browsers: dict[UUID, list[UUID]] = {}
    rows = list(
        PushSubscription.objects.filter(person__in={person for person, _, _ in due}).values_list(
            "pk", "person_id", "session_id"
        )
    )
    still = people.open_sessions(session for _, _, session in rows)
    PushSubscription.objects.filter(pk__in=[id_ for id_, _, session in rows if session not in still]).delete()
    for id_, person_id, session in rows:
        if session in still:
            browsers.setdefault(person_id, []).append(id_)
    count = 0
    for person_id, conversation_id, seq in due:
        for browser in browsers.get(person_id, ()):
            jobs.enqueue(
                RING_TOPIC, {"subscription_id": str(browser), "conversation_id": str(conversation_id), "seq": seq}
            )
            count += 1
    return count


def is_quiet(wishes: Wishes, moment: datetime) -> bool:
    """Whether the person wants no ring at this moment."""
    if wishes.quiet_from is None or wishes.quiet_to is None:
        return False
    local = moment.astimezone(ZoneInfo(settings.BANK_TIME_ZONE)).time()
    if wishes.quiet_from <= wishes.quiet_to:
        return wishes.quiet_from <= local < wishes.quiet_to
    return local >= wishes.quiet_from or local < wishes.quiet_to


def ring(*, subscription_id: UUID, conversation_id: UUID, seq: int) -> None:
    """Rings one browser for one conversation, unless it was read, muted, left or recalled meanwhile, it is a quiet
    hour, the sign-in is over, or it is too late. Raises LaterPlease, RingRefused."""
    browser = PushSubscription.objects.filter(pk=subscription_id).first()
    member = Member.objects.filter(conversation=conversation_id, person=browser.person_id).first() if browser else None
    message_id = Message.objects.filter(conversation=conversation_id, seq=seq).values_list("pk", flat=True).first()
    if browser is None or member is None or member.muted or member.read_seq >= seq or message_id is None:
        return
    message = log.envelopes([message_id])[message_id]
    moment = now()
    wishes = wishes_of(browser.person_id)
    if message.recalled or moment - message.at > GIVE_UP_AFTER or is_quiet(wishes, moment):
        return
    if not people.session_is_open(browser.session_id):
        browser.delete()
        return
    note = note_for(browser.person_id, browser.language, message, wishes)
    said = ports.ringer().ring(
        PushTarget(str(browser.endpoint), browser.p256dh, str(browser.auth)),
        json.dumps(note, ensure_ascii=False, separators=(",", ":")).encode(),
        life_s=int(RING_LIFE.total_seconds()),
        topic=conversation_id.hex,
    )
    if said == "gone":
        browser.delete()
    elif said == "later":
        raise LaterPlease
    elif said == "refused":
        raise RingRefused


def note_for(person_id: UUID, language: str, message: MessageEnvelope, wishes: Wishes) -> Mapping[str, Any]:
    """What the browser is told. Numbers as long as a card's or an ID's are never on a locked screen."""
    note: dict[str, Any] = {
        "v": 1,
        "type": "message",
        "conversation_id": str(message.conversation_id),
        "seq": message.seq,
        "tag": str(message.conversation_id),
        "badge": queries.unread_total(person_id),
        "at": message.at.isoformat(),
        "title": settings.BRAND_EN if language == "en" else settings.BRAND,
        "body": _SAID["hidden"][language],
    }
    if wishes.hide_content:
        return note
    conversation = Conversation.objects.get(pk=message.conversation_id)
    cards = people.person_cards([message.sender_id] if message.sender_id else [], viewer_id=person_id)
    card = next(iter(cards.values()), None)
    sender = (card.remark or card.name) if card else ""
    body = _body(message, language)
    if conversation.kind == Conversation.Kind.GROUP and sender:
        return {**note, "title": conversation.title or note["title"], "body": f"{sender}: {body}"}
    return {**note, "title": sender or note["title"], "body": body}


def _body(message: MessageEnvelope, language: str) -> str:
    if message.kind == "picture":
        return _SAID["picture"][language]
    text = message.card.summary.get(language, "") if message.card else message.text
    text = _LONG_NUMBER.sub("••••", " ".join(text.split()))
    return text if len(text) <= MAX_BODY else f"{text[: MAX_BODY - 1]}…"
