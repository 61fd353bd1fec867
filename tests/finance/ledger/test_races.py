"""Exact numbers of wins and losses."""

from finance.ledger import queries, rollups
from finance.ledger.actions import EntryResult
from finance.ledger.errors import HoldNotOpen, InsufficientFunds
from finance.ledger.models import Entry, Hold, RollUp
from finance.ledger.verify import verify
from tests.finance.ledger.conftest import Books, at_once, key

CLIENTS = 12


def test_clients_that_drain_one_account_get_exactly_what_is_in_it(real_books: Books) -> None:
    su, lin = real_books.open("su", 1_000), real_books.open("lin")

    def drain(_: int) -> int:
        wins = 0
        while True:
            try:
                real_books.post((su, -7), (lin, 7))
            except InsufficientFunds:
                return wins
            wins += 1

    wins = at_once(CLIENTS, drain)

    assert sum(wins) == 1_000 // 7
    assert (real_books.balance(su), real_books.balance(lin)) == (1_000 % 7, 1_000 // 7 * 7)
    assert verify().broken is None


def test_holds_that_compete_for_one_account_hold_exactly_what_is_in_it(real_books: Books) -> None:
    su = real_books.open("su", 1_000)

    results = at_once(CLIENTS, lambda _: real_books.hold(su, 90))

    refused = [result for result in results if isinstance(result, InsufficientFunds)]
    assert (len(results) - len(refused), real_books.row(su).held_fen) == (1_000 // 90, 1_000 // 90 * 90)


def test_one_key_sent_many_times_at_once_is_one_entry(real_books: Books) -> None:
    su, lin, again = real_books.open("su", 1_000), real_books.open("lin"), key()

    results = at_once(CLIENTS, lambda _: real_books.post((su, -10), (lin, 10), key=again))

    assert len({result.entry_id for result in results}) == 1
    assert [result.replayed for result in results].count(False) == 1
    assert real_books.balance(lin) == 10 and Entry.objects.filter(key=again).count() == 1


def test_a_hold_that_is_captured_released_and_expired_at_once_ends_one_way(real_books: Books) -> None:
    su, lin = real_books.open("su", 100_000), real_books.open("lin")
    ways = [
        lambda hold: real_books.capture(hold, (lin, 100)),
        real_books.release,
        real_books.expire,
    ]
    captured = 0
    for _ in range(12):
        hold = real_books.hold(su, 100).hold_id
        results = at_once(6, lambda index, hold=hold: ways[index % 3](hold))  # type: ignore[misc]  # a default binds the loop variable
        assert sum(not isinstance(result, HoldNotOpen) for result in results) == 1
        captured += any(isinstance(result, EntryResult) for result in results)

    assert real_books.balance(su) + real_books.balance(lin) == 100_000
    assert real_books.balance(lin) == captured * 100
    assert real_books.row(su).held_fen == 0 and not Hold.objects.filter(state="open").exists()


def test_transfers_both_ways_between_the_same_accounts_never_wait_for_each_other_forever(real_books: Books) -> None:
    one, other = real_books.open("su", 10_000), real_books.open("lin", 10_000)

    def back_and_forth(index: int) -> int:
        ends = (one, other) if index % 2 else (other, one)
        for _ in range(25):
            real_books.post((ends[0], -3), (ends[1], 3))
        return 25

    assert at_once(8, back_and_forth) == [25] * 8
    assert (real_books.balance(one), real_books.balance(other)) == (10_000, 10_000)


def test_the_bank_s_own_account_is_exact_while_it_is_posted_to_and_rolled_up(real_books: Books) -> None:
    payers = [real_books.open("su", 1_000) for _ in range(6)]
    settlement = real_books.bank("settlement")

    def pay(index: int) -> int:
        if index == len(payers):
            for _ in range(8):
                rollups.roll_up()
            return 0
        for _ in range(30):
            real_books.post((payers[index], -2), (settlement, 2))
        return 30

    paid = sum(at_once(len(payers) + 1, pay))

    assert real_books.balance(settlement) == paid * 2
    rollups.roll_up()
    assert RollUp.objects.get(account_id=settlement).balance_fen == paid * 2
    assert queries.balance(queries.internal("settlement")) == paid * 2
    assert verify().broken is None


def test_the_bank_s_own_account_is_not_locked_by_a_posting(real_books: Books) -> None:
    """Two transactions that are open at once both credit it: neither waits for the other's commit."""
    from django.db import connection, transaction

    one, other, settlement = real_books.open("su", 100), real_books.open("lin", 100), real_books.bank("settlement")

    def other_client(_: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        return not real_books.post((other, -1), (settlement, 1)).replayed

    with transaction.atomic():
        real_books.post((one, -1), (settlement, 1))
        assert at_once(1, other_client) == [True]
