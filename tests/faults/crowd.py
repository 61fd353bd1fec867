"""The bank's people at their phones while everything under them is killed: they pay friends, take or return what they
got, buy a fund, move money between their own accounts and pay out, and ask again whatever is down."""

import queue
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.faults.figures import SEED
from tests.faults.people import Asker, Busy, Cashier, Deed, Payer, Payment, sign_in
from tests.support.site import Site

FAILED = 500
SAID = frozenset({"unavailable", "outcome_unknown", "contended"})
CASH = "远山现金宝"
LEFT, RETURNED = 0.2, 0.2
"""The shares of transfers that nobody takes, and that are given back."""
OVER = frozenset({"transfer_expired", "transfer_finished"})


class Telling:
    """What the server says while something is down, which is as good as no answer: one asks again."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.odd: list[str] = []

    def hear(self, response: httpx.Response) -> None:
        """A failure that does not say what it means is noted."""
        if response.status_code < FAILED:
            return
        text = response.read().decode(errors="replace")
        code = ""
        if response.headers.get("Content-Type") == "application/json":
            code = response.json()["error"]["code"]
        if (response.status_code, code in SAID, "Retry-After" in response.headers) != (503, True, True):
            self.odd.append(f"{response.request.method} {response.request.url} {response.status_code} {text[:300]}")
        self.codes[code] += 1
        raise httpx.ReadError(f"{response.status_code} {code}", request=response.request)


@dataclass
class Reception(Deed):
    """A transfer that its payee takes or gives back."""

    verb: str = "accept"
    key: str = field(default_factory=lambda: str(uuid4()))


class Receiver(Asker):
    """Takes most of what comes in, gives some back, and leaves some until it expires."""

    def __init__(self, site: Site, name: str, telling: Telling) -> None:
        super().__init__()
        self.account = str(site.world.accounts[name])
        self.chance = random.Random(f"{SEED}:{name}:receiver")
        self.app = sign_in(site, name)
        self.app.event_hooks = {"response": [telling.hear]}
        self.inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.receptions: list[Reception] = []
        self.left = 0

    def work(self) -> None:
        while not self.stopping.is_set():
            try:
                transfer = self.inbox.get(timeout=0.2)
            except queue.Empty:
                continue
            if not self.left or self.chance.random() < LEFT:
                self.left += 1
                continue
            verb = "return" if self.chance.random() < RETURNED else "accept"
            reception = Reception(transfer, verb=verb)
            self.receptions.append(reception)
            self.ask(reception, partial(self._attempt, reception))

    def _attempt(self, reception: Reception) -> bool:
        path = f"/api/finance/transfers/{reception.id}"
        body = {"account_id": self.account} if reception.verb == "accept" else {}
        answer = self.app.post(f"{path}/{reception.verb}", json=body, headers={"Idempotency-Key": reception.key})
        if answer.status_code == 200:
            assert answer.json()["state"] == {"accept": "received", "return": "returned"}[reception.verb], answer.text
            return True
        code = answer.json()["error"]["code"]
        if code == "in_flight":
            raise Busy
        # Refused after a day alone. Were it finished by this very reception, its key would have given the answer.
        assert code in OVER, f"{reception} {answer.status_code} {answer.text}"
        state = self.app.get(path).json()["state"]
        assert state in {"pending", "expired"}, f"{reception} {code} {state}"
        return False


class Friend(Payer):
    """Pays a friend, and tells them."""

    def __init__(self, site: Site, name: str, payee: Receiver, payee_name: str, telling: Telling) -> None:
        super().__init__(site, name, payee_name, UUID(int=0), SEED)
        opened = self.app.post("/api/chat/conversations", json={"person_id": self.payee})
        self.conversation = UUID(opened.json()["conversation"]["id"])
        self.tell = payee.inbox.put
        self.app.event_hooks = self.hooks = {"response": [telling.hear]}

    def _pay(self, payment: Payment) -> None:
        super()._pay(payment)
        if payment.confirmed:
            self.tell(payment.id)


class Buyer(Payer):
    """Buys a fund again and again."""

    door = "/api/finance/orders"

    def __init__(self, site: Site, name: str, telling: Telling) -> None:
        Asker.__init__(self)
        self.site, self.name = site, name
        self.account = str(site.world.accounts[name])
        self.chance = random.Random(f"{SEED}:{name}:orders")
        self.app = sign_in(site, name)
        self.payments: list[Payment] = []
        self._read()
        self.app.event_hooks = self.hooks = {"response": [telling.hear]}

    def _read(self) -> None:
        """The documents, without which nothing is sold."""
        shelf = self.app.get("/api/finance/products").json()["items"]
        (self.product,) = [product["id"] for product in shelf if product["name"] == CASH]
        path = f"/api/finance/products/{self.product}"
        for document in self.app.get(path).json()["documents"]:
            text = self.app.get(f"{path}/documents/{document['id']}").json()
            opened = self.app.post(f"{path}/documents/{document['id']}/opened", json={"sha256": text["sha256"]})
            assert opened.status_code == 204, opened.text
            if text["kind"] == "risk":
                self.risk = text["sha256"]

    def _headers(self) -> dict[str, str]:
        return {"Idempotency-Key": str(uuid4())}

    def _body(self, payment: Payment) -> dict[str, Any]:
        return {
            "id": payment.id,
            "product_id": self.product,
            "amount_fen": payment.amount_fen + 100,
            "account_id": self.account,
            "risk_sha256": self.risk,
        }


class Mover(Payer):
    """Moves money from one of their own accounts to another."""

    door = "/api/finance/own-transfers"

    def __init__(self, site: Site, name: str, telling: Telling) -> None:
        Asker.__init__(self)
        self.site, self.name = site, name
        self.account, self.target = str(site.world.accounts[name]), str(site.world.accounts[f"{name}-2"])
        self.chance = random.Random(f"{SEED}:{name}:own")
        self.app = sign_in(site, name)
        self.payments: list[Payment] = []
        self.app.event_hooks = self.hooks = {"response": [telling.hear]}

    def _body(self, payment: Payment) -> dict[str, Any]:
        return {
            "id": payment.id,
            "from_account_id": self.account,
            "to_account_id": self.target,
            "amount_fen": payment.amount_fen,
            "memo": "",
        }


class Crowd:
    """So many clients, each with a session of their own; nobody confirms on more than three at once."""

    def __init__(
        self, site: Site, *, pairs: tuple[tuple[str, str], ...], buyers: tuple[str, ...], movers: int, cashiers: int
    ) -> None:
        self.telling = telling = Telling()
        self.receivers: list[Receiver] = []
        self.payers: list[Payer] = []
        for name, payee in pairs:
            self.receivers.append(Receiver(site, payee, telling))
            self.payers.append(Friend(site, name, self.receivers[-1], payee, telling))
        self.payers += [Buyer(site, name, telling) for name in buyers]
        self.payers += [Mover(site, "su", telling) for _ in range(movers)]
        for index in range(cashiers):
            cashier = Cashier(site, "jiang", str(site.world.accounts["jiang"]), self._card(site), SEED + index)
            cashier.app.event_hooks = cashier.hooks = {"response": [telling.hear]}
            self.payers.append(cashier)

    @staticmethod
    def _card(site: Site) -> str:
        account = str(site.world.accounts["jiang"])
        options = sign_in(site, "jiang").get("/api/finance/payouts/options")
        accounts = {one["account_id"]: one for one in options.json()["accounts"]}
        return str(accounts[account]["cards"][0]["id"])

    @property
    def clients(self) -> list[Asker]:
        """All of them."""
        return [*self.payers, *self.receivers]

    def start(self) -> None:
        for client in self.clients:
            client.start()

    def finish(self) -> None:
        """Those who pay first, so that nothing comes in unheard of."""
        for client in self.clients:
            client.stopping.set()
        for client in self.clients:
            client.finish()

    def payments(self, kind: type[Payer] = Payer) -> list[Payment]:
        """What those of a kind asked for."""
        return [payment for payer in self.payers if isinstance(payer, kind) for payment in payer.payments]

    def receptions(self) -> list[Reception]:
        return [reception for receiver in self.receivers for reception in receiver.receptions]

    def deeds(self) -> list[Deed]:
        """Everything that was asked for."""
        return [*self.payments(), *self.receptions()]
