"""kill -9 of the server, the worker with the beat, PostgreSQL and Redis, in turn, while clients pay, buy, take and give
back over HTTP; and in the middle of it the bank's date is moved on by a day.

What was confirmed, taken or given back is there, once; what was in doubt is known soon after everything is up again, by
asking again under the same id or key; what nobody took is given back once; the books never differ.
"""

import contextlib
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.faults.crowd import Buyer, Crowd, Mover
from tests.faults.figures import LONG, SECONDS, SEED, note
from tests.faults.people import Cashier, Watcher
from tests.faults.standing import KINDS, Standing
from tests.faults.test_kill import rows
from tests.support import run
from tests.support.site import Site

# Twenty clients: one who pays and one who takes for each pair.
EVERYBODY: dict[str, Any] = {
    "pairs": (("su", "lin"), ("lin", "su"), ("shen", "su"), ("su", "shen"), ("xu", "he"), ("he", "xu")),
    "buyers": ("xu", "he", "bai", "lin", "shen"),
    "movers": 1,
    "cashiers": 2,
}
SOME: dict[str, Any] = {"pairs": (("su", "lin"), ("shen", "su")), "buyers": ("xu",), "movers": 0, "cashiers": 1}
WORK_S = SECONDS if LONG else 0.0
PAUSE_S = 10.0 if LONG else 1.0
DOUBT_LIMIT_S = 5.0
SETTLED_LIMIT_S = 60.0
A_DAY = timedelta(hours=24)
BUSINESS_NOW = "(now() + make_interval(secs => coalesce((SELECT max(offset_seconds) FROM kernel_businessclock), 0)))"
# How a transfer stands, how its hold does, and how many entries moved its money.
ENDS = {("pending", "open", 0), ("received", "captured", 1), ("returned", "released", 0), ("expired", "released", 0)}


