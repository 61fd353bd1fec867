"""Run in the product's environment: posts transfers through the ledger's action until its time is up.

Bare, as a ledger does it by itself: nobody is told. The outbox belongs to the whole action (benchmarks.transfers).

python -m benchmarks.posting SECONDS SEED prints how many were posted and their p99 in milliseconds.
"""

import json
import random
import sys
import time
from uuid import uuid4

import django

django.setup()

from django.db import connection, transaction

from finance.ledger import actions


def main() -> None:
    seconds, chance = float(sys.argv[1]), random.Random(sys.argv[2])
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM bench_account WHERE n > 0")
        accounts = [row[0] for row in cursor.fetchall()]

    def post() -> float:
        payer, payee = chance.sample(accounts, 2)
        fen = chance.randint(1, 500)
        began = time.perf_counter()
        with transaction.atomic():
            legs = [actions.Leg(payer, -fen), actions.Leg(payee, fen)]
            actions.post_batch([actions.NewEntry(str(uuid4()), "transfer", legs, "bench")], tell=False)
        return (time.perf_counter() - began) * 1000

    # The first makes what a process makes once: connection, task queue.
    post()
    print("ready", flush=True)
    sys.stdin.readline()
    took = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        took.append(post())
    print(json.dumps({"took_ms": took}))


main()
