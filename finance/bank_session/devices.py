"""New devices: until their owner has proved on one who they are, it pays others little; all of them together do."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from finance.bank_session.errors import DeviceUnverified
from finance.bank_session.models import Intent, VerifiedDevice
from finance.bank_session.registry import paying_kinds
from kernel import audit
from kernel.clock import BANK_ZONE, now
from kernel.money import yuan
from kernel.statements import planned


def is_verified(person_id: UUID, device_id: UUID) -> bool:
    """Whether the person has proved who they are on this device."""
    with planned() as cursor:
        cursor.execute(
            "SELECT 1 FROM bank_session_verifieddevice WHERE person_id = %s AND device_id = %s", [person_id, device_id]
        )
        return cursor.fetchone() is not None


def verified(person_id: UUID, device_id: UUID, *, by: str) -> None:
    """Notes that they have, once, inside the caller's transaction."""
    row = VerifiedDevice(person_id=person_id, device_id=device_id, by=by, at=now())
    if not is_verified(person_id, device_id):
        VerifiedDevice.objects.bulk_create([row], ignore_conflicts=True)
        audit.record(person_id, "device.verified", f"device:{device_id}", {"by": by})


def refuse_beyond(intent: Intent, *, verified: bool) -> None:
    """Raises DeviceUnverified if this, and what the person's new devices paid others today, is more than these may.

    `verified`: the intent's device is none of them. They count together: whoever has the password makes as many as they
    like. Inside the confirmation's transaction: two at once wait for each other here.
    """
    amount = int(intent.draft["amount_fen"] or 0)
    if intent.kind not in paying_kinds() or not amount or verified:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 8))", [f"new-devices:{intent.person_id}"])
    left = max(0, settings.NEW_DEVICE_DAY_FEN - _paid_today(intent))
    if amount > left:
        raise DeviceUnverified(limit_yuan=yuan(settings.NEW_DEVICE_DAY_FEN), left_yuan=yuan(left))


def _paid_today(intent: Intent) -> int:
    known = VerifiedDevice.objects.filter(person_id=intent.person_id).values("device_id")
    midnight = now().astimezone(BANK_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    done = Intent.objects.exclude(device_id__in=known).filter(
        person_id=intent.person_id,
        kind__in=paying_kinds(),
        state=Intent.State.EXECUTED,
        ended_at__gte=midnight,
        # What ended today was prepared not long before: the index on it keeps the past out. An hour for clocks that
        # differ, since the database notes when it was prepared.
        prepared_at__gte=midnight - timedelta(seconds=settings.INTENT_S, hours=1),
    )
    fen = Cast(KT("draft__amount_fen"), BigIntegerField())
    return int(done.aggregate(total=Sum(fen))["total"] or 0)
