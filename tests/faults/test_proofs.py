"""Guessing and forging, counted: what `make faults` writes of the PIN and of the statement."""

import hashlib
import json
import os
import random
from collections import Counter
from typing import Any

import pytest

from finance.bank_session import pins
from finance.bank_session.models import Confirmation, PinVerifier
from tests.faults.test_kill import note
from tests.finance.bank_session.conftest import Bench, bench, real_bench  # noqa: F401 (fixtures)
from tests.finance.bank_session.test_at_once import copies_of
from tests.finance.ledger.conftest import at_once
from tests.support.bank import Sheet

MUTATIONS = 10_000 if "FAULTS_S" in os.environ else 200


def test_a_hundred_wrong_guesses_at_once_are_at_most_five_checks(
    real_bench: Bench,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sheet = Sheet(real_bench.prepare().handoff_url)
    seen = sheet.shown_hash()
    checked: list[str] = []
    matches = pins._matches

    def counted(encoded: str, keyed: str) -> bool:
        checked.append(keyed)
        return matches(encoded, keyed)

    monkeypatch.setattr(pins, "_matches", counted)
    copies = copies_of(sheet, 100)

    answers = at_once(100, lambda index: copies[index].confirm(f"{100_001 + index * 7}", seen))

    note(pin_checks_in_100_guesses=len(checked))
    codes = Counter(answer.json()["error"]["code"] for answer in answers)
    assert len(checked) == 5
    assert codes["wrong_pin"] == 4 and codes["pin_locked"] + codes["pin_busy"] == 96
    assert PinVerifier.objects.get(pk=real_bench.world.people["su"]).attempts == 5
    right = sheet.confirm()
    assert (right.status_code, right.json()["error"]["code"]) == (423, "pin_locked")
    assert len(checked) == 5 and real_bench.balance() == 100_000


def _mutated(statement: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """One leaf of the statement changed."""
    copy = json.loads(json.dumps(statement))
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for at in node if isinstance(node, dict) else range(len(node)):
            places.append((node, at))
            if isinstance(node[at], dict | list):
                walk(node[at])

    walk(copy)
    node, at = chance.choice(places)
    old = node[at]
    node[at] = (
        old + chance.choice([1, -1, 100])
        if isinstance(old, int)
        else chance.choice([old[:-1], old + "0", old.replace("晓", "小"), f"{old}\u200b"])
        if isinstance(old, str) and old
        else None
        if old is not None
        else 0
    )
    return copy  # type: ignore[no-any-return]


def test_no_change_to_any_field_of_the_statement_is_accepted(bench: Bench) -> None:  # noqa: F811
    accepted = 0
    sheet = Sheet(bench.prepare().handoff_url)
    text = sheet.intent().json()["statement"]
    statement, chance, tried = json.loads(text), random.Random(7), 0

    for _ in range(MUTATIONS):
        forged = json.dumps(_mutated(statement, chance), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if forged == text:
            continue
        tried += 1
        answer = sheet.confirm(statement_hash=hashlib.sha256(forged.encode()).hexdigest())
        accepted += answer.status_code != 409 or answer.json()["error"]["code"] != "statement_stale"
        assert not accepted, answer.content
        text = answer.json()["intent"]["statement"]
        statement = json.loads(text)

    note(tampered_accepted=Confirmation.objects.filter(intent=sheet.intent_id).count() + accepted)
    assert tried > MUTATIONS * 0.8
    assert bench.balance() == 100_000 and sheet.intent().json()["tries_left"] == 5
