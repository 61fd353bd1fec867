"""Intents and their statements, up to the confirmation."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import throttles
from finance.bank_session.errors import IntentOver
from finance.bank_session.models import Handoff, Intent
from finance.bank_session.registry import kind_named
from finance.bank_session.statements import StatementDraft, canonical
from finance.bank_session.tokens import digest_of, new_token
from kernel import audit, notes, rows
from kernel.clock import business_now, now
from kernel.errors import Conflict, KeyReused, NotFound
from kernel.ids import new_id

A_MINUTE = timedelta(minutes=1)
_input = json.JSONEncoder(sort_keys=True, default=str)


@dataclass(frozen=True)
class Prepared:
    """Where the person goes to confirm: the bank's page with a one-time code, good for settings.HANDOFF_S."""

    intent_id: UUID
    handoff_url: str
    expires_at: datetime


def _count(person_id: UUID) -> None:
    """So many a minute, over all the person's devices. Raises TooMany."""
    throttles.hit("bank-prepare", str(person_id), limit=settings.PREPARES_PER_MINUTE, window=A_MINUTE, light=True)


def _input_hash(kind: str, subject: dict[str, Any]) -> bytes:
    return hashlib.sha256(_input.encode([kind, subject]).encode()).digest()


def _language(language: str) -> str:
    return "en" if language == "en" else "zh"


def prepare(
    *,
    intent_id: UUID,
    person_id: UUID,
    chat_session_id: UUID,
    device_id: UUID,
    kind: str,
    subject: dict[str, Any],
    draft: StatementDraft,
    language: str = "zh",
    replaces: UUID | None = None,
) -> Prepared:
    """Stores what the person is about to do, and answers where to confirm it.

    The same `intent_id` with the same kind and subject gives another hand-off to the same intent, with the statement
    as it now stands. `replaces` ends an earlier intent of the same person that has not been confirmed. `subject` is
    JSON and holds ids and figures; the kind reads it back in `restate` and `execute`.
    Raises KeyReused (the id was used for something else), IntentOver (it was cancelled or has expired), Conflict (the
    id is not this person's on this device), TooMany.
    """
    kind_named(kind)
    words, moment = draft.words(), now()
    raw, digest = canonical(words, language=_language(language), intent_id=intent_id, kind=kind, at=moment)
    intent = rows.new(
        Intent,
        id=intent_id,
        person_id=person_id,
        device_id=device_id,
        chat_session_id=chat_session_id,
        kind=kind,
        subject=subject,
        input_hash=_input_hash(kind, subject),
        draft=words,
        valid_until=draft.valid_until,
        language=_language(language),
        statement=raw,
        statement_hash=digest,
        challenged_until=moment + timedelta(seconds=settings.CHALLENGE_S),
        expires_at=moment + timedelta(seconds=settings.INTENT_S),
    )
    if replaces is None or replaces == intent_id:
        return _keep(intent)
    with transaction.atomic():
        Intent.objects.filter(pk=replaces, person_id=person_id, state=Intent.State.PREPARED).update(
            state=Intent.State.SUPERSEDED, ended_at=moment
        )
        return _keep(intent)


def _keep(intent: Intent) -> Prepared:
    """The intent, or the one that has its id, and a hand-off to it. A new one is one statement, and its own commit."""
    rate = settings.PREPARES_PER_MINUTE
    with notes.gathered(on="kept") as kept:
        allowed = throttles.hit_with("bank-prepare", str(intent.person_id), limit=rate, window=A_MINUTE)
        rows.insert(intent, if_new=True, when=allowed, name="kept")
        prepared = _hand_over(intent)
        audit.record(intent.person_id, "intent.prepared", f"intent:{intent.pk}", {"kind": intent.kind})
    if kept.wrote:
        return prepared
    with transaction.atomic():
        return _hand_over(_same_intent(intent))


def _same_intent(asked: Intent) -> Intent:
    known = Intent.objects.select_for_update().filter(pk=asked.pk).first()
    if known is None or (known.person_id, known.device_id, known.chat_session_id) != (
        asked.person_id,
        asked.device_id,
        asked.chat_session_id,
    ):
        raise Conflict
    if bytes(known.input_hash) != bytes(asked.input_hash):
        raise KeyReused
    if known.state == Intent.State.PREPARED:
        if known.expires_at <= now():
            raise IntentOver
        issue(known, asked.draft, asked.valid_until, known.language)
    elif known.state != Intent.State.EXECUTED:
        raise IntentOver
    return known


def _hand_over(intent: Intent) -> Prepared:
    code = new_token()
    expires_at = now() + timedelta(seconds=settings.HANDOFF_S)
    rows.insert(
        rows.new(
            Handoff,
            id=new_id(),
            code_hash=digest_of(code),
            intent_id=intent.pk,
            person_id=intent.person_id,
            device_id=intent.device_id,
            chat_session_id=intent.chat_session_id,
            expires_at=expires_at,
        )
    )
    return Prepared(intent.pk, f"{settings.BANK_ORIGIN}/sheet/#code={code}", expires_at)


def hand_over(*, intent_id: UUID, person_id: UUID, chat_session_id: UUID, device_id: UUID) -> Prepared:
    """Another hand-off to an intent, for a page that was closed. Raises NotFound, IntentOver."""
    _count(person_id)
    intent = Intent.objects.filter(
        pk=intent_id, person_id=person_id, chat_session_id=chat_session_id, device_id=device_id
    ).first()
    if intent is None:
        raise NotFound
    if intent.state not in (Intent.State.PREPARED, Intent.State.EXECUTED):
        raise IntentOver
    return _hand_over(intent)


def issue(intent: Intent, words: dict[str, Any], valid_until: datetime | None, language: str) -> None:
    """Makes a fresh challenge: new nonce, new bytes, new hash, two more minutes. The caller locked the row."""
    moment = now()
    intent.draft, intent.valid_until, intent.language = words, valid_until, _language(language)
    intent.statement, intent.statement_hash = canonical(
        words, language=intent.language, intent_id=intent.pk, kind=intent.kind, at=moment
    )
    intent.challenged_until = moment + timedelta(seconds=settings.CHALLENGE_S)
    intent.save(update_fields=["draft", "valid_until", "language", "statement", "statement_hash", "challenged_until"])


def _holds(intent: Intent, language: str) -> bool:
    """Whether the intent waits with a challenge that can be shown as it stands."""
    moment = now()
    return (
        intent.state == Intent.State.PREPARED
        and intent.expires_at > moment
        and (intent.valid_until is None or intent.valid_until > business_now())
        and intent.language == _language(language)
        and intent.challenged_until >= moment + timedelta(seconds=settings.CHALLENGE_S / 2)
    )


def challenge(*, intent: Intent, language: str, afresh: bool = False) -> Intent:
    """The intent with a challenge that has at least half its life left, in the reader's language.

    `intent` as it was just read: where that challenge will do, no lock is taken. The confirmation looks again. Before
    one is renewed the kind says again what would be done; the page that shows it compares the words.
    Raises what the kind's `restate` raises.
    """
    if not afresh and _holds(intent, language):
        return intent
    with transaction.atomic():
        locked = Intent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        if locked.state != Intent.State.PREPARED:
            return locked
        if locked.expires_at <= now():
            locked.state, locked.ended_at = Intent.State.EXPIRED, now()
            locked.save(update_fields=["state", "ended_at"])
            return locked
        if afresh or not _holds(locked, language):
            draft = kind_named(locked.kind).restate(locked)
            issue(locked, draft.words(), draft.valid_until, language)
        return locked
