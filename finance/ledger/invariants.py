"""The rules of the books as queries, each of which answers the rows that break it.

Those of `WHOLE` read everything. Those of `OF_ENTRIES`, `OF_ACCOUNTS` and `OF_POSTINGS` read one range of ids, after
`after` up to and with `upto`. Those of `NEW` read the postings after `since`, where these leave their accounts, and the
holds that were placed or ended since. Each row is a subject and a detail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Rule = tuple[str, str]

_ENTRY = "an entry does not add up to nothing, or lacks or exceeds its legs"
_BALANCE = "an account's balance is not the sum of its postings"
_ORDER = "a posting is out of its account's order, or its balance does not follow from the one before"
_SIDE = "a posting is counted on the wrong side, or its account is missing"
_CAPTURED = "a captured hold's entry does not take its money from its account"
_HELD = "what is held of an account is not the sum of its open holds"
_BOUNDS = "a customer's account is below what is held of it, or above its ceiling"
_OWN = "an account of the bank's own keeps something in its row"
_REVERSES = "a reversal takes back an entry that there is not"
ROLLED = "a roll-up is not the sum of the postings that it covers"


def _entries(those: str, legs: str) -> Rule:
    return (
        _ENTRY,
        f"""
        SELECT coalesce(e.id, p.entry_id)::text,
            format('%%s of %%s legs, sum %%s fen', coalesce(p.n, 0), e.legs, p.sum)
        FROM (SELECT id, legs FROM ledger_entry WHERE {those}) e
        FULL JOIN (
            SELECT entry_id, count(*) AS n, sum(amount_fen) AS sum FROM ledger_posting WHERE {legs} GROUP BY entry_id
        ) p ON p.entry_id = e.id
        WHERE p.n IS DISTINCT FROM e.legs OR p.sum <> 0
        """,  # noqa: S608 - our own constants
    )


def _captured(those: str) -> Rule:
    return (
        _CAPTURED,
        f"""
        SELECT h.id::text, format('held %%s fen, taken %%s fen', h.amount_fen, -p.amount_fen)
        FROM ledger_hold h LEFT JOIN ledger_posting p ON p.entry_id = h.entry_id AND p.account_id = h.account_id
        WHERE h.state = 'captured' AND {those} AND (p.amount_fen BETWEEN -h.amount_fen AND -1) IS NOT TRUE
        """,  # noqa: S608 - our own constants
    )


def _balances(those: str, postings: str) -> Rule:
    return (
        _BALANCE,
        f"""
        SELECT a.id::text, format('balance %%s fen, postings %%s fen; counted %%s, found %%s', a.balance_fen,
                                  coalesce(p.sum, 0), a.posted_count, coalesce(p.n, 0))
        FROM ledger_account a
        LEFT JOIN (
            SELECT account_id, count(*) AS n, sum(amount_fen) AS sum FROM ledger_posting
            WHERE seq IS NOT NULL AND {postings} GROUP BY account_id
        ) p ON p.account_id = a.id
        WHERE a.type = 'customer' AND {those}
            AND (a.balance_fen <> coalesce(p.sum, 0) OR a.posted_count <> coalesce(p.n, 0))
        """,  # noqa: S608 - our own constants
    )


def _order(postings: str) -> Rule:
    return (
        _ORDER,
        f"""
        SELECT id::text, format('seq %%s, balance after %%s fen', seq, balance_after_fen)
        FROM (
            SELECT id, seq, balance_after_fen, row_number() OVER its AS place, sum(amount_fen) OVER its AS running
            FROM ledger_posting WHERE seq IS NOT NULL AND {postings}
            WINDOW its AS (PARTITION BY account_id ORDER BY seq, id ROWS UNBOUNDED PRECEDING)
        ) walk
        WHERE seq <> place OR balance_after_fen <> running
        """,  # noqa: S608 - our own constants
    )


def _side(postings: str) -> Rule:
    return (
        _SIDE,
        f"""
        SELECT p.id::text, coalesce(a.type, 'no account')
        FROM ledger_posting p LEFT JOIN ledger_account a ON a.id = p.account_id
        WHERE {postings} AND (a.type = 'customer') IS DISTINCT FROM (p.seq IS NOT NULL)
        """,  # noqa: S608 - our own constants
    )


def _held(those: str, holds: str) -> Rule:
    return (
        _HELD,
        f"""
        SELECT a.id::text, format('held %%s fen, open holds %%s fen', a.held_fen, coalesce(h.sum, 0))
        FROM ledger_account a
        LEFT JOIN (
            SELECT account_id, sum(amount_fen) AS sum FROM ledger_hold WHERE state = 'open' AND {holds}
            GROUP BY account_id
        ) h ON h.account_id = a.id
        WHERE {those} AND a.held_fen <> coalesce(h.sum, 0)
        """,  # noqa: S608 - our own constants
    )


def _bounds(those: str) -> Rule:
    return (
        _BOUNDS,
        f"""
        SELECT a.id::text, format('balance %%s fen, held %%s fen, ceiling %%s fen', a.balance_fen, a.held_fen,
                                  a.ceiling_fen)
        FROM ledger_account a
        WHERE a.type = 'customer' AND {those}
            AND (a.held_fen < 0 OR a.balance_fen < a.held_fen OR a.balance_fen > a.ceiling_fen)
        """,  # noqa: S608 - our own constants
    )


def _own(those: str) -> Rule:
    return (
        _OWN,
        f"""
        SELECT a.id::text, format('balance %%s fen, counted %%s, ceiling %%s fen', a.balance_fen, a.posted_count,
                                  a.ceiling_fen)
        FROM ledger_account a
        WHERE a.code IS NOT NULL AND {those}
            AND (a.balance_fen <> 0 OR a.held_fen <> 0 OR a.posted_count <> 0 OR a.ceiling_fen IS NOT NULL)
        """,  # noqa: S608 - our own constants
    )


def _reverses(those: str) -> Rule:
    return (
        _REVERSES,
        f"""
        SELECT e.id::text, e.reverses_id::text FROM ledger_entry e
        WHERE e.reverses_id IS NOT NULL AND {those}
            AND NOT EXISTS (SELECT FROM ledger_entry r WHERE r.id = e.reverses_id)
        """,  # noqa: S608 - our own constants
    )


def _between(column: str) -> str:
    return f"{column} > %(after)s AND {column} <= %(upto)s"


BESIDE: Sequence[Rule] = (
    _held("true", "true"),
    _bounds("true"),
    _captured("true"),
    _own("true"),
    _reverses("true"),
)
"""What no sum of postings says."""
WHOLE: Sequence[Rule] = (
    _entries("true", "true"),
    _balances("true", "true"),
    _order("true"),
    _side("true"),
    (
        ROLLED,
        """
        SELECT r.account_id::text,
            format('rolled up %%s fen, postings %%s fen', r.balance_fen, coalesce(sum(p.amount_fen), 0))
        FROM ledger_rollup r LEFT JOIN ledger_posting p ON p.account_id = r.account_id AND p.id <= r.upto
        GROUP BY r.account_id, r.balance_fen HAVING r.balance_fen <> coalesce(sum(p.amount_fen), 0)
        """,
    ),
    *BESIDE,
)
OF_ENTRIES: Sequence[Rule] = (
    _entries(_between("id"), _between("entry_id")),
    _captured(_between("h.entry_id")),
    _reverses(_between("e.id")),
)
OF_ACCOUNTS: Sequence[Rule] = (
    _balances(_between("a.id"), _between("account_id")),
    _order(_between("account_id")),
    _held(_between("a.id"), _between("account_id")),
    _bounds(_between("a.id")),
    _own(_between("a.id")),
)
OF_POSTINGS: Sequence[Rule] = (_side(_between("p.id")),)

# The last posting by time is nearly always the one before by number too: only where it is not is the account gone
# through for it.
_STEPS = """
SELECT w.id::text, format('seq %%s, balance after %%s fen', w.seq, w.balance_after_fen)
FROM (
    SELECT id, account_id, at, seq, amount_fen, balance_after_fen, lag(seq) OVER its AS seq_before,
        lag(balance_after_fen) OVER its AS balance_before, row_number() OVER its AS place
    FROM ledger_posting WHERE id > %(since)s AND seq IS NOT NULL
    WINDOW its AS (PARTITION BY account_id ORDER BY seq, id)
) w
WHERE (CASE WHEN w.place > 1 THEN w.seq = w.seq_before + 1
        AND w.balance_after_fen = w.balance_before + w.amount_fen
    WHEN w.seq = 1 THEN w.balance_after_fen = w.amount_fen
    WHEN (
        SELECT p.seq = w.seq - 1 AND p.balance_after_fen = w.balance_after_fen - w.amount_fen FROM ledger_posting p
        WHERE p.account_id = w.account_id AND p.seq IS NOT NULL AND (p.at, p.seq) < (w.at, w.seq)
        ORDER BY p.at DESC, p.seq DESC LIMIT 1
    ) THEN true
    ELSE EXISTS (
        SELECT FROM ledger_posting p WHERE p.account_id = w.account_id AND p.seq = w.seq - 1
            AND p.id <= %(since)s AND p.balance_after_fen = w.balance_after_fen - w.amount_fen
    ) END) IS NOT TRUE
