"""What `make bench` writes into docs/performance.md and var/bench.json, and what it leaves alone."""

import json
from pathlib import Path

from benchmarks.record import HEADING, keep
from benchmarks.report import Figure, Report

FIRST = ("chat: pairs", ["server", "msgs/s"], [["the product", "7,852"], ["ejabberd", "962"]])
LATER = ("chat: pairs", ["server", "msgs/s"], [["the product", "8,100"]])


def test_the_last_run_of_a_part_takes_the_place_of_the_one_before_and_of_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("# How fast\n\nWords.\n\n## Figures\n\nOld.\n")
    keep(page, "pairs", "`make bench ARGS=pairs`, on a Monday", [FIRST])
    keep(page, "sync", "on a Monday", [("chat: sync", ["what"], [["p50"]])])
    keep(page, "pairs", "on a Tuesday", [LATER])
    text = page.read_text()
    assert text.startswith("# How fast\n\nWords.\n\n## Figures\n\nOld.\n\n" + HEADING)
    assert text.count("### pairs") == text.count("### sync") == text.count(HEADING) == 1
    assert "| the product | 8,100 |" in text
    assert "7,852" not in text and "on a Monday\n\nchat: pairs" not in text
    again = text
    keep(page, "pairs", "on a Tuesday", [LATER])
    assert page.read_text() == again


def report_of(**figures: float) -> Report:
    report = Report()
    for name, value in figures.items():
        report.add(Figure(name, value, 1.0, None))
    return report


def test_a_part_that_runs_alone_leaves_the_figures_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "var" / "bench.json"
    chat = report_of(chat_vs_node=2.5)
    chat.raw("chat_raw", 0.25)
    chat.keep(path, "pairs", {"commit": "1111111", "date": "2026-11-23"})
    report_of(ledger_post=0.9, ledger_gone=3.0).keep(path, "ledger", {"commit": "1111111", "date": "2026-11-23"})
    report_of(ledger_post=0.8).keep(path, "ledger", {"commit": "2222222", "date": "2026-11-24"})
    kept = json.loads(path.read_text())
    parts = kept.pop("parts")
    assert kept == {
        **{"chat_vs_node": 2.5, "chat_vs_node_must": 1.0, "chat_vs_node_goal": None, "chat_raw": 0.25},
        **{"ledger_post": 0.8, "ledger_post_must": 1.0, "ledger_post_goal": None},
    }
    assert {part: about["commit"] for part, about in parts.items()} == {"pairs": "1111111", "ledger": "2222222"}
    assert parts["ledger"]["date"] == "2026-11-24"


def test_a_figure_that_two_parts_measure_is_the_later_ones(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    report_of(ledger_action=0.1, ledger_post=0.9).keep(path, "ledger", {"commit": "1111111"})
    report_of(ledger_action=0.2).keep(path, "action", {"commit": "2222222"})
    kept = json.loads(path.read_text())
    assert (kept["ledger_action"], kept["ledger_post"]) == (0.2, 0.9)
    assert "ledger_action" in kept["parts"]["action"]["figures"]
