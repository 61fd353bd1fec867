"""kill -9 of the server with its worker, of PostgreSQL and of Redis, in turn, while transfers and orders are confirmed
over HTTP by several clients.

PostgreSQL is one of the test's own, with its durability on. What was confirmed is there, once; what was in doubt is
known soon after everything is up again, by asking again under the same id; the books never differ.
"""

import contextlib
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from deploy.local.postgres import APP, OWNER, free_ports
from rongliao.demo import World
from tests.faults.figures import LONG, SECONDS, SEED, note
from tests.faults.people import Payer, Payment, Watcher, Worker, sign_in
from tests.faults.test_kill import conversation_of, rows
from tests.faults.test_restore import BANK, Bank
from tests.support import database, obtain, run
from tests.support.site import Site, build_front_end

PAIRS = (("su", "lin"), ("xu", "he"), ("shen", "su"), ("lin", "su")) if LONG else (("su", "lin"), ("shen", "su"))
BUYERS = ("su", "xu") if LONG else ("xu",)
WORK_S = SECONDS if LONG else 0.0
PAUSE_S = 10.0 if LONG else 1.0
KINDS = ("postgres", "server", "redis")
DOWN_S = 0.5
DOUBT_LIMIT_S = 5.0
OUTBOX_LIMIT_S = 60.0
FAILED = 500
SAID = frozenset({"unavailable", "outcome_unknown", "contended"})
CASH = "远山现金宝"


