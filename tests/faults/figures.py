"""What a long run found, in var/faults.json.

A long run of one kind may be cut into parts that run one after the other, `FAULTS_PART=2/6`: each takes every sixth of
what is to be tried, and the share is of all that was tried in any part of the same commit.
"""

import json
import os
from collections.abc import Iterable, Sequence
from typing import TypeVar

from deploy.local.install import ROOT

LONG = "FAULTS_S" in os.environ
SECONDS = float(os.environ.get("FAULTS_S", "12"))
SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
FIGURES = ROOT / "var" / "faults.json"
PARTS = ROOT / "var" / "faults-parts.json"
_part, _, _parts = os.environ.get("FAULTS_PART", "1/1").partition("/")
PART, OF = int(_part), int(_parts)
T = TypeVar("T")


def part_of(all_of_it: Sequence[T]) -> list[T]:
    """What this part of the run tries."""
    return list(all_of_it[PART - 1 :: OF])


def share(kind: str, good: Iterable[str], of: int) -> float:
    """How many of all were found good, in this part and those before it."""
    found = set(good)
    if OF > 1:
        known = json.loads(PARTS.read_text()) if PARTS.exists() and PART > 1 else {}
        known[kind] = sorted(found | set(known.get(kind, [])))
        PARTS.parent.mkdir(exist_ok=True)
        PARTS.write_text(json.dumps(known, indent=1) + "\n")
        found = set(known[kind])
    return round(len(found) / of, 4)


def note(**figures: float) -> None:
    """Prints figures, and keeps them where a long run was asked for."""
    print(figures)
    if LONG:
        FIGURES.parent.mkdir(exist_ok=True)
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        FIGURES.write_text(json.dumps(known | figures | {"seconds": SECONDS, "seed": SEED}, indent=1) + "\n")
