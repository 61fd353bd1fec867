"""Whoever alters what was shown, or what is in the books, is not believed; whoever guesses is stopped.

tampered_accepted counts altered statements that were confirmed, by PIN or signed, and alterations of the books that
nobody saw; passkeys_forged_accepted signatures that were none of the person's over what was shown.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import psycopg
from django.conf import settings as site
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from finance.bank_session import pins
from finance.bank_session.models import Confirmation
from finance.bank_session.statements import Line, NamedDocument
from finance.ledger import rollups
from finance.ledger.verify import look
from rongliao.demo import PIN
from tests.conftest import FreshDatabase
from tests.faults.figures import LONG, SEED, note
from tests.finance.bank_session.conftest import Bench, real_bench
from tests.finance.bank_session.test_at_once import _copies
from tests.finance.bank_session.test_passkeys import added
from tests.finance.ledger.conftest import Books, at_once
from tests.finance.ledger.test_verify import TAMPERINGS
from tests.support.authenticator import PRESENT, Authenticator
from tests.support.bank import Sheet, set_pin

__all__ = ["real_bench"]

MUTATIONS = 10_000 if LONG else 0
"""At least; in any case each way at each place once."""
ROUNDS = 100 if LONG else 1
GUESSES = 100 if LONG else 20
Place = tuple[str | int, ...]


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


def _leaves(node: Any, path: Place = ()) -> Iterator[Place]:
    """Where in a statement its values are."""
    if not isinstance(node, dict | list):
        yield path
        return
    for at in node if isinstance(node, dict) else range(len(node)):
        yield from _leaves(node[at], (*path, at))


def _altered(statement: Any, place: Place, chance: random.Random) -> Any:
    """The statement with another value there."""
    copy = json.loads(json.dumps(statement))
    *way, last = place
    node = copy
    for at in way:
        node = node[at]
    old = node[last]
    if isinstance(old, int):
        node[last] = old + chance.choice([1, -1, 100])
    else:
        cut = chance.randrange(len(old))
        node[last] = chance.choice([old[:cut] + old[cut + 1 :], f"{old}0", f"{old[:cut]}\u200b{old[cut:]}", ""])
    return copy


def _digest(statement: Any) -> bytes:
    return hashlib.sha256(
        json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ).digest()


WAYS: dict[str, Callable[[Authenticator, bytes, bytes], dict[str, Any]]] = {
    "the PIN, for another statement": lambda key, real, forged: _given(forged, pin=PIN),
    "signed and sent: another statement": lambda key, real, forged: _given(forged, passkey=key.sign(forged)),
    "signed: another, sent: the real one": lambda key, real, forged: _given(real, passkey=key.sign(forged)),
    "signed: the real one, sent: another": lambda key, real, forged: _given(forged, passkey=key.sign(real)),
}


def _given(sent: bytes, **proof: Any) -> dict[str, Any]:
    return {**proof, "statement_hash": sent.hex()}


def _sent(sheet: Sheet, body: dict[str, Any]) -> Any:
    return sheet.call("POST", f"intents/{sheet.intent_id}/confirm", body)


def test_no_altered_statement_is_confirmed_and_no_altered_books_are_believed(
    real_bench: Bench, fresh_database: FreshDatabase
) -> None:
    real_bench.more = (Line("产品", "Product", "远山稳进 90 天", "Steady 90 Days"),)
    real_bench.documents = (NamedDocument("风险揭示书", "Risk disclosure", "ab" * 32),)
    key, sheet = added(real_bench), Sheet(real_bench.prepare().handoff_url)
    statement = json.loads(sheet.intent().json()["statement"])
    places, ways = list(_leaves(statement)), cycle(WAYS.items())
    chance, tried, accepted = random.Random(SEED), Counter[tuple[str, Place]](), 0
    # As many ways as there are, at each place, before any of them a second time.
    for place in cycle(place for place in places for _ in WAYS):
        if sum(tried.values()) >= max(MUTATIONS, len(places) * len(WAYS)):
            break
        way, forge = next(ways)
        forged = _altered(statement, place, chance)
        assert forged != statement, place
        answer = _sent(sheet, forge(key, _digest(statement), _digest(forged)))
        tried[way, place] += 1
        accepted += answer.status_code == 200
        code = answer.json()["error"]["code"]
        assert code == ("passkey_refused" if way.endswith("the real one") else "statement_stale"), (way, place, code)
        if "intent" in answer.json():
            statement = json.loads(answer.json()["intent"]["statement"])
    assert set(tried) == {(way, place) for way in WAYS for place in places}
    accepted += Confirmation.objects.filter(intent_id=sheet.intent_id).count()
    assert (accepted, real_bench.balance()) == (0, 100_000)
    # What is not altered is: all of these were refused for the one value.
    assert _sent(sheet, _given(_digest(statement), passkey=key.sign(_digest(statement)))).status_code == 200
    accepted += _unseen(fresh_database)
    note(tampered_tried=sum(tried.values()), tampered_accepted=accepted)
    assert accepted == 0


def _forgeries(mine: Authenticator, theirs: Authenticator, real: bytes, old: dict[str, Any]) -> dict[str, Any]:
    """What is no signature of mine over this challenge on the bank's page."""
    named = {name: mine.sign(real)[name] for name in ("id", "rawId")}
    copied = Authenticator()
    copied.id, copied.key = mine.id, mine.key
    whole = mine.sign(real)["response"]
    flipped = base64url_to_bytes(whole["signature"])
    flipped = flipped[:-1] + bytes([flipped[-1] ^ 1])
    return {
        "a challenge that was used": old,
        "that of no statement": mine.sign(bytes(32)),
        "the chat's page": mine.sign(real, origin=site.APP_ORIGIN),
        "another site": mine.sign(real, origin="http://evil.example"),
        "the same host, another port": mine.sign(real, origin=f"{site.BANK_ORIGIN}0"),
        "another rp id": mine.sign(real, rp_id="evil.example"),
        "nobody verified": mine.sign(real, flags=PRESENT),
        "nobody there": mine.sign(real, flags=0),
        "somebody else's key": theirs.sign(real),
        "somebody else's under my name": {**theirs.sign(real), **named},
        "a key that nobody has": Authenticator().sign(real),
        "a key that nobody has, under my name": {**Authenticator().sign(real), **named},
        "a copy whose counter is behind": copied.sign(real),
        "a bit of the signature": {**mine.sign(real), "response": {**whole, "signature": bytes_to_base64url(flipped)}},
        "the counter of another signature": {
            **mine.sign(real),
            "response": {**whole, "authenticatorData": mine.sign(real)["response"]["authenticatorData"]},
        },
    }


def test_no_forged_signature_is_accepted(real_bench: Bench) -> None:
    set_pin(real_bench.world.people["lin"])
    mine, theirs = added(real_bench), added(real_bench, "lin")
    real_bench.price = 1
    accepted = tried = 0
    for _ in range(ROUNDS):
        used = Sheet(real_bench.prepare().handoff_url)
        seen = bytes.fromhex(used.shown_hash())
        old = mine.sign(seen)
        assert _sent(used, _given(seen, passkey=old)).status_code == 200
        before = real_bench.balance()
        sheet = Sheet(real_bench.prepare().handoff_url)
        real = bytes.fromhex(sheet.shown_hash())
        for what, credential in _forgeries(mine, theirs, real, old).items():
            answer = _sent(sheet, _given(real, passkey=credential))
            tried += 1
            accepted += answer.status_code == 200
            assert answer.json()["error"]["code"] == "passkey_refused", (what, answer.content)
        assert real_bench.balance() == before
        assert _sent(sheet, _given(real, passkey=mine.sign(real))).status_code == 200
    note(passkeys_forged_tried=tried, passkeys_forged_accepted=accepted)
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
