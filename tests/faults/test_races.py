"""Races of money at the sizes that a long run has: exact numbers of wins, whatever the order."""

import time
from threading import Lock
from typing import Any

import pytest

from finance.bank_session.models import Confirmation
from finance.ledger.errors import InsufficientFunds
from finance.ledger.models import Entry
from finance.ledger.verify import verify
from tests.conftest import FreshDatabase
from tests.faults.figures import LONG, note, part_of, share
from tests.finance.bank_session.conftest import Bench, real_bench
from tests.finance.bank_session.test_at_once import _copies, one_outcome
from tests.finance.ledger.conftest import Books, at_once
from tests.finance.payments.conftest import Town, busy_town
from tests.finance.payments.test_races import race_at_the_edge
from tests.support.bank import Sheet

__all__ = ["busy_town", "real_bench"]

CLIENTS, AMOUNT = 32, 7
PORTION_FEN = 3_000
"""What is in the account at first, and comes in again whenever it was emptied until DRAIN_S are over. No multiple of
AMOUNT: something is left that is too little."""
DRAIN_S = 60.0 if LONG else 0.0
DRAIN_LIMIT_S = DRAIN_S + 140
HANDS = 50
INTENTS = 200 if LONG else 1
EDGES = 1_000 if LONG else 12


def test_32_clients_that_drain_one_account_get_exactly_what_is_in_it(fresh_database: FreshDatabase) -> None:
    books = Books(fresh_database.world)
    su, lin = books.open("su", PORTION_FEN), books.open("lin")
    began = time.monotonic()
    brought, bringing = [PORTION_FEN], Lock()

    def drain(_: int) -> int:
        wins = 0
        while time.monotonic() < began + DRAIN_LIMIT_S:
            try:
                books.post((su, -AMOUNT), (lin, AMOUNT))
            except InsufficientFunds:
                if time.monotonic() >= began + DRAIN_S:
                    return wins
                # One of those who find it empty brings more; the others go on trying.
                if bringing.acquire(blocking=False):
                    books.post((books.bank(), -PORTION_FEN), (su, PORTION_FEN), kind="opening")
                    brought.append(PORTION_FEN)
                    bringing.release()
            else:
                wins += 1
        raise AssertionError("not drained in time")

    wins = sum(at_once(CLIENTS, drain))

    note(
        drain_wins=wins,
        drain_s=round(time.monotonic() - began, 1),
        drain_portions=len(brought),
        drain_overdrafts=wins - sum(brought) // AMOUNT,
    )
    assert time.monotonic() >= began + DRAIN_S
    assert wins == sum(brought) // AMOUNT
    assert (books.balance(su), books.balance(lin)) == (sum(brought) % AMOUNT, wins * AMOUNT)
    assert verify().broken is None


def test_fifty_confirmations_at_once_of_one_intent_are_one_entry(real_bench: Bench, settings: Any) -> None:
    # All of them know the PIN: this is not about guessing.
    settings.PIN_HASH_WAIT_S, settings.PIN_TRIES, settings.PREPARES_PER_MINUTE = 120, 10 * HANDS, 100_000
    real_bench.price = 1
    once = set()
    for round_ in part_of(range(INTENTS)):
        sheet = Sheet(real_bench.prepare().handoff_url)
        seen, copies = sheet.shown_hash(), _copies(sheet, HANDS)

        answers = at_once(HANDS, lambda index, copies=copies, seen=seen: copies[index].confirm(statement_hash=seen))

        assert one_outcome(answers) == sheet.confirm(statement_hash=seen).content
        entries = Entry.objects.filter(key=f"test:{sheet.intent_id}").count()
        if (entries, Confirmation.objects.filter(intent_id=sheet.intent_id).count()) == (1, 1):
            once.add(str(round_))
    note(intents_confirmed_by_50=INTENTS, intents_done_once=share("confirmations", once, INTENTS))
    assert real_bench.balance() == 100_000 - len(once) and len(once) == len(part_of(range(INTENTS)))
    assert verify().broken is None


def test_expiry_against_acceptance_a_thousand_times(busy_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    race_at_the_edge(busy_town, monkeypatch, rounds=EDGES)  # type: ignore[no-untyped-call]
    note(edge_races=EDGES)
