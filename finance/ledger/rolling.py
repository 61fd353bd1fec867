"""The rounds over all the books: each minute's proof goes a piece of each, so that whatever is altered is found.

There are three rounds, by the ids of entries, of customers' accounts and of postings. An entry is looked at with its
legs and the hold that it captured; an account with all that was ever posted to it, in its order, and its open holds; of
postings the side that they are on, and what they add up to for each of the bank's own accounts, which at the end of the
round is compared with their roll-ups.

A piece is a ROUND_RUNS-th of what there is, and at least SMALLEST_PIECE, so that small books are looked at whole each
time. An account weighs as much as it has postings, and is never split. A round therefore takes at most ROUND_RUNS runs
at any size, and what was altered is found within two of them (a roll-up's sum may just have been taken): 20 hours.
"""

from math import ceil
from typing import Any
from uuid import UUID

from finance.ledger.invariants import OF_ACCOUNTS, OF_ENTRIES, OF_POSTINGS, ROLLED, Break, first_of
from finance.ledger.models import NIL, ProofCursor

ROUND_RUNS = 600
SMALLEST_PIECE = 10_000
_LAST = UUID(int=2**128 - 1)

_ENTRIES_UPTO = "SELECT id FROM ledger_entry WHERE id > %s ORDER BY id OFFSET %s LIMIT 1"
_ACCOUNTS_UPTO = """
SELECT id FROM (
    SELECT id, sum(1 + greatest(posted_count, 0)) OVER (ORDER BY id) AS weight
    FROM (
        SELECT id, posted_count FROM ledger_account WHERE id > %(after)s AND type = 'customer' ORDER BY id
        LIMIT %(size)s
    ) a
) w WHERE weight >= %(size)s ORDER BY id LIMIT 1
"""
_SUMS = """
SELECT CASE WHEN seq IS NULL THEN account_id::text END, count(*), sum(amount_fen)
FROM ledger_posting WHERE id > %s AND id <= %s GROUP BY 1
"""
_ROLLED = """
SELECT r.account_id::text, r.balance_fen, coalesce((
    SELECT sum(p.amount_fen) FROM ledger_posting p
    WHERE p.account_id = r.account_id AND p.seq IS NULL AND p.id > r.upto AND p.id <= %s
), 0) FROM ledger_rollup r ORDER BY 1
"""


def look_on(cursor: Any, rounds: ProofCursor, upto: int) -> tuple[Break | None, int]:
    """Goes the next piece of each round; answers the first break, and how many postings the last of them had.

    Brings `rounds` forward and does not save it. No posting up to `upto` may still appear. Runs on a snapshot.
    """
    # A roll-up may have been brought further since: it waited for the same as `upto`, and is in the snapshot.
    cursor.execute("SELECT greatest(%s, max(upto)) FROM ledger_rollup", [upto])
    end = cursor.fetchone()[0]
    broken = _entries(cursor, rounds, end) or _accounts(cursor, rounds, end)
    if broken is not None:
        return broken, 0
    return _postings(cursor, rounds, end)


def begin_anew() -> None:
    """Forgets how far the rounds have come, and with it sums of what was not as it should be."""
    ProofCursor.objects.all().delete()


def _size(count: int) -> int:
    return max(SMALLEST_PIECE, ceil(count / ROUND_RUNS))


def _entries(cursor: Any, rounds: ProofCursor, end: int) -> Break | None:
    """There are fewer entries than postings."""
    cursor.execute(_ENTRIES_UPTO, [rounds.entry_after, _size(end) - 1])
    found = cursor.fetchone()
    values = {"after": rounds.entry_after, "upto": found[0] if found else _LAST}
    rounds.entry_after = found[0] if found else NIL
    return first_of(cursor, OF_ENTRIES, values)


def _accounts(cursor: Any, rounds: ProofCursor, end: int) -> Break | None:
    if rounds.account_after == NIL:
        cursor.execute("SELECT count(*) FROM ledger_account WHERE type = 'customer'")
        rounds.accounts = cursor.fetchone()[0]
    cursor.execute(_ACCOUNTS_UPTO, {"after": rounds.account_after, "size": _size(rounds.accounts + end)})
    found = cursor.fetchone()
    values = {"after": rounds.account_after, "upto": found[0] if found else _LAST}
    rounds.account_after = found[0] if found else NIL
    return first_of(cursor, OF_ACCOUNTS, values)


def _postings(cursor: Any, rounds: ProofCursor, end: int) -> tuple[Break | None, int]:
    after, upto = rounds.posting_after, min(rounds.posting_after + _size(end), end)
    broken = first_of(cursor, OF_POSTINGS, {"after": after, "upto": upto})
    cursor.execute(_SUMS, [after, upto])
    count = 0
    for account, number, fen in cursor.fetchall():
        count += number
        if account is not None:
            rounds.sums[account] = rounds.sums.get(account, 0) + int(fen)
    rounds.posting_after = upto
    if broken is None and upto == end:
        broken = _rolled(cursor, rounds, end)
        rounds.posting_after, rounds.sums = 0, {}
    return broken, count


def _rolled(cursor: Any, rounds: ProofCursor, end: int) -> Break | None:
    cursor.execute(_ROLLED, [end])
    for account, fen, later in cursor.fetchall():
        found = rounds.sums.get(account, 0) - int(later)
        if fen != found:
            return Break(ROLLED, account, f"rolled up {fen} fen, postings {found} fen")
    return None
