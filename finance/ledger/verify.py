"""Whether the books hold: every sum is taken again from the postings, and the first break is named.

The guards of the database keep these rules as money moves; this reads what is there, whoever wrote it.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

CHECKS: tuple[tuple[str, str], ...] = (
    (
        "an entry does not add up to nothing, or lacks or exceeds its legs",
        """
        SELECT coalesce(e.id, p.entry_id)::text, format('%s of %s legs, sum %s fen', coalesce(p.n, 0), e.legs, p.sum)
        FROM ledger_entry e
        FULL JOIN (SELECT entry_id, count(*) AS n, sum(amount_fen) AS sum FROM ledger_posting GROUP BY entry_id) p
            ON p.entry_id = e.id
        WHERE p.n IS DISTINCT FROM e.legs OR p.sum <> 0
        """,
    ),
    (
        "an account's balance is not the sum of its postings",
        """
        SELECT a.id::text, format('balance %s fen, postings %s fen; counted %s, found %s', a.balance_fen,
                                  coalesce(p.sum, 0), a.posted_count, coalesce(p.n, 0))
        FROM ledger_account a
        LEFT JOIN (SELECT account_id, count(*) AS n, sum(amount_fen) AS sum FROM ledger_posting GROUP BY account_id) p
            ON p.account_id = a.id
        WHERE a.type = 'customer' AND (a.balance_fen <> coalesce(p.sum, 0) OR a.posted_count <> coalesce(p.n, 0))
        """,
    ),
    (
        "a posting is out of its account's order, or its balance does not follow from the one before",
        """
        SELECT id::text, format('seq %s, balance after %s fen', seq, balance_after_fen)
        FROM (
            SELECT id, seq, balance_after_fen, row_number() OVER its AS place, sum(amount_fen) OVER its AS running
            FROM ledger_posting WHERE seq IS NOT NULL
            WINDOW its AS (PARTITION BY account_id ORDER BY seq, id ROWS UNBOUNDED PRECEDING)
        ) walk
        WHERE seq <> place OR balance_after_fen <> running
        """,
    ),
    (
        "a posting is counted on the wrong side",
        """
        SELECT p.id::text, a.type FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
        WHERE (a.type = 'customer') <> (p.seq IS NOT NULL)
        """,
    ),
    (
        "what is held of an account is not the sum of its open holds",
        """
        SELECT a.id::text, format('held %s fen, open holds %s fen', a.held_fen, coalesce(h.sum, 0))
        FROM ledger_account a
        LEFT JOIN (
            SELECT account_id, sum(amount_fen) AS sum FROM ledger_hold WHERE state = 'open' GROUP BY account_id
        ) h ON h.account_id = a.id
        WHERE a.held_fen <> coalesce(h.sum, 0)
        """,
    ),
    (
        "a captured hold's entry does not take its money from its account",
        """
        SELECT h.id::text, format('held %s fen, taken %s fen', h.amount_fen, -p.amount_fen)
        FROM ledger_hold h LEFT JOIN ledger_posting p ON p.entry_id = h.entry_id AND p.account_id = h.account_id
        WHERE h.state = 'captured' AND (p.amount_fen BETWEEN -h.amount_fen AND -1) IS NOT TRUE
        """,
    ),
    (
        "a customer's account is below what is held of it, or above its ceiling",
        """
        SELECT id::text, format('balance %s fen, held %s fen, ceiling %s fen', balance_fen, held_fen, ceiling_fen)
        FROM ledger_account
        WHERE type = 'customer' AND (held_fen < 0 OR balance_fen < held_fen OR balance_fen > ceiling_fen)
        """,
    ),
    (
        "a roll-up is not the sum of the postings that it covers",
        """
        SELECT r.account_id::text,
            format('rolled up %s fen, postings %s fen', r.balance_fen, coalesce(sum(p.amount_fen), 0))
        FROM ledger_rollup r LEFT JOIN ledger_posting p ON p.account_id = r.account_id AND p.id <= r.upto
        GROUP BY r.account_id, r.balance_fen HAVING r.balance_fen <> coalesce(sum(p.amount_fen), 0)
        """,
    ),
)


@dataclass(frozen=True)
class Break:
    """The first thing that does not hold."""

    rule: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Report:
    """How much was looked at, and the first break or None."""

    entries: int
    postings: int
    broken: Break | None


def verify() -> Report:
    """Checks all the books as of one moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT (SELECT count(*) FROM ledger_entry), (SELECT count(*) FROM ledger_posting)")
        entries, postings = cursor.fetchone()
        return Report(entries, postings, first_break(cursor))


def first_break(cursor: Any) -> Break | None:
    """The first rule that does not hold, on any cursor."""
    for rule, query in CHECKS:
        cursor.execute(f"{query} ORDER BY 1 LIMIT 1")
        found = cursor.fetchone()
        if found is not None:
            return Break(rule, found[0], found[1])
    return None
