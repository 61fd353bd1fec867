"""Whether the books hold: every sum is taken again from the postings, and the first break is named.

The guards of the database keep these rules as money moves; this reads what is there, whoever wrote it. Three ways:
`verify` proves all the books in one pass over the postings, by sums weighed with numbers drawn for this run, and
names the break exactly where they differ; `first_break` is that exact, slower way; `verify_new` proves what came since
the last proof, each minute.
"""

import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from finance.ledger.models import Verification
from finance.ledger.rollups import horizon
from kernel.clock import now

WORK_MEM = "256MB"
_log = logging.getLogger(__name__)

HELD: tuple[tuple[str, str], ...] = (
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
        "a customer's account is below what is held of it, or above its ceiling",
        """
        SELECT id::text, format('balance %s fen, held %s fen, ceiling %s fen', balance_fen, held_fen, ceiling_fen)
        FROM ledger_account
        WHERE type = 'customer' AND (held_fen < 0 OR balance_fen < held_fen OR balance_fen > ceiling_fen)
        """,
    ),
)
CAPTURED = (
    "a captured hold's entry does not take its money from its account",
    """
    SELECT h.id::text, format('held %s fen, taken %s fen', h.amount_fen, -p.amount_fen)
    FROM ledger_hold h LEFT JOIN ledger_posting p ON p.entry_id = h.entry_id AND p.account_id = h.account_id
    WHERE h.state = 'captured' AND (p.amount_fen BETWEEN -h.amount_fen AND -1) IS NOT TRUE
    """,
)
BOOKS: tuple[tuple[str, str], ...] = (
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
        "a posting is counted on the wrong side, or its account is missing",
        """
        SELECT p.id::text, coalesce(a.type, 'no account')
        FROM ledger_posting p LEFT JOIN ledger_account a ON a.id = p.account_id
        WHERE (a.type = 'customer') IS DISTINCT FROM (p.seq IS NOT NULL)
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
CHECKS = (*BOOKS, *HELD, CAPTURED)

# One pass over the postings. An account's postings are steps from (seq - 1, balance before) to (seq, balance after):
# they are one walk from (0, 0) to (posted_count, balance) exactly if what they leave and what they reach cancel out
# but for its ends. An entry's legs add up to nothing, and are as many as it says, exactly if the sums over all entries
# do so under any weights. Steps and entries are weighed by hashes with a seed drawn for the run, so that books can only
# be altered unseen by who guesses 63 bits.
POSTINGS = """
WITH walked AS MATERIALIZED (
    SELECT p.account_id, count(*) AS n, count(p.seq) AS numbered, sum(p.amount_fen) AS total,
        sum(hashint8extended(p.balance_after_fen, hashint8extended(p.seq, %(seed)s))) AS reached,
        sum(hashint8extended(p.balance_after_fen - p.amount_fen, hashint8extended(p.seq - 1, %(seed)s))) AS departed,
        sum(p.amount_fen) FILTER (WHERE p.id <= r.upto) AS rolled,
        sum(uuid_hash_extended(p.entry_id, %(seed)s)) AS legs,
        sum(p.amount_fen::numeric * uuid_hash_extended(p.entry_id, %(seed)s)) AS weighed
    FROM ledger_posting p LEFT JOIN ledger_rollup r ON r.account_id = p.account_id
    GROUP BY p.account_id
), judged AS (
    SELECT w.n, w.legs, w.weighed, (CASE a.type
        WHEN 'customer' THEN coalesce(w.numbered, 0) = coalesce(w.n, 0) AND a.posted_count = coalesce(w.n, 0)
            AND a.balance_fen = coalesce(w.total, 0)
            AND coalesce(w.reached, 0) - coalesce(w.departed, 0)
                = hashint8extended(a.balance_fen, hashint8extended(a.posted_count, %(seed)s))::numeric
                - hashint8extended(0, hashint8extended(0, %(seed)s))
        WHEN 'internal' THEN coalesce(w.numbered, 0) = 0
        END) IS TRUE AND (r.account_id IS NULL OR r.balance_fen = coalesce(w.rolled, 0)) AS holds
    FROM ledger_account a FULL JOIN walked w ON w.account_id = a.id LEFT JOIN ledger_rollup r ON r.account_id = a.id
)
SELECT coalesce(sum(n), 0)::bigint, coalesce(bool_and(holds), true), coalesce(sum(legs), 0),
    coalesce(sum(weighed), 0) FROM judged
"""
ENTRIES = """
SELECT coalesce(sum(n), 0)::bigint, coalesce(sum(legs * weight), 0)
FROM (SELECT legs, count(*) AS n, sum(uuid_hash_extended(id, %(seed)s)) AS weight FROM ledger_entry GROUP BY legs) e
"""

NEW: tuple[tuple[str, str], ...] = (
    (
        "an entry does not add up to nothing, or lacks or exceeds its legs",
        """
        SELECT p.entry_id::text, format('%%s of %%s legs, sum %%s fen', p.n, e.legs, p.sum)
        FROM (SELECT entry_id, count(*) AS n, sum(amount_fen) AS sum FROM ledger_posting WHERE id > %(since)s
              GROUP BY entry_id) p
        LEFT JOIN ledger_entry e ON e.id = p.entry_id
        WHERE p.n IS DISTINCT FROM e.legs OR p.sum <> 0
        """,
    ),
    (
        "a posting is out of its account's order, or its balance does not follow from the one before",
        """
        SELECT w.id::text, format('seq %%s, balance after %%s fen', w.seq, w.balance_after_fen)
        FROM (
            SELECT id, account_id, seq, amount_fen, balance_after_fen, lag(seq) OVER its AS seq_before,
                lag(balance_after_fen) OVER its AS balance_before, row_number() OVER its AS place
            FROM ledger_posting WHERE id > %(since)s AND seq IS NOT NULL
            WINDOW its AS (PARTITION BY account_id ORDER BY seq, id)
        ) w
        WHERE (CASE WHEN w.place > 1 THEN w.seq = w.seq_before + 1
                AND w.balance_after_fen = w.balance_before + w.amount_fen
            WHEN w.seq = 1 THEN w.balance_after_fen = w.amount_fen
            ELSE EXISTS (
                SELECT FROM ledger_posting p WHERE p.account_id = w.account_id AND p.seq = w.seq - 1
                    AND p.id <= %(since)s AND p.balance_after_fen = w.balance_after_fen - w.amount_fen
            ) END) IS NOT TRUE
        """,
    ),
    (
        "an account's balance is not where its last posting left it",
        """
        SELECT a.id::text, format('balance %%s fen, last posting %%s fen; counted %%s, last %%s', a.balance_fen,
                                  p.balance_after_fen, a.posted_count, p.seq)
        FROM (SELECT DISTINCT ON (account_id) account_id, seq, balance_after_fen FROM ledger_posting
              WHERE id > %(since)s AND seq IS NOT NULL ORDER BY account_id, seq DESC) p
        JOIN ledger_account a ON a.id = p.account_id
        WHERE (a.balance_fen, a.posted_count) IS DISTINCT FROM (p.balance_after_fen, p.seq)
        """,
    ),
    (
        "a posting is counted on the wrong side, or its account is missing",
        """
        SELECT p.id::text, coalesce(a.type, 'no account')
        FROM ledger_posting p LEFT JOIN ledger_account a ON a.id = p.account_id
        WHERE p.id > %(since)s AND (a.type = 'customer') IS DISTINCT FROM (p.seq IS NOT NULL)
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
        _as_of_now(cursor)
        return look(cursor)


def look(cursor: Any) -> Report:
    """Checks all that a cursor sees."""
    entries, postings, whole = sums_hold(cursor)
    broken = _first(cursor, (*HELD, CAPTURED)) if whole else first_break(cursor)
    if broken is None and not whole:
        broken = Break("the weighed sums of the books differ", "all", "no single row shows why; look by hand")
    return Report(entries, postings, broken)


def look_at_new(cursor: Any, since: int) -> Report:
    """Checks the postings after that one, where they leave their accounts, and every account's holds."""
    values = {"since": since}
    cursor.execute("SELECT count(DISTINCT entry_id), count(*) FROM ledger_posting WHERE id > %(since)s", values)
    entries, postings = cursor.fetchone()
    return Report(entries, postings, _first(cursor, NEW, values) or _first(cursor, HELD))


def _as_of_now(cursor: Any) -> None:
    if not connection.savepoint_ids:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")


def sums_hold(cursor: Any) -> tuple[int, int, bool]:
    """How many entries and postings there are, and whether their weighed sums are what they must be."""
    seed = {"seed": secrets.randbits(63)}
    cursor.execute(POSTINGS, seed)
    postings, holds, legs, weighed = cursor.fetchone()
    cursor.execute(ENTRIES, seed)
    entries, expected = cursor.fetchone()
    return entries, postings, bool(holds and legs == expected and weighed == 0)


def first_break(cursor: Any) -> Break | None:
    """The first rule that does not hold, each looked at exactly, on any cursor."""
    return _first(cursor, CHECKS)


def _first(cursor: Any, checks: tuple[tuple[str, str], ...], values: dict[str, Any] | None = None) -> Break | None:
    for rule, query in checks:
        cursor.execute(f"{query} ORDER BY 1 LIMIT 1", values)
        found = cursor.fetchone()
        if found is not None:
            return Break(rule, found[0], found[1])
    return None


def verify_new() -> Verification | None:
    """Proves what was posted since the last good proof, and every account's holds; keeps and logs what it found.

    The first run, and each after a break, proves all the books. None where postings are at work for too long just
    now: the next minute tries again. Must run outside a transaction.
    """
    upto = horizon()
    if upto is None:
        return None
    began = time.monotonic()
    last = Verification.objects.order_by("-pk").first()
    since = last.upto if last and not last.rule else None
    if since is None:
        report = verify()
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            _as_of_now(cursor)
            report = look_at_new(cursor, since)
    if report.broken is not None:
        _log.error(
            "the books do not hold: %s: %s (%s)", report.broken.rule, report.broken.subject, report.broken.detail
        )
    return Verification.objects.create(
        at=now(),
        whole=since is None,
        upto=upto,
        entries=report.entries,
        postings=report.postings,
        took_ms=round((time.monotonic() - began) * 1000),
        rule=report.broken.rule if report.broken else "",
        subject=report.broken.subject if report.broken else "",
        detail=report.broken.detail if report.broken else "",
    )
