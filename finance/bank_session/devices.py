"""New devices: until their owner has proved on one who they are, it pays others little; all of them together do.

That a device is verified is known by a token in a cookie of the bank's origin: its id goes with the chat's session, and
so with whoever has stolen that (docs/adr/0010-what-a-hand-off-is-worth.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from finance.bank_session import events
from finance.bank_session.errors import DeviceUnverified
from finance.bank_session.models import BankSession, Intent, VerifiedDevice
from finance.bank_session.registry import paying_kinds
from finance.bank_session.tokens import digest_of, new_token
from kernel import audit
from kernel.clock import BANK_ZONE, now
from kernel.ids import new_id
from kernel.money import yuan

MAX_TOKEN = 100
TOLD_PER_HOUR = 5
"""Whoever holds the chat's session opens one after the other; what they do besides must not sink among the alerts."""


def knows(person_id: UUID, device_id: UUID, token: str) -> bool:
    """Whether the token is the one that was left on this device when the person proved on it who they are."""
    if not token or len(token) > MAX_TOKEN:
        return False
    return VerifiedDevice.objects.filter(person_id=person_id, device_id=device_id, token_hash=digest_of(token)).exists()


def verified_among(person_id: UUID, device_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the devices on which the person has proved who they are. One statement."""
    found = VerifiedDevice.objects.filter(person_id=person_id, device_id__in=device_ids, token_hash__isnull=False)
    return frozenset(found.values_list("device_id", flat=True))


def worth_telling(person_id: UUID, device_id: UUID) -> bool:
    """Whether the owner is to be told of a session that opens on this device in a browser that is not known: its owner
    has proved on it who they are, in another, and was not told TOLD_PER_HOUR times in the last hour.
    """
    found = VerifiedDevice.objects.filter(person_id=person_id, device_id=device_id, token_hash__isnull=False)
    verified_at = found.values_list("at", flat=True).first()
    if verified_at is None:
        return False
    since = max(verified_at, now() - timedelta(hours=1))
    told = BankSession.objects.filter(person_id=person_id, device_id=device_id, device_known=False, opened_at__gt=since)
    return told.count() < TOLD_PER_HOUR


def verified(person_id: UUID, device_id: UUID, *, by: str) -> str:
    """Notes that they have, inside the caller's transaction; answers the token to be left there, told once.

    The device's earlier token is worth nothing from now on.
    """
    token = new_token()
    row = VerifiedDevice(
        id=new_id(), person_id=person_id, device_id=device_id, by=by, at=now(), token_hash=digest_of(token)
    )
    VerifiedDevice.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["person", "device_id"], update_fields=["by", "at", "token_hash"]
    )
    audit.record(person_id, "device.verified", f"device:{device_id}", {"by": by})
    events.happened(person_id, "device_verified", device_id=device_id)
    return token


@dataclass(frozen=True)
class Allowance:
    """What the person's new devices together may pay others in a day, and what is left of it today, in fen."""

    limit_fen: int
    left_fen: int


def allowance(person_id: UUID, device_id: UUID) -> Allowance | None:
    """What holds on this device, for a form; None where its owner has proved on it who they are.

    The chat's origin does not see the token: of another browser that goes by the device's id the bank's page tells.
    """
    if VerifiedDevice.objects.filter(person_id=person_id, device_id=device_id, token_hash__isnull=False).exists():
        return None
    return Allowance(settings.NEW_DEVICE_DAY_FEN, _left_today(person_id))


def refuse_beyond(intent: Intent, *, verified: bool) -> None:
    """Raises DeviceUnverified if this, and what the person's new devices paid others today, is more than these may.

    `verified`: the session is on a device that is none of them. They count together: whoever has the password makes as
    many as they like. Inside the confirmation's transaction: two at once wait for each other here.
    """
    amount = int(intent.draft["amount_fen"] or 0)
    if intent.kind not in paying_kinds() or not amount or verified:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 8))", [f"new-devices:{intent.person_id}"])
    left = _left_today(intent.person_id)
    if amount > left:
        raise DeviceUnverified(limit_yuan=yuan(settings.NEW_DEVICE_DAY_FEN), left_yuan=yuan(left))


def _left_today(person_id: UUID) -> int:
    return max(0, int(settings.NEW_DEVICE_DAY_FEN) - _paid_today(person_id))


def _paid_today(person_id: UUID) -> int:
    midnight = now().astimezone(BANK_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    done = Intent.objects.filter(
        person_id=person_id,
        confirmation__bank_session__device_known=False,
        kind__in=paying_kinds(),
        state=Intent.State.EXECUTED,
        ended_at__gte=midnight,
        # What ended today was prepared not long before: the index on it keeps the past out. An hour for clocks that
        # differ, since the database notes when it was prepared.
        prepared_at__gte=midnight - timedelta(seconds=settings.INTENT_S, hours=1),
    )
    fen = Cast(KT("draft__amount_fen"), BigIntegerField())
    return int(done.aggregate(total=Sum(fen))["total"] or 0)
