"""PostgreSQL goes away, or takes a transaction back, while money is asked for: whoever asked is told the truth.

The wire to it is cut, its connections are ended by somebody with the right to, and locks are really held.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection

from finance.ledger.models import Entry, Hold
from tests.conftest import FreshDatabase, _point_at
from tests.finance.payments.conftest import RICH, Shown, Town
from tests.support import database
from tests.support.wire import COMMIT, Cut, Wire

KEEPING = b"bank_session_confirmation"
"""Stands in the statement that a confirmation's transaction writes last."""
PATIENCE_S = 20
NOTHING_ZH, NOTHING_EN = "未做任何更改", "Nothing was changed"


def alone(work: Callable[[], Any]) -> Any:
    """Does it as the server does a request: in a thread that comes without a connection and leaves none."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def told(answer: Any) -> tuple[int, str]:
    """Status and code; every such answer says when to come back."""
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.status_code, answer.json()["error"]["code"]


@contextmanager
def over(wire: Wire, name: str) -> Iterator[None]:
    """The product's connections go over the wire."""
    connection.close()
    before = _point_at(wire.url(name))
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def holds(sheet: Shown) -> int:
    return Hold.objects.filter(reference=sheet.intent_id).count()


@pytest.mark.parametrize("arrives", [True, False], ids=["that was done", "that was not heard"])
def test_a_commit_without_an_answer_is_unknown_and_asked_again_it_was_done_once(
    busy_town: Town, fresh_database: FreshDatabase, arrives: bool
) -> None:
    sheet = Shown(busy_town["su"].post("/api/finance/transfers", busy_town.order("su", "lin")))
    with Wire() as wire, over(wire, fresh_database.name):
        wire.cut = Cut(COMMIT, after=KEEPING, arrives=arrives)
        answer = alone(sheet.confirm)
        assert wire.cut.done
        assert told(answer) == (503, "outcome_unknown"), answer.content
        assert NOTHING_ZH not in answer.json()["error"]["message"]
        # Whoever looks is told the truth, and the very same again is harmless.
        state = alone(sheet.intent).json()["state"]
        again = [alone(sheet.confirm) for _ in range(2)]
    assert state == ("executed" if arrives else "prepared")
    assert [answer.status_code for answer in again] == [200, 200], again[0].content
    assert holds(sheet) == 1
    assert busy_town.money("su") == (RICH, 100_00)


def test_a_receipt_of_money_without_an_answer_is_found_again_under_its_key(
    busy_town: Town, fresh_database: FreshDatabase
) -> None:
    transfer_id = busy_town.send("su", "lin")
    with Wire() as wire, over(wire, fresh_database.name):
        wire.cut = Cut(COMMIT, after=b"kernel_storedanswer", arrives=True)
        key = "8f0b3a52-5a4c-4a57-9d5c-7f5a4a2b6d11"
        answer = alone(lambda: busy_town.accept("lin", transfer_id, key=key))
        assert told(answer) == (503, "outcome_unknown"), answer.content
        again = [alone(lambda: busy_town.accept("lin", transfer_id, key=key)) for _ in range(2)]
    assert [one.status_code for one in again] == [200, 200], again[0].content
    assert again[0].content == again[1].content
    assert Entry.objects.filter(reference=transfer_id).count() == 1
    assert busy_town.money("lin") == (RICH + 100_00, 0)


class Locker:
    """Somebody with every right who holds a lock, and sees who waits for it."""

    def __init__(self, name: str) -> None:
        found = database.server()
        self.url = found.url(found.superuser, name)

    @contextmanager
    def holding(self, statement: str, *values: Any) -> Iterator["psycopg.Connection[Any]"]:
        with psycopg.connect(self.url) as held:
            # Who looks for a deadlock is the one who is taken back: not this one.
            held.execute("SET deadlock_timeout = '60s'")
            held.execute(statement, values)
            yield held
            held.rollback()

    def waiting(self) -> int:
        """The process of the product that waits for a lock; there will be one."""
        with psycopg.connect(self.url, autocommit=True) as looking:
            until = time.monotonic() + PATIENCE_S
            while time.monotonic() < until:
                row = looking.execute(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    " AND usename = %s",
                    [django_settings.APP_DATABASE_ROLE],
                ).fetchone()
                if row is not None:
                    return int(row[0])
                time.sleep(0.01)
        raise AssertionError("nobody waits")

    def end(self, pid: int) -> None:
        with psycopg.connect(self.url, autocommit=True) as ending:
            ending.execute("SELECT pg_terminate_backend(%s)", [pid])


