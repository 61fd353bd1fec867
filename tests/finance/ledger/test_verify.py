"""Whoever alters the books, past every guard, is found."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from finance.ledger import rollups
from finance.ledger.verify import first_break, look, look_at_new, sums_hold, verify, verify_new
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
}
ONLY_WHOLE = {"a roll-up is altered", "a posting moves to another account"}


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
        # What only roll-ups show is not looked at each minute.
        assert (look_at_new(cursor, 0).broken is not None) is (what not in ONLY_WHOLE), what


def test_weighed_sums_find_what_the_exact_rules_find(insider: psycopg.Connection[Any]) -> None:
    with insider.cursor() as cursor:
        entries, postings, holds = sums_hold(cursor)
        assert (holds, entries >= 5, postings) == (True, True, entries * 2)
        assert look_at_new(cursor, 0).broken is None
    for what, statement in TAMPERINGS.items():
        if "hold" in what:
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
        assert look_at_new(cursor, middle).broken is None
        cursor.execute("ALTER TABLE ledger_posting DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_posting SET balance_after_fen = 101 WHERE account_id = %s AND seq = 1", [su])
        assert look_at_new(cursor, middle).broken is not None


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
