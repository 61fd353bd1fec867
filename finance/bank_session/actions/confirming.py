"""The confirmation: proof over a statement, and the deed, in one transaction."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from accounts import queries as people
from finance.bank_session import devices, passkeys
from finance.bank_session.errors import BankSessionNeeded, ChallengeOver, IntentOver, StatementStale
from finance.bank_session.models import BankSession, Intent
from finance.bank_session.proofs import Proof
from finance.bank_session.registry import kind_named
from finance.bank_session.step_up import step_up
from finance.ledger.errors import translated
from kernel import audit, jobs, notes, rows
from kernel.canonical import canonical
from kernel.clock import business_now, now
from kernel.errors import InFlight
from kernel.ids import new_id
from kernel.statements import Answers, Question, ask

TOPIC = "bank_session.confirmed"
"""Outbox topic of every executed intent: {"intent_id", "person_id", "device_id", "kind"}."""


# In this order: the intent, then the session. An intent that somebody else is at work on is not waited for.
_LOCK = """
WITH locked AS MATERIALIZED (
    SELECT * FROM bank_session_intent WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED
), opened AS MATERIALIZED (
    SELECT device_known FROM bank_session_banksession
    WHERE id = %s AND token_hash = %s AND ended_at IS NULL AND EXISTS (SELECT FROM locked) FOR NO KEY UPDATE
)
SELECT opened.device_known IS NOT NULL, coalesce(opened.device_known, false), {columns}
FROM locked LEFT JOIN opened ON true
"""
_END = "UPDATE bank_session_intent SET state = 'executed', ended_at = %s, result = %s::jsonb WHERE id = %s"
# What is kept of the statement is what stands in the intent, which the caller has locked.
_KEEP = """
INSERT INTO bank_session_confirmation
    (id, intent_id, person_id, bank_session_id, proof, statement, statement_hash, evidence, at)
SELECT %s::uuid, id, person_id, %s::uuid, %s::text, statement, statement_hash, %s::jsonb, %s::timestamptz
FROM bank_session_intent WHERE id = %s
"""


@dataclass(frozen=True)
class Outcome:
    """What a confirmation led to, and whether it had led to it before. `token`: the session's from now on, if new."""

    intent: Intent
    replayed: bool
    token: str | None = None


def _fits(intent: Intent, statement_hash: bytes) -> bool:
    return hmac.compare_digest(bytes(intent.statement_hash), statement_hash)


def ready(intent: Intent, statement_hash: bytes) -> bool:
    """Whether the intent waits for exactly this confirmation; False if it was executed by it before.

    Raises IntentOver, StatementStale (other bytes, or no longer valid), ChallengeOver (the right bytes, too late).
    """
    if intent.state == Intent.State.EXECUTED and _fits(intent, statement_hash):
        return False
    if intent.state != Intent.State.PREPARED or intent.expires_at <= now():
        raise IntentOver
    if not _fits(intent, statement_hash):
        raise StatementStale
    if intent.valid_until is not None and intent.valid_until <= business_now():
        raise StatementStale
    if intent.challenged_until <= now():
        raise ChallengeOver
    return True


