"""The step-up: with the first proof that is given in a bank session its token changes (docs/adr/0011-step-up.md).

A token that lay about before the proof opens nothing after it. Whoever's answer was lost on the way, and the new token
with it, may look at the one intent for REPLACED_S seconds with the old one, and change nothing.
"""

from datetime import timedelta
from uuid import UUID

from finance.bank_session.models import BankSession, Intent
from finance.bank_session.tokens import digest_of, new_token
from kernel import notes
from kernel.clock import now

REPLACED_S = 30

_STEP_UP = """
UPDATE bank_session_banksession SET token_hash = %s, earlier_hash = token_hash, proved_at = %s WHERE id = %s
"""


def step_up(session: BankSession) -> str | None:
    """The token from now on, told once, where a proof is the session's first; None where there was one before.

    The caller has locked the session as it stands in the database (access.still_open, confirming).
    """
    if session.proved_at is not None:
        return None
    token = new_token()
    session.token_hash, session.proved_at = digest_of(token), now()
    notes.write(_STEP_UP, [session.token_hash, session.proved_at, session.pk])
    return token


def replaced(token: str, intent_id: UUID) -> BankSession | None:
    """The session whose token this was a moment ago, if it was opened for this intent; nothing is changed with it."""
    moment = now()
    sign_in = Intent.objects.filter(pk=intent_id).values("chat_session_id")
    session = (
        BankSession.objects.select_related("person")
        .filter(
            chat_session_id__in=sign_in,
            intent_id=intent_id,
            earlier_hash=digest_of(token),
            proved_at__gt=moment - timedelta(seconds=REPLACED_S),
            expires_at__gt=moment,
            ended_at__isnull=True,
            person__is_active=True,
        )
        .first()
    )
    if session is not None:
        session.replaced = True
    return session
