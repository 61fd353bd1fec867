"""One test run: its folder, and every process that must be gone when it ends, however it ends."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.local.processes import alive, as_user

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "RONGLIAO_TEST_RUN"
TERM_LIMIT_S = 5


def begin() -> Path:
    """Makes the run's folder and its guard; called by the process that the developer started."""
    folder = Path(tempfile.mkdtemp(prefix="rlt-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "processes").mkdir()
    os.environ[VARIABLE] = str(folder)
    # The guard outlives us only long enough to clean up after a kill -9.
    subprocess.Popen(
        [sys.executable, "-m", "tests.support.run", str(os.getpid()), str(folder)],
        cwd=ROOT,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return folder


def folder() -> Path:
    """The folder of the run that this process belongs to."""
    return Path(os.environ[VARIABLE])


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """One worker at a time."""
    with (folder() / f"{name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def once(name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the first worker made, for all workers."""
    record = folder() / f"{name}.json"
    with locked(name):
        if not record.exists():
            record.write_text(json.dumps(make()))
        return dict(json.loads(record.read_text()))


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: dict[str, str] | None = None,
    cwd: Path = ROOT,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a process that ends with the run at the latest."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **as_user(user),
        )
    register(process.pid)
    return process


def register(pid: int) -> None:
    """Has the process ended with the run."""
    (folder() / "processes" / str(pid)).write_text("")


def clean(where: Path) -> None:
    """Ends what the run started, and removes its folder."""
    processes = where / "processes"
    pids = [int(entry.name) for entry in processes.iterdir()] if processes.exists() else []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGTERM)
    until = time.monotonic() + TERM_LIMIT_S
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        time.sleep(0.02)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    shutil.rmtree(where, ignore_errors=True)


def guard(controller: int, where: Path) -> None:
    """Cleans up once the run's own process is gone."""
    while where.exists():
        if not alive(controller):
            clean(where)
        time.sleep(0.5)


if __name__ == "__main__":
    guard(int(sys.argv[1]), Path(sys.argv[2]))
