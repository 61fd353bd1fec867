"""Each minute's proof finds what an insider alters in the old and quiet part of the books, within its promise."""

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from finance.ledger import rolling, rollups
from finance.ledger.models import ProofCursor
from finance.ledger.verify import verify_new
from tests.conftest import FreshDatabase
from tests.finance.ledger.conftest import Books

ROUND_RUNS = 4
SEED = 20261130
INTERNAL = "(SELECT entry_id FROM ledger_posting GROUP BY entry_id HAVING count(seq) = 0 ORDER BY min(id) LIMIT 1)"
DORMANT = {
    "a quiet account's balance is raised": "UPDATE ledger_account SET balance_fen = balance_fen + 7 WHERE id = %(su)s",
    "a balance is raised and its count too": "UPDATE ledger_account SET balance_fen = balance_fen + 7,"
    " posted_count = posted_count + 1 WHERE id = %(su)s",
    "an old posting is altered": "UPDATE ledger_posting SET amount_fen = amount_fen + 1"
    " WHERE account_id = %(su)s AND seq = 2",
    "an old balance on the way is altered": "UPDATE ledger_posting SET balance_after_fen = balance_after_fen + 1"
    " WHERE account_id = %(su)s AND seq = 2",
    "two old postings change places": "UPDATE ledger_posting SET seq = 3 - seq WHERE account_id = %(su)s AND seq < 3",
    "an old posting is removed": "DELETE FROM ledger_posting WHERE account_id = %(su)s AND seq = 2",
    "a hold is altered": "UPDATE ledger_hold SET amount_fen = amount_fen - 1 WHERE state = 'open'",
    "a hold is let go unseen": "UPDATE ledger_hold SET state = 'released', closed_at = '2020-01-01',"
    " closed_key = id::text WHERE state = 'open'",
    "what is held is forgotten": "UPDATE ledger_account SET held_fen = 0 WHERE held_fen > 0",
    "a captured hold is made smaller": "UPDATE ledger_hold SET amount_fen = amount_fen - 1 WHERE state = 'captured'",
    "a roll-up is altered": "UPDATE ledger_rollup SET balance_fen = balance_fen + 1 WHERE account_id = %(bank)s",
    "both legs between the bank's own accounts are altered": "UPDATE ledger_posting SET amount_fen = amount_fen * 2"
    f" WHERE entry_id = {INTERNAL}",
    "a posting moves to another of the bank's own": "UPDATE ledger_posting SET account_id = (SELECT id FROM"
    f" ledger_account WHERE code = 'clearing-in') WHERE account_id = %(bank)s AND entry_id = {INTERNAL}",
    "an entry between the bank's own accounts is removed": f"WITH e AS {INTERNAL[:-1]}), p AS (DELETE FROM"
    " ledger_posting WHERE entry_id = (SELECT entry_id FROM e)) DELETE FROM ledger_entry WHERE id ="
    " (SELECT entry_id FROM e)",
    "an old entry loses its postings": f"DELETE FROM ledger_posting WHERE entry_id = {INTERNAL}",
    "an entry says another number of legs": f"UPDATE ledger_entry SET legs = 3 WHERE id = {INTERNAL}",
    "a customer's posting hides among the bank's": "UPDATE ledger_posting SET seq = NULL, balance_after_fen = NULL"
    " WHERE account_id = %(su)s AND seq = 2",
}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "SMALLEST_PIECE", 1)
    monkeypatch.setattr(rolling, "ROUND_RUNS", ROUND_RUNS)


@pytest.fixture
def books(real_books: Books) -> Books:
    """Books of some accounts, of which the first is `su`'s, proved whole, with a round and a bit behind them."""
    su, bank, settlement = real_books.open("su", 10_000), real_books.bank(), real_books.bank("settlement")
    lin = [real_books.open("lin", 500) for _ in range(4)]
    for place in range(8):
        real_books.post((su, -300), (lin[place % 4], 300))
        real_books.post((bank, -20), (settlement, 20))
    real_books.hold(su, 1_000)
    real_books.capture(real_books.hold(su, 50).hold_id, (lin[0], 50))
    real_books.release(real_books.hold(lin[1], 70).hold_id)
    rollups.roll_up()
    return real_books


