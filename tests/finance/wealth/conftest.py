"""A shelf, a customer with money, and the bank's clock in the test's hand."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from pytest_django import Settings

from chat import actions as chat
from finance.ledger import actions as ledger
from finance.ledger import queries as books
from finance.ledger.actions import Leg
from finance.wealth import actions
from finance.wealth.actions import history
from finance.wealth.calendar import trading_days_back
from finance.wealth.models import Order
from kernel import clock, jobs
from officials import actions as officials
from rongliao.demo import World
from rongliao.demo.wealth import CLASSES, PRODUCTS, _answers, _documents
from tests.conftest import FreshDatabase
from tests.support.bank import Sheet, set_pin
from tests.support.caller import Caller

STEADY, INDEX, CASH, BALANCED = "YSWJ90-12", "HSJX-A", "YSXJ01", "YSJH1Y"
MONEY_FEN = 10_000_000
NAVS = 12


class BankClock:
    """The bank's moment: set it, and every cut-off and expiry sees it."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def set(self, day: str, time: str = "10:00:00") -> None:
        """A moment in Shanghai."""
        self.moment = datetime.fromisoformat(f"{day}T{time}+08:00").astimezone(UTC)

    def __radd__(self, now: datetime) -> datetime:
        """Stands for the offset of the bank's time: whatever the machine says, the bank's moment is this."""
        return self.moment


@dataclass
class Shop:
    """What the tests buy from, and whom."""

    world: World
    clock: BankClock
    products: dict[str, UUID] = field(default_factory=dict)
    accounts: dict[str, UUID] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)

    def caller(self, name: str = "su") -> Caller:
        if name not in self.callers:
            self.callers[name] = Caller(self.world.people[name])
        return self.callers[name]

    def page(self, code: str = STEADY, name: str = "su") -> dict[str, Any]:
        answer = self.caller(name).get(f"/api/finance/products/{self.products[code]}")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def read_documents(self, code: str = STEADY, name: str = "su") -> str:
        """Opens the three documents and answers the hash of the risk disclosure."""
        found = ""
        for document in self.page(code, name)["documents"]:
            path = f"/api/finance/products/{self.products[code]}/documents/{document['id']}"
            text = self.caller(name).get(path).json()
            assert self.caller(name).post(f"{path}/opened", {"sha256": text["sha256"]}).status_code == 204
            if text["kind"] == "risk":
                found = text["sha256"]
        return found

    def wish(self, code: str = STEADY, name: str = "su", **changed: Any) -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()),
            "product_id": str(self.products[code]),
            "amount_fen": 2_000_000,
            "account_id": str(self.accounts[name]),
            "risk_sha256": self.read_documents(code, name),
            **changed,
        }

    def post_order(self, body: dict[str, Any], name: str = "su", key: str | None = None) -> Any:
        return self.caller(name).post("/api/finance/orders", body, **{"Idempotency-Key": key or str(uuid.uuid4())})

    def prepare(self, code: str = STEADY, name: str = "su", **changed: Any) -> Sheet:
        answer = self.post_order(self.wish(code, name, **changed), name)
        assert answer.status_code == 201, answer.content
        return Sheet(answer.json()["confirm_url"])

    def buy(self, code: str = STEADY, name: str = "su", **changed: Any) -> dict[str, Any]:
        """Buys and answers the order."""
        sheet = self.prepare(code, name, **changed)
        done = sheet.confirm()
        assert done.status_code == 200, done.content
        return self.order(done.json()["result"]["order_id"], name)

    def order(self, order_id: str, name: str = "su") -> dict[str, Any]:
        answer = self.caller(name).get(f"/api/finance/orders/{order_id}")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def cancel(self, order_id: str, name: str = "su", key: str | None = None) -> Any:
        return self.caller(name).post(
            f"/api/finance/orders/{order_id}/cancel", **{"Idempotency-Key": key or str(uuid.uuid4())}
        )

    def account(self, name: str = "su") -> Any:
        return books.account(self.accounts[name])

    def publish(self, code: str, day: str, value: int) -> Any:
        """Two people make a NAV public."""
        body = {"id": str(uuid.uuid4()), "product_id": str(self.products[code]), "date": day, "value": value}
        entered = self.caller("fang").post("/api/finance/operations/navs", body)
        assert entered.status_code == 201, entered.content
        nav_id = entered.json()["nav_id"]
        return self.caller("qin").post(f"/api/finance/operations/navs/{nav_id}/approve", {"value": value})

    def offer(self, code: str = STEADY, customer: str = "su", advisor: str = "zhou", **changed: Any) -> Any:
        body = {
            "client_id": str(uuid.uuid4()),
            "customer_id": str(self.world.people[customer]),
            "conversation_id": str(self.talk(customer)),
            "product_id": str(self.products[code]),
            **changed,
        }
        return self.caller(advisor).post("/api/finance/offers", body)

    def talk(self, customer: str = "su") -> UUID:
        people = self.world.people
        return chat.open_conversation(kind="advisor", member_ids=[people["zhou"], people[customer]])

    def cards(self, conversation_id: UUID, name: str = "su") -> list[dict[str, Any]]:
        answer = self.caller(name).get(f"/api/chat/conversations/{conversation_id}/messages")
        assert answer.status_code == 200, answer.content
        return [message["card"] for message in answer.json()["items"] if message["kind"] == "card"]


