"""Each guard of money is taken away, and a test turns red: safety_mutants_killed is the share of those that did.

All of it is for `make faults`; `make test` takes one away, so that the way of doing it is known to work.
"""

import os
import subprocess
import sys

import pytest

from deploy.local.install import ROOT
from tests.faults.figures import LONG, note, part_of, share
from tests.faults.mutants import MUTANTS, Mutant
from tests.support import database

LIMIT_S = 600
RED, GREEN = 1, 0
SHORT = ("no full-entry trigger",)


def _run(mutant: Mutant, variable: str) -> "subprocess.CompletedProcess[str]":
    """The mutant's test in a process of its own, on this run's PostgreSQL."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.faults.mutated", "-p", "no:cacheprovider", "-q", "-x"]
    return subprocess.run(
        [*command, "-n0", mutant.test],
        cwd=ROOT,
        env={**os.environ, variable: mutant.name, "RONGLIAO_TEST_NESTED": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


def test_a_guard_that_is_taken_away_turns_its_test_red() -> None:
    database.template(database.PEOPLE)
    survivors, broken = [], []
    wanted = [mutant for mutant in MUTANTS if LONG or mutant.name in SHORT]
    chosen = part_of(wanted)
    for mutant in chosen:
        if mutant.off or mutant.off_modules:
            whole = _run(mutant, "MUTANT_OFF")
            if whole.returncode != GREEN:
                broken.append((mutant.name, whole.stdout[-2000:] + whole.stderr[-2000:]))
        cut = _run(mutant, "MUTANT")
        red = cut.returncode == RED and " failed" in cut.stdout
        print(f"{'killed' if red else 'SURVIVED'}: {mutant.name}", flush=True)
        if not red:
            survivors.append((mutant.name, cut.returncode, cut.stdout[-1500:] + cut.stderr[-1500:]))
    killed = {mutant.name for mutant in chosen} - {name for name, *_ in survivors}
    note(safety_mutants=len(wanted), safety_mutants_killed=share("mutants", killed, len(wanted)))
    for name, *words in [*survivors, *broken]:
        print(f"--- {name}", *words, sep="\n")
    assert not broken, [name for name, _ in broken]
    if survivors:
        pytest.fail(f"nobody noticed: {[name for name, *_ in survivors]}")
