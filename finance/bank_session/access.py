"""The only way from a token or an id that somebody sent to a bank session or an intent."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from accounts import queries as people
from accounts.models import Person
from finance.bank_session import step_up
from finance.bank_session.errors import BankSessionNeeded
from finance.bank_session.models import BankSession, Intent
from finance.bank_session.tokens import digest_of
from kernel import rows
from kernel.clock import now
from kernel.errors import NotFound
from kernel.statements import ask, planned


def session_of(token: str, *, looking_at: UUID | None = None) -> BankSession | None:
    """The live session of a cookie: not ended, not idle too long, not past its limit, its chat session still open.

    `looking_at`: the one intent that may still be looked at with a token which has just been replaced (step_up).
    """
    if not token or len(token) > 100:
        return None
    moment = now()
    session = rows.first(
        BankSession,
        "token_hash = %s AND ended_at IS NULL AND expires_at > %s AND used_at > %s",
        [digest_of(token), moment, moment - timedelta(seconds=settings.BANK_IDLE_S)],
    )
    if session is None and looking_at is not None:
        session = step_up.replaced(token, looking_at)
    if session is None:
        return None
    holder = rows.question(Person, "id = %s AND is_active", [session.person_id])
    sign_in = people.sign_in_question(session.chat_session_id)
    answers = ask(holder, sign_in)
    person = answers.to(holder)
    if person is None or not answers.to(sign_in):
        return None
    session.person = person
    return session


def intent_of(session: BankSession, intent_id: UUID) -> Intent:
    """The session's own intent: the same person, device and chat session. Anything else is NotFound.

    Before anybody has proved in it who they are, only the one that it was opened for.
    """
    if session.proved_at is None and session.intent_id not in (None, intent_id):
        raise NotFound
    intent = rows.first(
        Intent,
        "id = %s AND person_id = %s AND device_id = %s AND chat_session_id = %s",
        [intent_id, session.person_id, session.device_id, session.chat_session_id],
    )
    if intent is None:
        raise NotFound
    return intent


def still_open(session: BankSession) -> None:
    """A session that was closed, or whose device was signed out, while the proof was checked confirms nothing; nor does
    one whose token was replaced meanwhile. Locks it.
    """
    found = planned(
        "SELECT 1 FROM bank_session_banksession WHERE id = %s AND token_hash = %s AND ended_at IS NULL"
        " FOR NO KEY UPDATE",
        [session.pk, bytes(session.token_hash)],
    )
    # Whoever signs a device out says so before this session is closed with it.
    if not found or not people.session_is_open(session.chat_session_id):
        raise BankSessionNeeded
