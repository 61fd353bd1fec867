import threading
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from finance.ledger import queries as books
from finance.wealth import actions
from finance.wealth.actions import orders, settle
from finance.wealth.errors import OrderFinished
from finance.wealth.models import Holding, Nav, Order
from finance.wealth.rules import fee_within, shares_for, value_of
from tests.finance.wealth.conftest import INDEX, MONEY_FEN, STEADY, Shop, drain, error


def _bought(shop: Shop, **changed: Any) -> dict[str, Any]:
    order = shop.buy(**changed)
    drain()
    return order


def test_the_order_is_confirmed_on_the_next_day_at_the_published_nav(shop: Shop) -> None:
    order = _bought(shop, amount_fen=2_000_000)
    shop.clock.set("2026-11-24", "20:00:00")
    assert shop.publish(STEADY, "2026-11-24", 10_345).status_code == 200
    drain()
    assert settle.confirm_order(uuid.UUID(order["id"])) is False
    assert shop.order(order["id"])["state"] == "accepted"  # the NAV is there, T+1 is not

    shop.clock.set("2026-11-25", "08:59:59.999")
    drain()
    assert shop.order(order["id"])["state"] == "accepted"
    shop.clock.set("2026-11-25", "09:00:00")
    drain()

    done = shop.order(order["id"])
    assert (done["state"], done["nav"], done["nav_date"]) == ("confirmed", "1.0345", "2026-11-24")
    assert done["shares"] == 1_933_301  # 20,000 / 1.0345 = 19,333.0111… shares
    assert done["matures_on"] == "2027-02-23"
    account = shop.account()
    assert (account.balance_fen, account.held_fen) == (MONEY_FEN - 2_000_000, 0)
    assert books.balance(books.internal("wealth-clearing")) == 2_000_000
    holding = Holding.objects.get(person_id=shop.world.people["su"])
    assert (holding.shares, holding.cost_fen) == (1_933_301, 2_000_000)


def test_a_nav_that_comes_late_confirms_at_once(shop: Shop) -> None:
    order = _bought(shop)
    shop.clock.set("2026-11-26")
    drain()
    assert shop.order(order["id"])["state"] == "accepted"
    assert shop.publish(STEADY, "2026-11-24", 10_000).status_code == 200
    drain()
    assert shop.order(order["id"])["state"] == "confirmed"


def test_confirming_again_changes_nothing(shop: Shop) -> None:
    order = _bought(shop)
    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    assert settle.confirm_order(uuid.UUID(order["id"])) is False
    settle.schedule_confirmations(Nav.objects.get(date="2026-11-24", product_id=shop.products[STEADY]).pk)
    drain()
    assert Holding.objects.get(person_id=shop.world.people["su"]).shares == 2_000_000
    assert shop.account().balance_fen == MONEY_FEN - 2_000_000


def test_a_second_order_adds_to_the_holding(shop: Shop) -> None:
    _bought(shop, amount_fen=1_000_000)
    _bought(shop, amount_fen=2_000_000)
    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    holding = Holding.objects.get(person_id=shop.world.people["su"])
    assert (holding.shares, holding.cost_fen) == (3_000_000, 3_000_000)


def test_more_orders_than_one_batch_are_all_confirmed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "_FAN_OUT", 2)
    for _ in range(5):
        shop.buy(amount_fen=1_000_000)
    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    assert Order.objects.filter(state="confirmed").count() == 5


def test_cancelling_gives_money_and_quota_back_once(shop: Shop) -> None:
    order = _bought(shop)
    key = str(uuid.uuid4())
    first, second = shop.cancel(order["id"], key=key), shop.cancel(order["id"], key=key)
    assert first.content == second.content and first.json()["state"] == "cancelled"
    assert shop.cancel(order["id"]).json()["state"] == "cancelled"
    assert shop.account().held_fen == 0
    assert shop.page()["product"]["left_fen"] == 50_000_000_000
    assert error(shop.caller().post(f"/api/finance/orders/{order['id']}/cancel")) == "invalid"


