"""Run in the product's environment: the whole action of a transfer, from the intent to the confirmation.

python -m benchmarks.transfers prepare COUNT makes so many payers with a payee each; without a word of its own
(SECONDS SEED) one payer transfers until the time is up. Inside: access, rules, limits, canonical statement, challenge,
a passkey's signature over it, made and checked, hold, audit, outbox. The PIN's hash is slow on purpose: `prepare` says
what it takes. BENCH_DOOR=requests does the same by the product's own requests, through Django's whole stack in this
process: preparing on the app's origin, reading the statement and confirming on the bank's. BENCH_PORTS=8000,8010 sends
them over HTTP to servers that listen there, each payer to one of them.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import django

django.setup()

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_attestation_object

from accounts.actions import create_customer, make_friends
from accounts.actions.sessions import DeviceClaim, open_session
from accounts.models import DeviceSession as OpenedSession
from accounts.models import Person
from benchmarks.wire import Wire
from chat.actions import open_conversation
from finance.bank_session import actions as bank_session
from finance.bank_session import devices, pins
from finance.bank_session.access import intent_of
from finance.bank_session.models import Passkey
from finance.bank_session.proofs import PasskeyProof
from finance.ledger import actions as ledger
from finance.ledger import queries
from finance.payments.actions import transfers
from kernel.clock import now
from kernel.ids import new_id
from kernel.memory import settle
from rongliao.demo.accounts import id_number
from tests.support.authenticator import Authenticator

FUNDS_FEN = 10_000_000
AMOUNT_FEN = 1
Ask = Callable[..., dict[str, Any]]
"""A path, the status that is expected, and what is posted; answers what was said."""
ROLES = ("付款人", "收款人")
PIN = "258369"
WARM = 15


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


@dataclass(frozen=True)
class Payer:
    """Somebody signed in on a device that they have verified, with a passkey and an open bank session."""

    order: transfers.Order
    sign_in: OpenedSession
    session_key: str
    bank: bank_session.Opened
    passkey: Authenticator

    def prepared(self) -> bank_session.Prepared:
        return prepared(self.sign_in, self.order)

    def confirmed(self, intent_id: UUID) -> bank_session.Outcome:
        session = self.bank.session
        intent = intent_of(session, intent_id)
        shown = bank_session.challenge(intent=intent, language="zh")
        digest = bytes(shown.statement_hash)
        proof = PasskeyProof(self.passkey.sign(digest))
        return bank_session.confirm(session=session, intent=shown, statement_hash=digest, proof=proof)

    def pay(self) -> None:
        """By the actions."""
        self.confirmed(self.prepared().intent_id)

    def asking(self) -> tuple[Ask, Ask]:
        """How this payer asks on the app's origin and on the bank's, in this process."""
        app = Client(headers={"origin": settings.APP_ORIGIN, "host": settings.APP_NETLOC})
        app.cookies[settings.SESSION_COOKIE_NAME] = self.session_key
        bank = Client(headers={"origin": settings.BANK_ORIGIN, "host": settings.BANK_NETLOC})
        bank.cookies[settings.BANK_COOKIE_NAME] = self.bank.token

        def ask(client: Client, path: str, status: int, body: dict[str, Any] | None = None) -> dict[str, Any]:
            if body is None:
                answer = client.get(path)
            else:
                answer = client.post(path, json.dumps(body), content_type="application/json")
            assert answer.status_code == status, answer.content[:500]
            return dict(answer.json())

        return partial(ask, app), partial(ask, bank)

    def asking_at(self, port: int) -> tuple[Ask, Ask]:
        """The same over HTTP, by a connection for each origin."""
        app = f"{settings.SESSION_COOKIE_NAME}={self.session_key}"
        bank = f"{settings.BANK_COOKIE_NAME}={self.bank.token}"
        return Wire(port, settings.APP_ORIGIN, app).ask, Wire(port, settings.BANK_ORIGIN, bank).ask

    def by_requests(self, ask_app: Ask, ask_bank: Ask) -> None:
        """By the product's requests."""
        intent_id = str(new_id())
        ask_app("/api/finance/transfers", 201, {"id": intent_id, **self.order.subject()})
        shown = ask_bank(f"/api/bank/intents/{intent_id}", 200)
        digest = hashlib.sha256(shown["statement"].encode()).digest()
        confirmed = {"passkey": self.passkey.sign(digest), "statement_hash": digest.hex()}
        done = ask_bank(f"/api/bank/intents/{intent_id}/confirm", 200, confirmed)
        assert done["state"] == "executed", done

    def way(self, seed: int) -> Callable[[], None]:
        """How this payer pays, as the environment says."""
        if "BENCH_PORTS" in os.environ:
            ports = os.environ["BENCH_PORTS"].split(",")
            return partial(self.by_requests, *self.asking_at(int(ports[seed % len(ports)])))
        if os.environ.get("BENCH_DOOR") == "requests":
            return partial(self.by_requests, *self.asking())
        return self.pay


