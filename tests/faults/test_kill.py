"""kill -9 of the server in the middle of confirming: what was acknowledged is there, once.

`make test` runs a short, seeded part; `make faults` runs long (FAULTS_S) and writes figures to var/faults.json.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings

from finance.networks.link import Link
from finance.networks.ports import Unreachable
from tests.faults.figures import SECONDS, SEED, note
from tests.faults.people import Cashier, Payer, Watcher, sign_in
from tests.support.site import Site

LEAST_KILLS = 3
MISCHIEF = ("vanish", "lose", "repeat", "delay", "pending")
CLEARED_LIMIT_S = 90
"""The bank asks the network at growing pauses: a payout that met several troubles waits this long at most."""


def kill_now_and_then(site: Site, *, network: bool = False) -> int:
    """Kills the server at drawn moments, starts it at once; answers how often.

    With `network` the other side of the clearing link is killed too, and told to lose, repeat and delay.
    """
    chance = random.Random(SEED)
    kills = 0
    until = time.monotonic() + SECONDS
    while time.monotonic() < until or kills < LEAST_KILLS:
        if network:
            _order(site, {"on": "transfer", "do": chance.choice(MISCHIEF), "times": chance.randint(1, 3), "seconds": 1})
        time.sleep(chance.uniform(0.5, 4.0))
        if network and chance.random() < 0.5:
            site.kill9("networks")
        site.restart()
        kills += 1
    return kills


def _order(site: Site, *orders: dict[str, Any]) -> None:
    """It may have been started again a moment ago."""
    link = Link(site.environment["NETWORKS_URL"], settings.NETWORKS_SECRET, limit_s=5)
    until = time.monotonic() + CLEARED_LIMIT_S
    while True:
        try:
            link.call("POST", "/control", {"orders": list(orders)})
            return
        except Unreachable:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _ended(site: Site, ids: list[str]) -> int:
    """How many of these payouts came to an end, once the network behaves again."""
    _order(site)
    until = time.monotonic() + CLEARED_LIMIT_S
    while True:
        ((ended,),) = rows(
            site,
            "SELECT count(*) FROM payments_payout WHERE id = ANY(%s::uuid[]) AND state IN ('settled', 'returned')",
            ids,
        )
        if ended == len(ids) or time.monotonic() > until:
            return int(ended)
        time.sleep(0.2)


def rows(site: Site, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(site.database_url) as connection:
        return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]  # psycopg asks for a literal


def conversation_of(site: Site, one: str, other: str) -> UUID:
    client = sign_in(site, one)
    answer = client.post("/api/chat/conversations", json={"person_id": str(site.world.people[other])})
    assert answer.status_code in {200, 201}, answer.text
    return UUID(answer.json()["conversation"]["id"])


@pytest.mark.long
def test_money_survives_a_server_that_is_killed_again_and_again(start_site: Callable[..., Site]) -> None:
    site = start_site(PREPARES_PER_MINUTE="100000", NEW_DEVICE_DAY_FEN="100000000000")
    pairs = (("su", "lin"), ("xu", "he"), ("shen", "su"))
    total = "SELECT sum(amount_fen)::bigint FROM ledger_posting"
    payers = [Payer(site, name, other, conversation_of(site, name, other), SEED) for name, other in pairs]
    jiang = site.world.people["jiang"]
    ((account,),) = rows(site, "SELECT id::text FROM ledger_account WHERE owner_id = %s ORDER BY account_class", jiang)[
        :1
    ]
    ((card,),) = rows(site, "SELECT id::text FROM accounts_bankcard WHERE person_id = %s AND removed_at IS NULL", jiang)
    cashier, watcher = Cashier(site, "jiang", account, card, SEED), Watcher(site.database_url)
    for worker in (*payers, cashier, watcher):
        worker.start()
    kills = kill_now_and_then(site, network=True)
    for worker in (*payers, cashier):
        worker.finish()
    paid_out = [payment.id for payment in cashier.payments if payment.confirmed]
    ended = _ended(site, paid_out)
    watcher.finish()

    confirmed = [payment for payer in payers for payment in payer.payments if payment.confirmed]
    holds = dict(rows(site, "SELECT reference::text, count(*) FROM ledger_hold GROUP BY reference"))
    lost = sum(holds.get(payment.id, 0) == 0 for payment in confirmed)
    doubled = sum(holds.get(payment.id, 0) > 1 for payer in payers for payment in payer.payments)
    held = dict(
        rows(site, "SELECT reference::text, count(*) FROM ledger_hold WHERE kind = 'payout' GROUP BY reference")
    )
    taken = Counter(
        row["end_to_end_id"]
        for row in Link(site.environment["NETWORKS_URL"], settings.NETWORKS_SECRET, limit_s=5).call(
            "GET", "/control/book"
        )["payments"]
    )
    lost += sum(held.get(payout, 0) == 0 for payout in paid_out)
    doubled += sum(held.get(payout, 0) > 1 for payout in paid_out) + sum(count > 1 for count in taken.values())
    settled = rows(
        site, "SELECT count(*), coalesce(sum(amount_fen), 0)::bigint FROM payments_payout WHERE state = 'settled'"
    )
    booked = rows(
        site,
        "SELECT count(*), coalesce(sum(p.amount_fen), 0)::bigint FROM ledger_posting p JOIN ledger_entry e"
        " ON e.id = p.entry_id JOIN ledger_account a ON a.id = p.account_id"
        " WHERE e.kind = 'payout' AND a.code = 'clearing-out'",
    )
    # In doubt: what was cut off and asked again, and every payout that the network was asked about.
    cut = [payment for payer in (*payers, cashier) for payment in payer.payments if payment.doubt]
    known = sum(payment.known for payment in cut)
    doubts = [payment.doubt[1] - payment.doubt[0] for payment in cut if payment.doubt]
    note(
        server_killed=kills,
        server_killed_confirmed=len(confirmed),
        server_killed_paid_out=len(paid_out),
        server_killed_acked_lost=lost,
        server_killed_doubled=doubled,
        server_killed_drift_fen=watcher.drift_fen,
        server_killed_in_doubt=len(cut) + len(paid_out),
        server_killed_in_doubt_resolved=(known + ended) / max(1, len(cut) + len(paid_out)),
        server_killed_restart_and_doubt_max_s=round(max(doubts, default=0.0), 3),
    )
    assert len(confirmed) >= len(payers) and paid_out and watcher.reads
    assert (lost, doubled, watcher.drift_fen) == (0, 0, 0)
    assert (known, ended) == (len(cut), len(paid_out))
    assert settled == booked
    assert rows(site, total) == [(0,)]
    site.manage("verify_ledger")
    site.manage("verify_audit")