def test_a_cancelled_order_is_never_confirmed_and_a_confirmed_one_never_cancelled(shop: Shop) -> None:
    gone, kept = _bought(shop), _bought(shop)
    shop.cancel(gone["id"])
    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    assert settle.confirm_order(uuid.UUID(gone["id"])) is False
    assert shop.order(gone["id"])["state"] == "cancelled"
    assert error(shop.cancel(kept["id"])) == "order_finished"
    assert shop.account().balance_fen == MONEY_FEN - 2_000_000


def test_an_order_moves_as_its_table_says(shop: Shop) -> None:
    order = Order.objects.get(pk=_bought(shop)["id"])
    for state in ("accepted", "unknown"):
        with pytest.raises(OrderFinished):
            orders.finish(order, state)
    shop.cancel(str(order.pk))
    order.refresh_from_db()
    for state in ("accepted", "confirmed", "cancelled", "rejected"):
        with pytest.raises(OrderFinished):
            orders.finish(order, state)
    assert Order.objects.get(pk=order.pk).state == "cancelled"


def test_an_order_is_not_confirmed_at_a_nav_that_one_person_entered(shop: Shop) -> None:
    order = _bought(shop)
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": 10_000}
    assert shop.caller("fang").post("/api/finance/operations/navs", body).status_code == 201
    shop.clock.set("2026-11-25")
    drain()

    assert settle.confirm_order(uuid.UUID(order["id"])) is False
    assert shop.order(order["id"])["state"] == "accepted"


