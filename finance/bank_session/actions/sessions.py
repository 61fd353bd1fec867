"""Opening, using and closing bank sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import models, transaction

from accounts import queries as people
from finance.bank_session import devices, events
from finance.bank_session.errors import HandoffGone
from finance.bank_session.models import BankSession, Handoff
from finance.bank_session.tokens import digest_of, new_token
from kernel import audit
from kernel.clock import now
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.statements import planned

_TOUCH = """
UPDATE bank_session_banksession SET used_at = %s WHERE id IN (
    SELECT id FROM bank_session_banksession WHERE id = %s AND ended_at IS NULL FOR NO KEY UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True)
class Opened:
    """A session that was opened, the token for its cookie (told once), and the intent that it was opened for."""

    session: BankSession
    token: str
    intent_id: UUID


def redeem(*, code: str, device_token: str = "") -> Opened:
    """Opens a bank session with a hand-off code, which is used up. An earlier one of the same chat session ends.

    `device_token`: what the browser has kept since the device was verified; without it the device counts as new,
    and if it is a verified one, its owner is told on all their devices, some times an hour.
    Raises HandoffGone for a code that is unknown, used, older than settings.HANDOFF_S, or whose chat session is over.
    """
    with transaction.atomic():
        moment = now()
        handoff = (
            Handoff.objects.select_for_update()
            .filter(code_hash=digest_of(code), used_at__isnull=True, expires_at__gt=moment)
            .first()
        )
        if handoff is None or not people.session_is_open(handoff.chat_session_id):
            raise HandoffGone
        handoff.used_at = moment
        handoff.save(update_fields=["used_at"])
        _live(handoff.chat_session_id).update(ended_at=moment, ended_why=BankSession.Ended.ROTATED)
        known = devices.knows(handoff.person_id, handoff.device_id, device_token)
        if not known and devices.worth_telling(handoff.person_id, handoff.device_id):
            # The owner has cleared the browser's cookies, or somebody has the chat's session in a browser of their own.
            events.happened(handoff.person_id, "device_elsewhere", device_id=handoff.device_id)
        token = new_token()
        session = BankSession.objects.create(
            id=new_id(),
            token_hash=digest_of(token),
            person_id=handoff.person_id,
            device_id=handoff.device_id,
            device_known=known,
            chat_session_id=handoff.chat_session_id,
            intent_id=handoff.intent_id,
            opened_at=moment,
            used_at=moment,
            expires_at=moment + timedelta(seconds=settings.BANK_LIMIT_S),
        )
        audit.record(handoff.person_id, "bank_session.opened", f"bank_session:{session.pk}")
        return Opened(session, token, handoff.intent_id)


def _live(chat_session_id: UUID) -> models.QuerySet[BankSession]:
    return BankSession.objects.filter(chat_session_id=chat_session_id, ended_at__isnull=True)


def touch(*, session: BankSession) -> None:
    """Notes that the person did something, which puts the idle limit off. Waits for nobody: while a confirmation is at
    work in the session, or its end, that stands.
    """
    if session.replaced:
        return
    session.used_at = now()
    planned(_TOUCH, [session.used_at, session.pk])


def close(*, person_id: UUID, session_id: UUID) -> None:
    """Ends one of the person's bank sessions. Closing it again changes nothing. Raises NotFound."""
    with transaction.atomic():
        if not BankSession.objects.filter(pk=session_id, person_id=person_id).exists():
            raise NotFound
        ended = BankSession.objects.filter(pk=session_id, ended_at__isnull=True).update(
            ended_at=now(), ended_why=BankSession.Ended.CLOSED
        )
        if ended:
            audit.record(person_id, "bank_session.closed", f"bank_session:{session_id}")


def close_others(*, session: BankSession) -> None:
    """Ends the person's bank sessions but this one, inside the caller's transaction: how they prove has changed."""
    BankSession.objects.filter(person_id=session.person_id, ended_at__isnull=True).exclude(pk=session.pk).update(
        ended_at=now(), ended_why=BankSession.Ended.CLOSED
    )


def close_signed_out(person_id: UUID, session_ids: Sequence[UUID]) -> None:
    """The chat sessions are over, and with them what they opened. `access` looks at the sign-in itself as well."""
    BankSession.objects.filter(chat_session_id__in=session_ids, ended_at__isnull=True).update(
        ended_at=now(), ended_why=BankSession.Ended.CLOSED
    )


def close_all(*, person_id: UUID) -> int:
    """Ends all of the person's bank sessions; answers how many were open."""
    with transaction.atomic():
        ended = BankSession.objects.filter(person_id=person_id, ended_at__isnull=True).update(
            ended_at=now(), ended_why=BankSession.Ended.CLOSED
        )
        if ended:
            audit.record(person_id, "bank_session.closed_all", f"person:{person_id}", {"count": ended})
        return ended
