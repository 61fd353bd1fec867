"""Orders as deeds that may be cut anywhere and done again: placed, cancelled, confirmed at the NAV (see deeds)."""

from uuid import UUID, uuid4

from finance.ledger.models import Entry, Hold
from finance.wealth.calendar import CONFIRM_FROM, at
from finance.wealth.models import Holding, Order, Product
from kernel import jobs
from kernel.models import AuditRow
from tests.faults.deeds import FEN, Confirming, Deed, Stage, settled
from tests.finance.payments.conftest import Shown
from tests.finance.wealth.conftest import CASH, Shop

NAV = 1_234_567


class Wealth:
    """Orders of one product by one customer, and what all of them come to."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.risk_sha256 = shop, shop.read_documents(CASH)

    def ordered(self) -> Shown:
        """The sheet of another order."""
        order = {
            "id": str(uuid4()),
            "product_id": str(self.shop.products[CASH]),
            "amount_fen": FEN,
            "account_id": str(self.shop.accounts["su"]),
            "risk_sha256": self.risk_sha256,
        }
        return Shown(self.shop.post_order(order))

    def bought(self) -> UUID:
        """An order that is in the books."""
        sheet = self.ordered()
        settled(sheet.confirm)
        jobs.drain()
        return UUID(sheet.intent_id)

    def check(self, number: UUID, state: str, hold: str) -> None:
        """An order and its hold stand so, and quota, holds and holding are what all orders come to."""
        order = Order.objects.get(pk=number)
        assert order.state == state
        assert [(one.state, one.amount_fen) for one in Hold.objects.filter(reference=number)] == [(hold, FEN)]
        orders = list(Order.objects.filter(product_id=order.product_id))
        used = sum(one.amount_fen for one in orders if one.state != "cancelled")
        assert Product.objects.get(pk=order.product_id).quota_used_fen == used
        assert self.shop.account().held_fen == sum(one.amount_fen for one in orders if one.state == "accepted")
        holding = Holding.objects.filter(product_id=order.product_id, person_id=order.person_id).first()
        assert (holding.shares if holding else 0) == sum(one.shares or 0 for one in orders)
        said = AuditRow.objects.filter(action=f"wealth.order.{state}", subject=f"order:{number}")
        assert said.count() == 1


class Buy(Confirming):
    """A purchase is confirmed: the order with its hold and its part of the quota."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.wealth = Wealth(stage.shop)

    def make(self) -> Shown:
        return self.wealth.ordered()

    def check_effect(self, number: UUID) -> None:
        self.wealth.check(number, "accepted", "open")


class CancelOrder(Deed[tuple[UUID, str]]):
    """An order is cancelled before its cut-off: money and quota are free again."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.wealth = Wealth(stage.shop)

    def make(self) -> tuple[UUID, str]:
        return self.wealth.bought(), str(uuid4())

    def act(self, made: tuple[UUID, str]) -> None:
        number, key = made
        settled(lambda: self.wealth.shop.cancel(str(number), key=key))
        jobs.drain()

    def check(self, made: tuple[UUID, str]) -> None:
        self.wealth.check(made[0], "cancelled", "released")


class SettleOrder(Deed[UUID]):
    """The worker confirms an order on its day, at the NAV that is public by then."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.wealth = Wealth(stage.shop)
        assert stage.shop.publish(CASH, "2026-11-24", NAV).status_code == 200
        jobs.drain()

    def make(self) -> UUID:
        return self.wealth.bought()

    def act(self, made: UUID) -> None:
        with self.stage.at(at(Order.objects.get(pk=made).confirm_day, CONFIRM_FROM)):
            jobs.drain()

    def check(self, made: UUID) -> None:
        self.wealth.check(made, "confirmed", "captured")
        assert Entry.objects.filter(key=f"wealth-confirm:{made}").count() == 1
