from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finance.ledger import actions, queries
from finance.ledger.actions import Leg, NewEntry
from finance.ledger.errors import (
    AccountClosed,
    AccountKept,
    AlreadyReversed,
    CeilingReached,
    HoldNotOpen,
    InsufficientFunds,
    Unbalanced,
)
from finance.ledger.models import Account, Entry, Posting
from finance.ledger.verify import verify
from kernel.errors import Invalid, KeyReused, NotFound
from kernel.models import OutboxRow
from tests.finance.ledger.conftest import Books, key


def test_money_moves_between_accounts_and_each_keeps_its_running_balance(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")

    books.post((su, -2_500), (lin, 2_500))
    books.post((su, -1_000), (lin, 1_000))

    assert (books.balance(su), books.balance(lin)) == (6_500, 3_500)
    steps = Posting.objects.filter(account_id=su).order_by("seq").values_list("seq", "balance_after_fen")
    assert list(steps) == [(1, 10_000), (2, 7_500), (3, 6_500)]
    assert verify().broken is None


def test_a_repeat_with_the_same_key_changes_nothing_and_names_the_same_entry(books: Books) -> None:
    su, lin, again = books.open("su", 10_000), books.open("lin"), key()

    first = books.post((su, -2_500), (lin, 2_500), key=again)
    second = books.post((su, -2_500), (lin, 2_500), key=again)

    assert (second.entry_id, second.replayed) == (first.entry_id, True)
    assert books.balance(su) == 7_500


def test_the_same_key_with_another_input_is_refused(books: Books) -> None:
    su, lin, again = books.open("su", 10_000), books.open("lin"), key()
    books.post((su, -2_500), (lin, 2_500), key=again)

    with pytest.raises(KeyReused):
        books.post((su, -2_501), (lin, 2_501), key=again)

    assert books.balance(su) == 7_500


def test_nobody_spends_more_than_is_available(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")
    books.hold(su, 4_000)

    with pytest.raises(InsufficientFunds) as refusal:
        books.post((su, -6_001), (lin, 6_001))

    assert refusal.value.params["available_fen"] == 6_000
    books.post((su, -6_000), (lin, 6_000))
    assert (books.row(su).balance_fen, books.row(su).available_fen) == (4_000, 0)


def test_a_ceiling_holds_to_the_fen(books: Books) -> None:
    jiang, su = books.open("jiang", account_class="III", ceiling_fen=200_000), books.open("su", 500_000)
    books.post((su, -199_999), (jiang, 199_999))

    with pytest.raises(CeilingReached) as refusal:
        books.post((su, -2), (jiang, 2))

    assert refusal.value.params["room_fen"] == 1
    books.post((su, -1), (jiang, 1))
    assert books.balance(jiang) == 200_000


@pytest.mark.parametrize("legs", [[5, -4], [5], [], [0, 0], [5, -5, 0]])
def test_legs_that_do_not_add_up_or_are_nothing_are_refused(books: Books, legs: list[int]) -> None:
    accounts = [books.open("su", 100), books.open("lin", 100), books.open("xu", 100)]

    with pytest.raises((Unbalanced, Invalid)):
        books.post(*zip(accounts, legs, strict=False))


@pytest.mark.parametrize("amount", [True, 1.0, "1", 10**15 + 1, 2**63])
def test_an_amount_is_a_whole_number_within_bounds(books: Books, amount: object) -> None:
    su, lin = books.open("su", 100), books.open("lin")

    with pytest.raises(Invalid):
        books.post((su, amount), (lin, -amount if not isinstance(amount, str) else -1))  # type: ignore[arg-type,operator]  # the wrong type is what is tested
    with pytest.raises(Invalid):
        books.hold(su, amount)  # type: ignore[arg-type]  # the wrong type is what is tested


def test_an_account_that_does_not_exist_takes_part_in_nothing(books: Books) -> None:
    su = books.open("su", 100)

    with pytest.raises(NotFound):
        books.post((su, -5), (uuid4(), 5))

    assert books.balance(su) == 100


def test_a_closed_account_moves_no_more_and_only_an_empty_one_is_closed(books: Books) -> None:
    su, lin = books.open("su", 100), books.open("lin")
    with pytest.raises(AccountKept):
        actions.close_account(account_id=su, actor_id=None)
    actions.close_account(account_id=lin, actor_id=None)

    with pytest.raises(AccountClosed):
        books.post((su, -5), (lin, 5))

    assert lin not in {account.pk for account in queries.accounts_of(books.world.people["lin"])}


def test_a_frozen_account_takes_money_and_gives_none(books: Books) -> None:
    su, lin = books.open("su", 100), books.open("lin", 100)
    Account.objects.filter(pk=su).update(status="frozen")

    books.post((lin, -5), (su, 5))
    for forbidden in (lambda: books.post((su, -5), (lin, 5)), lambda: books.hold(su, 5)):
        with pytest.raises(AccountClosed):
            forbidden()

    assert books.balance(su) == 105


def test_a_hold_is_captured_in_part_and_the_rest_is_free_again(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")
    hold = books.hold(su, 4_000)

    books.capture(hold.hold_id, (lin, 3_000))

    assert (books.row(su).balance_fen, books.row(su).held_fen, books.balance(lin)) == (7_000, 0, 3_000)


def test_a_hold_ends_once_and_its_own_key_again_is_a_replay(books: Books) -> None:
    su, lin, again = books.open("su", 10_000), books.open("lin"), key()
    hold = books.hold(su, 4_000).hold_id
    released = books.release(hold, key=again)

    assert (released.replayed, books.release(hold, key=again).replayed) == (False, True)
    for late in (
        lambda: books.release(hold),
        lambda: books.expire(hold),
        lambda: books.expire(hold, key=again),
        lambda: books.capture(hold, (lin, 4_000)),
    ):
        with pytest.raises(HoldNotOpen):
            late()
    assert books.row(su).available_fen == 10_000


def test_more_than_was_held_is_not_captured(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")

    with pytest.raises(Unbalanced):
        books.capture(books.hold(su, 4_000).hold_id, (lin, 4_001))


def test_a_capture_cannot_take_another_account_for_the_hold_s(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin", 10_000)
    hold = books.hold(su, 4_000).hold_id

    with pytest.raises(HoldNotOpen):
        books.batch([NewEntry(key(), "transfer", [Leg(lin, -4_000), Leg(books.bank(), 4_000)], "转账", captures=hold)])


def test_an_entry_is_reversed_by_another_and_only_once(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")
    entry = books.post((su, -2_500), (lin, 2_500)).entry_id

    back = books.reverse(entry).entry_id

    assert books.balance(su) == 10_000 and Entry.objects.get(pk=back).reverses_id == entry
    with pytest.raises(AlreadyReversed):
        books.reverse(entry)


def test_a_reversal_of_money_that_was_spent_is_refused(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")
    entry = books.post((su, -2_500), (lin, 2_500)).entry_id
    books.post((lin, -1), (books.bank(), 1))

    with pytest.raises(InsufficientFunds):
        books.reverse(entry)


def test_a_batch_is_posted_whole_or_not_at_all(books: Books) -> None:
    su, lin = books.open("su", 100), books.open("lin")
    good = NewEntry(key(), "refund", [Leg(su, -60), Leg(lin, 60)], "一")
    bad = NewEntry(key(), "refund", [Leg(su, -60), Leg(lin, 60)], "二")

    with pytest.raises(InsufficientFunds):
        books.batch([good, bad])

    assert not Entry.objects.filter(key__in=[good.key, bad.key]).exists()


def test_a_batch_is_two_statements_however_long_and_each_entry_is_told_once(books: Books) -> None:
    salaries = [books.open(owner) for owner in ("su", "lin", "shen", "xu", "he")]
    entries = [NewEntry(key(), "salary", [Leg(account, 100), Leg(books.bank(), -100)], "工资") for account in salaries]
    with CaptureQueriesContext(connection) as captured:
        made = books.batch(entries)
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) == 2
    told = OutboxRow.objects.filter(topic="ledger.moved").values_list("payload", flat=True)
    assert [row["entry_id"] for row in told.order_by("pk")][-5:] == [str(entry.entry_id) for entry in made]


def test_a_batch_may_not_lend_within_itself(books: Books) -> None:
    """Paid out before it came in: the sum would do, the order does not."""
    su, lin = books.open("su"), books.open("lin")
    out = NewEntry(key(), "refund", [Leg(su, -60), Leg(lin, 60)], "一")
    into = NewEntry(key(), "refund", [Leg(su, 60), Leg(books.bank(), -60)], "二")

    with pytest.raises(InsufficientFunds):
        books.batch([out, into])


def test_a_batch_of_old_and_new_posts_the_new(books: Books) -> None:
    su, lin = books.open("su", 1_000), books.open("lin")
    entries = [NewEntry(key(), "salary", [Leg(su, -10), Leg(lin, 10)], str(n)) for n in range(20)]
    books.batch(entries[:10])

    results = books.batch(entries)

    assert [result.replayed for result in results] == [True] * 10 + [False] * 10
    assert books.balance(lin) == 200


def test_the_same_key_twice_in_a_batch_is_one_entry(books: Books) -> None:
    su, lin = books.open("su", 1_000), books.open("lin")
    entry = NewEntry(key(), "salary", [Leg(su, -10), Leg(lin, 10)], "一")

    results = books.batch([entry, entry])

    assert results[0].entry_id == results[1].entry_id
    assert books.balance(lin) == 10


def test_an_account_opened_twice_with_one_key_is_one_account(books: Books) -> None:
    again = key()

    assert books.open("su", key=again) == books.open("su", key=again)
    with pytest.raises(KeyReused):
        books.open("lin", key=again)


def test_a_number_carries_a_check_digit_and_is_kept_encrypted(books: Books) -> None:
    account = books.row(books.open("su"))

    assert len(str(account.number)) == 19 and str(account.number).endswith(account.tail)
    stored = Account.objects.filter(pk=account.pk).values_list("number", flat=True).get()
    assert str(account.number).encode() not in bytes(stored)
    with pytest.raises(Invalid):
        books.open("su", number=str(account.number)[:-1] + str((int(str(account.number)[-1]) + 1) % 10))


def test_what_touches_a_customer_goes_into_the_outbox_and_a_replay_does_not(books: Books) -> None:
    su, lin, again = books.open("su", 100), books.open("lin"), key()
    before = OutboxRow.objects.filter(topic="ledger.moved").count()

    books.post((su, -5), (lin, 5), key=again)
    books.post((su, -5), (lin, 5), key=again)
    hold = books.hold(su, 5).hold_id
    books.capture(hold, (lin, 5))
    books.post((books.bank(), -5), (books.bank("settlement"), 5))

    rows = OutboxRow.objects.filter(topic="ledger.moved").order_by("pk")[before:]
    assert [row.payload["event"] for row in rows] == ["posted", "held", "captured"]
