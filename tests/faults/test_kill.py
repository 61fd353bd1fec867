"""kill -9 of the server in the middle of sending and confirming: what was acknowledged is there, once.

`make test` runs a short, seeded part; `make faults` runs long (FAULTS_S) and writes figures to var/faults.json.
"""

import json
import os
import random
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from deploy.local.install import ROOT
from tests.faults.people import Payer, Sender, sign_in
from tests.support.site import Site

SECONDS = float(os.environ.get("FAULTS_S", "12"))
SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
LEAST_KILLS = 3
FIGURES = ROOT / "var" / "faults.json"


def note(**figures: float) -> None:
    """Prints figures, and keeps them where a long run was asked for."""
    print(figures)
    if "FAULTS_S" in os.environ:
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        FIGURES.write_text(json.dumps(known | figures | {"seconds": SECONDS, "seed": SEED}, indent=1) + "\n")


def kill_now_and_then(site: Site) -> int:
    """Kills the server at drawn moments, starts it at once; answers how often."""
    chance = random.Random(SEED)
    kills = 0
    until = time.monotonic() + SECONDS
    while time.monotonic() < until or kills < LEAST_KILLS:
        time.sleep(chance.uniform(0.5, 4.0))
        site.restart()
        kills += 1
    return kills


def rows(site: Site, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(site.database_url) as connection:
        return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]


def conversation_of(site: Site, one: str, other: str) -> UUID:
    client = sign_in(site, one)
    answer = client.post("/api/chat/conversations", json={"person_id": str(site.world.people[other])})
    assert answer.status_code in {200, 201}, answer.text
    return UUID(answer.json()["conversation"]["id"])


def cookie_of(site: Site, name: str) -> str:
    client = sign_in(site, name)
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)


def test_messages_survive_a_server_that_is_killed_again_and_again(start_site: Callable[..., Site]) -> None:
    site = start_site(CHAT_FRAMES_PER_SECOND="100000")
    pairs = (("su", "lin"), ("lin", "su"), ("su", "shen"), ("xu", "he"))
    talks = {frozenset(pair): conversation_of(site, *pair) for pair in pairs}
    before = {
        talk: rows(site, "SELECT count(*) FROM chat_message WHERE conversation_id = %s", talk)[0][0]
        for talk in talks.values()
    }
    senders = [Sender(site, cookie_of(site, name), talks[frozenset((name, other))]) for name, other in pairs]
    for sender in senders:
        sender.start()
    kills = kill_now_and_then(site)
    for sender in senders:
        sender.finish()

    lost = doubled = 0
    for sender in senders:
        kept: dict[str, list[tuple[int, str]]] = {}
        for client_id, seq, message_id in rows(
            site,
            "SELECT client_id::text, seq, id::text FROM chat_message WHERE conversation_id = %s ORDER BY seq",
            sender.conversation,
        ):
            kept.setdefault(client_id, []).append((seq, message_id))
        assert set(sender.sent) == set(sender.acked)
        lost += sum(kept.get(client_id) is None for client_id in sender.acked)
        doubled += sum(len(kept.get(client_id, ())) > 1 for client_id in sender.sent)
        assert all(kept[client_id] == [told] for client_id, told in sender.acked.items() if client_id in kept)
        # One socket after another, each sending in order what was not acknowledged: the log has the sender's order.
        places = [sender.acked[client_id][0] for client_id in sender.sent]
        assert places == sorted(places)
    gaps = 0
    for talk in talks.values():
        ((first, last, count, versions),) = rows(
            site,
            "SELECT min(seq), max(seq), count(*), count(DISTINCT version) FROM chat_message WHERE conversation_id = %s",
            talk,
        )
        gaps += (last - first + 1) - count
        assert (first, versions) == (1, count)
        assert count > before[talk]
    silences = sorted(silence for sender in senders for silence in sender.silence_s)
    note(
        chat_kills=kills,
        chat_sent=sum(len(sender.sent) for sender in senders),
        chat_lost=lost,
        chat_doubled=doubled,
        chat_gaps=gaps,
        chat_back_p99_s=round(silences[int(len(silences) * 0.99)], 3) if silences else 0.0,
    )
    assert all(sender.cuts for sender in senders)
    assert (lost, doubled, gaps) == (0, 0, 0)


def test_money_survives_a_server_that_is_killed_again_and_again(start_site: Callable[..., Site]) -> None:
    site = start_site(PREPARES_PER_MINUTE="100000", NEW_DEVICE_DAY_FEN="100000000000")
    pairs = (("su", "lin"), ("xu", "he"), ("shen", "su"))
    total = "SELECT sum(amount_fen)::bigint FROM ledger_posting"
    payers = [Payer(site, name, other, conversation_of(site, name, other), SEED) for name, other in pairs]
    for payer in payers:
        payer.start()
    kills = kill_now_and_then(site)
    for payer in payers:
        payer.finish()

    confirmed = [payment for payer in payers for payment in payer.payments if payment.confirmed]
    holds = dict(rows(site, "SELECT reference::text, count(*) FROM ledger_hold GROUP BY reference"))
    lost = sum(holds.get(payment.id, 0) == 0 for payment in confirmed)
    doubled = sum(holds.get(payment.id, 0) > 1 for payer in payers for payment in payer.payments)
    doubts = sorted(doubt for payment in confirmed for doubt in payment.doubt_s)
    note(
        money_kills=kills,
        money_confirmed=len(confirmed),
        money_lost=lost,
        money_doubled=doubled,
        money_doubt_max_s=round(doubts[-1], 3) if doubts else 0.0,
    )
    assert len(confirmed) >= len(payers)
    assert (lost, doubled) == (0, 0)
    assert rows(site, total) == [(0,)]
    site.manage("verify_ledger")
    site.manage("verify_audit")


@pytest.fixture(scope="module", autouse=True)
def _fresh_figures() -> None:
    if "FAULTS_S" in os.environ:
        FIGURES.unlink(missing_ok=True)
        FIGURES.parent.mkdir(exist_ok=True)
