"""Two server processes on one site, as in production and as in make run, with a Redis between them."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis as redis_client

from deploy.local.install import PYTHON, ROOT
from deploy.local.postgres import free_ports
from tests.faults.figures import LONG
from tests.faults.people import sign_in
from tests.support import database, obtain, run
from tests.support.site import Site, make_site

SERVERS = ("uvicorn", "daphne")
SOCKETS = 2_000 if LONG else 200
EACH = 20
"""So many sockets a person may have on one process."""
GONE_LIMIT_S = 45.0


class Fleet:
    """Two server processes on one site: Daphne as in make run, uvicorn as in production; and a Redis between them."""

    def __init__(self) -> None:
        self.redis_port, self.port = free_ports(2)
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}/0"
        self.folder = run.folder()
        self.outages: dict[int, list[tuple[float, float]]] = {}
        """By port: when a server was killed, and when something listened there again (time.monotonic)."""
        self._crowd: list[str] = []
        self.start_redis()
        self.site = make_site(REDIS_URL=self.redis_url, CHAT_FRAMES_PER_SECOND="100000")
        self.start_uvicorn()

    def start_redis(self) -> None:
        command = [obtain.redis_server(), "--port", str(self.redis_port), "--save", "", "--bind", "127.0.0.1"]
        self.redis = run.spawn(command, log=self.folder / "redis.log")
        listening(self.redis_port)

    def start_uvicorn(self) -> None:
        command = [PYTHON, "-m", "uvicorn", "rongliao.asgi:application", "--port", str(self.port), "--loop", "uvloop"]
        command += [
            "--http",
            "rongliao.http:PunctualProtocol",
            "--ws",
            "rongliao.http:PunctualSocket",
            "--lifespan",
            "off",
        ]
        command += ["--no-access-log", "--ws-max-size", "65536"]
        self.uvicorn = run.spawn(command, log=self.site.folder / "uvicorn.log", env=self.site.environment)
        listening(self.port)

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        process.kill()
        process.wait()

    def fault(self, what: str) -> None:
        """One fault; returns when everything runs again."""
        if what in {"daphne", "uvicorn"}:
            self._server_dies(what)
        elif what == "redis":
            self.kill(self.redis)
            self.start_redis()
        else:
            with contextlib.suppress(redis_client.RedisError):
                redis_client.Redis.from_url(self.redis_url).flushall()

    def _server_dies(self, name: str) -> None:
        port, down = self.port_of(name), time.monotonic()
        if name == "uvicorn":
            self.kill(self.uvicorn)
            self.start_uvicorn()
            up = time.monotonic()
        else:
            self.site.kill9()
            with ThreadPoolExecutor(1) as starting:
                # Ready is more than there: the worker inside is looked for too.
                started = starting.submit(self.site.start)
                listening(port)
                up = time.monotonic()
                started.result()
        self.outages.setdefault(port, []).append((down, up))

    def waited_s(self, port: int, since: float, until: float) -> float:
        """From `since` to `until`, without the time in which nothing listened on the port."""
        away = (min(until, up) - max(since, down) for down, up in self.outages.get(port, ()))
        return until - since - sum(max(0.0, seconds) for seconds in away)

    def port_of(self, name: str) -> int:
        """Where `uvicorn` or `daphne` listens."""
        return self.port if name == "uvicorn" else self.site.app_port

    def pid_of(self, name: str) -> int:
        """The process of `uvicorn` or `daphne`."""
        return self.uvicorn.pid if name == "uvicorn" else self.site.pid()

    def log_of(self, name: str) -> Path:
        """What `uvicorn` or `daphne` says."""
        return self.site.folder / "uvicorn.log" if name == "uvicorn" else self.site.log

    def crowd(self, count: int) -> list[str]:
        """So many open sessions, EACH of a person. They are made once, for all tests."""
        if not self._crowd:
            command = [str(PYTHON), "-m", "benchmarks.people", "crowd", str(SOCKETS // EACH), str(EACH)]
            environment = self.site.environment | {"DATABASE_POOL": "0", "DJANGO_SETTINGS_MODULE": "rongliao.settings"}
            made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            assert made.returncode == 0, made.stderr
            self._crowd = [one["cookie"].partition("=")[2] for one in json.loads(made.stdout)]
        return self._crowd[:count]

    def shell(self, code: str) -> str:
        """What this code, run in a process of its own, says last."""
        command = [str(PYTHON), "manage.py", "shell", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=self.site.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1] if done.stdout.split() else ""

    def stop(self) -> None:
        for process in (self.uvicorn, self.redis):
            self.kill(process)
        self.site.stop()
        database.drop(self.site.database_name)


def listening(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < until, f"nothing listens on {port}"
        time.sleep(0.01)


def cookie(site: Site, name: str) -> str:
    return next(one.value or "" for one in sign_in(site, name).cookies.jar if one.name == "rl_session")


def memory_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def gone_after_s(port: int, theirs: Sequence[int], since: float) -> float:
    """Seconds since `since` (time.monotonic) until the server has let go of those who speak from these ports."""
    mine = {f"{one:04X}" for one in theirs}
    established = "01"
    until = time.monotonic() + GONE_LIMIT_S
    while time.monotonic() < until:
        table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        held = [
            row for row in table if row[1].endswith(f":{port:04X}") and row[2][-4:] in mine and row[3] == established
        ]
        if not held:
            return time.monotonic() - since
        time.sleep(0.1)
    raise AssertionError(f"{len(held)} of {len(theirs)} are still connected")
