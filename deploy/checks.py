"""The checks of `make lint`: all at once, one line each, the output of those that fail."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.install import FRONTEND, ROOT, VENV, node, node_environment

BIN = VENV / "bin"
PYTHON = BIN / "python"
ROOT_PACKAGES = ("rongliao", "desk", "finance", "moments", "officials", "chat", "accounts", "kernel")

DEMO = {**os.environ, "DEMO": "1", "DATABASE_POOL": "0"}
"""The checks start no server; the settings need no keys of an installation."""


@dataclass(frozen=True)
class Check:
    """A command that exits 0 where all is well."""

    name: str
    command: list[str]
    cwd: Path = ROOT
    env: dict[str, str] | None = None


def fast() -> list[Check]:
    """What runs at every landing."""
    return [
        Check("ruff check", [str(BIN / "ruff"), "check", "--quiet", "."]),
        Check("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        Check(
            "import contracts",
            [str(PYTHON), "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        ),
    ]


def slow() -> list[Check]:
    """The rest of make lint."""
    executable, npm = node()
    script = [str(executable), str(npm), "run", "--silent"]
    environment = node_environment(executable)
    return [
        Check("mypy", [str(PYTHON), "-m", "mypy", *ROOT_PACKAGES, "deploy", "manage.py"], env=DEMO),
        Check("eslint", [*script, "lint"], FRONTEND, environment),
        Check("vue-tsc", [*script, "typecheck"], FRONTEND, environment),
        Check("migrations in step", [str(PYTHON), "manage.py", "makemigrations", "--check", "--dry-run"], env=DEMO),
        Check("contracts in step", [str(PYTHON), "-m", "deploy.contracts", "--check"], env=DEMO),
    ]


def run(check: Check) -> tuple[Check, int, str, float]:
    began = time.monotonic()
    done = subprocess.run(check.command, cwd=check.cwd, env=check.env, capture_output=True, text=True, check=False)
    return check, done.returncode, done.stdout + done.stderr, time.monotonic() - began


def run_all(extent: str) -> int:
    """Runs the checks, printing a line each; returns how many failed."""
    bad = 0
    with ThreadPoolExecutor(max_workers=3) as pool:
        for check, code, output, took in pool.map(run, fast() + (slow() if extent == "all" else [])):
            print(f"{'ok  ' if code == 0 else 'FAIL'} {check.name} ({took:.1f} s)", flush=True)
            if code:
                bad += 1
                print(output.strip(), flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(1 if run_all(sys.argv[1]) else 0)
