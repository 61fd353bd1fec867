"""Trading days of the Chinese exchanges, and the day that an order belongs to.

The exchanges trade from Monday to Friday except on public holidays; a weekend that is worked in exchange for a
bridge day stays closed (Shanghai Stock Exchange, annual notice on closing days). Years come from chinesecalendar;
one that it lacks comes from the tables CalendarYear and ClosedDay, and one that both lack is refused by name.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import chinese_calendar

from finance.wealth.errors import CalendarMissing
from finance.wealth.models import CUT_OFF, CalendarYear, ClosedDay
from kernel.clock import BANK_ZONE

CONFIRM_FROM = time(9, 0)
"""From when on T+1 an order is confirmed."""

WARN_BEFORE = timedelta(days=60)
_LONGEST_CLOSING_DAYS = 21

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """Which trading day an order gets, until when it can be cancelled, and from when it is confirmed."""

    trading_day: date
    cut_off_at: datetime
    confirm_day: date
    confirm_at: datetime


def _is_open(day: date) -> bool:
    if day.weekday() >= 5:
        return False
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        pass
    year = CalendarYear.objects.filter(year=day.year).first()
    if year is None:
        _log.error("the exchange calendar ends before %s: enter the year's closing days", day.year)
        raise CalendarMissing(year=day.year)
    return not ClosedDay.objects.filter(date=day).exists()


def is_trading_day(day: date) -> bool:
    """Whether the exchange is open. Raises CalendarMissing for a year that nobody has entered."""
    return _is_open(day)


def next_trading_day(day: date) -> date:
    """The first trading day after `day`. Raises CalendarMissing."""
    for ahead in range(1, _LONGEST_CLOSING_DAYS + 1):
        candidate = day + timedelta(days=ahead)
        if _is_open(candidate):
            return candidate
    raise CalendarMissing(year=day.year)


def trading_days_back(last: date, count: int) -> list[date]:
    """The `count` trading days that end with the last one on or before `last`, oldest first."""
    days: list[date] = []
    day = last
    while len(days) < count:
        if _is_open(day):
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]


def at(day: date, clock: time) -> datetime:
    """That time of day in the bank's zone, as UTC."""
    return datetime.combine(day, clock, BANK_ZONE).astimezone(UTC)


def session_at(moment: datetime, cut_off: time = CUT_OFF) -> Session:
    """The session of an order given at `moment`: before the cut-off of a trading day that day, else the next one.

    Exactly at the cut-off is late. The order is confirmed on the trading day after. Raises CalendarMissing.
    """
    local = moment.astimezone(BANK_ZONE)
    today = local.date()
    on_time = _is_open(today) and local.time() < cut_off
    trading_day = today if on_time else next_trading_day(today)
    confirm_day = next_trading_day(trading_day)
    return Session(trading_day, at(trading_day, cut_off), confirm_day, at(confirm_day, CONFIRM_FROM))


@dataclass(frozen=True)
class CalendarGap:
    """A year of the calendar that nobody has entered, or that awaits the exchanges' notice."""

    year: int
    kind: Literal["missing", "provisional"]


def ends_soon(today: date) -> CalendarGap | None:
    """The gap that operations must close within 60 days, a missing year before a provisional one; else None."""
    provisional = None
    for year in sorted({today.year, (today + WARN_BEFORE).year}):
        try:
            chinese_calendar.is_workday(date(year, 1, 1))
        except NotImplementedError:
            known = CalendarYear.objects.filter(year=year).first()
            if known is None:
                return CalendarGap(year, "missing")
            if known.is_provisional:
                provisional = CalendarGap(year, "provisional")
    return provisional
