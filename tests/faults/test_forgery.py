"""Whoever alters what was shown, or what is in the books, is not believed; whoever guesses is stopped.

tampered_accepted counts altered statements that were confirmed, and alterations of the books that nobody saw.
"""

import hashlib
import json
import random
from typing import Any

import psycopg

from finance.bank_session import pins
from finance.bank_session.models import Confirmation
from finance.ledger import rollups
from finance.ledger.verify import look
from tests.conftest import FreshDatabase
from tests.faults.figures import LONG, SEED, note
from tests.finance.bank_session.conftest import Bench, real_bench
from tests.finance.bank_session.test_at_once import _copies
from tests.finance.bank_session.test_tampering import _mutated
from tests.finance.ledger.conftest import Books, at_once
from tests.finance.ledger.test_verify import TAMPERINGS
from tests.support.bank import Sheet

__all__ = ["real_bench"]

MUTATIONS = 10_000 if LONG else 60
GUESSES = 100 if LONG else 20


def _unseen(found: FreshDatabase) -> int:
    """How many alterations of the books, past every trigger, no proof sees."""
    unseen = 0
    books = Books(found.world)
    su, lin = books.open("su", 10_000), books.open("lin", 500)
    books.post((su, -300), (lin, 300))
    books.hold(su, 1_000)
    books.capture(books.hold(su, 50).hold_id, (lin, 50))
    rollups.roll_up()
    with psycopg.connect(found.owner_url, autocommit=True) as owner:
        for what, statement in TAMPERINGS.items():
            with owner.transaction(force_rollback=True), owner.cursor() as cursor:
                for table in ("entry", "posting", "account", "hold"):
                    cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")  # type: ignore[arg-type]
                assert cursor.execute(statement).rowcount, what  # type: ignore[arg-type]
                unseen += look(cursor).broken is None
    return unseen


def test_no_altered_statement_is_confirmed_and_no_altered_books_are_believed(
    real_bench: Bench, fresh_database: FreshDatabase
) -> None:
    sheet = Sheet(real_bench.prepare().handoff_url)
    text = sheet.intent().json()["statement"]
    chance, tried, accepted = random.Random(SEED), 0, 0
    while tried < MUTATIONS:
        altered: Any = _mutated(json.loads(text), chance)
        forged = json.dumps(altered, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if forged == text:
            continue
        tried += 1
        answer = sheet.confirm(statement_hash=hashlib.sha256(forged.encode()).hexdigest())
        accepted += answer.status_code == 200
        text = answer.json()["intent"]["statement"]
    accepted += Confirmation.objects.count()
    assert (accepted, real_bench.balance()) == (0, 100_000)
    accepted += _unseen(fresh_database)
    note(tampered_tried=tried, tampered_accepted=accepted)
    assert accepted == 0


def test_guesses_at_once_are_at_most_five_checks(real_bench: Bench, monkeypatch: Any) -> None:
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    checked: list[str] = []
    matches = pins._matches

    def counted(encoded: str, keyed: str) -> bool:
        checked.append(keyed)
        return matches(encoded, keyed)

    monkeypatch.setattr(pins, "_matches", counted)
    copies = _copies(sheet, GUESSES)
    at_once(GUESSES, lambda index: copies[index].confirm(f"{100_001 + index * 7}", seen))
    note(pin_checks_in_100_guesses=len(checked))
    assert len(checked) <= 5
    assert sheet.confirm().json()["error"]["code"] == "pin_locked"
