"""Child processes that never outlive the launcher."""

import contextlib
import os
import pwd
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STOP_LIMIT_S = 12


class Failed(Exception):
    """A step did not work. The text says what happened and what to do; it is shown as it is."""


class Children:
    """Every process started here, so that one signal to the launcher ends them all."""

    def __init__(self) -> None:
        self._running: list[tuple[subprocess.Popen[bytes], int]] = []
        self._lock = threading.Lock()
        self._closing = False

    def start(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
        watch_parent: bool = False,
        stop_signal: int = signal.SIGTERM,
    ) -> subprocess.Popen[bytes]:
        """Starts a process in a session of its own (a terminal's Ctrl-C reaches the launcher alone).

        With `watch_parent` its standard input is a pipe that closes when the launcher dies.
        """
        identity = as_user(user)
        with self._lock, log.open("ab") as out:
            if self._closing:
                raise Failed("stopped")
            child = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env=dict(env) if env is not None else None,
                stdin=subprocess.PIPE if watch_parent else subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **identity,
            )
            self._running.append((child, stop_signal))
        return child

    def run(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> int:
        """Runs a process to its end and returns its exit code. Its output goes to `log`."""
        return self.start(command, log=log, cwd=cwd, env=env, user=user).wait()

    def stop_all(self) -> None:
        """Ends every process that still runs, the newest first."""
        with self._lock:
            self._closing = True
            running = list(reversed(self._running))
        for child, stop_signal in running:
            end(child, stop_signal)


def as_user(user: int | None) -> dict[str, Any]:
    """Popen's arguments to run as that account, with its own group and no other."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwuid(user).pw_gid, "extra_groups": []}


def end(child: subprocess.Popen[bytes], sig: int) -> None:
    """Signals the process, waits, and after STOP_LIMIT_S kills its whole session."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(sig)
        try:
            child.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child.stdin:
        child.stdin.close()


def alive(pid: int) -> bool:
    """Whether a process of that id runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def wait_gone(pid: int, limit_s: float) -> bool:
    """Waits for the end of a process that is not our child."""
    until = time.monotonic() + limit_s
    while alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
