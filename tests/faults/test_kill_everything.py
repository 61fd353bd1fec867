"""kill -9 of the server with its worker, of PostgreSQL and of Redis, in turn, while transfers are confirmed over HTTP.

PostgreSQL is one of the test's own, with its durability on. What was confirmed is there, once; the books never differ.
"""

import contextlib
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from deploy.local.postgres import APP, OWNER, free_ports
from rongliao.demo import World
from tests.faults.figures import LONG, SECONDS, SEED, note
from tests.faults.people import Payer, Watcher
from tests.faults.test_kill import conversation_of, rows
from tests.faults.test_restore import BANK, Bank
from tests.support import database, obtain, run
from tests.support.site import Site, build_front_end

PAIRS = (("su", "lin"), ("xu", "he"), ("shen", "su"), ("lin", "xu")) if LONG else (("su", "lin"), ("xu", "he"))
PAUSE_S = 10.0 if LONG else 1.0
KINDS = ("server", "postgres", "redis")
DOWN_S = 0.5
NO_ANSWER = 500


def _none_is_no_answer(response: httpx.Response) -> None:
    """What says that something is down is as good as no answer: one asks again."""
    if response.status_code >= NO_ANSWER:
        raise httpx.ReadError(f"{response.status_code}", request=response.request)


class Steadfast(Payer):
    """Goes on asking whatever is down."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.app.event_hooks = {"response": [_none_is_no_answer]}

    @contextlib.contextmanager
    def _sheet(self, confirm_url: str) -> Any:
        with super()._sheet(confirm_url) as sheet:
            sheet.event_hooks = {"response": [_none_is_no_answer]}
            yield sheet


class Patient(Watcher):
    """Reads on when PostgreSQL is back."""

    def work(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(psycopg.OperationalError):
                super().work()
            self.stopping.wait(0.1)


class Standing:
    """A site on a PostgreSQL and a Redis of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bank = folder, Bank(folder / "postgres")
        cluster = self.cluster = self.bank.first
        self.bank.start(cluster)
        cluster.sql(f"CREATE DATABASE {BANK} TEMPLATE {database.MIGRATED} OWNER {OWNER}")
        (self.redis_port, app_port, bank_port, networks_port) = free_ports(4)
        self.start_redis()
        names = folder / "names.json"
        environment = {
            **database.environment(database.server(), "none"),
            "DATABASE_URL": self.bank.url(cluster, APP),
            "DATABASE_OWNER_URL": self.bank.url(cluster, OWNER),
            "VAR_DIR": str(folder / "var"),
            "APP_ORIGIN": f"http://localhost:{app_port}",
            "BANK_ORIGIN": f"http://localhost:{bank_port}",
            "NETWORKS_URL": f"http://127.0.0.1:{networks_port}",
            "PREPARES_PER_MINUTE": "100000",
            "NEW_DEVICE_DAY_FEN": "100000000000",
            "PYTHONUNBUFFERED": "1",
        }
        (folder / "var").mkdir()
        database.manage(environment, "demo_fill", "--names", str(names))
        environment["REDIS_URL"] = f"redis://127.0.0.1:{self.redis_port}/0"
        run.once("front-end", build_front_end)
        self.site = Site("bank", folder, environment, app_port, bank_port, World.load(names))
        self.site.start()

    def start_redis(self) -> None:
        command = [obtain.redis_server(), "--port", str(self.redis_port), "--save", "", "--bind", "127.0.0.1"]
        self.redis = run.spawn(command, log=self.folder / "redis.log")

    def kill(self, kind: str) -> None:
        """kill -9, and up again a moment later."""
        if kind == "server":
            self.site.kill9()
        elif kind == "postgres":
            self.cluster.kill()
        else:
            self.redis.kill()
            self.redis.wait()
        time.sleep(DOWN_S)
        if kind == "server":
            self.site.start()
        elif kind == "postgres":
            self.bank.start(self.cluster)
        else:
            self.start_redis()

    def stop(self) -> None:
        self.site.stop()
        self.redis.kill()
        self.redis.wait()
        self.bank.children.stop_all()


@pytest.fixture
def standing() -> Iterator[Standing]:
    folder = run.folder() / f"standing-{uuid4().hex[:8]}"
    folder.mkdir()
    folder.chmod(0o755)
    made = Standing(folder)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_what_was_confirmed_survives_whatever_is_killed(standing: Standing) -> None:
    site = standing.site
    payers = [Steadfast(site, name, other, conversation_of(site, name, other), SEED) for name, other in PAIRS]
    watcher = Patient(site.database_url)
    for worker in (*payers, watcher):
        worker.start()
    chance, kills = random.Random(SEED), 0
    until = time.monotonic() + SECONDS
    while time.monotonic() < until or kills < len(KINDS):
        time.sleep(chance.uniform(0.5, 1.5) * PAUSE_S)
        standing.kill(KINDS[kills % len(KINDS)])
        kills += 1
    for payer in payers:
        payer.finish()
    watcher.finish()

    payments = [payment for payer in payers for payment in payer.payments]
    confirmed = [payment for payment in payments if payment.confirmed]
    holds = dict(rows(site, "SELECT reference::text, count(*) FROM ledger_hold GROUP BY reference"))
    lost = sum(holds.get(payment.id, 0) == 0 for payment in confirmed)
    doubled = sum(holds.get(payment.id, 0) > 1 for payment in payments)
    cut = [payment for payment in payments if payment.attempts > 1]
    resolved = sum(payment.confirmed for payment in cut)
    doubts = sorted(doubt for payment in confirmed for doubt in payment.doubt_s)
    note(
        everything_killed=kills,
        everything_killed_confirmed=len(confirmed),
        everything_killed_acked_lost=lost,
        everything_killed_doubled=doubled,
        everything_killed_drift_fen=watcher.drift_fen,
        everything_killed_in_doubt=len(cut),
        everything_killed_in_doubt_resolved=round(resolved / max(1, len(cut)), 4),
        everything_killed_doubt_max_s=round(doubts[-1], 3) if doubts else 0.0,
    )
    assert len(confirmed) >= len(payers) and watcher.reads and cut
    assert (lost, doubled, watcher.drift_fen, resolved) == (0, 0, 0, len(cut))
    assert rows(site, "SELECT sum(amount_fen)::bigint FROM ledger_posting") == [(0,)]
    site.manage("verify_ledger")
    site.manage("verify_audit")
