"""What people and workers do with money, each as a deed that may be cut anywhere and done again: see test_crash_points.

Each is made ready (`make`), done (`act`, which is also how it is tried again) and looked at (`check`): it has happened
once, whatever happened in between.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.db import transaction

from chat.models import Card
from finance.bank_session.models import Confirmation
from finance.ledger import actions as ledger
from finance.ledger.actions import Leg
from finance.ledger.models import Account, Entry, Hold, ReversalRequest
from finance.payments.models import LimitUse, OwnTransfer, Payout, Transfer
from kernel import jobs
from kernel.models import AuditRow
from tests.finance.payments.conftest import Shown, Town
from tests.finance.payments.test_races import held
from tests.finance.wealth.conftest import BankClock, Shop
from tests.support.authenticator import Authenticator
from tests.support.bank import Sheet
from tests.support.caller import Caller
from tests.support.networks import Simulator

FEN = 100
TRIES = 40
PAUSE_S = 0.05
Made = TypeVar("Made")


def settled(ask: Callable[[], Any]) -> Any:
    """Asks until the answer is not that the first attempt is still at work: its connection has yet to be noticed."""
    for _ in range(TRIES):
        answer = ask()
        if answer.status_code != 409 or answer.json()["error"]["code"] != "in_flight":
            assert answer.status_code in {200, 201}, answer.content
            return answer
        time.sleep(PAUSE_S)
    raise AssertionError("in flight for ever")


@dataclass
class Stage:
    """One database with people, their money, a shelf of products, the bank's clock and the other side of its links."""

    town: Town
    shop: Shop
    clock: BankClock
    network: Simulator

    def entry(self, payer: str, payee: str) -> UUID:
        """Money that has moved between two people."""
        source, target = self.town.account[payer], self.town.account[payee]
        with transaction.atomic():
            return ledger.post(
                key=f"past:{uuid4()}", kind="transfer", legs=[Leg(source, -FEN), Leg(target, FEN)], memo="转账"
            ).entry_id

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Later, by the bank's clock."""
        before, self.clock.moment = self.clock.moment, moment
        try:
            yield
        finally:
            self.clock.moment = before


def check_card(transfer: Transfer) -> None:
    """The conversation shows the transfer once, as it now stands."""
    card = Card.objects.get(kind="transfer", ref=transfer.pk)
    assert (card.state, card.revision, card.messages.count()) == (transfer.state, transfer.revision, 1)


class Deed(Generic[Made]):
    """Something that happens to money, once."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.town = stage, stage.town

    def make(self) -> Made:
        """What is to be done, which has an id of its own already."""
        raise NotImplementedError

    def act(self, made: Made) -> None:
        """Does it as a person's app and the worker do, from wherever it stands."""
        raise NotImplementedError

    def check(self, made: Made) -> None:
        """It has happened once."""
        raise NotImplementedError


class Confirming(Deed[Shown]):
    """Something is confirmed with the PIN on the bank's page; the worker does what follows."""

    proof = "pin"

    def act(self, made: Shown) -> None:
        settled(made.confirm)
        jobs.drain()

    def check(self, made: Shown) -> None:
        confirmation = Confirmation.objects.get(intent_id=made.intent_id)
        assert (confirmation.proof, confirmation.statement_hash.hex()) == (self.proof, made.hash)
        assert AuditRow.objects.filter(action="intent.confirmed", subject=f"intent:{made.intent_id}").count() == 1
        self.check_effect(UUID(made.intent_id))

    def check_effect(self, number: UUID) -> None:
        """What was confirmed has happened once."""
        raise NotImplementedError


class ConfirmByPin(Confirming):
    """A transfer; the worker shows its card and tells of it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.payer = Caller(self.town.people["su"])

    def make(self) -> Shown:
        return Shown(self.payer.post("/api/finance/transfers", self.town.order("su", "lin", FEN)))

    def check_effect(self, number: UUID) -> None:
        transfer = Transfer.objects.get(pk=number)
        assert transfer.state == "pending"
        check_card(transfer)
        assert Hold.objects.filter(reference=transfer.pk, amount_fen=FEN, state="open").count() == 1
        assert LimitUse.objects.filter(pk=f"transfer:{transfer.pk}:out").count() == 1
        # What is held stays so: the next transfer adds to it.
        waiting = Transfer.objects.filter(state="pending").count()
        assert Hold.objects.filter(kind="transfer", state="open").count() == waiting


class ConfirmByPasskey(ConfirmByPin):
    """The same, signed: what was signed once is sent again."""

    proof = "passkey"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.key = _key_of(self.payer)
        self.signed: dict[str, Any] = {}

    def make(self) -> Shown:
        sheet = super().make()
        self.signed = self.key.sign(bytes.fromhex(sheet.hash))
        return sheet

    def act(self, made: Shown) -> None:
        body = {"passkey": self.signed, "statement_hash": made.hash}
        settled(partial(made.call, "POST", f"intents/{made.intent_id}/confirm", body))
        jobs.drain()


def _key_of(owner: Caller) -> Authenticator:
    """A passkey of theirs, added on the bank's page."""
    sheet = Sheet(owner.post("/api/finance/passkeys", {"id": str(uuid4()), "name": "我的手机"}).json()["confirm_url"])
    settled(sheet.confirm)
    key, path = Authenticator(), f"intents/{sheet.intent_id}/passkey"
    kept = sheet.call("POST", path, {"credential": key.create(sheet.call("GET", path).json()["options"])})
    assert kept.status_code == 204, kept.content
    return key


