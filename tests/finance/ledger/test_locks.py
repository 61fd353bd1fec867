"""What each lock of the ledger is for, shown with one client that holds and another that waits."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from finance.ledger import actions, rollups
from finance.ledger.actions import Leg, NewEntry
from finance.ledger.errors import AccountKept
from finance.ledger.models import Account, Posting, RollUp
from tests.finance.ledger.conftest import Books, key
from tests.support.aside import Aside

Move = Callable[[UUID, UUID, int], Any]


@pytest.fixture(params=["one entry", "a batch"])
def move(real_books: Books, request: pytest.FixtureRequest) -> Move:
    """Moves money from one account to another, by each of the functions that post."""

    def in_a_batch(source: UUID, target: UUID, fen: int) -> Any:
        parts = [Leg(source, -fen), Leg(target, fen)], [Leg(source, -1), Leg(target, 1)]
        return real_books.batch([NewEntry(key(), "transfer", legs, "转账") for legs in parts])

    def alone(source: UUID, target: UUID, fen: int) -> Any:
        return real_books.post((source, -fen - 1), (target, fen + 1))

    return alone if request.param == "one entry" else in_a_batch


def test_a_roll_up_does_not_pass_what_is_still_being_posted(real_books: Books, move: Move) -> None:
    su, lin, settlement = real_books.open("su", 100), real_books.open("lin", 100), real_books.bank("settlement")

    with transaction.atomic():
        move(su, settlement, 1)
        Aside(lambda: move(lin, settlement, 2)).result()
        Aside(rollups.roll_up).result()
    rollups.roll_up()

    assert RollUp.objects.get(account_id=settlement).balance_fen == 5
    assert real_books.balance(settlement) == 5


def test_one_rolls_up_at_a_time(real_books: Books) -> None:
    real_books.post((real_books.open("su", 100), -1), (real_books.bank("settlement"), 1))

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [rollups._ROLLING_LOCK])
        assert Aside(rollups.roll_up).result() == 0

    assert rollups.roll_up() > 0


def test_accounts_are_locked_in_the_order_of_their_ids(real_books: Books, move: Move) -> None:
    """Whoever waits for the first of two does not have the second yet, so no two can wait for each other."""
    low, high = sorted([real_books.open("su", 100), real_books.open("lin", 100)])

    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=low)
        other = Aside(lambda: move(high, low, 1))
        assert other.waits()
        Account.objects.select_for_update(no_key=True, nowait=True).get(pk=high)
    other.result()

    assert (real_books.balance(low), real_books.balance(high)) == (102, 98)


def test_a_capture_locks_accounts_in_the_order_of_their_ids(real_books: Books) -> None:
    low, high = sorted([real_books.open("su", 100), real_books.open("lin", 100)])
    hold = real_books.hold(high, 1).hold_id

    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=low)
        other = Aside(lambda: real_books.capture(hold, (low, 1)))
        assert other.waits()
        Account.objects.select_for_update(no_key=True, nowait=True).get(pk=high)
    other.result()

    assert (real_books.balance(low), real_books.balance(high)) == (101, 99)


def test_one_batch_sent_twice_at_once_is_posted_once(real_books: Books) -> None:
    """Whoever waited finds the other's entries only after it has added its own part, and takes that off again."""
    su, lin, entries = real_books.open("su", 10), real_books.open("lin"), []
    for fen in (4, 1):
        entries.append(NewEntry(key(), "refund", [Leg(su, -fen), Leg(lin, fen)], "退款"))

    with transaction.atomic():
        first = real_books.batch(entries)
        other = Aside(lambda: real_books.batch(entries))
        assert other.waits()
    again = other.result()

    assert [one.entry_id for one in again] == [one.entry_id for one in first]
    assert all(one.replayed for one in again) and not any(one.replayed for one in first)
    assert (real_books.balance(su), real_books.balance(lin), real_books.row(su).posted_count) == (5, 5, 3)


def test_what_is_spent_meanwhile_is_not_there_for_whoever_waited(real_books: Books, move: Move) -> None:
    su, lin, settlement = real_books.open("su", 10), real_books.open("lin"), real_books.bank("settlement")

    with transaction.atomic():
        move(su, lin, 4)
        other = Aside(lambda: move(su, settlement, 4))
        assert other.waits()
    other.result()

    assert (real_books.balance(su), real_books.balance(lin), real_books.balance(settlement)) == (0, 5, 5)
    steps = Posting.objects.filter(account_id=su).order_by("seq").values_list("balance_after_fen", flat=True)
    assert list(steps)[-1] == 0 and len(set(steps)) == len(steps)


def test_a_capture_that_waited_for_the_same_one_is_its_replay(real_books: Books) -> None:
    su, lin, again = real_books.open("su", 100), real_books.open("lin"), key()
    hold = real_books.hold(su, 40).hold_id

    with transaction.atomic():
        first = real_books.capture(hold, (lin, 40), key=again)
        other = Aside(lambda: real_books.capture(hold, (lin, 40), key=again))
        assert other.waits()
    second = other.result()

    assert (second.entry_id, second.replayed) == (first.entry_id, True)
    assert (real_books.balance(lin), real_books.row(su).held_fen) == (40, 0)


def test_a_release_that_waited_for_the_same_one_is_its_replay(real_books: Books) -> None:
    su, again = real_books.open("su", 100), key()
    hold, kept = real_books.hold(su, 40).hold_id, real_books.hold(su, 50)

    with transaction.atomic():
        real_books.release(hold, key=again)
        other = Aside(lambda: real_books.release(hold, key=again))
        assert other.waits()

    assert other.result().replayed
    assert real_books.row(su).held_fen == 50 and not kept.replayed


def test_a_hold_waits_for_the_account_before_it_takes_its_key(real_books: Books) -> None:
    """The other way round, two who place the same hold could wait for each other."""
    su, lin, again = real_books.open("su", 100), real_books.open("lin"), key()

    with transaction.atomic():
        real_books.post((su, -1), (lin, 1))
        other = Aside(lambda: real_books.hold(su, 5, key=again))
        assert other.waits()
        first = real_books.hold(su, 5, key=again)

    assert (other.result().hold_id, other.result().replayed) == (first.hold_id, True)
    assert real_books.row(su).held_fen == 5


def test_an_account_is_not_closed_over_a_credit_that_is_still_being_posted(real_books: Books) -> None:
    su, lin = real_books.open("su", 100), real_books.open("lin")

    def close() -> None:
        with transaction.atomic():
            actions.close_account(account_id=lin, actor_id=None)

    with transaction.atomic():
        real_books.post((su, -5), (lin, 5))
        other = Aside(close)
        assert other.waits()
    with pytest.raises(AccountKept):
        other.result()

    assert real_books.row(lin).status == "open"
