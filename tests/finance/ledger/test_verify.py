"""Whoever alters the books, past every guard, is found."""

import json
import os
import subprocess
import sys
from typing import Any

import psycopg
import pytest
from django.conf import settings

from finance.ledger import rollups
from finance.ledger.verify import first_break, verify
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


def _some_books(books: Books) -> None:
    su, lin = books.open("su", 10_000), books.open("lin", 500)
    books.post((su, -300), (lin, 300))
    books.post((lin, -20), (books.bank("settlement"), 20))
    books.hold(su, 1_000)
    books.capture(books.hold(su, 50).hold_id, (lin, 50))
    rollups.roll_up()


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found(shared_books: Books, owner: psycopg.Connection[Any], what: str) -> None:
    _some_books(shared_books)
    assert verify().broken is None
    with owner.transaction(force_rollback=True), owner.cursor() as cursor:
        for table in ("entry", "posting", "account", "hold"):
            cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")  # type: ignore[arg-type]

        changed = cursor.execute(TAMPERINGS[what]).rowcount  # type: ignore[arg-type]

        assert changed > 0
        assert first_break(cursor) is not None, what


def test_the_command_exits_1_and_names_the_first_break(
    shared_database: FreshDatabase, shared_books: Books, owner: psycopg.Connection[Any]
) -> None:
    _some_books(shared_books)
    environment = {**os.environ, **shared_database.environment, "DEMO": "1"}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", "verify_ledger"],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    good = run()
    owner.execute("UPDATE ledger_account SET balance_fen = balance_fen + 7 WHERE type = 'customer'")
    try:
        bad = run()
    finally:
        owner.execute("UPDATE ledger_account SET balance_fen = balance_fen - 7 WHERE type = 'customer'")

    assert (good.returncode, bad.returncode) == (0, 1), json.dumps([good.stderr, bad.stderr])
    assert "the books hold" in good.stdout
    assert "an account's balance is not the sum of its postings" in bad.stderr
