"""Whether posting and proving cost more the longer the books are: the same accounts with 10^3, 10^5, 10^7 postings."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks import books
from benchmarks.bed import PEERS, Bed
from benchmarks.books import environment
from benchmarks.drivers import CLIENTS, Run, pgbench
from benchmarks.report import Figure, Report
from benchmarks.scripts import uniform_in_time
from deploy.local.install import PYTHON
from deploy.local.processes import Failed

ACCOUNTS = 500
FRESH = 2 * ACCOUNTS
"""Every account has been funded: an entry of two legs each."""
MIDDLE = 100_000
SESSIONS = 2
"""So many bring history in, each between accounts of its own."""
ROUNDS_AT_ONCE = 400
NEW = "books_new"
"""What the fresh books are copied from, for each round anew: a round leaves more postings than they had."""
QUIET_LIMIT_S = 30
SAMPLE_S = 0.05

# Pages that statements on the ledger's tables looked at, in memory or not, and entries that came.
LOOKED_AT = """
SELECT json_build_object(
    'tables', sum(heap_blks_hit + heap_blks_read),
    'indexes', sum(coalesce(idx_blks_hit, 0) + coalesce(idx_blks_read, 0)),
    'read', sum(heap_blks_read + coalesce(idx_blks_read, 0)),
    'entries', (SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'ledger_entry'),
    'wal', pg_current_wal_insert_lsn() - '0/0'
) FROM pg_statio_user_tables WHERE relname LIKE 'ledger\\_%'
"""


@dataclass
class Book:
    """Books with so many postings before anything is measured, and what was measured in them."""

    postings: int
    database: str
    runs: list[Run] = field(default_factory=list)
    each: list[dict[str, float]] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return median(one.per_second for one in self.runs)


def grow(bed: Bed, database: str, postings: int) -> None:
    """Brings in history until there are so many postings."""
    accounts = ACCOUNTS // SESSIONS
    rounds = 2 * -(-(postings - FRESH) // (2 * ACCOUNTS))

    def bring(session: int) -> None:
        first = 1 + session * accounts
        for start in range(1, rounds + 1, ROUNDS_AT_ONCE):
            upto = min(start + ROUNDS_AT_ONCE - 1, rounds)
            bed.cluster.sql(f"CALL bench_grow({start}, {upto}, {rounds}, {first}, {first + accounts - 1});", database)

    with ThreadPoolExecutor(SESSIONS) as pool:
        list(pool.map(bring, range(SESSIONS)))


def copy(bed: Bed, database: str) -> None:
    """The fresh books, once more."""
    bed.cluster.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE);")
    bed.cluster.sql(f"CREATE DATABASE {database} TEMPLATE {NEW};")


def looked_at(bed: Bed, database: str) -> dict[str, float]:
    """What PostgreSQL counted in this database, once everybody who worked in it has told."""
    until = time.monotonic() + QUIET_LIMIT_S
    others = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    while bed.cluster.sql(others) != "0":
        if time.monotonic() > until:
            raise Failed(f"somebody is still at work in {database}")
        time.sleep(SAMPLE_S)
    return {name: float(value) for name, value in json.loads(bed.cluster.sql(LOOKED_AT, database)).items()}


def post(bed: Bed, book: Book, seconds: float) -> None:
    """Transfers between any two, and what PostgreSQL looked at for each."""
    before = looked_at(bed, book.database)
    book.runs.append(pgbench(bed, uniform_in_time(ACCOUNTS), seconds, book.database))
    after = looked_at(bed, book.database)
    entries = max(after["entries"] - before["entries"], 1)
    book.each.append({name: (after[name] - before[name]) / entries for name in before if name != "entries"})


@contextmanager
def memory_peak(bed: Bed) -> Iterator[list[int]]:
    """KiB that the database's processes had to themselves at most while the block ran, above what they had before."""
    peak, over = [0], threading.Event()
    before = bed.own_memory_kib("postgres")

    def look() -> None:
        while not over.wait(SAMPLE_S):
            peak[0] = max(peak[0], bed.own_memory_kib("postgres") - before)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def proved(bed: Bed, database: str, what: str) -> dict[str, Any]:
    """What a proof looked at, and for how long."""
    return dict(json.loads(bed.run([PYTHON, "-m", "benchmarks.proofs", what], environment(bed, database))))


