"""People at a real server that dies under them: they keep what they were told, and try again as the apps do."""

import contextlib
import hashlib
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import psycopg

from rongliao.demo import PASSWORD, PIN
from tests.support.browser import PHONES
from tests.support.site import Site

PAUSE_S = 0.1
ANSWER_LIMIT_S = 20.0
ASK_LIMIT_S = 60.0
"""How long something is asked for again before it is left in doubt."""
FINISH_LIMIT_S = ASK_LIMIT_S + 3 * ANSWER_LIMIT_S
IN_FLIGHT = 4


def sign_in(site: Site, name: str) -> httpx.Client:
    """A signed-in person at the app's doors."""
    client = httpx.Client(base_url=site.origin, headers={"Origin": site.origin}, timeout=ANSWER_LIMIT_S)
    answer = client.post("/api/session", json={"phone": PHONES[name], "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client


class Worker(threading.Thread):
    """Somebody who goes on until told to stop; what went wrong in them is raised at the end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.error = error

    def work(self) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        """Lets what is open come to its end, and raises what went wrong."""
        self.stopping.set()
        self.join(FINISH_LIMIT_S)
        assert not self.is_alive(), f"{self} does not come to an end"
        if self.error:
            raise self.error


class Busy(Exception):
    """An answer that says: not this moment, and nothing was done."""


@dataclass
class Deed:
    """Something that was asked for, as the one who asked knows it."""

    id: str
    confirmed: bool = False
    """It was said to be done."""
    known: bool = False
    """It is known what became of it."""
    attempts: int = 0
    doubt: tuple[float, float] | None = None
    """From when to when (monotonic) it was not known what had become of it, once an attempt was cut off."""


@dataclass
class Payment(Deed):
    """A payment as its payer knows it."""

    amount_fen: int = 0


class Asker(Worker):
    """Asks again for what was cut off, as the apps do; after ASK_LIMIT_S it stays in doubt."""

    def ask(self, deed: Deed, attempt: Callable[[], bool]) -> None:
        """Until `attempt` answers whether it is done. It raises Busy to be asked again, TransportError when cut off."""
        began: float | None = None
        first = time.monotonic()
        while not deed.known and time.monotonic() - first < ASK_LIMIT_S:
            sent = time.monotonic()
            try:
                deed.attempts += 1
                deed.confirmed = attempt()
                deed.known = True
            except Busy:
                time.sleep(PAUSE_S)
            except (httpx.TransportError, OSError):
                began = began or sent
                time.sleep(PAUSE_S)
        if began is not None:
            deed.doubt = (began, time.monotonic())


class Payer(Asker):
    """Prepares and confirms transfers to a friend."""

    def __init__(self, site: Site, name: str, payee: str, conversation: UUID, seed: int) -> None:
        super().__init__()
        self.site, self.conversation = site, conversation
        self.account, self.payee = str(site.world.accounts[name]), str(site.world.people[payee])
        self.name = name
        self.chance = random.Random(f"{seed}:{name}:{payee}")
        self.app = sign_in(site, name)
        self.payments: list[Payment] = []

    door = "/api/finance/transfers"
    hooks: Mapping[str, list[Any]] = {}
    """What is done with each answer before it is looked at (httpx)."""

    def _body(self, payment: Payment) -> dict[str, Any]:
        return {
            "id": payment.id,
            "conversation_id": str(self.conversation),
            "payee_id": self.payee,
            "amount_fen": payment.amount_fen,
            "account_id": self.account,
            "memo": "",
        }

    def _headers(self) -> dict[str, str]:
        """Of one attempt to prepare; the payment's own id is what makes a repeat harmless."""
        return {}

    def work(self) -> None:
        while not self.stopping.is_set():
            payment = Payment(str(uuid4()), amount_fen=self.chance.randint(1, 500))
            self.payments.append(payment)
            self._pay(payment)

    def _pay(self, payment: Payment) -> None:
        self.ask(payment, lambda: self._attempt(payment))

    def _attempt(self, payment: Payment) -> bool:
        """Asks for the sheet of the same transfer and confirms it, unless it shows that it is done."""
        prepared = self.app.post(self.door, json=self._body(payment), headers=self._headers())
        if prepared.status_code != 201:
            # What is confirmed cannot be prepared again; who ordered it may look at it.
            known = self.app.get(f"{self.door}/{payment.id}")
            assert known.status_code in {200, 404}, known.text
            if known.status_code == 200:
                return True
            raise AssertionError(f"not prepared: {prepared.status_code} {prepared.text}")
        with self._sheet(prepared.json()["confirm_url"]) as sheet:
            shown = sheet.get(f"/api/bank/intents/{payment.id}")
            assert shown.status_code == 200, shown.text
            if shown.json()["state"] == "executed":
                return True
            digest = hashlib.sha256(shown.json()["statement"].encode()).hexdigest()
            answer = sheet.post(f"/api/bank/intents/{payment.id}/confirm", json={"pin": PIN, "statement_hash": digest})
            if answer.status_code in {409, 429}:
                raise Busy
            assert answer.status_code == 200, answer.text
            return True

    @contextlib.contextmanager
    def _sheet(self, confirm_url: str) -> Any:
        with httpx.Client(
            base_url=self.site.bank_origin,
            headers={"Origin": self.site.bank_origin},
            timeout=ANSWER_LIMIT_S,
            event_hooks=self.hooks,
        ) as client:
            code = parse_qs(urlsplit(confirm_url).fragment)["code"][0]
            opened = client.post("/api/bank/sessions", json={"handoff": code})
            assert opened.status_code == 201, opened.text
            yield client


class Cashier(Payer):
    """Pays out to the own card at another bank, over a clearing network that misbehaves."""

    door = "/api/finance/payouts"
    least_pause_s = 0.5

    def __init__(self, site: Site, name: str, account: str, card: str, seed: int) -> None:
        Worker.__init__(self)
        self.site, self.account, self.card = site, account, card
        self.chance = random.Random(f"{seed}:{name}:payouts")
        self.app = sign_in(site, name)
        self.payments = []

    def _body(self, payment: Payment) -> dict[str, Any]:
        return {
            "id": payment.id,
            "account_id": self.account,
            "card_id": self.card,
            "amount_fen": payment.amount_fen,
        }

    def _pay(self, payment: Payment) -> None:
        super()._pay(payment)
        self.stopping.wait(self.least_pause_s)


class Watcher(Worker):
    """Reads all the books in one statement again and again: however it is read, nothing is made or lost."""

    STATEMENT = """
        SELECT (SELECT coalesce(sum(amount_fen), 0) FROM ledger_posting)::bigint,
            (SELECT coalesce(sum(abs(a.held_fen - coalesce(h.sum, 0))), 0) FROM ledger_account a LEFT JOIN (
                SELECT account_id, sum(amount_fen) AS sum FROM ledger_hold WHERE state = 'open' GROUP BY account_id
            ) h ON h.account_id = a.id)::bigint,
            (SELECT coalesce(sum(abs(a.balance_fen - p.sum)), 0) FROM ledger_account a JOIN (
                SELECT account_id, sum(amount_fen) AS sum FROM ledger_posting WHERE seq IS NOT NULL GROUP BY account_id
            ) p ON p.account_id = a.id)::bigint
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.drift_fen, self.reads = url, 0, 0

    def work(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.stopping.wait(0.2):
                row = connection.execute(self.STATEMENT).fetchone()
                assert row is not None
                self.drift_fen = max(self.drift_fen, *(abs(drift) for drift in row))
                self.reads += 1