def prepared(sign_in: OpenedSession, order: transfers.Order) -> bank_session.Prepared:
    return transfers.prepare(
        intent_id=new_id(),
        payer_id=sign_in.person_id,
        chat_session_id=sign_in.pk,
        device_id=sign_in.device_id,
        order=order,
        language="zh",
    )


def payer_of(seed: int) -> Payer:
    payer = Person.objects.get(display_name=f"{ROLES[0]}{seed}")
    payee = Person.objects.get(display_name=f"{ROLES[1]}{seed}")
    request = RequestFactory().post("/api/session")
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    sign_in = open_session(request, payer, DeviceClaim(new_id(), "bench"))
    request.session.save()
    with transaction.atomic():
        token = devices.verified(payer.pk, sign_in.device_id, by="bench")
    order = transfers.Order(
        conversation_id=open_conversation(kind="direct", member_ids=[payer.pk, payee.pk]),
        payee_id=payee.pk,
        amount_fen=AMOUNT_FEN,
        account_id=queries.accounts_of(payer.pk)[0].pk,
        memo="",
    )
    first = prepared(sign_in, order)
    code = parse_qs(urlsplit(first.handoff_url).fragment)["code"][0]
    bank = bank_session.redeem(code=code, device_token=token)
    key = Authenticator()
    made = key.create({"challenge": bytes_to_base64url(b"bench")})["response"]["attestationObject"]
    attested = parse_attestation_object(base64url_to_bytes(made)).auth_data.attested_credential_data
    assert attested is not None
    Passkey.objects.create(
        person=payer,
        intent_id=first.intent_id,
        credential_id=attested.credential_id,
        public_key=attested.credential_public_key,
        name="bench",
        device_id=sign_in.device_id,
        added_at=now(),
        counts_from=now(),
    )
    payer_now = Payer(order, sign_in, str(request.session.session_key), bank, key)
    # The first proof in a bank session changes its token; until then it is for the intent alone that opened it.
    proved = payer_now.confirmed(first.intent_id)
    assert proved.token is not None
    return replace(payer_now, bank=replace(bank, token=proved.token))


def pay(seconds: float, seed: int) -> None:
    pay_one = payer_of(seed).way(seed)
    # The first ones make what a server's process makes once: connection, task queue, the plans of its statements.
    for _ in range(WARM):
        pay_one()
    settle()
    print("ready", flush=True)
    sys.stdin.readline()
    took = []
    cpu_s = time.process_time()
    until = time.monotonic() + seconds
    # An open loop: what is late waits, and its waiting counts. The payers take turns: begun together, all of them would
    # come at once each time.
    pause = 1 / float(os.environ["BENCH_RATE"]) if "BENCH_RATE" in os.environ else 0.0
    due = time.perf_counter()
    if pause:
        due += pause * seed / int(os.environ["BENCH_CLIENTS"])
    while time.monotonic() < until:
        if pause:
            due += pause
            time.sleep(max(0.0, due - time.perf_counter()))
        began = due if pause else time.perf_counter()
        pay_one()
        took.append((time.perf_counter() - began) * 1000)
    print(json.dumps({"took_ms": took, "cpu_s": time.process_time() - cpu_s}))


def pin_ms() -> float:
    """What the PIN's hash takes, with nothing else at work."""
    hashes = []
    for _ in range(5):
        began = time.perf_counter()
        pins.encode(new_id(), PIN)
        hashes.append((time.perf_counter() - began) * 1000)
    return median(hashes)


if sys.argv[1] == "prepare":
    make(int(sys.argv[2]))
    print(pin_ms())
else:
    pay(float(sys.argv[1]), int(sys.argv[2]))