@pytest.fixture
def insider(fresh_database: FreshDatabase) -> Iterator[psycopg.Connection[Any]]:
    """SQL as the owner, past every trigger."""
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as found:
        yield found


def _values(books: Books, insider: psycopg.Connection[Any]) -> dict[str, Any]:
    su = insider.execute("SELECT id FROM ledger_account WHERE owner_id = %s", [books.world.people["su"]]).fetchone()
    assert su
    return {"su": su[0], "bank": books.bank()}


@pytest.mark.parametrize("what", DORMANT)
def test_what_is_altered_in_old_books_is_found_within_two_rounds(
    books: Books, insider: psycopg.Connection[Any], what: str
) -> None:
    chance = random.Random(what)
    before = [verify_new() for _ in range(ROUND_RUNS + 1 + chance.randrange(ROUND_RUNS))]
    assert [one and (one.whole, one.rule) for one in before] == [(True, "")] + [(False, "")] * (len(before) - 1)
    for table in ("entry", "posting", "account", "hold"):
        insider.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")  # type: ignore[arg-type]  # psycopg asks for a literal
    assert insider.execute(DORMANT[what], _values(books, insider)).rowcount > 0  # type: ignore[arg-type]  # psycopg asks for a literal

    for _ in range(2 * ROUND_RUNS):
        found = verify_new()
        assert found and not found.whole and found.postings == 0
        if found.rule:
            return

    pytest.fail("nobody saw it")


def test_books_that_hold_are_never_called_broken(books: Books) -> None:
    chance = random.Random(SEED)
    accounts = [books.open(who, 50_000) for who in ("su", "lin", "jiang") for _ in range(2)]
    holds: list[Any] = []
    again = 0
    for _ in range(40):
        for _ in range(chance.randrange(6)):
            one, other = chance.sample([*accounts, books.bank(), books.bank("settlement")], 2)
            fen = chance.randrange(1, 50)
            books.post((one, -fen), (other, fen))
        if chance.random() < 0.6:
            holds.append((books.hold(chance.choice(accounts), 30).hold_id, chance.choice([books.capture, None])))
        if holds and chance.random() < 0.5:
            hold, capture = holds.pop()
            capture(hold, (books.bank("clearing-out"), 20)) if capture else books.release(hold)
        if chance.random() < 0.5:
            rollups.roll_up()
        found = verify_new()
        assert found and (found.rule, found.detail) == ("", "")
        again += found.again
    assert again > 100


def test_a_round_takes_no_more_runs_than_it_says_and_goes_over_every_posting(books: Books) -> None:
    verify_new()
    seen = []
    for _ in range(ROUND_RUNS):
        found = verify_new()
        assert found
        seen.append(found.again)
        if ProofCursor.objects.get().posting_after == 0:
            break
    assert ProofCursor.objects.get().posting_after == 0
    assert len(seen) > 1
    ((count, highest),) = [(found.again, found.upto) for found in [verify_new()] if found]
    assert sum(seen) >= highest - len(seen) * count


def test_after_a_break_the_rounds_begin_anew(books: Books, insider: psycopg.Connection[Any]) -> None:
    """Sums that were taken of altered postings are not held against the books when they are mended."""
    verify_new()
    insider.execute("ALTER TABLE ledger_posting DISABLE TRIGGER USER")
    alter = f"UPDATE ledger_posting SET amount_fen = amount_fen * %s / %s WHERE entry_id = {INTERNAL}"
    insider.execute(alter, [2, 1])  # type: ignore[arg-type]  # psycopg asks for a literal
    found = [verify_new() for _ in range(2 * ROUND_RUNS)]
    assert any(one and one.rule for one in found)
    insider.execute(alter, [1, 2])  # type: ignore[arg-type]  # psycopg asks for a literal

    mended = [verify_new() for _ in range(3 * ROUND_RUNS)]

    assert [one and one.rule for one in mended] == [""] * len(mended)


def test_small_books_are_looked_at_whole_each_time(
    books: Books, insider: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    verify_new()
    insider.execute(DORMANT["a quiet account's balance is raised"], _values(books, insider))
    found = verify_new()
    assert found and (found.whole, found.rule) == (False, "an account's balance is not the sum of its postings")
