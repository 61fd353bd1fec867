"""An account from which wealth products were bought stays until nothing of them is left."""

import uuid

from django.db import transaction

from finance.ledger import actions as ledger
from finance.ledger import queries as books
from finance.ledger.actions import Leg
from tests.finance.wealth.conftest import STEADY, Shop, drain, error


def test_an_order_and_then_what_is_held_keep_the_account(shop: Shop) -> None:
    account = ledger.open_account(
        owner_id=shop.world.people["su"], account_type="customer", account_class="II", name="电子账户", key="closing"
    )
    legs = [Leg(books.internal("demo-opening").pk, -1_000_000), Leg(account.pk, 1_000_000)]
    ledger.post(key="closing:opening", kind="opening", legs=legs, memo="期初")
    path = f"/api/finance/accounts/{account.pk}/closing"

    def refusal() -> str:
        return error(shop.caller().post(path, {"id": str(uuid.uuid4())}))

    assert refusal() == "money_left"
    shop.buy(STEADY, amount_fen=1_000_000, account_id=str(account.pk))
    assert refusal() == "money_held"
    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    assert books.account(account.pk).balance_fen == 0
    assert refusal() == "account_has_holdings"
    with transaction.atomic():
        assert books.account(account.pk).status == "open"
