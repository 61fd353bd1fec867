"""An installation as a bank has it, on a PostgreSQL (its durability on) and a Redis of its own: everything can be
killed, and the bank's date moved on."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.postgres import APP, OWNER, free_ports
from deploy.local.processes import tail
from kernel.clock import now
from rongliao.demo import World
from tests.faults.people import sign_in
from tests.faults.test_kill import rows
from tests.faults.test_restore import BANK, Bank
from tests.support import database, obtain, run
from tests.support.site import READY_LIMIT_S, Site, build_front_end

KINDS = ("postgres", "web", "redis", "worker")
_PROCESSES = {"web": ("server",), "worker": ("worker", "beat")}
DOWN_S = 0.5


class Standing:
    """The units' server, worker and beat, each a process of its own, over Redis and PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bank = folder, Bank(folder / "postgres")
        self.cluster = self.bank.first
        self.bank.start(self.cluster)
        self.cluster.sql(f"CREATE DATABASE {BANK} TEMPLATE {database.MIGRATED} OWNER {OWNER}")
        self.redis_port, port, networks_port = free_ports(3)
        self.redis = self._redis()
        names = folder / "names.json"
        environment = {
            **database.environment(database.server(), "none"),
            "DATABASE_URL": self.bank.url(self.cluster, APP),
            "DATABASE_OWNER_URL": self.bank.url(self.cluster, OWNER),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "VAR_DIR": str(folder / "var"),
            # One server process answers both origins and chooses by the Host header.
            "APP_ORIGIN": f"http://localhost:{port}",
            "BANK_ORIGIN": f"http://127.0.0.1:{port}",
            "NETWORKS_URL": f"http://127.0.0.1:{networks_port}",
            "PREPARES_PER_MINUTE": "100000",
            "NEW_DEVICE_DAY_FEN": "100000000000",
            "PYTHONUNBUFFERED": "1",
        }
        (folder / "var").mkdir()
        database.manage(environment, "demo_fill", "--names", str(names))
        run.once("front-end", build_front_end)
        self.site = Site("bank", folder, environment, port, port, World.load(names), apart=True)
        self.site.start()
        self.up: list[tuple[float, float]] = []
        self._since = time.monotonic()
        self.ended: list[str] = []

    def _redis(self) -> Any:
        words = ("--port", str(self.redis_port), "--save", "", "--bind", "127.0.0.1", "--dir", str(self.folder))
        return run.spawn([obtain.redis_server(), *words], log=self.folder / "redis.log")

    def kill(self, kind: str) -> None:
        """kill -9, and up again a moment later. What had ended by itself is noted, and started as well."""
        ended = self.site.ended()
        self.ended += ended
        self.up.append((self._since, time.monotonic()))
        if kind == "postgres":
            self.cluster.kill()
        elif kind == "redis":
            self.redis.kill()
            self.redis.wait()
        else:
            for name in _PROCESSES[kind]:
                if name not in ended:
                    self.site.kill9(name)
        time.sleep(DOWN_S)
        if kind == "postgres":
            self.bank.start(self.cluster)
        elif kind == "redis":
            self.redis = self._redis()
        started = now()
        self.site.start()
        self._since = time.monotonic()
        if kind == "worker":
            self._wait_for_worker(started)

    def up_s(self, since: float, until: float) -> float:
        """How much of that time (monotonic) everything was up, after the fault that cut off what was asked at `since`:
        with all that came up in between."""
        spans = [(begin, end) for begin, end in self.up if not begin <= since <= end <= until]
        return sum(max(0.0, min(until, end) - max(since, begin)) for begin, end in [*spans, (self._since, until)])

    def _wait_for_worker(self, since: datetime) -> None:
        until = time.monotonic() + READY_LIMIT_S
        while not rows(self.site, "SELECT 1 FROM kernel_heartbeat WHERE role = 'worker' AND at > %s", since):
            assert time.monotonic() < until, tail(self.folder / "worker.log", 40)
            time.sleep(0.1)

    def move_clock(self, by: timedelta) -> None:
        """Moves the bank's date on by at least so much, at the door that a demonstration has for it."""
        app = sign_in(self.site, "su")

        def ask(method: str, path: str, **more: Any) -> datetime:
            answer: httpx.Response = app.request(method, f"/api/demo/{path}", **more)
            assert answer.status_code == 200, answer.text
            return datetime.fromisoformat(answer.json()["business_now"])

        goal = ask("GET", "clock") + by
        while ask("POST", "advance", json={"to": "next_trading_day"}) < goal:
            pass

    def stop(self) -> None:
        self.site.stop()
        self.redis.kill()
        self.redis.wait()
        self.bank.children.stop_all()
