"""make run, as somebody meets it who has only Python and make."""

import contextlib
import http.client
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local import install, run
from deploy.local.postgres import free_ports
from deploy.local.processes import Failed, as_user
from tests.support import run as test_run
from tests.support.site import build_front_end

FIRST_LIMIT_S = 240
AGAIN_LIMIT_S = 30
STOP_LIMIT_S = 20


@dataclass
class Clone:
    """A checkout in the hands of an ordinary user."""

    folder: Path
    environment: dict[str, str]
    identity: dict[str, Any]

    def make(self, *words: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            ["make", *words],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **self.identity,
        )
        test_run.register(process.pid)
        return process

    def processes(self) -> list[int]:
        """Whoever works in this folder or on its data."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if not entry.name.isdigit():
                    continue
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
                if line and (str(self.folder) in line or str((entry / "cwd").readlink()).startswith(str(self.folder))):
                    found.append(int(entry.name))
        return found


@pytest.fixture(scope="module")
def clone() -> Iterator[Clone]:
    # The build is taken over, as its stamp says that it is of the same sources; the packages are installed anew.
    base = test_run.folder() / "ordinary"
    folder = base / "新 文件夹"
    folder.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=install.ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (install.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(install.ROOT / name, folder / name)
    test_run.once("front-end", build_front_end)
    shutil.copytree(install.DIST, folder / "static" / "dist")
    (base / "home").mkdir()
    kept = ("PATH", "LANG", "SSL_CERT_FILE", "PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": str(base / "home")}
    account = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    if account is not None:
        # Root's own Python may live where nobody else can look.
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        subprocess.run(["chown", "-R", str(account), str(base)], check=True)
    else:
        environment["HOME"] = os.environ["HOME"]
    made = Clone(folder, environment, as_user(account))
    yield made
    for pid in made.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def get(port: int, path: str) -> int:
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        caller.request("GET", path, headers={"Host": f"localhost:{port}"})
        return caller.getresponse().status
    except OSError:
        return 0
    finally:
        caller.close()


def wait_served(process: "subprocess.Popen[str]", port: int, limit_s: float) -> None:
    until = time.monotonic() + limit_s
    while get(port, "/healthz") != 200:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until, "no page"
        time.sleep(0.2)


def wait_stopped(clone: Clone, process: "subprocess.Popen[str]") -> str:
    said = process.communicate(timeout=STOP_LIMIT_S)[0]
    until = time.monotonic() + STOP_LIMIT_S
    while clone.processes() and time.monotonic() < until:
        time.sleep(0.1)
    assert clone.processes() == []
    return said


@pytest.mark.long
def test_an_ordinary_user_starts_stops_kills_and_starts_again_in_a_folder_with_a_space_and_chinese(
    clone: Clone,
) -> None:
    port, bank = free_ports(2)
    words = ("run", f"PORT={port}", f"BANK_PORT={bank}")
    first = clone.make(*words)
    wait_served(first, port, FIRST_LIMIT_S)
    assert [get(port, path) for path in ("/readyz", "/", "/desk/", "/api/schema/")] == [200] * 4
    assert get(bank, "/sheet/") == 200
    secrets = clone.folder / "var" / "secrets.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert all(not addresses_beyond_loopback(number) for number in (port, bank))

    second = clone.make("run", f"PORT={port + 1}")
    assert "already runs" in second.communicate(timeout=AGAIN_LIMIT_S)[0]
    assert second.returncode != 0

    os.kill(first.pid, signal.SIGTERM)
    said = wait_stopped(clone, first)
    assert f"http://localhost:{port}/" in said
    assert "13800000001" in said

    again = clone.make(*words)
    wait_served(again, port, AGAIN_LIMIT_S)
    for pid in clone.processes():
        os.kill(pid, signal.SIGKILL)
    again.communicate()

    recovered = clone.make(*words)
    wait_served(recovered, port, AGAIN_LIMIT_S)
    assert get(port, "/readyz") == 200
    os.kill(recovered.pid, signal.SIGTERM)
    wait_stopped(clone, recovered)


def addresses_beyond_loopback(port: int) -> list[str]:
    """Listening sockets on that port that are not 127.0.0.1's."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    found = [row[1].partition(":") for row in rows if row[3] == "0A"]
    return [address for address, _, number in found if int(number, 16) == port and address != "0100007F"]


def test_a_taken_port_says_so_and_how_to_choose_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(taken))
        with pytest.raises(Failed, match=rf"Port {taken} is taken.*make run PORT="):
            run.choose_ports()
        (free,) = free_ports(1)
        monkeypatch.setenv("PORT", str(free))
        monkeypatch.setenv("BANK_PORT", str(taken))
        with pytest.raises(Failed, match="make run BANK_PORT="):
            run.choose_ports()


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(Failed, match="is no port"):
        run.choose_ports()
