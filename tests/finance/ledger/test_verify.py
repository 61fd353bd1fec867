"""Whoever alters the books, past every guard, is found."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from finance.ledger import queries, rollups
from finance.ledger.models import Verification
from finance.ledger.verify import (
    _MINUTE_LOCK,
    _WHOLE_LOCK,
    first_break,
    look,
    look_at_new,
    sums_hold,
    verify,
    verify_new,
    verify_night,
)
from kernel.clock import now
from tests.conftest import FreshDatabase
from tests.finance.ledger.conftest import Books

TAMPERINGS = {
    "a posting is made larger": "UPDATE ledger_posting SET amount_fen = amount_fen + 1 WHERE amount_fen > 0",
    "both legs are made larger": "UPDATE ledger_posting SET amount_fen = amount_fen * 2",
    "a posting is removed": "DELETE FROM ledger_posting WHERE id = (SELECT max(id) FROM ledger_posting)",
    "an entry's postings are removed": "DELETE FROM ledger_posting WHERE entry_id = (SELECT max(entry_id::text)::uuid"
    " FROM ledger_posting)",
    "a balance is raised": "UPDATE ledger_account SET balance_fen = balance_fen + 1 WHERE type = 'customer'",
    "a hold is forgotten": "UPDATE ledger_account SET held_fen = 0",
    "a hold is made smaller": "UPDATE ledger_hold SET amount_fen = amount_fen - 1 WHERE state = 'open'",
    "a hold is let go unseen": "UPDATE ledger_hold SET state = 'released', closed_at = now(), closed_key = id::text"
    " WHERE state = 'open'",
    "two postings change places": "UPDATE ledger_posting SET seq = 3 - seq WHERE seq IN (1, 2)",
    "a balance on the way is altered": "UPDATE ledger_posting SET balance_after_fen = balance_after_fen + 1"
    " WHERE seq = 1",
    "a posting moves to another account": "UPDATE ledger_posting SET account_id = (SELECT id FROM ledger_account"
    " WHERE code = 'clearing-in') WHERE seq IS NULL",
    "a customer's posting hides among the bank's": "UPDATE ledger_posting SET seq = NULL, balance_after_fen = NULL"
    " WHERE seq = 2",
    "a roll-up is altered": "UPDATE ledger_rollup SET balance_fen = balance_fen + 1",
    "the bank's own account gets a ceiling": "UPDATE ledger_account SET ceiling_fen = 1 WHERE code = 'settlement'",
    "an entry takes back what there is not": "UPDATE ledger_entry SET reverses_id = gen_random_uuid() WHERE id ="
    " (SELECT max(id::text)::uuid FROM ledger_entry)",
}
BESIDE_THE_SUMS = ("hold", "ceiling", "takes back")


@pytest.fixture(scope="module")
def kept_books(shared_database: FreshDatabase) -> Books:
    """Some books, made once: every alteration of them here is rolled back."""
    books = Books(shared_database.world)
    su, lin = books.open("su", 10_000), books.open("lin", 500)
    books.post((su, -300), (lin, 300))
    books.post((lin, -20), (books.bank("settlement"), 20))
    books.hold(su, 1_000)
    books.capture(books.hold(su, 50).hold_id, (lin, 50))
    rollups.roll_up()
    assert verify().broken is None
    return books


@pytest.fixture(scope="module")
def insider(shared_database: FreshDatabase, kept_books: Books) -> Iterator[psycopg.Connection[Any]]:
    """SQL as the owner, past every trigger."""
    with psycopg.connect(shared_database.owner_url, autocommit=True) as found:
        yield found


@pytest.fixture
def insider_of_fresh(fresh_database: FreshDatabase) -> Iterator[psycopg.Connection[Any]]:
    """The same in the test's own database."""
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as found:
        yield found


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found(insider: psycopg.Connection[Any], what: str) -> None:
    with insider.transaction(force_rollback=True), insider.cursor() as cursor:
        for table in ("entry", "posting", "account", "hold"):
            cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")  # type: ignore[arg-type]  # psycopg asks for a literal

        changed = cursor.execute(TAMPERINGS[what]).rowcount  # type: ignore[arg-type]  # psycopg asks for a literal

        assert changed > 0
        assert first_break(cursor) is not None, what
        found = look(cursor)
        assert found.broken is not None and found.broken.subject != "all", what