"""
_LEFT = """
SELECT a.id::text, format('balance %%s fen, last posting %%s fen; counted %%s, last %%s', a.balance_fen,
                          p.balance_after_fen, a.posted_count, p.seq)
FROM (SELECT DISTINCT ON (account_id) account_id, seq, balance_after_fen FROM ledger_posting
      WHERE id > %(since)s AND seq IS NOT NULL ORDER BY account_id, seq DESC) p
JOIN ledger_account a ON a.id = p.account_id
WHERE (a.balance_fen, a.posted_count) IS DISTINCT FROM (p.balance_after_fen, p.seq)
"""
# What is held of an account moves when a hold is placed, when it ends with a posting, and when it ends without one.
_MOVED = """
SELECT account_id FROM ledger_posting WHERE id > %(since)s AND seq IS NOT NULL
UNION SELECT account_id FROM ledger_hold WHERE id > %(placed_since)s
UNION SELECT account_id FROM ledger_hold WHERE state IN ('released', 'expired') AND closed_at > %(ended_since)s
"""
_NEW_ENTRY = """
SELECT p.entry_id::text, format('%%s of %%s legs, sum %%s fen', p.n, e.legs, p.sum)
FROM (SELECT entry_id, count(*) AS n, sum(amount_fen) AS sum FROM ledger_posting WHERE id > %(since)s
      GROUP BY entry_id) p
LEFT JOIN ledger_entry e ON e.id = p.entry_id
WHERE p.n IS DISTINCT FROM e.legs OR p.sum <> 0
"""
NEW: Sequence[Rule] = (
    (_ENTRY, _NEW_ENTRY),
    (_ORDER, _STEPS),
    ("an account's balance is not where its last posting left it", _LEFT),
    _side("p.id > %(since)s"),
    _held(f"a.id IN ({_MOVED})", f"account_id IN ({_MOVED})"),
    _bounds(f"a.id IN ({_MOVED})"),
)


@dataclass(frozen=True)
class Break:
    """The first thing that does not hold."""

    rule: str
    subject: str
    detail: str


def first_of(cursor: Any, rules: Sequence[Rule], values: dict[str, Any] | None = None) -> Break | None:
    """The first rule that does not hold for what a cursor sees, with the row that breaks it."""
    for rule, query in rules:
        cursor.execute(f"{query} ORDER BY 1 LIMIT 1", values or {})
        found = cursor.fetchone()
        if found is not None:
            return Break(rule, found[0], found[1])
    return None