def error(answer: Any) -> str:
    """The code of a refusal."""
    return str(answer.json()["error"]["code"])


def drain() -> None:
    while jobs.drain():
        pass


def _fund(world: World, name: str, fen: int) -> UUID:
    account = ledger.open_account(
        owner_id=world.people[name], account_type="customer", account_class="I", name="储蓄卡", key=f"wealth:{name}"
    )
    opening = books.internal("demo-opening")
    ledger.post(
        key=f"wealth:{name}:opening",
        kind="opening",
        legs=[Leg(opening.pk, -fen), Leg(account.pk, fen)],
        memo="期初",
    )
    return account.pk


def stock(shop: Shop) -> Shop:
    """Puts products on the shelf, gives su and xu money and a PIN, on the morning of a trading day."""
    world = shop.world
    shop.clock.set("2026-11-24")
    before = trading_days_back(date(2026, 11, 23), NAVS)
    with transaction.atomic():
        for name in ("su", "xu"):
            shop.accounts[name] = _fund(world, name, MONEY_FEN)
            set_pin(world.people[name])
        for code in (STEADY, INDEX, CASH, BALANCED):
            facts = PRODUCTS[code][0]
            product = actions.put_on_shelf(facts=facts, documents=_documents(facts), actor_id=world.people["fang"])
            shop.products[code] = product.pk
            history.bring_navs(
                product_id=product.pk,
                navs=[
                    history.PastNav(day, facts.nav_scale + index * facts.nav_scale // 10_000)
                    for index, day in enumerate(before)
                ],
                maker_id=world.people["fang"],
                checker_id=world.people["qin"],
            )
        for name, person_class in CLASSES.items():
            history.bring_assessment(
                person_id=world.people[name],
                answers=_answers(person_class),
                taken_on=date(2026, 11, 24) - timedelta(days=30),
            )
        officials.ensure_official(code="wealth-news", name="远山财富")
    return shop


@pytest.fixture
def bank_clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> BankClock:
    held = BankClock()
    settings.DEMO = True
    monkeypatch.setattr(clock, "offset", lambda: held)
    return held


@pytest.fixture
def shop(world: World, bank_clock: BankClock) -> Shop:
    """In the test's transaction, on the morning of a trading day."""
    return stock(Shop(world, bank_clock))


@pytest.fixture
def real_shop(fresh_database: FreshDatabase, bank_clock: BankClock) -> Iterator[Shop]:
    """With real commits, for threads."""
    yield stock(Shop(fresh_database.world, bank_clock))


def orders_of(shop: Shop, name: str = "su") -> list[Order]:
    return list(Order.objects.filter(person_id=shop.world.people[name]).order_by("accepted_at"))
