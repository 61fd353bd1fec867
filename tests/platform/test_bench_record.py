"""What `make bench` writes into docs/performance.md, and what it leaves alone."""

from pathlib import Path

from benchmarks.record import HEADING, keep

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
