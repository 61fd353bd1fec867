"""What time it is.

`now()` is the machine's time: sessions, messages, challenges. `business_now()` is the bank's: cut-offs, limits,
expiries, the value date. They are the same but in demo mode, where the bank's may be moved on.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F

from kernel.errors import Refusal
from kernel.models import BusinessClock

BANK_ZONE = ZoneInfo(settings.BANK_TIME_ZONE)
MAX_ADVANCE = timedelta(days=400)


class ClockIsReal(Refusal):
    code = "clock_is_real"
    status = 403
    zh = "营业日期只能在演示模式下拨动。"
    en = "The business date can be moved on in demo mode only."


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def offset() -> timedelta:
    """How far the bank's time runs ahead of the machine's; zero outside demo mode."""
    if not settings.DEMO:
        return timedelta()
    row = BusinessClock.objects.filter(pk=1).first()
    return timedelta(seconds=row.offset_seconds) if row else timedelta()


def business_now() -> datetime:
    """The bank's present moment, aware, in UTC."""
    return now() + offset()


def business_date(moment: datetime | None = None) -> date:
    """The calendar day in the bank's time zone, of `moment` or of the present."""
    return (moment or business_now()).astimezone(BANK_ZONE).date()


def advance(by: timedelta) -> datetime:
    """Moves the bank's time on (demo mode only) and answers the new time.

    Raises ClockIsReal outside demo mode, ValueError for a step back or beyond MAX_ADVANCE.
    """
    if not settings.DEMO:
        raise ClockIsReal
    if not timedelta() <= by <= MAX_ADVANCE:
        raise ValueError(f"a step of {by} is not between zero and {MAX_ADVANCE}")
    BusinessClock.objects.get_or_create(pk=1)
    BusinessClock.objects.filter(pk=1).update(offset_seconds=F("offset_seconds") + int(by.total_seconds()))
    return business_now()