def test_weighed_sums_find_what_the_exact_rules_find(insider: psycopg.Connection[Any]) -> None:
    with insider.cursor() as cursor:
        entries, postings, holds = sums_hold(cursor)
        assert (holds, entries >= 5, postings) == (True, True, entries * 2)
    for what, statement in TAMPERINGS.items():
        if any(word in what for word in BESIDE_THE_SUMS):
            continue
        with insider.transaction(force_rollback=True), insider.cursor() as cursor:
            for table in ("entry", "posting", "account"):
                cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")  # type: ignore[arg-type]  # psycopg asks for a literal
            cursor.execute(statement)  # type: ignore[arg-type]  # psycopg asks for a literal
            assert not sums_hold(cursor)[2], what


def test_each_minute_proves_what_came_since_and_says_what_broke(
    kept_books: Books, insider: psycopg.Connection[Any]
) -> None:
    books = kept_books
    first = verify_new()
    books.post((books.open("su", 50), -1), (books.open("lin"), 1))
    second, third = verify_new(), verify_new()
    assert first and second and third
    assert [(one.whole, one.rule) for one in (first, second, third)] == [(True, ""), (False, ""), (False, "")]
    assert (second.entries, second.postings, third.postings) == (2, 4, 0)
    assert third.upto == second.upto > first.upto

    account = books.open("su", 10)
    insider.execute("UPDATE ledger_account SET balance_fen = balance_fen + 7 WHERE id = %s", [account])
    try:
        broken, again = verify_new(), verify_new()
        answer = Client().get("/readyz", headers={"Host": settings.APP_NETLOC}).json()
        figures = Client().get("/metrics", headers={"Host": settings.APP_NETLOC}).content.decode()
    finally:
        insider.execute("UPDATE ledger_account SET balance_fen = balance_fen - 7 WHERE id = %s", [account])
    assert broken and again
    assert broken.rule == "an account's balance is not where its last posting left it"
    assert (broken.whole, again.whole, again.subject) == (False, True, str(account))
    assert answer["alarms"] == ["books"] and "rongliao_books_hold 0.0" in figures

    mended = verify_new()
    assert mended and (mended.whole, mended.rule) == (True, "")
    assert "alarms" not in Client().get("/readyz", headers={"Host": settings.APP_NETLOC}).json()


def test_the_step_before_the_new_postings_is_proved_too(kept_books: Books, insider: psycopg.Connection[Any]) -> None:
    su = kept_books.open("su", 100)
    ((middle,),) = insider.execute("SELECT max(id) FROM ledger_posting").fetchall()
    kept_books.post((su, -10), (kept_books.bank("settlement"), 10))
    with insider.transaction(force_rollback=True), insider.cursor() as cursor:
        assert look_at_new(cursor, middle, now()).broken is None
        cursor.execute("ALTER TABLE ledger_posting DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_posting SET balance_after_fen = 101 WHERE account_id = %s AND seq = 1", [su])
        assert look_at_new(cursor, middle, now()).broken is not None


