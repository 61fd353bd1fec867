"""What the database's own functions look at, past all that Python has looked at before."""

import pytest
from django.db import transaction

from finance.ledger import actions
from finance.ledger.actions import Leg, NewEntry
from finance.ledger.errors import AccountClosed, CeilingReached, HoldNotOpen, InsufficientFunds
from finance.ledger.models import Account, Entry
from kernel.errors import KeyReused
from kernel.models import OutboxRow
from tests.finance.ledger.conftest import Books, key


def _entries(*pairs: tuple[Leg, Leg]) -> list[NewEntry]:
    return [NewEntry(key(), "refund", list(legs), "退款") for legs in pairs]


def test_the_key_of_a_hold_stands_for_that_hold_alone(books: Books) -> None:
    su, again = books.open("su", 100), key()
    first = books.hold(su, 40, key=again)

    assert books.hold(su, 40, key=again).hold_id == first.hold_id
    with pytest.raises(KeyReused):
        books.hold(su, 41, key=again)

    assert books.row(su).held_fen == 40


def test_the_key_of_an_entry_in_a_batch_stands_for_that_entry_alone(books: Books) -> None:
    su, lin = books.open("su", 100), books.open("lin")
    (known, other) = _entries((Leg(su, -1), Leg(lin, 1)), (Leg(su, -2), Leg(lin, 2)))
    books.batch([known, other])

    forged = NewEntry(known.key, "refund", [Leg(su, -50), Leg(lin, 50)], "退款")
    with pytest.raises(KeyReused):
        books.batch([forged, other])
    too_much = NewEntry(known.key, "refund", [Leg(su, -500), Leg(lin, 500)], "退款")
    with pytest.raises(KeyReused):
        books.batch([too_much, other])

    assert books.balance(su) == 97


def test_a_batch_whose_old_part_alone_would_pass_what_is_available_is_a_replay(books: Books) -> None:
    """What it would add is looked at with its old part first, and then without."""
    su, lin = books.open("su", 100), books.open("lin")
    (old, new) = _entries((Leg(su, -60), Leg(lin, 60)), (Leg(su, -40), Leg(lin, 40)))
    books.batch([old])

    again, posted = books.batch([old, new])
    everything = books.batch([old, new])

    assert (again.replayed, posted.replayed) == (True, False)
    assert all(one.replayed for one in everything)
    assert (books.balance(su), books.balance(lin)) == (0, 100)
    assert (books.row(su).posted_count, books.row(lin).posted_count) == (3, 2)


def test_what_a_replay_in_a_batch_would_bring_is_not_there_to_be_spent(books: Books) -> None:
    su, lin = books.open("su", 100), books.open("lin")
    (old, new) = _entries((Leg(su, -60), Leg(lin, 60)), (Leg(lin, -60), Leg(su, 60)))
    books.batch([old])
    books.post((lin, -60), (books.bank(), 60))

    with pytest.raises(InsufficientFunds):
        books.batch([old, new])

    assert (books.balance(su), books.balance(lin)) == (40, 0)


def test_a_hold_takes_nothing_from_a_frozen_account(books: Books) -> None:
    su = books.open("su", 100)
    Account.objects.filter(pk=su).update(status="frozen")

    with pytest.raises(AccountClosed):
        books.hold(su, 5)

    assert books.row(su).held_fen == 0


def test_a_batch_takes_nothing_from_a_frozen_account_and_moves_no_closed_one(books: Books) -> None:
    su, lin, xu = books.open("su", 100), books.open("lin", 100), books.open("xu")
    Account.objects.filter(pk=su).update(status="frozen")
    with transaction.atomic():
        actions.close_account(account_id=xu, actor_id=None)

    for legs in ((Leg(su, -5), Leg(lin, 5)), (Leg(lin, -5), Leg(xu, 5))):
        with pytest.raises(AccountClosed):
            books.batch(_entries(legs, legs))
    books.batch(_entries((Leg(lin, -5), Leg(su, 5)), (Leg(lin, -5), Leg(su, 5))))

    assert (books.balance(su), books.balance(lin), books.balance(xu)) == (110, 90, 0)


def test_a_batch_moves_no_closed_account_of_the_bank_s_own_and_leaves_the_others_as_they_were(books: Books) -> None:
    su, settlement = books.open("su", 100), books.bank("settlement")
    Account.objects.filter(pk=settlement).update(status="closed")

    with pytest.raises(AccountClosed):
        books.batch(_entries((Leg(su, -5), Leg(settlement, 5)), (Leg(su, -6), Leg(settlement, 6))))

    assert (books.balance(su), books.row(su).posted_count, books.balance(settlement)) == (100, 1, 0)


def test_of_a_batch_those_entries_are_told_that_a_customer_has_a_part_in(books: Books) -> None:
    su, bank, settlement = books.open("su", 100), books.bank(), books.bank("settlement")
    before = OutboxRow.objects.filter(topic="ledger.moved").count()

    mixed = books.batch(
        _entries((Leg(bank, -1), Leg(settlement, 1)), (Leg(bank, -2), Leg(su, 2)), (Leg(settlement, -3), Leg(bank, 3)))
    )

    told = OutboxRow.objects.filter(topic="ledger.moved").order_by("pk")[before:]
    assert [row.payload["entry_id"] for row in told] == [str(mixed[1].entry_id)]


def test_a_capture_does_not_pass_the_payee_s_ceiling(books: Books) -> None:
    su, jiang = books.open("su", 500_000), books.open("jiang", account_class="III", ceiling_fen=200_000)
    hold = books.hold(su, 200_001).hold_id

    with pytest.raises(CeilingReached) as refusal:
        books.capture(hold, (jiang, 200_001))

    assert refusal.value.params["room_fen"] == 200_000
    books.capture(hold, (jiang, 200_000))
    assert books.balance(jiang) == 200_000


def test_no_more_is_captured_than_was_held(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")
    hold = books.hold(su, 4_000).hold_id

    with pytest.raises(HoldNotOpen):
        books.batch([NewEntry(key(), "transfer", [Leg(su, -4_001), Leg(lin, 4_001)], "转账", captures=hold)])

    assert (books.balance(lin), books.row(su).held_fen) == (0, 4_000)


def test_a_hold_is_not_captured_by_two_entries_of_one_batch(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")
    hold = books.hold(su, 4_000).hold_id
    twice = [NewEntry(key(), "transfer", [Leg(su, -2_000), Leg(lin, 2_000)], "转账", captures=hold) for _ in range(2)]

    with pytest.raises(HoldNotOpen):
        books.batch(twice)

    assert books.balance(lin) == 0 and not Entry.objects.filter(key=twice[0].key).exists()


def test_what_is_held_is_spent_by_its_own_capture_alone(books: Books) -> None:
    su, lin = books.open("su", 100), books.open("lin")
    hold = books.hold(su, 60).hold_id

    with pytest.raises(InsufficientFunds):
        books.batch(_entries((Leg(su, -30), Leg(lin, 30)), (Leg(su, -30), Leg(lin, 30))))
    books.capture(hold, (lin, 60))

    assert (books.row(su).available_fen, books.balance(lin)) == (40, 60)