class Telling:
    """What the server says while something is down, which is as good as no answer: one asks again."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.odd: list[str] = []

    def hear(self, response: httpx.Response) -> None:
        """A failure that does not say what it means is noted."""
        if response.status_code < FAILED:
            return
        text = response.read().decode(errors="replace")
        code = ""
        if response.headers.get("Content-Type") == "application/json":
            code = response.json()["error"]["code"]
        if (response.status_code, code in SAID, "Retry-After" in response.headers) != (503, True, True):
            self.odd.append(f"{response.request.method} {response.request.url} {response.status_code} {text[:300]}")
        self.codes[code] += 1
        raise httpx.ReadError(f"{response.status_code} {code}", request=response.request)


class Steadfast(Payer):
    """Goes on asking whatever is down."""

    def __init__(self, site: Site, name: str, payee: str, conversation: UUID, telling: Telling) -> None:
        super().__init__(site, name, payee, conversation, SEED)
        self.app.event_hooks = self.hooks = {"response": [telling.hear]}


class Buyer(Payer):
    """Buys a fund again and again, as steadfastly."""

    door = "/api/finance/orders"

    def __init__(self, site: Site, name: str, telling: Telling) -> None:
        Worker.__init__(self)
        self.site, self.name = site, name
        self.account = str(site.world.accounts[name])
        self.chance = random.Random(f"{SEED}:{name}:orders")
        self.app = sign_in(site, name)
        self.payments: list[Payment] = []
        self._read()
        self.app.event_hooks = self.hooks = {"response": [telling.hear]}

    def _read(self) -> None:
        """The documents, without which nothing is sold."""
        shelf = self.app.get("/api/finance/products").json()["items"]
        (self.product,) = [product["id"] for product in shelf if product["name"] == CASH]
        path = f"/api/finance/products/{self.product}"
        for document in self.app.get(path).json()["documents"]:
            text = self.app.get(f"{path}/documents/{document['id']}").json()
            opened = self.app.post(f"{path}/documents/{document['id']}/opened", json={"sha256": text["sha256"]})
            assert opened.status_code == 204, opened.text
            if text["kind"] == "risk":
                self.risk = text["sha256"]

    def _headers(self) -> dict[str, str]:
        return {"Idempotency-Key": str(uuid4())}

    def _body(self, payment: Payment) -> dict[str, Any]:
        return {
            "id": payment.id,
            "product_id": self.product,
            "amount_fen": payment.amount_fen + 100,
            "account_id": self.account,
            "risk_sha256": self.risk,
        }


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
        self.cluster = self.bank.first
        self.bank.start(self.cluster)
        self.cluster.sql(f"CREATE DATABASE {BANK} TEMPLATE {database.MIGRATED} OWNER {OWNER}")
        self.redis_port, app_port, bank_port, networks_port = free_ports(4)
        self.redis = self._redis()
        names = folder / "names.json"
        environment = {
            **database.environment(database.server(), "none"),
            "DATABASE_URL": self.bank.url(self.cluster, APP),
            "DATABASE_OWNER_URL": self.bank.url(self.cluster, OWNER),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
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
        run.once("front-end", build_front_end)
        self.site = Site("bank", folder, environment, app_port, bank_port, World.load(names))
        self.site.start()
        self.up: list[tuple[float, float]] = []
        self._since = time.monotonic()

    def _redis(self) -> Any:
        words = ("--port", str(self.redis_port), "--save", "", "--bind", "127.0.0.1", "--dir", str(self.folder))
        return run.spawn([obtain.redis_server(), *words], log=self.folder / "redis.log")

    def kill(self, kind: str) -> None:
        """kill -9, and up again a moment later."""
        self.up.append((self._since, time.monotonic()))
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
            self.redis = self._redis()
        self._since = time.monotonic()

    def in_doubt_s(self, since: float, until: float) -> float:
        """How much of that time everything was up."""
        spans = [*self.up, (self._since, until)]
        return sum(max(0.0, min(until, end) - max(since, begin)) for begin, end in spans)

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


def _left_over(site: Site) -> list[tuple[Any, ...]]:
    """What the worker has not done, once it had its time."""
    until = time.monotonic() + OUTBOX_LIMIT_S
    while True:
        left = rows(
            site,
            "SELECT topic, attempts, last_error FROM kernel_outboxrow"
            " WHERE failed_at IS NOT NULL OR (done_at IS NULL AND run_at <= now())",
        )
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.2)


@pytest.mark.long
def test_what_was_confirmed_survives_whatever_is_killed(standing: Standing) -> None:
    site, telling = standing.site, Telling()
    payers: list[Payer] = [
        Steadfast(site, name, other, conversation_of(site, name, other), telling) for name, other in PAIRS
    ]
    payers += [Buyer(site, name, telling) for name in BUYERS]
    watcher = Patient(site.database_url)
    for worker in (*payers, watcher):
        worker.start()
    chance, kills = random.Random(SEED), 0
    until = time.monotonic() + WORK_S
    while time.monotonic() < until or kills < len(KINDS):
        time.sleep(chance.uniform(0.5, 1.5) * PAUSE_S)
        standing.kill(KINDS[kills % len(KINDS)])
        kills += 1
    for payer in payers:
        payer.finish()
    left = _left_over(site)
    watcher.finish()

    payments = [payment for payer in payers for payment in payer.payments]
    confirmed = [payment for payment in payments if payment.confirmed]
    holds = dict(rows(site, "SELECT reference::text, count(*) FROM ledger_hold GROUP BY reference"))
    lost = sum(holds.get(payment.id, 0) == 0 for payment in confirmed)
    doubled = sum(holds.get(payment.id, 0) > 1 for payment in payments)
    cut = [payment for payment in payments if payment.attempts > 1]
    resolved = sum(payment.confirmed for payment in cut)
    longest_s = max((standing.in_doubt_s(*doubt) for payment in cut for doubt in payment.doubts), default=0.0)
    note(
        everything_killed=kills,
        everything_killed_confirmed=len(confirmed),
        everything_killed_orders=sum(payer.payments.count(one) for payer in payers[len(PAIRS) :] for one in confirmed),
        everything_killed_acked_lost=lost,
        everything_killed_doubled=doubled,
        everything_killed_drift_fen=watcher.drift_fen,
        everything_killed_reads=watcher.reads,
        everything_killed_in_doubt=len(cut),
        everything_killed_in_doubt_resolved=round(resolved / max(1, len(cut)), 4),
        money_doubt_max_s=round(longest_s, 3),
        **{f"everything_killed_{code}": count for code, count in sorted(telling.codes.items())},
    )
    assert not telling.odd, telling.odd[:5]
    assert all(any(one.confirmed for one in payer.payments) for payer in payers) and watcher.reads and cut
    assert (lost, doubled, watcher.drift_fen, resolved) == (0, 0, 0, len(cut))
    assert longest_s <= DOUBT_LIMIT_S
    assert not left
    assert rows(site, "SELECT sum(amount_fen)::bigint FROM ledger_posting") == [(0,)]
    site.manage("verify_ledger")
    site.manage("verify_audit")
