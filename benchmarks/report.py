"""What a part of a run found: tables for people, one flat object of named figures for programs."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.record import Table


@dataclass(frozen=True)
class Figure:
    """A ratio, with what it must be and what we want (None: printed only). `lower` is better, or higher."""

    name: str
    value: float
    must: float | None
    goal: float | None
    lower: bool = False

    @property
    def verdict(self) -> str:
        if self.must is None:
            return ""
        goal = self.must if self.goal is None else self.goal
        met = [self.value <= limit if self.lower else self.value >= limit for limit in (goal, self.must)]
        return "goal" if met[0] else "must" if met[1] else "MISSED"


@dataclass
class Report:
    """Collects figures and prints them."""

    figures: list[Figure] = field(default_factory=list)
    others: dict[str, float] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(f"  {text}", file=sys.stderr, flush=True)

    def add(self, figure: Figure) -> None:
        self.figures.append(figure)

    def raw(self, name: str, value: float) -> None:
        self.others[name] = round(value, 4)

    def table(self, title: str, head: list[str], rows: list[list[str]]) -> None:
        self.tables.append((title, head, rows))
        widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
        print(f"\n{title}")
        for row in [head, ["-" * width for width in widths], *rows]:
            print("  " + "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
        sys.stdout.flush()

    def ratios(self) -> None:
        """Prints the figures."""

        def text(limit: float | None, lower: bool) -> str:
            return "" if limit is None else f"{'≤' if lower else '≥'} {limit:g}"

        rows = [
            [one.name, f"{one.value:.2f}", text(one.must, one.lower), text(one.goal, one.lower), one.verdict]
            for one in self.figures
        ]
        if rows:
            self.table("figures", ["figure", "value", "must", "goal", ""], rows)

    def keep(self, path: Path, part: str, about: Mapping[str, str]) -> None:
        """Writes a part's figures in the place of those that its last run left; what other parts left stays there.

        `about`: how, when and where they were measured.
        """
        figures: dict[str, float | None] = {}
        for one in self.figures:
            figures |= {one.name: round(one.value, 4), f"{one.name}_must": one.must, f"{one.name}_goal": one.goal}
        figures |= self.others
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        parts = known.pop("parts", {})
        old = set(parts.get(part, {}).get("figures", ()))
        kept = {name: value for name, value in known.items() if name not in old}
        parts[part] = {**about, "figures": list(figures)}
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(kept | figures | {"parts": parts}, indent=1) + "\n")
