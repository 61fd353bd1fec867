"""Shared reads of the bank session."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from accounts import queries as people
from finance.bank_session.devices import Allowance, allowance
from finance.bank_session.models import BankSession, Confirmation, Intent, ReceiptSweep
from finance.bank_session.passkeys import can_sign
from kernel.clock import now

__all__ = [
    "Allowance",
    "allowance",
    "can_sign",
    "confirmation_of",
    "intent_state",
    "last_receipt_sweep",
    "sessions_of",
]


def sessions_of(person_id: UUID) -> list[BankSession]:
    """The person's live bank sessions, the last used first."""
    moment = now()
    found = list(
        BankSession.objects.filter(
            person_id=person_id,
            ended_at__isnull=True,
            expires_at__gt=moment,
            used_at__gt=moment - timedelta(seconds=settings.BANK_IDLE_S),
        ).order_by("-used_at")[:50]
    )
    signed_in = people.open_sessions(session.chat_session_id for session in found)
    return [session for session in found if session.chat_session_id in signed_in]


def intent_state(intent_id: UUID, person_id: UUID) -> str | None:
    """What became of a person's intent; None if there is none."""
    return Intent.objects.filter(pk=intent_id, person_id=person_id).values_list("state", flat=True).first()


def last_receipt_sweep() -> ReceiptSweep | None:
    """How many receipts could not be signed when they were last looked after; None where they never were."""
    return ReceiptSweep.objects.filter(pk=1).first()


def confirmation_of(intent_id: UUID) -> Confirmation | None:
    """The confirmation of an executed intent: proof, statement bytes, hash, time."""
    return Confirmation.objects.filter(intent_id=intent_id).first()