class Receive(Deed[tuple[UUID, str]]):
    """The payee receives a transfer."""

    door, state, audited = "accept", "received", "payments.transfer_received"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.payee = Caller(self.town.people["lin"])
        self.kept = self.town.money("lin")[0]

    def make(self) -> tuple[UUID, str]:
        made = held(self.town, FEN).pk, str(uuid4())  # type: ignore[no-untyped-call]
        jobs.drain()
        self.kept = self.town.money("lin")[0]
        return made

    def act(self, made: tuple[UUID, str]) -> None:
        transfer_id, key = made
        body = {"account_id": str(self.town.account["lin"])} if self.door == "accept" else {}
        path = f"/api/finance/transfers/{transfer_id}/{self.door}"
        settled(lambda: self.payee.post(path, body, **{"Idempotency-Key": key}))
        jobs.drain()

    def check(self, made: tuple[UUID, str]) -> None:
        transfer = Transfer.objects.get(pk=made[0])
        assert (transfer.state, transfer.revision) == (self.state, 2)
        check_card(transfer)
        assert AuditRow.objects.filter(action=self.audited, subject=f"transfer:{transfer.pk}").count() == 1
        entries = Entry.objects.filter(reference=transfer.pk).count()
        assert (entries, self.town.money("lin")[0] - self.kept) == ((1, FEN) if self.door == "accept" else (0, 0))
        used = LimitUse.objects.get(pk=f"transfer:{transfer.pk}:out")
        assert (used.given_back_at is None) == (self.door == "accept")
        assert not Hold.objects.filter(reference=transfer.pk, state="open").exists()


class GiveBack(Receive):
    """The payee gives a transfer back."""

    door, state, audited = "return", "returned", "payments.transfer_returned"


class Expire(Receive):
    """Nobody takes a transfer: the worker gives the money back when its day is over."""

    door, state, audited = "expire", "expired", "payments.transfer_expired"

    def act(self, made: tuple[UUID, str]) -> None:
        with self.stage.at(Transfer.objects.get(pk=made[0]).expires_at):
            jobs.drain()


class MoveOwn(Confirming):
    """Money between a customer's own accounts."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.owner = Caller(self.town.people["shen"])
        self.target = self.town.open("shen", "III")
        self.kept = 0

    def make(self) -> Shown:
        self.kept = Account.objects.get(pk=self.target).balance_fen
        ends = {"from_account_id": str(self.town.account["shen"]), "to_account_id": str(self.target)}
        order = {"id": str(uuid4()), "amount_fen": FEN, "memo": "", **ends}
        return Shown(self.owner.post("/api/finance/own-transfers", order))

    def check_effect(self, number: UUID) -> None:
        assert OwnTransfer.objects.get(pk=number).amount_fen == FEN
        assert Entry.objects.filter(key=f"own:{number}").count() == 1
        assert Account.objects.get(pk=self.target).balance_fen - self.kept == FEN
        used = LimitUse.objects.filter(account_id=self.target, direction="in", key__startswith="own:")
        assert sum(use.amount_fen for use in used) == Account.objects.get(pk=self.target).balance_fen


class PayOut(Confirming):
    """Money to the owner's card: confirmed, handed to the clearing network by the worker, its answer booked."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.owner = Caller(self.town.people["jiang"])
        self.account = self.owner.post(
            "/api/finance/accounts/open",
            {"account_class": "III", "card_id": str(self.town.card("jiang"))},
            **{"Idempotency-Key": str(uuid4())},
        ).json()["account_id"]
        self.town.fund(self.account, 1_000_00)

    def make(self) -> Shown:
        order = {"id": str(uuid4()), "account_id": self.account, "card_id": str(self.town.card("jiang"))}
        return Shown(self.owner.post("/api/finance/payouts", {**order, "amount_fen": FEN}))

    def check_effect(self, number: UUID) -> None:
        payout = Payout.objects.get(pk=number)
        assert payout.state == "settled", payout.state
        assert Entry.objects.filter(key=f"payout:{payout.pk}:settle").count() == 1
        assert Hold.objects.get(reference=payout.pk).state == "captured"
        taken = [row for row in self.stage.network.payments() if row["end_to_end_id"] == str(payout.end_to_end_id)]
        assert [row["amount_fen"] for row in taken] == [FEN]


class Reverse(Deed[tuple[UUID, str]]):
    """Operations take an entry back: one person enters it, another approves; its owners are told."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.maker, self.checker = Caller(self.town.people["fang"]), Caller(self.town.people["qin"])

    def make(self) -> tuple[UUID, str]:
        made = self.stage.entry("su", "lin"), str(uuid4())
        jobs.drain()
        return made

    def act(self, made: tuple[UUID, str]) -> None:
        path, (entry_id, number) = "/api/finance/operations/reversals", made
        settled(lambda: self.maker.post(path, {"id": number, "entry_id": str(entry_id), "reason": "付款人报错账"}))
        settled(lambda: self.checker.post(f"{path}/{number}/approve", {}))
        jobs.drain()

    def check(self, made: tuple[UUID, str]) -> None:
        request = ReversalRequest.objects.get(entry_id=made[0])
        assert (str(request.pk), request.state) == (made[1], "approved")
        assert Entry.objects.get(reverses_id=made[0]).pk == request.reversal_id
        said = AuditRow.objects.filter(subject=f"reversal:{request.pk}").values_list("action", flat=True)
        assert sorted(said) == ["ledger.reversal_approved", "ledger.reversal_entered"]
