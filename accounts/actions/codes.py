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
from accounts.throttles import Asker
from kernel.clock import now
from kernel.errors import NotFound
from kernel.ids import new_id
from kernel.secrets import blind_index

_OWNER = "owner"
"""Who asks within a session of the number's owner."""


@dataclass(frozen=True)
class SentCode:
    """Where a code went (masked), and in demo mode alone what it says."""

    sent_to: str
    demo_code: str | None


def _digest(code_id: object, code: str) -> bytes:
    return blind_index(f"code:{code_id}", code)


def _asked_by(name: str) -> bytes:
    return blind_index("code-asker", name)


def send_code(*, phone: str, purpose: str, asker: Asker) -> str | None:
    """Sends a code to the number; answers it in demo mode alone, where the page shows it as a text message.

    The code is for whoever asked: tries of others are none at it. A device of the number's owner has its own share of a
    day's codes; strangers share theirs, and one network gets only part of it. The same happens for a number that nobody
    has: who asks learns nothing. Raises TooMany, NotConnected.
    """
    by = asker.name()
    if asker.is_of(phone):
        return _send(phone, purpose, asker.address, by=by, share=f"{phone}:{by}")
    throttles.hit(
        "code-day-network",
        f"{phone}:{asker.address}",
        limit=limits.CODES_PER_DAY_AND_NETWORK,
        window=throttles.DAY,
    )
    return _send(phone, purpose, asker.address, by=by, share=phone)


def _send(phone: str, purpose: str, address: str, *, by: str, share: str) -> str | None:
    """`by`: who alone may use it. `share`: of which counter it is one."""
    throttles.hit("code-address", address, limit=limits.CODES_PER_ADDRESS_AND_HOUR, window=timedelta(hours=1))
    throttles.hit("code-minute", f"{purpose}:{share}", limit=limits.CODES_PER_MINUTE, window=limits.CODE_PAUSE)
    throttles.hit("code-day", share, limit=limits.CODES_PER_DAY, window=throttles.DAY)
    sender = None if settings.DEMO and not ports.sms.filled else ports.sms.get()
    code = f"{secrets.randbelow(10**limits.CODE_DIGITS):0{limits.CODE_DIGITS}d}"
    code_id = new_id()
    OneTimeCode.objects.create(
        id=code_id,
        phone_index=blind_index("phone", phone),
        purpose=purpose,
        asked_by=_asked_by(by),
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
    code = _send(phone, purpose, address, by=_OWNER, share=f"{phone}:{_OWNER}")
    return SentCode(f"{phone[:3]}****{phone[-4:]}", code)


def spend_own_code(*, person_id: UUID, purpose: str, code: str) -> None:
    """Uses up the newest code sent to the person's phone. Raises CodeRefused. Call it outside of a transaction."""
    _spend(_own_phone(person_id), purpose, code, _OWNER)


def _own_phone(person_id: UUID) -> str:
    person = Person.objects.filter(pk=person_id, is_active=True).only("id", "phone").first()
    if person is None or not person.phone:
        raise NotFound
    return str(person.phone)


def spend_code(*, phone: str, purpose: str, code: str, asker: Asker) -> None:
    """Uses up the newest code that was sent to the number for this asker.

    Raises CodeRefused for a wrong, old, spent or too often tried one, and for one that somebody else asked for. The try
    is counted before it is compared, in a transaction of its own: call this outside of one.
    """
    _spend(phone, purpose, code, asker.name())


def _spend(phone: str, purpose: str, code: str, by: str) -> None:
    with transaction.atomic():
        newest = (
            OneTimeCode.objects.select_for_update()
            .filter(phone_index=blind_index("phone", phone), purpose=purpose, asked_by=_asked_by(by))
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
