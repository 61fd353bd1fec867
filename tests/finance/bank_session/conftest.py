"""A kind that anybody may confirm: it counts what was executed, in the ledger."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from finance.bank_session import actions, registry
from finance.bank_session.models import Intent
from finance.bank_session.registry import ExecuteResult
from finance.bank_session.statements import Line, NamedDocument, StatementDraft
from finance.ledger import actions as ledger
from finance.ledger import queries as books
from finance.ledger.actions import Leg
from rongliao.demo import World
from tests.conftest import FreshDatabase
from tests.support.bank import set_pin
from tests.support.caller import Caller

KIND = "test_payment"


@dataclass
class Bench:
    """A person with money, and what there is to confirm."""

    world: World
    account: UUID
    to: UUID
    price: int = 1_000
    payee: str = "*晓舟"
    more: tuple[Line, ...] = ()
    documents: tuple[NamedDocument, ...] = ()
    refusal: Exception | None = None
    valid_until: Any = None
    callers: dict[str, Caller] = field(default_factory=dict)
    signed: list[bool] = field(default_factory=list)

    def caller(self, name: str = "su") -> Caller:
        if name not in self.callers:
            self.callers[name] = Caller(self.world.people[name])
        return self.callers[name]

    def draft(self) -> StatementDraft:
        return StatementDraft(
            title_zh="确认转账",
            title_en="Confirm transfer",
            amount_fen=self.price,
            fee_fen=0,
            lines=[
                Line("收款人", "To", self.payee, self.payee),
                Line("付款账户", "From", "尾号 8823", "ending 8823"),
                *self.more,
            ],
            documents=list(self.documents),
            valid_until=self.valid_until,
        )

    def session_ids(self, name: str = "su") -> dict[str, UUID]:
        from accounts.models import DeviceSession

        row = DeviceSession.objects.filter(person_id=self.world.people[name]).latest("pk")
        return {"chat_session_id": row.pk, "device_id": row.device_id}

    def prepare(self, name: str = "su", intent_id: UUID | None = None, **changed: Any) -> actions.Prepared:
        self.caller(name)
        return actions.prepare(
            **{
                "intent_id": intent_id or uuid.uuid4(),
                "person_id": self.world.people[name],
                **self.session_ids(name),
                "kind": KIND,
                "subject": {"account": str(self.account)},
                "draft": self.draft(),
                **changed,
            }
        )

    def execute(self, intent: Intent) -> ExecuteResult:
        if self.refusal is not None:
            raise self.refusal
        self.signed.append(intent.signed)
        posted = ledger.post(
            key=f"test:{intent.pk}",
            kind="transfer",
            legs=[Leg(UUID(intent.subject["account"]), -self.price), Leg(self.to, self.price)],
            memo="转账",
        )
        return ExecuteResult({"entry_id": str(posted.entry_id)})

    def balance(self) -> int:
        return books.balance(books.account(self.account))


def _bench(world: World) -> Bench:
    with transaction.atomic():
        account = ledger.open_account(
            owner_id=world.people["su"], account_type="customer", account_class="I", name="储蓄卡", key="test:su"
        )
        opening = books.internal("demo-opening")
        ledger.post(
            key="test:opening",
            kind="opening",
            legs=[Leg(opening.pk, -100_000), Leg(account.pk, 100_000)],
            memo="期初",
        )
    set_pin(world.people["su"])
    return Bench(world, account.pk, opening.pk)


def _registered(bench: Bench) -> Iterator[Bench]:
    registry.register(KIND, execute=bench.execute, restate=lambda intent: bench.draft())
    try:
        yield bench
    finally:
        registry._kinds.pop(KIND)


@pytest.fixture
def bench(world: World) -> Iterator[Bench]:
    """In the test's transaction."""
    yield from _registered(_bench(world))


@pytest.fixture
def real_bench(fresh_database: FreshDatabase) -> Iterator[Bench]:
    """With real commits, for threads."""
    yield from _registered(_bench(fresh_database.world))