def confirm(*, session: BankSession, intent: Intent, statement_hash: bytes, proof: Proof) -> Outcome:
    """Does what the intent says, once, if the proof holds over the statement as it stands.

    `intent` belongs to the session's person, device and chat session (access.intent_of). The same confirmation again
    gives the same outcome without a proof. Raises IntentOver, StatementStale, ChallengeOver, what the proof raises, and
    what the kind raises; after any of these nothing was done. Raises InFlight while the intent is confirmed, cancelled
    or renewed by somebody else: this call did nothing, and what becomes of it the next will tell.
    """
    if session.replaced and intent.state != Intent.State.EXECUTED:
        # Before anything else: what is wrong with the statement would be answered with a fresh one.
        raise BankSessionNeeded
    if not ready(intent, statement_hash):
        return Outcome(intent, True)
    trial = proof.tried(session.person_id, statement_hash, intent.draft["amount_fen"])
    with transaction.atomic(), translated(), notes.gathered():
        beginning = kind_named(intent.kind).begin(intent)
        standing, answers = _lock(session, intent, [*trial.questions, *beginning.questions])
        locked = standing.intent
        if not ready(locked, statement_hash):
            return Outcome(locked, True)
        if not standing.session_open:
            raise BankSessionNeeded
        proven = trial.proven(answers)
        locked.signed = proven.signed
        deed = beginning.begun(locked, answers)
        if deed.draft.words() != locked.draft:
            raise StatementStale
        devices.refuse_beyond(locked, verified=standing.device_verified)
        if proven.used is not None:
            # A key may sign its own removal, after which it has no use any more.
            passkeys.note_use(proven.used, at_once=locked.kind == passkeys.REMOVE)
        token = settle(session, locked, proof.kind, deed.do().result, proven.evidence)
        return Outcome(locked, False, token)


@dataclass(frozen=True)
class _Standing:
    """An intent under its lock, and how things stand around it while its session is locked as well.

    `session_open`: the bank session, and the sign-in that it hangs on.
    """

    session_open: bool
    device_verified: bool
    intent: Intent


def _lock(session: BankSession, intent: Intent, others: Sequence[Question[Any]]) -> tuple[_Standing, Answers]:
    """Also asks what the proof and the deed ask. Raises InFlight where somebody else has the intent."""
    locking = Question(
        _LOCK.format(columns=rows.columns(Intent)), [intent.pk, session.pk, bytes(session.token_hash)], _found_standing
    )
    # Whoever signs a device out says so before this session is closed with it.
    sign_in = people.sign_in_question(session.chat_session_id)
    answers = ask(locking, sign_in, *others)
    standing = answers.to(locking)
    if standing is None:
        raise InFlight
    return replace(standing, session_open=standing.session_open and answers.to(sign_in)), answers


def _found_standing(found: Sequence[Any] | None) -> _Standing | None:
    locked = rows.read(Intent, found and found[2:])
    if found is None or locked is None:
        return None
    session_open, device_verified, *_ = found
    return _Standing(session_open, device_verified, locked)


def settle(
    session: BankSession, intent: Intent, proof: str, result: dict[str, Any], evidence: dict[str, str] | None = None
) -> str | None:
    """Ends a locked intent as executed: what was confirmed and how is kept, audited, and told.

    Answers the locked session's new token where this is the first proof in it.
    """
    moment = now()
    shown = None if evidence is None else canonical(evidence).decode()
    notes.write(_END, [moment, canonical(result).decode(), intent.pk])
    notes.write(_KEEP, [new_id(), session.pk, proof, shown, business_now(), intent.pk])
    token = step_up(session)
    intent.state, intent.ended_at, intent.result = Intent.State.EXECUTED, moment, result
    audit.record(
        intent.person_id,
        "intent.confirmed",
        f"intent:{intent.pk}",
        {"kind": intent.kind, "proof": proof, "statement": bytes(intent.statement_hash).hex()},
    )
    jobs.enqueue(
        TOPIC,
        {
            "intent_id": str(intent.pk),
            "person_id": str(intent.person_id),
            "device_id": str(intent.device_id),
            "kind": intent.kind,
        },
    )
    return token


def cancel(*, intent: Intent) -> Intent:
    """Ends an intent that has not been confirmed. Cancelling it again changes nothing. Raises IntentOver."""
    with transaction.atomic():
        locked = Intent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        if locked.state == Intent.State.CANCELLED:
            return locked
        if locked.state != Intent.State.PREPARED:
            raise IntentOver
        locked.state, locked.ended_at = Intent.State.CANCELLED, now()
        locked.save(update_fields=["state", "ended_at"])
        audit.record(locked.person_id, "intent.cancelled", f"intent:{locked.pk}", {"kind": locked.kind})
        return locked
