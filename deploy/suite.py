"""`make test`: the checks, the back end's and journeys' tests, the front end's own; one closing line."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from deploy import checks
from deploy.local import install, state
from deploy.local.install import FRONTEND, PYTHON, ROOT, node, node_environment
from deploy.local.processes import Children, Failed

RESULTS = ROOT / "var" / "test-results"
WORKERS = os.environ.get("TEST_WORKERS") or str((os.cpu_count() or 1) + 1)
"""One more than there are cores: servers that are killed and clients that stay silent are waited for, not worked at."""


@dataclass
class Outcome:
    """Counts of one suite."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    code: int = 0


def counted(name: str, report: Path, code: int) -> Outcome:
    """Reads the counts out of a JUnit report. A suite that left none has failed."""
    outcome = Outcome(name, code=code)
    if not report.exists():
        outcome.failed = 1
        return outcome
    root = ElementTree.parse(report).getroot()  # noqa: S314 - written by our own run a moment ago
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif case.find("skipped") is not None:
            outcome.skipped += 1
        else:
            outcome.passed += 1
    return outcome


def back_end(words: list[str]) -> Outcome:
    """pytest, journeys and short fault runs included."""
    report = RESULTS / "pytest.xml"
    report.unlink(missing_ok=True)
    command = [str(PYTHON), "-m", "pytest", "-q", "-n", WORKERS, "--dist", "worksteal", f"--junitxml={report}"]
    done = subprocess.run([*command, "--durations=15", *words], cwd=ROOT, check=False)
    return counted("back end and journeys", report, done.returncode)


def built() -> bool:
    """Builds the front end before any test: servers read its folder when they start."""
    children = Children()
    try:
        install.front_end(children, state.log("front-end"), lambda text: print(text, flush=True))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return False
    finally:
        children.stop_all()
    return True


def front_end() -> Outcome:
    """vitest."""
    report = RESULTS / "vitest.xml"
    report.unlink(missing_ok=True)
    executable, npm = node()
    command = [str(executable), str(npm), "run", "--silent", "test", "--", "--reporter=default", "--reporter=junit"]
    done = subprocess.run(
        [*command, f"--outputFile.junit={report}"], cwd=FRONTEND, env=node_environment(executable), check=False
    )
    return counted("front end", report, done.returncode)


def main() -> int:
    began = time.monotonic()
    RESULTS.mkdir(parents=True, exist_ok=True)
    print("== checks", flush=True)
    lint = checks.run_all("all")
    if not built() or subprocess.run([str(PYTHON), "-m", "tests.support.obtain"], cwd=ROOT, check=False).returncode:
        return 1
    print("== tests", flush=True)
    outcomes = [back_end(sys.argv[1:]), front_end()]
    print("== summary", flush=True)
    for outcome in outcomes:
        print(f"{outcome.name}: {outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped")
    good = lint == 0 and all(outcome.code == 0 and outcome.failed == 0 for outcome in outcomes)
    print(f"lint: {'ok' if lint == 0 else f'{lint} checks failed'}")
    print(
        f"{sum(o.passed for o in outcomes)} passed, {sum(o.failed for o in outcomes)} failed, "
        f"{sum(o.skipped for o in outcomes)} skipped in {time.monotonic() - began:.0f} s: {'GOOD' if good else 'BAD'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
