"""Counters of tries, in PostgreSQL: they survive a restart, count over all processes, and name nobody.

What strangers do to a number must not keep its owner out, so a device that signed in before has counters of its own
(after OWASP's device cookies); the id by which it calls itself is random and leaves it only when it signs in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from accounts.models import Device, Throttle
from kernel import notes
from kernel.clock import now
from kernel.errors import TooMany
from kernel.secrets import blind_index
from kernel.statements import planned

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Asker:
    """Who knocks at a door before anybody has signed in: from which network, and what their device calls itself."""

    address: str
    device: UUID | None = None

    def name(self) -> str:
        """The same for whoever asks again: the device, or the network of one that calls itself nothing."""
        return f"device:{self.device}" if self.device else f"address:{self.address}"

    def is_of(self, phone: str) -> bool:
        """Whether the number's owner has signed in on this device, and not taken it off the list."""
        return (
            self.device is not None
            and Device.objects.filter(
                person__phone_index=blind_index("phone", phone), client_id=self.device, removed_at__isnull=True
            ).exists()
        )


_HIT = """
INSERT INTO accounts_throttle AS t (key, count, resets_at) VALUES (%s, 1, %s)
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN t.resets_at <= %s THEN 1 ELSE t.count + 1 END,
    resets_at = CASE WHEN t.resets_at <= %s THEN excluded.resets_at ELSE t.resets_at END
RETURNING count, resets_at
"""
_HIT_LIGHTLY = _HIT.replace(
    "VALUES (%s, 1, %s)",
    "SELECT %s::bytea, 1, %s::timestamptz FROM set_config('synchronous_commit', 'off', true)",
)


def _key(scope: str, subject: str) -> bytes:
    return blind_index(f"throttle:{scope}", subject)


def hit(scope: str, subject: str, *, limit: int, window: timedelta, light: bool = False) -> None:
    """Counts one try of `subject` before it is looked at. Raises TooMany beyond `limit` in `window`.

    Call it outside the transaction of the try, so that a roll-back does not give the try back. `light`: it does not
    wait for the disk, and the last half second's tries are forgotten if the machine itself dies; for rates a minute,
    never for guesses.
    """
    moment = now()
    # Inside a transaction it would hold for all of that one.
    statement = _HIT_LIGHTLY if light and not connection.in_atomic_block else _HIT
    [(count, resets_at)] = planned(statement, [_key(scope, subject), moment + window, moment, moment])
    if count > limit:
        raise TooMany(wait_s=_wait_s(resets_at, moment))


def hit_with(scope: str, subject: str, *, limit: int, window: timedelta) -> str:
    """Counts one try with what else is gathered (kernel.notes), and answers the condition under which that may be done.

    Beyond the limit TooMany is raised at the end. What depends on the condition was not written then; the try counts
    if that end was no part of a transaction. For the same rates as `light`.
    """
    moment = now()

    def judge(rows: list[dict[str, Any]]) -> None:
        if rows[0]["count"] > limit:
            raise TooMany(wait_s=_wait_s(datetime.fromisoformat(rows[0]["resets_at"]), moment))

    notes.write(_HIT, [_key(scope, subject), moment + window, moment, moment], then=judge, name="tried")
    return f"EXISTS (SELECT FROM tried WHERE count <= {limit:d})"


def forgive(scope: str, subject: str) -> None:
    """Starts anew after a success."""
    Throttle.objects.filter(key=_key(scope, subject)).delete()


def _wait_s(resets_at: datetime, moment: datetime) -> int:
    return max(1, int((resets_at - moment).total_seconds()) + 1)


def give_back(scope: str, subject: str) -> None:
    """Takes back one try that turned out well, where many people share the counter."""
    Throttle.objects.filter(key=_key(scope, subject), count__gt=0).update(count=F("count") - 1)
