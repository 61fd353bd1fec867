"""Opening the app with much behind it, and scrolling back in conversations of every length: the server's own time."""

import json

from benchmarks.bed import Bed
from benchmarks.report import Figure, Report
from deploy.local.install import PYTHON

DATABASE = "sync"
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)


def run(bed: Bed, report: Report, *, rounds: int, seconds: float) -> None:
    """Requests through Django's whole stack, in a process of the product's environment."""
    del seconds
    bed.product_database(DATABASE)
    command = [PYTHON, "-m", "benchmarks.requests_inside"]
    environment = bed.environment(DATABASE)
    filled = bed.run([*command, "fill", *(str(length) for length in LENGTHS)], environment)
    bed.cluster.sql("VACUUM ANALYZE;", DATABASE)
    found = json.loads(bed.run([*command, "measure", str(rounds)], environment, filled))
    report.table(
        "chat: server time of a request",
        ["request", "p50 ms", "p99 ms", "statements", "KiB"],
        [
            [one["what"], f"{one['p50_ms']:.1f}", f"{one['p99_ms']:.1f}", str(one["statements"]), str(one["kib"])]
            for one in found
        ],
    )
    by_name = {one["name"]: one for one in found}
    fresh = by_name["sync_fresh"]
    report.add(Figure("chat_sync_500_ms", fresh["p50_ms"], 50, 25, lower=True))
    report.add(Figure("chat_sync_500_statements", fresh["statements"], 20, 15, lower=True))
    back = by_name["sync_all_behind"]
    report.add(Figure("chat_sync_500_behind_ms", back["p50_ms"], 100, 50, lower=True))
    report.add(Figure("chat_sync_500_behind_statements", back["statements"], 20, 15, lower=True))
    longest, shortest = (by_name[f"page_{length}"] for length in (LENGTHS[-1], LENGTHS[0]))
    report.add(Figure("chat_page_ms", longest["p50_ms"], 10, 5, lower=True))
    report.add(Figure("chat_page_growth", longest["p50_ms"] / shortest["p50_ms"], 1.5, 1.1, lower=True))
    for one in found:
        report.raw(f"chat_{one['name']}_p50_ms", one["p50_ms"])
        report.raw(f"chat_{one['name']}_p99_ms", one["p99_ms"])
