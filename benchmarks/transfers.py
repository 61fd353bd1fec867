"""Run in the product's environment: the whole action of a transfer, from the intent to the confirmation.

python -m benchmarks.transfers prepare COUNT makes so many payers with a payee each; without a word of its own
(SECONDS SEED) one payer transfers until the time is up. Inside: access, rules, limits, canonical statement, challenge,
the proof's port, hold, audit, outbox. The proof itself is given: the PIN's hash is slow on purpose, and printed beside.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import date
from statistics import median
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import django

django.setup()

from django.contrib.sessions.middleware import SessionMiddleware
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.actions import create_customer, make_friends
from accounts.actions.sessions import DeviceClaim, open_session
from accounts.models import Person
from chat.actions import open_conversation
from finance.bank_session import actions as bank_session
from finance.bank_session import devices, pins
from finance.bank_session.access import intent_of
from finance.ledger import actions as ledger
from finance.ledger import queries
from finance.payments.actions import transfers
from kernel.ids import new_id
from rongliao.demo.accounts import id_number

FUNDS_FEN = 10_000_000
AMOUNT_FEN = 1
ROLES = ("付款人", "收款人")
PIN = "258369"


@dataclass(frozen=True)
class Given:
    """A proof that was given before."""

    kind: str = "pin"

    def prove(self, person_id: UUID, statement_hash: bytes, amount_fen: int | None) -> None:
        """Holds."""


def make(count: int) -> None:
    source = queries.internal("demo-opening").pk
    for pair in range(count):
        people = [
            create_customer(
                display_name=f"{ROLES[side]}{pair}",
                phone=f"135{pair * 2 + side:08d}",
                name="王建国",
                id_number=id_number("330106", date(1970 + pair, 1, 1), 100 + side),
            )
            for side in (0, 1)
        ]
        payer, payee = people[0].pk, people[1].pk
        with transaction.atomic():
            make_friends(payer, payee)
        open_conversation(kind="direct", member_ids=[payer, payee], opened_by=payer)
        with transaction.atomic():
            for person in people:
                account = ledger.open_account(
                    owner_id=person.pk, account_type="customer", account_class="I", name="储蓄卡", key=f"b:{person.pk}"
                )
                legs = [ledger.Leg(account.pk, FUNDS_FEN), ledger.Leg(source, -FUNDS_FEN)]
                ledger.post(key=f"f:{person.pk}", kind="opening", legs=legs, memo="opening")


def pay(seconds: float, seed: int) -> None:
    payer = Person.objects.get(display_name=f"{ROLES[0]}{seed}")
    payee = Person.objects.get(display_name=f"{ROLES[1]}{seed}")
    request = RequestFactory().post("/api/session")
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    opened = open_session(request, payer, DeviceClaim(new_id(), "bench"))
    with transaction.atomic():
        devices.verified(payer.pk, opened.device_id, by="bench")
    order = transfers.Order(
        conversation_id=open_conversation(kind="direct", member_ids=[payer.pk, payee.pk]),
        payee_id=payee.pk,
        amount_fen=AMOUNT_FEN,
        account_id=queries.accounts_of(payer.pk)[0].pk,
        memo="",
    )

    def prepared() -> bank_session.Prepared:
        return transfers.prepare(
            intent_id=new_id(),
            payer_id=payer.pk,
            chat_session_id=opened.pk,
            device_id=opened.device_id,
            order=order,
            language="zh",
        )

    first = prepared()
    code = parse_qs(urlsplit(first.handoff_url).fragment)["code"][0]
    session = bank_session.redeem(code=code).session

    def pay_one() -> None:
        intent = intent_of(session, prepared().intent_id)
        shown = bank_session.challenge(intent=intent, language="zh")
        bank_session.confirm(session=session, intent=shown, statement_hash=bytes(shown.statement_hash), proof=Given())

    # The first makes what a process makes once: connection, task queue.
    pay_one()
    print("ready", flush=True)
    sys.stdin.readline()
    took = []
    until = time.monotonic() + seconds
    # An open loop: what is late waits, and its waiting counts.
    pause = 1 / float(os.environ["BENCH_RATE"]) if "BENCH_RATE" in os.environ else 0.0
    due = time.perf_counter()
    while time.monotonic() < until:
        if pause:
            due += pause
            time.sleep(max(0.0, due - time.perf_counter()))
        began = due if pause else time.perf_counter()
        pay_one()
        took.append((time.perf_counter() - began) * 1000)
    hashes = []
    for _ in range(3):
        began = time.perf_counter()
        pins.encode(payer.pk, PIN)
        hashes.append((time.perf_counter() - began) * 1000)
    took.sort()
    print(json.dumps({"count": len(took), "p99_ms": took[int(len(took) * 0.99)], "pin_ms": median(hashes)}))


if sys.argv[1] == "prepare":
    make(int(sys.argv[2]))
else:
    pay(float(sys.argv[1]), int(sys.argv[2]))