def test_cancelling_and_confirming_at_once_have_one_winner_each(
    real_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is turned off as a guard: what is left is the row's lock and the table of states."""
    orders = [real_shop.buy(amount_fen=1_000_000)["id"] for _ in range(6)]
    drain()
    real_shop.publish(STEADY, "2026-11-24", 10_000)
    monkeypatch.setattr("finance.wealth.actions.purchase.can_cancel", lambda order, moment: True)
    real_shop.clock.set("2026-11-25")
    cancelled, confirmed = [], []

    def cancel(order_id: str) -> None:
        if real_shop.cancel(order_id).status_code == 200:
            cancelled.append(order_id)
        connections.close_all()

    def confirm(order_id: str) -> None:
        if settle.confirm_order(uuid.UUID(order_id)):
            confirmed.append(order_id)
        connections.close_all()

    threads = [threading.Thread(target=do, args=(order_id,)) for order_id in orders for do in (cancel, confirm)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(cancelled + confirmed) == sorted(orders)
    assert Order.objects.filter(state="confirmed").count() == len(confirmed)
    assert Order.objects.filter(state="cancelled").count() == len(cancelled)
    account = real_shop.account()
    assert (account.balance_fen, account.held_fen) == (MONEY_FEN - 1_000_000 * len(confirmed), 0)


def test_whoever_enters_a_nav_cannot_approve_it(shop: Shop) -> None:
    _both_roles(shop, "fang")
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": 10_000}
    nav_id = shop.caller("fang").post("/api/finance/operations/navs", body).json()["nav_id"]
    approve = f"/api/finance/operations/navs/{nav_id}/approve"

    assert error(shop.caller("fang").post(approve, {"value": 10_000})) == "same_person"
    assert Nav.objects.get(pk=nav_id).status == "draft"


def test_the_database_wants_two_people_for_a_nav_too(shop: Shop) -> None:
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": 10_000}
    nav_id = shop.caller("fang").post("/api/finance/operations/navs", body).json()["nav_id"]

    with pytest.raises(IntegrityError, match="nav_checker_is_not_maker"), transaction.atomic():
        Nav.objects.filter(pk=nav_id).update(
            checker_id=shop.world.people["fang"], status="published", published_at="2026-11-24T12:00:00Z"
        )


def _both_roles(shop: Shop, name: str) -> None:
    from accounts.models import StaffRole

    StaffRole.objects.create(person_id=shop.world.people[name], role="checker")


def test_a_published_nav_can_be_changed_by_nobody(shop: Shop) -> None:
    nav_id = shop.publish(STEADY, "2026-11-24", 10_000).json()["nav_id"]
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": 10_001}
    assert error(shop.caller("fang").post("/api/finance/operations/navs", body)) == "nav_published"
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        Nav.objects.filter(pk=nav_id).update(value=10_001)
    with pytest.raises(DatabaseError), transaction.atomic():
        Nav.objects.filter(pk=nav_id).delete()


def test_an_approval_names_the_value_that_was_seen(shop: Shop) -> None:
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": 10_000}
    nav_id = shop.caller("fang").post("/api/finance/operations/navs", body).json()["nav_id"]
    shop.caller("fang").post("/api/finance/operations/navs", {**body, "value": 11_000})
    approve = f"/api/finance/operations/navs/{nav_id}/approve"
    assert error(shop.caller("qin").post(approve, {"value": 10_000})) == "nav_changed"
    assert shop.caller("qin").post(approve, {"value": 11_000}).json()["status"] == "published"
    assert shop.caller("qin").post(approve, {"value": 11_000}).status_code == 200


@pytest.mark.parametrize("value", [0, -1, 1.5, "10000", True, None, 10**12 + 1])
def test_a_nav_that_is_no_whole_number_above_zero_is_refused(shop: Shop, value: Any) -> None:
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": value}
    assert shop.caller("fang").post("/api/finance/operations/navs", body).status_code == 400


@pytest.mark.parametrize("day", ["2026-11-25", "2026-11-22", "2026-10-01", "yesterday"])
def test_a_nav_belongs_to_a_trading_day_that_has_come(shop: Shop, day: str) -> None:
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": day, "value": 10_000}
    assert shop.caller("fang").post("/api/finance/operations/navs", body).status_code == 400


def test_shares_are_cut_off_below_a_hundredth_and_never_exceed_what_was_paid() -> None:
    assert shares_for(1_000_000, 10_345, 10_000) == 966_650  # 9,666.505… shares
    assert shares_for(100, 1_030_000, 1_000_000) == 97
    for net in (1, 99, 100, 101, 1_000_000, 123_456_789):
        for nav in (9_999, 10_000, 10_001, 33_333):
            assert 0 <= net - shares_for(net, nav, 10_000) * nav / 10_000 < nav / 10_000
    assert value_of(966_650, 10_345, 10_000) == 999_999  # what was cut off stays in the product


def test_the_fee_and_the_net_amount_add_up_for_every_rate() -> None:
    for rate in (0, 1, 10, 15, 20, 150):
        for amount in (1, 99, 1_000, 1_000_000, 10**12):
            fee = fee_within(amount, rate)
            assert 0 <= fee <= amount
            net = amount - fee
            assert abs(net * (10_000 + rate) - amount * 10_000) * 2 <= 10_000 + rate
    assert fee_within(1_000_000, 0) == 0


def test_the_servers_role_cannot_rewrite_an_order_or_what_was_acknowledged(shop: Shop) -> None:
    order = _bought(shop)
    for statement in (
        "UPDATE wealth_order SET amount_fen = 1",
        "UPDATE wealth_order SET person_id = product_id",
        "DELETE FROM wealth_order",
        "UPDATE wealth_terms SET sha256 = ''",
        "DELETE FROM wealth_riskacknowledgement",
        "UPDATE wealth_documentopened SET sha256 = ''",
        "UPDATE wealth_document SET text = ''",
        "DELETE FROM wealth_assessment",
    ):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert shop.order(order["id"])["amount_fen"] == 2_000_000


def test_changing_terms_names_only_what_terms_have(shop: Shop) -> None:
    with pytest.raises(ValueError, match="quota_fen"):
        actions.change_terms(product_id=shop.products[INDEX], actor_id=None, changes={"quota_fen": 1})
