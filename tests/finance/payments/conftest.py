"""A few of the demo world's people with accounts, money and a PIN, at their doors."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.db.models import Sum

from accounts import queries as people
from chat import actions as chat
from finance.ledger import actions as ledger
from finance.ledger import queries as books
from finance.ledger.actions import Leg
from finance.ledger.models import Account, Hold, Posting
from finance.payments.models import Transfer
from kernel import jobs
from rongliao.demo import PIN, World
from tests.conftest import FreshDatabase
from tests.support.bank import Sheet, set_pin
from tests.support.caller import Caller

RICH = 100_000_00
REVERSALS = "/api/finance/operations/reversals"


class Shown(Sheet):
    """The sheet of a preparation that was answered, with what it shows."""

    def __init__(self, prepared: Any) -> None:
        assert prepared.status_code == 201, prepared.content
        super().__init__(prepared.json()["confirm_url"])
        seen = self.intent().json()
        self.hash, self.statement = seen["statement_hash"], json.loads(seen["statement"])
        self.lines: dict[str, str] = {line["label"]: line["value"] for line in self.statement["lines"]}

    def confirm(self, pin: Any = PIN, statement_hash: Any = None, **headers: str) -> Any:
        """Confirms what was shown first."""
        return super().confirm(pin, statement_hash or self.hash, **headers)


@pytest.fixture(autouse=True)
def devices_are_known(settings: Any) -> None:
    """What a new device may not do yet is tested with the bank session."""
    settings.NEW_DEVICE_DAY_FEN = settings.PREPARES_PER_MINUTE = 10**12


class Town:
    """su and lin have class I accounts with money, jiang a bound card and nothing else, tao nothing."""

    def __init__(self, world: World, pins: Sequence[str] = ("su", "lin", "jiang", "shen")) -> None:
        self.people = world.people
        self.account: dict[str, UUID] = {}
        self._callers: dict[str, Caller] = {}
        for name in ("su", "lin", "shen"):
            self.account[name] = self.open(name, "I")
            self.fund(self.account[name], RICH)
        for name in pins:
            set_pin(self.people[name])
        jobs.drain()

    def __getitem__(self, name: str) -> Caller:
        if name not in self._callers:
            self._callers[name] = Caller(self.people[name])
        return self._callers[name]

    def open(self, name: str, account_class: str, *, remotely: bool = False) -> UUID:
        """An account of that class, without the opening's own rules."""
        with transaction.atomic():
            return ledger.open_account(
                owner_id=self.people[name],
                account_type="customer",
                account_class=account_class,
                name="储蓄卡",
                opened_remotely=remotely,
                ceiling_fen=2_000_00 if account_class == "III" else None,
                key=f"test:{uuid4()}",
            ).pk

    def fund(self, account_id: UUID | str, fen: int) -> None:
        """Money from nowhere in particular."""
        with transaction.atomic():
            source = books.internal("demo-opening").pk
            ledger.post(
                key=f"fund:{uuid4()}",
                kind="opening",
                legs=[Leg(source, -fen), Leg(UUID(str(account_id)), fen)],
                memo="期初",
            )

    def money(self, name: str) -> tuple[int, int]:
        """(balance, held) of the person's first account."""
        account = Account.objects.get(pk=self.account[name])
        return account.balance_fen, account.held_fen

    def talk(self, first: str, second: str) -> UUID:
        """Their conversation."""
        return chat.open_conversation(kind="direct", member_ids=[self.people[first], self.people[second]])

    def order(self, payer: str, payee: str, fen: Any = 100_00, **changed: Any) -> dict[str, Any]:
        """The body of a transfer."""
        return {
            "id": str(uuid4()),
            "conversation_id": str(self.talk(payer, payee)),
            "payee_id": str(self.people[payee]),
            "amount_fen": fen,
            "account_id": str(self.account[payer]),
            "memo": "午饭",
            **changed,
        }

    def send(self, payer: str, payee: str, fen: int = 100_00, **changed: Any) -> str:
        """A confirmed transfer; answers its id."""
        sheet = Shown(self[payer].post("/api/finance/transfers", self.order(payer, payee, fen, **changed)))
        answer = sheet.confirm()
        assert answer.status_code == 200, answer.content
        return str(sheet.intent_id)

    def accept(self, name: str, transfer_id: str, account_id: UUID | None = None, key: str | None = None) -> Any:
        """The payee takes it."""
        into = account_id or self.account.get(name)
        return self[name].post(
            f"/api/finance/transfers/{transfer_id}/accept",
            {"account_id": str(into) if into else None},
            **{"Idempotency-Key": key or str(uuid4())},
        )

    def give_back(self, name: str, transfer_id: str, key: str | None = None) -> Any:
        """The payee returns it."""
        path = f"/api/finance/transfers/{transfer_id}/return"
        return self[name].post(path, {}, **{"Idempotency-Key": key or str(uuid4())})

    def card(self, name: str) -> UUID:
        """The person's bound card."""
        return people.bound_cards(self.people[name])[0].id

    def open_class(self, name: str, wanted: str, key: str | None = None, **changed: Any) -> Any:
        """The door of account opening."""
        body = {"account_class": wanted, "card_id": str(self.card(name)), **changed}
        return self[name].post("/api/finance/accounts/open", body, **{"Idempotency-Key": key or str(uuid4())})

    def pay_out(self, name: str, fen: int, account_id: UUID | str | None = None) -> str:
        """A confirmed payout to the bound card; answers its id."""
        body = {
            "id": str(uuid4()),
            "account_id": str(account_id or self.account[name]),
            "card_id": str(self.card(name)),
            "amount_fen": fen,
        }
        sheet = Shown(self[name].post("/api/finance/payouts", body))
        answer = sheet.confirm()
        assert answer.status_code == 200, answer.content
        return str(sheet.intent_id)

    def payout(self, name: str, payout_id: str) -> dict[str, Any]:
        """The payout as its owner sees it."""
        found: dict[str, Any] = self[name].get(f"/api/finance/payouts/{payout_id}").json()
        return found


def take_back(town: Town, entry_id: UUID) -> None:
    """One enters it, another has it posted."""
    body = {"id": str(uuid4()), "entry_id": str(entry_id), "reason": "付款人报错账,经核实"}
    assert town["fang"].post(REVERSALS, body).status_code == 201
    done = town["qin"].post(f"{REVERSALS}/{body['id']}/approve", {})
    assert done.status_code == 200, done.content


def check_books() -> None:
    """Every open hold belongs to something that waits, and no account owes."""
    waiting = set(Transfer.objects.filter(state="pending").values_list("hold_id", flat=True))
    held = set(Hold.objects.filter(state="open", kind="transfer").values_list("pk", flat=True))
    assert held == waiting
    for account in Account.objects.filter(type="customer"):
        posted = Posting.objects.filter(account=account).aggregate(sum=Sum("amount_fen"))["sum"] or 0
        assert account.balance_fen == posted
        assert 0 <= account.held_fen <= account.balance_fen


@pytest.fixture
def town(world: World, settings: Any) -> Town:
    """The town inside the test's transaction, where the business clock may be moved."""
    settings.DEMO = True
    return Town(world)


@pytest.fixture
def busy_town(fresh_database: FreshDatabase, settings: Any) -> Town:
    """The town in a database of its own, for several hands at once."""
    settings.DEMO = True
    return Town(fresh_database.world)