def run(bed: Bed, report: Report, *, rounds: int, seconds: float, postings: int) -> None:
    """Each round goes through the books there and back, so that a machine that slows down slows all of them."""
    books.make(bed, NEW, ACCOUNTS)
    bed.cluster.sql((PEERS / "grow.sql").read_text(), NEW)
    books.settled(bed, NEW)
    all_books = [Book(size, f"books_{size}") for size in sorted({FRESH, min(MIDDLE, postings), postings})]
    for book in all_books:
        copy(bed, book.database)
        if book.postings > FRESH:
            began = time.monotonic()
            grow(bed, book.database, book.postings)
            books.settled(bed, book.database)
            report.say(f"books of {book.postings:,} postings: {time.monotonic() - began:.0f} s")
    largest = all_books[-1]
    first = proved(bed, largest.database, "minute")
    for number in range(rounds):
        for book in (*all_books, *reversed(all_books)):
            if book.postings == FRESH:
                copy(bed, book.database)
            post(bed, book, seconds)
        report.say(f"round {number + 1}: growth")
    minute = proved(bed, largest.database, "minute")
    if not first["whole"] or minute["whole"]:
        raise Failed("the minute's proof did not go on from the one before")
    temporary = f"SELECT temp_bytes FROM pg_stat_database WHERE datname = '{largest.database}'"
    spilled = int(bed.cluster.sql(temporary))
    with memory_peak(bed) as peak:
        whole = proved(bed, largest.database, "whole")
    looked_at(bed, largest.database)
    spilled = int(bed.cluster.sql(temporary)) - spilled
    for book in all_books:
        books.hold(bed, book.database)
    _tell(report, all_books)
    report.table(
        f"ledger: proving books of {whole['postings']:,} postings and {ACCOUNTS} accounts",
        ["", "postings", "seconds", "PostgreSQL's memory MiB", "on disk MiB"],
        [
            [
                "all of them: verify_ledger",
                *(f"{whole['postings']:,}", f"{whole['seconds']:.3f}", f"{peak[0] / 1024:.0f}", f"{spilled >> 20}"),
            ],
            ["what is new: each minute", f"{minute['postings']:,}", f"{minute['seconds']:.3f}", "", ""],
        ],
    )
    per_second = whole["postings"] / whole["seconds"]
    report.add(Figure("ledger_growth", largest.per_second / all_books[0].per_second, 0.9, None))
    report.add(Figure("ledger_verify_postings_per_s", per_second, 10_000_000 / 60, 10_000_000 / 30))
    report.add(Figure("ledger_verify_s", whole["seconds"], None, None, lower=True))
    report.add(Figure("ledger_verify_minute_s", minute["seconds"], None, None, lower=True))


def _tell(report: Report, all_books: list[Book]) -> None:
    first = all_books[0].per_second
    report.table(
        f"ledger: {CLIENTS} clients, the ledger's function by pgbench, {ACCOUNTS} accounts, for each transfer, medians",
        ["postings before", "transfers/s", "of the fresh", "p99 ms", "pages: tables", "indexes", "not cached", "WAL B"],
        [
            [
                f"{book.postings:,}",
                f"{book.per_second:.0f}",
                f"{book.per_second / first:.2f}",
                f"{median(one.p99_ms for one in book.runs):.1f}",
                *(f"{median(one[name] for one in book.each):.1f}" for name in ("tables", "indexes")),
                f"{median(one['read'] for one in book.each):.2f}",
                f"{median(one['wal'] for one in book.each):.0f}",
            ]
            for book in all_books
        ],
    )
    for book in all_books:
        report.raw(f"ledger_growth_{book.postings}_per_second", book.per_second)
        report.raw(f"ledger_growth_{book.postings}_pages", median(one["tables"] + one["indexes"] for one in book.each))