@pytest.fixture
def locker(fresh_database: FreshDatabase) -> Locker:
    return Locker(fresh_database.name)


ACCOUNT = "SELECT FROM ledger_account WHERE id = %s FOR UPDATE"


def test_a_confirmation_whose_connection_is_ended_in_the_middle_is_unknown_until_it_is_asked_again(
    busy_town: Town, locker: Locker
) -> None:
    sheet = Shown(busy_town["su"].post("/api/finance/transfers", busy_town.order("su", "lin")))
    with ThreadPoolExecutor(1) as pool, locker.holding(ACCOUNT, busy_town.account["su"]):
        asked = pool.submit(alone, lambda: sheet.confirm(**{"Accept-Language": "en"}))
        locker.end(locker.waiting())
        answer = asked.result()
    assert told(answer) == (503, "outcome_unknown"), answer.content
    assert "not known" in answer.json()["error"]["message"]
    assert (holds(sheet), alone(sheet.confirm).status_code, holds(sheet)) == (0, 200, 1)


def test_a_read_whose_connection_is_ended_says_that_nothing_was_changed(busy_town: Town, locker: Locker) -> None:
    path = f"/api/finance/accounts/{busy_town.account['su']}/entries"
    with ThreadPoolExecutor(1) as pool, locker.holding("LOCK TABLE ledger_entry IN ACCESS EXCLUSIVE MODE"):
        asked = pool.submit(alone, lambda: busy_town["su"].get(path))
        locker.end(locker.waiting())
        answer = asked.result()
    assert told(answer) == (503, "unavailable"), answer.content
    assert NOTHING_ZH in answer.json()["error"]["message"]
    assert alone(lambda: busy_town["su"].get(path)).status_code == 200


def test_a_deadlock_is_told_as_contended_and_the_next_try_succeeds(busy_town: Town, locker: Locker) -> None:
    sheet = Shown(busy_town["su"].post("/api/finance/transfers", busy_town.order("su", "lin")))
    with ThreadPoolExecutor(1) as pool, locker.holding(ACCOUNT, busy_town.account["su"]) as held:
        asked = pool.submit(alone, sheet.confirm)
        locker.waiting()
        # The other half of the ring: what the confirmation has locked already.
        other = threading.Thread(
            target=held.execute, args=("SELECT FROM bank_session_intent WHERE id = %s FOR UPDATE", [sheet.intent_id])
        )
        other.start()
        answer = asked.result(PATIENCE_S)
        other.join(PATIENCE_S)
    assert told(answer) == (503, "contended"), answer.content
    assert (holds(sheet), alone(sheet.confirm).status_code, holds(sheet)) == (0, 200, 1)


@pytest.mark.parametrize("why", ["nobody listens", "no connection is left"])
def test_without_a_connection_every_door_says_that_nothing_was_changed(
    busy_town: Town, fresh_database: FreshDatabase, locker: Locker, why: str
) -> None:
    order = busy_town.order("su", "lin")
    sheet = Shown(busy_town["su"].post("/api/finance/transfers", order))
    asks: list[Callable[[], Any]] = [
        sheet.intent,
        sheet.confirm,
        lambda: busy_town["su"].get("/api/finance/accounts"),
        lambda: busy_town["su"].post("/api/finance/transfers", order),
        # A visitor, whom no session is read for.
        lambda: busy_town["su"].client.post(
            "/api/session",
            {"phone": "13800000001", "password": "wrong"},
            content_type="application/json",
            headers={"Origin": django_settings.APP_ORIGIN},
        ),
    ]
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    with Wire() as wire, over(wire, fresh_database.name):
        if why == "nobody listens":
            wire.fall()
        else:
            with psycopg.connect(database.server().url(database.server().superuser, "postgres"), autocommit=True) as su:
                su.execute(f"ALTER DATABASE {fresh_database.name} CONNECTION LIMIT 0")
        answers = [alone(ask) for ask in asks]
        in_english = [alone(lambda: sheet.confirm(**english)), alone(lambda: busy_town["su"].get("/api/me", **english))]
    with psycopg.connect(database.server().url(database.server().superuser, "postgres"), autocommit=True) as su:
        su.execute(f"ALTER DATABASE {fresh_database.name} CONNECTION LIMIT -1")
    assert [told(answer) for answer in answers] == [(503, "unavailable")] * len(asks)
    assert all(NOTHING_ZH in answer.json()["error"]["message"] for answer in answers)
    assert [told(answer) for answer in in_english] == [(503, "unavailable")] * 2
    assert all(NOTHING_EN in answer.json()["error"]["message"] for answer in in_english)
    assert alone(sheet.confirm).status_code == 200
