from finance.ledger import queries as books
from finance.wealth import queries
from finance.wealth.models import Holding, Order
from finance.wealth.rules import value_of
from kernel.clock import business_date
from tests.conftest import FreshDatabase


def test_the_demo_world_has_a_shelf_and_holdings_in_consistent_books(demo_database: FreshDatabase) -> None:
    su = demo_database.world.people["su"]
    found = queries.summary(su)

    assert [view.product.name for view in found.holdings] == [
        "远山现金宝",
        "远山稳进 90 天 11 号",
        "远山稳进 180 天 3 号",
        "沪深精选指数 A",
    ]
    assert {view.product.name: view.suitability.code for view in found.holdings}["沪深精选指数 A"] == (
        "holds_above_class"
    )
    assert found.total_fen == sum(account.balance_fen for account in books.accounts_of(su)) + sum(
        value_of(view.shares, view.nav.value, view.product.nav_scale) for view in found.holdings if view.nav
    )
    assert len(found.series) == 30 and found.day_fen
    # The series counts from what was paid: the month's gain is its rise since the last day of the month before.
    before = [gain.fen for gain in found.series if gain.day < business_date().replace(day=1)]
    assert found.month_fen == found.series[-1].fen - before[-1]
    recommended = [view.product.name for view in queries.recommended(su)]
    assert recommended == ["远山稳进 90 天 12 号", "远山稳进 180 天 3 号", "远山现金宝"]


def test_every_share_in_the_demo_world_was_paid_for_through_the_ledger(demo_database: FreshDatabase) -> None:
    paid = sum(Order.objects.filter(state="confirmed").values_list("amount_fen", flat=True))
    assert paid == sum(Holding.objects.values_list("cost_fen", flat=True))
    assert books.balance(books.internal("wealth-clearing")) == paid
