"""The checks of `make lint`: all at once, one line each, the output of those that fail."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.install import FRONTEND, ROOT, VENV, node, node_environment

BIN = VENV / "bin"
PYTHON = BIN / "python"
ROOT_PACKAGES = ("rongliao", "desk", "finance", "moments", "officials", "chat", "accounts", "kernel")

DEMO = {**os.environ, "DEMO": "1"}
"""The checks start no server; the settings need no keys of an installation."""


@dataclass(frozen=True)
class Check:
    """A command that exits 0 where all is well."""

    name: str
    command: list[str]
    cwd: Path = ROOT
    env: dict[str, str] | None = None
    needs: Callable[[], bool] = field(default=lambda: True)


def present(*names: str) -> bool:
    return all((ROOT / name).exists() for name in names)


def fast() -> list[Check]:
    """What runs at every landing."""
    return [
        Check("ruff check", [str(BIN / "ruff"), "check", "--quiet", "."]),
        Check("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        Check(
            "import contracts",
            [str(PYTHON), "-c", "from importlinter.cli import lint_imports_command as run; run()"],
            needs=lambda: present(*ROOT_PACKAGES),
        ),
    ]


def slow() -> list[Check]:
    """The rest of make lint."""
    executable, npm = node()
    script = [str(executable), str(npm), "run", "--silent"]
    environment = node_environment(executable)
    return [
        Check("mypy", [str(PYTHON), "-m", "mypy", *typed()], env=DEMO),
        Check("eslint", [*script, "lint"], FRONTEND, environment),
        Check("vue-tsc", [*script, "typecheck"], FRONTEND, environment),
        Check("migrations in step", [str(PYTHON), "manage.py", "makemigrations", "--check", "--dry-run"], env=DEMO),
        Check("contracts in step", [str(PYTHON), "-m", "deploy.contracts", "--check"], env=DEMO),
    ]


def typed() -> list[str]:
    return [name for name in (*ROOT_PACKAGES, "deploy", "manage.py") if present(name)]


def run(check: Check) -> tuple[Check, int, str, float]:
    began = time.monotonic()
    done = subprocess.run(check.command, cwd=check.cwd, env=check.env, capture_output=True, text=True, check=False)
    return check, done.returncode, done.stdout + done.stderr, time.monotonic() - began


def main() -> int:
    checks = [check for check in fast() + (slow() if sys.argv[1] == "all" else []) if check.needs()]
    bad = 0
    with ThreadPoolExecutor(max_workers=3) as pool:
        for check, code, output, took in pool.map(run, checks):
            print(f"{'ok  ' if code == 0 else 'FAIL'} {check.name} ({took:.1f} s)", flush=True)
            if code:
                bad += 1
                print(output.strip(), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
