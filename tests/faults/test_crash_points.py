"""A process is killed before and after every database statement, commit and outbox step of a deed; then the deed is
tried again as people and workers do. It has happened once.

`make test` kills at some points, drawn by a seed; `make faults` at all of them: crash_points_covered is their share.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from finance.ledger.verify import verify
from kernel.models import OutboxRow
from tests.conftest import FreshDatabase
from tests.faults import dying
from tests.faults.deeds import (
    ConfirmByPasskey,
    ConfirmByPin,
    Deed,
    Expire,
    GiveBack,
    MoveOwn,
    PayOut,
    Receive,
    Reverse,
    Stage,
)
from tests.faults.figures import LONG, SEED, note, part_of, share
from tests.faults.wealth_deeds import Buy, CancelOrder, SettleOrder
from tests.finance.payments.conftest import Town, check_books
from tests.finance.wealth.conftest import BankClock, Shop, bank_clock, stock
from tests.support.networks import Simulator

__all__ = ["bank_clock"]

# What the clock is moved on for comes first: nothing else of the day then waits to be done at that time.
DEEDS: tuple[type[Deed[Any]], ...] = (
    Expire,
    SettleOrder,
    ConfirmByPin,
    ConfirmByPasskey,
    Receive,
    GiveBack,
    MoveOwn,
    PayOut,
    Reverse,
    Buy,
    CancelOrder,
)
DRAWN = 2
"""Points of each deed in a short run."""


@dataclass
class Tally:
    """Points that were counted, and those that a process died at."""

    counted: int = 0
    died_at: set[tuple[str, int]] = field(default_factory=set)


def _kill_at(points: list[int], deed: Deed[Any], name: str, tally: Tally) -> None:
    for point in points:
        made = deed.make()
        ended, _ = dying.run(partial(deed.act, made), deadly=point)
        if ended == dying.DIED:
            tally.died_at.add((name, point))
        deed.act(made)
        deed.check(made)
        assert not OutboxRow.objects.filter(failed_at__isnull=False).exists()


def test_a_deed_that_is_cut_anywhere_and_tried_again_has_happened_once(stage: Stage) -> None:
    tally, draw, wanted = Tally(), random.Random(SEED), 0
    for kind in DEEDS:
        name, deed = kind.__name__, kind(stage)
        # The first of a kind makes rows that all later ones find; it counts, and warms up.
        for _ in range(2):
            made = deed.make()
            ended, points = dying.run(partial(deed.act, made))
            assert ended == dying.DONE and points > 20, (name, ended, points)
            deed.act(made)
            deed.check(made)
        chosen = part_of(range(1, points + 1)) if LONG else sorted(draw.sample(range(1, points + 1), DRAWN))
        wanted += len(chosen)
        tally.counted += points
        _kill_at(chosen, deed, name, tally)
    check_books()
    assert verify().broken is None
    died = [f"{name} {point}" for name, point in tally.died_at]
    note(crash_points=tally.counted, crash_points_covered=share("crash points", died, tally.counted))
    assert len(tally.died_at) == wanted, "a process lived through its point"


@pytest.fixture
def stage(fresh_database: FreshDatabase, bank_clock: BankClock, network: Simulator) -> Iterator[Stage]:
    """A database of its own, where the bank's time stands still, with money enough for every point."""
    shop = Shop(fresh_database.world, bank_clock)
    stock(shop)
    yield Stage(Town(fresh_database.world, pins=("lin", "jiang", "shen")), shop, bank_clock, network)
