"""A process is killed before and after every database statement, commit and outbox step of a deed; then the deed is
tried again as people and workers do. It has happened once.

`make test` kills at some points, drawn by a seed; `make faults` at all of them: crash_points_covered is their share.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from finance.bank_session.models import Confirmation
from finance.ledger.models import Entry, Hold
from finance.ledger.verify import verify
from finance.payments.actions import payouts
from finance.payments.models import LimitUse, Payout, Transfer
from kernel import jobs
from kernel.ids import new_id
from kernel.models import OutboxRow
from tests.faults import dying
from tests.faults.figures import LONG, SEED, note, part_of, share
from tests.finance.payments.conftest import Shown, Town, check_books
from tests.finance.payments.test_races import held
from tests.support.caller import Caller
from tests.support.networks import Simulator

FEN = 100
DRAWN = 3
"""Points of each deed in a short run."""
TRIES = 20


def _answered(ask: Callable[[], Any]) -> Any:
    """Asks until the answer is not that the first attempt is still at work: its connection has yet to be noticed."""
    for _ in range(TRIES):
        answer = ask()
        if answer.status_code != 409 or answer.json()["error"]["code"] != "in_flight":
            return answer
    raise AssertionError("in flight for ever")


class Confirm:
    """A transfer is confirmed on the bank's page; the worker shows its card and tells of it."""

    def __init__(self, town: Town) -> None:
        self.town, self.payer = town, Caller(town.people["su"])

    def make(self) -> Any:
        return Shown(self.payer.post("/api/finance/transfers", self.town.order("su", "lin", FEN)))

    def act(self, sheet: Any) -> None:
        answer = _answered(sheet.confirm)
        assert answer.status_code == 200, answer.content
        jobs.drain()

    def check(self, sheet: Any) -> None:
        transfer = Transfer.objects.get(pk=sheet.intent_id)
        assert transfer.state == "pending"
        assert Hold.objects.filter(reference=transfer.pk, amount_fen=FEN, state="open").count() == 1
        assert Confirmation.objects.filter(intent_id=transfer.pk).count() == 1
        assert LimitUse.objects.filter(pk=f"transfer:{transfer.pk}:out").count() == 1
        # What is held stays so: the next transfer adds to it.
        assert Hold.objects.filter(state="open").count() == Transfer.objects.filter(state="pending").count()


class Receive:
    """The payee receives a transfer."""

    door, state = "accept", "received"

    def __init__(self, town: Town) -> None:
        self.town, self.payee = town, Caller(town.people["lin"])
        self.kept = town.money("lin")[0]

    def make(self) -> tuple[str, str]:
        made = str(held(self.town, FEN).pk), str(uuid4())
        jobs.drain()
        self.kept = self.town.money("lin")[0]
        return made

    def act(self, made: tuple[str, str]) -> None:
        transfer_id, key = made
        body = {"account_id": str(self.town.account["lin"])} if self.door == "accept" else {}
        path = f"/api/finance/transfers/{transfer_id}/{self.door}"
        answer = _answered(lambda: self.payee.post(path, body, **{"Idempotency-Key": key}))
        assert answer.status_code == 200, answer.content
        jobs.drain()

    def check(self, made: tuple[str, str]) -> None:
        transfer = Transfer.objects.get(pk=UUID(made[0]))
        assert (transfer.state, transfer.revision) == (self.state, 2)
        entries = Entry.objects.filter(reference=transfer.pk).count()
        assert (entries, self.town.money("lin")[0] - self.kept) == ((1, FEN) if self.door == "accept" else (0, 0))


class Refund(Receive):
    """The payee gives a transfer back."""

    door, state = "return", "returned"


class Settle:
    """The worker hands a payout to the clearing network and books its answer."""

    def __init__(self, town: Town) -> None:
        self.town = town
        town.account["jiang"] = town.open_class("jiang", "III").json()["account_id"]
        town.fund(town.account["jiang"], 1_000_00)

    def make(self) -> str:
        before = OutboxRow.objects.filter(done_at__isnull=True, topic="payments.payout_step").count()
        order = payouts.Order(UUID(str(self.town.account["jiang"])), self.town.card("jiang"), FEN)
        with transaction.atomic():
            made = str(payouts.confirm(payout_id=new_id(), person_id=self.town.people["jiang"], order=order).pk)
        assert OutboxRow.objects.filter(done_at__isnull=True, topic="payments.payout_step").count() == before + 1
        return made

    def act(self, made: str) -> None:
        jobs.drain()

    def check(self, made: str) -> None:
        payout = Payout.objects.get(pk=UUID(made))
        assert payout.state == "settled", payout.state
        assert Entry.objects.filter(key=f"payout:{payout.pk}:settle").count() == 1
        taken = [row for row in self.network.payments() if row["end_to_end_id"] == str(payout.end_to_end_id)]
        assert [row["amount_fen"] for row in taken] == [FEN]

    network: Simulator


@dataclass
class Tally:
    """Points that were counted, and those that a process died at."""

    counted: int = 0
    died_at: set[tuple[str, int]] = field(default_factory=set)


def _kill_at(points: list[int], deed: Any, name: str, tally: Tally) -> None:
    for point in points:
        made = deed.make()
        ended, _ = dying.run(partial(deed.act, made), deadly=point)
        if ended == dying.DIED:
            tally.died_at.add((name, point))
        deed.act(made)
        deed.check(made)
        assert not OutboxRow.objects.filter(failed_at__isnull=False).exists()


def test_a_deed_that_is_cut_anywhere_and_tried_again_has_happened_once(busy_town: Town, network: Simulator) -> None:
    town, tally, draw = busy_town, Tally(), random.Random(SEED)
    Settle.network = network
    wanted = 0
    for kind in (Confirm, Receive, Refund, Settle):
        name, deed = kind.__name__, kind(town)
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
def busy_town(fresh_database: Any, network: Simulator, settings: Any) -> Town:
    """The town in a database of its own, with money enough for every point."""
    settings.DEMO = True
    return Town(fresh_database.world)