def test_the_command_exits_1_and_names_the_first_break(
    shared_database: FreshDatabase, kept_books: Books, insider: psycopg.Connection[Any]
) -> None:
    environment = {**os.environ, **shared_database.environment, "DEMO": "1"}

    said = StringIO()
    call_command("verify_ledger", stdout=said)
    insider.execute("UPDATE ledger_account SET balance_fen = balance_fen + 7 WHERE type = 'customer'")
    try:
        bad = subprocess.run(
            [sys.executable, "manage.py", "verify_ledger"],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        insider.execute("UPDATE ledger_account SET balance_fen = balance_fen - 7 WHERE type = 'customer'")

    assert bad.returncode == 1, json.dumps([bad.stdout, bad.stderr])
    assert "the books hold" in said.getvalue()
    assert "an account's balance is not the sum of its postings" in bad.stderr


def _waits(insider: psycopg.Connection[Any], lock: int) -> None:
    """Until somebody holds that advisory lock and waits for a table."""
    asked = (
        "SELECT EXISTS (SELECT FROM pg_locks held JOIN pg_locks waits USING (pid) WHERE held.locktype = 'advisory'"
        " AND held.objid = %s AND held.granted AND NOT waits.granted AND waits.locktype = 'relation')"
    )
    until = time.monotonic() + 20
    while insider.execute(asked, [lock]).fetchone() != (True,):
        assert time.monotonic() < until, "nobody came to wait"
        time.sleep(0.01)


def _in_a_thread(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


@pytest.mark.parametrize("proofs", [0, 1])
def test_one_proof_is_at_work_at_a_time(real_books: Books, fresh_database: FreshDatabase, proofs: int) -> None:
    """The first of all, which proves everything, and those that follow."""
    real_books.open("su", 100)
    for _ in range(proofs):
        verify_new()
    with ThreadPoolExecutor(1) as pool, psycopg.connect(fresh_database.owner_url) as owner:
        owner.execute("LOCK ledger_hold IN ACCESS EXCLUSIVE MODE")
        first = pool.submit(_in_a_thread, verify_new)
        _waits(owner, _MINUTE_LOCK)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        assert verify_new() is None
        owner.rollback()
        assert first.result(timeout=20) is not None
    assert Verification.objects.count() == proofs + 1
    assert verify_new() is not None


def test_all_is_proved_once_a_night_whatever_the_minutes_do(
    real_books: Books, fresh_database: FreshDatabase, insider_of_fresh: psycopg.Connection[Any]
) -> None:
    real_books.open("su", 100)
    first = verify_night()
    assert first and first.whole and not first.rule
    assert verify_night() is None
    Verification.objects.update(at=now() - timedelta(hours=25))

    with ThreadPoolExecutor(1) as pool, psycopg.connect(fresh_database.owner_url) as owner:
        owner.execute("LOCK ledger_hold IN ACCESS EXCLUSIVE MODE")
        night = pool.submit(_in_a_thread, verify_night)
        _waits(owner, _WHOLE_LOCK)
        assert verify_night() is None
        owner.rollback()
        again = night.result(timeout=20)
    minute = verify_new()
    assert again and again.whole and not again.rule and minute and not minute.whole
    assert Verification.objects.count() == 3


def test_a_night_s_good_proof_does_not_cover_up_what_was_found_meanwhile(
    real_books: Books, fresh_database: FreshDatabase, insider_of_fresh: psycopg.Connection[Any]
) -> None:
    account = real_books.open("su", 100)
    verify_new()
    Verification.objects.update(at=now() - timedelta(hours=25))
    with ThreadPoolExecutor(1) as pool, psycopg.connect(fresh_database.owner_url) as owner:
        owner.execute("LOCK ledger_entry IN ACCESS EXCLUSIVE MODE")
        night = pool.submit(_in_a_thread, verify_night)
        _waits(insider_of_fresh, _WHOLE_LOCK)
        owner.execute("UPDATE ledger_account SET balance_fen = balance_fen + 7 WHERE id = %s", [account])
        Verification.objects.create(
            at=now(), whole=False, upto=0, entries=0, postings=0, took_ms=0, rule="found meanwhile"
        )
        owner.commit()
        assert night.result(timeout=20) is None
    assert queries.proof_alarms() == ["books"]


def test_somebody_is_told_when_nobody_proves_the_books_any_more(real_books: Books) -> None:
    def said() -> tuple[list[str], str]:
        headers = {"Host": settings.APP_NETLOC}
        figures = Client().get("/metrics", headers=headers).content.decode()
        late = next(line for line in figures.splitlines() if line.startswith("rongliao_books_proof_late"))
        return Client().get("/readyz", headers=headers).json().get("alarms", []), late.split()[-1]

    real_books.open("su", 100)
    assert said() == ([], "0.0")
    verify_new()
    assert said() == ([], "0.0")
    Verification.objects.update(at=now() - queries.PROOF_LATE - timedelta(seconds=1))
    assert said() == (["books-proof-late"], "1.0")
    verify_new()
    assert said() == ([], "0.0")
    Verification.objects.filter(whole=True).update(at=now() - queries.NIGHT_PROOF_LATE - timedelta(seconds=1))
    assert said() == (["books-night-proof-late"], "1.0")


def test_books_that_were_never_proved_are_told_of_too(
    real_books: Books, insider_of_fresh: psycopg.Connection[Any]
) -> None:
    real_books.open("su", 100)
    assert queries.proof_alarms() == []
    insider_of_fresh.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
    insider_of_fresh.execute("UPDATE ledger_entry SET recorded_at = now() - interval '27 hours'")
    assert queries.proof_alarms() == ["books-proof-late", "books-night-proof-late"]