class Patient(Watcher):
    """Reads on when PostgreSQL is back."""

    def work(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(psycopg.OperationalError):
                super().work()
            self.stopping.wait(0.1)


@pytest.fixture
def standing() -> Iterator[Standing]:
    folder = run.folder() / f"standing-{uuid4().hex[:8]}"
    folder.mkdir()
    folder.chmod(0o755)
    made = Standing(folder)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _left_over(site: Site) -> tuple[list[tuple[Any, ...]], float]:
    """What the worker has not done, once it had its time: rows that are due, and payouts on their way; and how long it
    took.
    """
    began = time.monotonic()
    while True:
        left = rows(
            site,
            "SELECT topic, attempts, last_error FROM kernel_outboxrow"
            f" WHERE failed_at IS NOT NULL OR (done_at IS NULL AND run_at <= {BUSINESS_NOW})"
            " UNION ALL SELECT 'payout', steps, state FROM payments_payout WHERE finished_at IS NULL",
        )
        took_s = time.monotonic() - began
        if not left or took_s > SETTLED_LIMIT_S:
            return left, took_s
        time.sleep(0.2)


def _kill_in_turn(standing: Standing) -> int:
    """Each of KINDS after a drawn pause, until the time is over; answers how often. Half-way the bank's date is moved
    on, and whoever begins to give back what has expired by then is killed at once.
    """
    chance, kills, moved = random.Random(SEED), 0, False
    began = time.monotonic()
    while time.monotonic() < began + WORK_S or kills < len(KINDS) or not moved:
        time.sleep(chance.uniform(0.5, 1.5) * PAUSE_S)
        kind = KINDS[kills % len(KINDS)]
        if kind == "worker" and not moved and time.monotonic() >= began + WORK_S / 2:
            standing.move_clock(A_DAY)
            moved = True
        standing.kill(kind)
        kills += 1
    return kills


def _effects(site: Site, crowd: Crowd) -> tuple[int, int]:
    """How many acknowledged deeds are not there, and how many of all are there more than once."""
    held = dict(rows(site, "SELECT reference::text, count(*) FROM ledger_hold GROUP BY reference"))
    own = dict(
        rows(site, "SELECT reference::text, count(*) FROM ledger_entry WHERE kind = 'own_transfer' GROUP BY reference")
    )
    there = Counter(held) + Counter(own)
    taken = dict(rows(site, "SELECT id::text, state FROM payments_transfer"))
    ends = {"accept": "received", "return": "returned"}
    lost = sum(not there[payment.id] for payment in crowd.payments() if payment.confirmed)
    lost += sum(taken.get(one.id) != ends[one.verb] for one in crowd.receptions() if one.confirmed)
    return lost, sum(there[payment.id] > 1 for payment in crowd.payments())


def _wrong_ends(site: Site) -> list[tuple[Any, ...]]:
    """Transfers whose money does not stand where their state says, once."""
    found = rows(
        site,
        "SELECT t.id::text, t.state, h.state, (SELECT count(*) FROM ledger_entry e WHERE e.reference = t.id)"
        " FROM payments_transfer t JOIN ledger_hold h ON h.id = t.hold_id",
    )
    return [row for row in found if row[1:] not in ENDS]


def _expired(site: Site) -> tuple[int, int, int]:
    """How many transfers are over their day; of these, how many the payer has back; and how often that was done."""
    ((over, back),) = rows(
        site,
        "SELECT count(*), count(*) FILTER (WHERE state = 'expired') FROM payments_transfer"
        f" WHERE state IN ('pending', 'expired') AND expires_at <= {BUSINESS_NOW}",
    )
    ((times,),) = rows(site, "SELECT count(*) FROM kernel_auditrow WHERE action = 'payments.transfer_expired'")
    return over, back, times


@pytest.mark.long
def test_what_was_confirmed_survives_whatever_is_killed(standing: Standing) -> None:
    site = standing.site
    crowd = Crowd(site, **(EVERYBODY if LONG else SOME))
    watcher = Patient(site.database_url)
    watcher.start()
    crowd.start()
    kills = _kill_in_turn(standing)
    crowd.finish()
    left, settled_s = _left_over(site)
    watcher.finish()

    lost, doubled = _effects(site, crowd)
    wrong, expired = _wrong_ends(site), _expired(site)
    doubts = [(standing.up_s(*deed.doubt), deed) for deed in crowd.deeds() if deed.doubt]
    unresolved = [(up_s, deed) for up_s, deed in doubts if not deed.known or up_s > DOUBT_LIMIT_S]
    longest_s = max((up_s for up_s, _ in doubts), default=0.0)
    taken = [one for one in crowd.receptions() if one.confirmed]
    note(
        money_clients=len(crowd.clients),
        money_kills=kills,
        money_confirmed=sum(one.confirmed for one in crowd.payments()),
        money_orders=sum(one.confirmed for one in crowd.payments(Buyer)),
        money_own_transfers=sum(one.confirmed for one in crowd.payments(Mover)),
        money_payouts=sum(one.confirmed for one in crowd.payments(Cashier)),
        money_received=sum(one.verb == "accept" for one in taken),
        money_returned=sum(one.verb == "return" for one in taken),
        money_expired=expired[1],
        money_acked_lost=lost,
        money_doubled=doubled + len(wrong),
        money_sum_drift_fen=watcher.drift_fen,
        money_reads=watcher.reads,
        money_in_doubt=len(doubts),
        money_in_doubt_resolved=1 - len(unresolved) / max(1, len(doubts)),
        money_doubt_max_s=round(longest_s, 3),
        money_settled_s=round(settled_s, 1),
        money_left_over=len(left),
        **{f"money_told_{code}": count for code, count in sorted(crowd.telling.codes.items())},
    )
    assert not crowd.telling.odd, crowd.telling.odd[:5]
    assert all(any(one.confirmed for one in payer.payments) for payer in crowd.payers) and taken
    assert watcher.reads and doubts and not standing.ended
    assert (lost, doubled, wrong, watcher.drift_fen) == (0, 0, [], 0)
    assert not unresolved, (unresolved, standing.up)
    assert not left
    # Only what is over its day was given back, all of it, each once.
    assert expired[0] and len(set(expired)) == 1, expired
    assert rows(site, "SELECT sum(amount_fen)::bigint FROM ledger_posting") == [(0,)]
    site.manage("verify_ledger")
    site.manage("verify_audit")
