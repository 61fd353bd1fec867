"""Other people's sessions, other devices, other origins, altered statements: nothing happens."""

import hashlib
import json
import random
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction

from finance.bank_session.models import Confirmation
from tests.finance.bank_session.conftest import Bench
from tests.support.bank import Sheet, set_pin, step_up
from tests.support.caller import Caller

MUTATIONS = 300


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


def test_no_change_to_any_field_of_the_statement_is_accepted(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    text = sheet.intent().json()["statement"]
    statement, chance, tried = json.loads(text), random.Random(7), 0

    for _ in range(MUTATIONS):
        forged = json.dumps(_mutated(statement, chance), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if forged == text:
            continue
        tried += 1
        answer = sheet.confirm(statement_hash=hashlib.sha256(forged.encode()).hexdigest())
        assert answer.status_code == 409 and answer.json()["error"]["code"] == "statement_stale"
        text = answer.json()["intent"]["statement"]
        statement = json.loads(text)

    assert tried > MUTATIONS * 0.8
    assert bench.balance() == 100_000 and sheet.intent().json()["tries_left"] == 5


def test_white_space_and_order_are_part_of_what_is_hashed(bench: Bench) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    statement = json.loads(sheet.intent().json()["statement"])

    for forged in (json.dumps(statement), json.dumps(dict(reversed(statement.items())), ensure_ascii=False)):
        digest = hashlib.sha256(forged.encode()).hexdigest()
        assert sheet.confirm(statement_hash=digest).status_code == 409
    assert bench.balance() == 100_000


def test_an_intent_of_another_person_another_device_or_nobody_does_not_exist(bench: Bench) -> None:
    set_pin(bench.world.people["lin"])
    mine = Sheet(bench.prepare().handoff_url)
    seen = mine.shown_hash()
    theirs = Sheet(bench.prepare("lin").handoff_url)
    bench.callers["su"] = Caller(bench.world.people["su"])  # the same person on another device
    elsewhere = Sheet(bench.prepare().handoff_url)

    for sheet in (theirs, elsewhere):
        # First in sessions that are for one intent alone, then in those that have been proved in.
        for proved in (False, True):
            if proved:
                step_up(sheet.client.cookies[settings.BANK_COOKIE_NAME].value)
            for intent_id in (mine.intent_id, str(uuid.uuid4())):
                sheet.intent_id = intent_id
                assert sheet.intent().status_code == 404
                assert sheet.confirm(statement_hash=seen).status_code == 404
                assert sheet.cancel().status_code == 404
    assert mine.intent().json()["state"] == "prepared"
    assert bench.balance() == 100_000


def test_a_hash_of_one_intent_confirms_no_other(bench: Bench) -> None:
    first, url = bench.prepare(), bench.prepare().handoff_url
    sheet = Sheet(url)
    other = sheet.shown_hash()
    step_up(sheet.client.cookies[settings.BANK_COOKIE_NAME].value)
    sheet.intent_id = str(first.intent_id)

    assert sheet.confirm(statement_hash=other).json()["error"]["code"] == "statement_stale"
    assert bench.balance() == 100_000


@pytest.mark.parametrize("origin", [settings.APP_ORIGIN, "null", "", "http://evil.example", settings.BANK_ORIGIN + "0"])
def test_no_other_origin_writes_on_the_bank_s(bench: Bench, origin: str) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    seen, url = sheet.shown_hash(), bench.prepare().handoff_url
    fragment = url.partition("#code=")[2]

    assert sheet.confirm(statement_hash=seen, Origin=origin).status_code == 403
    assert sheet.call("POST", f"intents/{sheet.intent_id}/cancel", {}, Origin=origin).status_code == 403
    assert sheet.call("POST", "sessions", {"handoff": fragment}, Origin=origin).status_code == 403
    assert sheet.call("DELETE", "session", Origin=origin).status_code == 403
    assert sheet.intent().json()["state"] == "prepared" and bench.balance() == 100_000


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_browser_that_comes_from_another_page_is_told_nothing(bench: Bench, site: str) -> None:
    sheet = Sheet(bench.prepare().handoff_url)

    for path in (f"intents/{sheet.intent_id}", "session", "config"):
        assert sheet.call("GET", path, **{"Sec-Fetch-Site": site}).status_code == 403


def test_the_chat_s_cookie_opens_nothing_at_the_bank_nor_the_bank_s_at_the_chat(bench: Bench) -> None:
    intent = bench.prepare()
    chat = bench.caller().client.cookies[settings.SESSION_COOKIE_NAME].value
    stranger = Sheet()
    stranger.client.cookies[settings.SESSION_COOKIE_NAME] = chat
    stranger.intent_id = str(intent.intent_id)
    assert stranger.intent().status_code == 401 and stranger.confirm(statement_hash="0" * 64).status_code == 401

    sheet = Sheet(intent.handoff_url)
    outside = Caller(None)
    outside.client.cookies[settings.BANK_COOKIE_NAME] = sheet.client.cookies[settings.BANK_COOKIE_NAME].value
    assert outside.get("/api/finance/accounts").status_code == 401
    assert bench.caller().get(f"/api/bank/intents/{intent.intent_id}").status_code == 404


@pytest.mark.parametrize("token", ["", "x", "x" * 5_000, "é"])
def test_a_made_up_token_opens_nothing(bench: Bench, token: str) -> None:
    sheet = Sheet(bench.prepare().handoff_url)
    intent_id = sheet.intent_id
    forged = Sheet(cookie=token)
    forged.intent_id = intent_id

    assert forged.intent().status_code == 401


@pytest.mark.parametrize("body", [{}, {"handoff": 5}, {"handoff": ""}, {"handoff": "x" * 101}, [], "x", b"\xff", b"{"])
def test_what_is_no_handoff_is_refused(bench: Bench, body: Any) -> None:
    assert Sheet().call("POST", "sessions", body).status_code == 400


@pytest.mark.parametrize("statement", ["UPDATE {} SET proof = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_a_confirmation_is_never_changed(bench: Bench, statement: str) -> None:
    from django.db import connection

    Sheet(bench.prepare().handoff_url).confirm()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(Confirmation._meta.db_table))

    assert Confirmation.objects.count() == 1
