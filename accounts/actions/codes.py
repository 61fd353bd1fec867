"""One-time codes: made, sent, spent."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F

from accounts import limits, ports, throttles
from accounts.errors import CodeRefused
from accounts.models import OneTimeCode, Person, Throttle
from kernel.clock import now
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.secrets import blind_index


@dataclass(frozen=True)
class SentCode:
    """Where a code went (masked), and in demo mode alone what it says."""

    sent_to: str
    demo_code: str | None


def _digest(code_id: object, code: str) -> bytes:
    return blind_index(f"code:{code_id}", code)


def send_code(*, phone: str, purpose: str, address: str) -> str | None:
    """Sends a code to the number; answers it in demo mode alone, where the page shows it as a text message.

    The same happens for a number that nobody has: who asks learns nothing. Raises TooMany, NotConnected.
    """
    return _send(phone, purpose, address, counted_as="code-day")


def _send(phone: str, purpose: str, address: str, *, counted_as: str) -> str | None:
    throttles.hit("code-address", address, limit=limits.CODES_PER_ADDRESS_AND_HOUR, window=timedelta(hours=1))
    throttles.hit("code-minute", f"{purpose}:{phone}", limit=limits.CODES_PER_MINUTE, window=limits.CODE_PAUSE)
    throttles.hit(counted_as, phone, limit=limits.CODES_PER_DAY, window=timedelta(days=1))
    sender = None if settings.DEMO and not ports.sms.filled else ports.sms.get()
    code = f"{secrets.randbelow(10**limits.CODE_DIGITS):0{limits.CODE_DIGITS}d}"
    code_id = new_id()
    OneTimeCode.objects.create(
        id=code_id,
        phone_index=blind_index("phone", phone),
        purpose=purpose,
        digest=_digest(code_id, code),
        expires_at=now() + limits.CODE_LIFE,
    )
    if sender is not None:
        sender.send_code(phone, code, purpose)
    return code if settings.DEMO else None


def send_own_code(*, person_id: UUID, purpose: str, address: str) -> SentCode:
    """Sends a code to the person's registered phone, whatever number the page may name. Raises TooMany, NotConnected.

    Counted by itself: strangers who ask for codes to the number take none of these away. Somebody without a phone (none
    of the people who sign in) is NotFound.
    """
    phone = _own_phone(person_id)
    code = _send(phone, purpose, address, counted_as="code-day-own")
    return SentCode(f"{phone[:3]}****{phone[-4:]}", code)


def spend_own_code(*, person_id: UUID, purpose: str, code: str) -> None:
    """Uses up the newest code sent to the person's phone. Raises CodeRefused. Call it outside of a transaction."""
    spend_code(phone=_own_phone(person_id), purpose=purpose, code=code)


def _own_phone(person_id: UUID) -> str:
    person = Person.objects.filter(pk=person_id, is_active=True).only("id", "phone").first()
    if person is None or not person.phone:
        raise NotFound
    return str(person.phone)


def spend_code(*, phone: str, purpose: str, code: str) -> None:
    """Uses up the number's newest code. Raises CodeRefused for a wrong, old, spent or too often tried one.

    The try is counted before it is compared, in a transaction of its own: call this outside of one.
    """
    with transaction.atomic():
        newest = (
            OneTimeCode.objects.select_for_update()
            .filter(phone_index=blind_index("phone", phone), purpose=purpose)
            .order_by("-id")
            .first()
        )
        usable = (
            newest is not None
            and newest.used_at is None
            and newest.expires_at > now()
            and newest.attempts < limits.CODE_TRIES
        )
        if newest is not None and usable:
            right = hmac.compare_digest(bytes(newest.digest), _digest(newest.pk, code))
            OneTimeCode.objects.filter(pk=newest.pk).update(
                attempts=F("attempts") + 1, used_at=now() if right else None
            )
            usable = right
    if not usable:
        raise CodeRefused


def sweep() -> int:
    """Takes away counters, codes and cookies' sessions that ran out long ago; answers how many."""
    old = now() - limits.SWEEP_AFTER
    codes, _ = OneTimeCode.objects.filter(expires_at__lt=old).delete()
    counters, _ = Throttle.objects.filter(resets_at__lt=old).delete()
    sessions, _ = Session.objects.filter(expire_date__lt=old).delete()
    return codes + counters + sessions
