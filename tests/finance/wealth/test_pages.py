import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actions as accounts
from finance.wealth import queries
from tests.finance.wealth.conftest import CASH, MONEY_FEN, STEADY, Shop, drain, error


def test_money_in_transit_is_counted_once(shop: Shop) -> None:
    before = shop.caller().get("/api/finance/wealth").json()
    assert (before["total_fen"], before["in_transit_fen"]) == (MONEY_FEN, 0)

    shop.buy(amount_fen=2_000_000)
    shop.clock.set("2026-11-24", "10:00:01")
    shop.buy(CASH, amount_fen=123_456)
    during = shop.caller().get("/api/finance/wealth").json()
    assert during["total_fen"] == MONEY_FEN
    assert during["in_transit_fen"] == 2_123_456
    assert during["balances_fen"] == MONEY_FEN - 2_123_456
    assert [order["amount_fen"] for order in during["in_transit"]] == [123_456, 2_000_000]

    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    after = shop.caller().get("/api/finance/wealth").json()
    assert (after["holdings_fen"], after["in_transit_fen"], after["total_fen"]) == (2_000_000, 123_456, MONEY_FEN)


def test_gains_follow_the_navs(shop: Shop) -> None:
    shop.buy(amount_fen=2_000_000)
    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    shop.publish(STEADY, "2026-11-25", 10_010)
    shop.clock.set("2026-11-26")
    shop.publish(STEADY, "2026-11-26", 10_030)

    found = shop.caller().get("/api/finance/wealth").json()
    (holding,) = found["holdings"]
    assert (holding["value_fen"], holding["total_fen"], holding["day_fen"]) == (2_006_000, 6_000, 4_000)
    assert (found["day_fen"], found["month_fen"]) == (4_000, 6_000)
    assert [point["fen"] for point in found["series"]][-3:] == [0, 2_000, 6_000]


def test_the_wealth_page_costs_the_same_statements_with_one_order_or_with_many(shop: Shop) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            queries.summary(shop.world.people["su"])
            queries.recommended(shop.world.people["su"])
        return len(seen)

    shop.buy(amount_fen=1_000_000)
    few = cost()
    for _ in range(4):
        shop.buy(amount_fen=1_000_000)
    shop.buy(CASH, amount_fen=100)
    assert cost() == few


def test_lists_cost_the_same_statements_whatever_their_length(shop: Shop) -> None:
    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert shop.caller().get(path).status_code == 200
        return len(seen)

    shop.buy(amount_fen=1_000_000)
    cost("/api/finance/orders")
    orders, shelf = cost("/api/finance/orders"), cost("/api/finance/products?limit=1")
    for _ in range(4):
        shop.buy(amount_fen=1_000_000)
    assert cost("/api/finance/orders") == orders
    assert cost("/api/finance/products") == shelf


def test_orders_and_products_come_in_pages(shop: Shop) -> None:
    bought = [shop.buy(amount_fen=1_000_000)["id"] for _ in range(5)]
    seen, before = [], ""
    while True:
        page = shop.caller().get(f"/api/finance/orders?limit=2{before}").json()
        seen += [order["id"] for order in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert sorted(seen) == sorted(bought) and len(seen) == 5

    first = shop.caller().get("/api/finance/products?limit=3").json()
    rest = shop.caller().get(f"/api/finance/products?limit=3&before={first['next']}").json()
    assert len(first["items"]) == 3 and len(rest["items"]) == 1 and rest["next"] is None


def test_an_advisor_reads_the_shelf_for_a_customer_to_its_end(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.api.OFFERS", 3)
    zhou, path = shop.caller("zhou"), f"/api/desk/customers/{shop.world.people['su']}"
    first = zhou.get(path).json()
    assert len(first["products"]) == 3
    rest = zhou.get(f"{path}/products?limit=3&before={first['products_next']}").json()
    assert rest["next"] is None
    seen = [one["id"] for one in first["products"] + rest["items"]]
    assert sorted(seen) == sorted(str(one) for one in shop.products.values())
    for query in ("limit=0", "limit=1000", "before=x", "before=１.A", "before=" + "9" * 400 + ".A"):
        assert zhou.get(f"{path}/products?{query}").status_code == 400, query
    assert zhou.get(f"/api/desk/customers/{shop.world.people['lin']}/products").status_code == 404
    assert shop.caller("su").get(f"{path}/products").status_code == 403


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=1000", "limit=x", "limit=１", "before=x"])
def test_a_page_that_cannot_be_is_refused(shop: Shop, query: str) -> None:
    assert shop.caller().get(f"/api/finance/orders?{query}").status_code == 400


def test_the_nav_curve_is_paged_and_in_order_of_time(shop: Shop) -> None:
    path = f"/api/finance/products/{shop.products[STEADY]}/navs"
    days = [nav["date"] for nav in shop.caller().get(f"{path}?limit=5").json()["items"]]
    assert len(days) == 5 and days == sorted(days) and days[-1] == "2026-11-23"


def test_a_draft_is_shown_to_operations_alone(shop: Shop) -> None:
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": 99_999}
    shop.caller("fang").post("/api/finance/operations/navs", body)
    assert shop.page()["product"]["nav"]["date"] == "2026-11-23"
    curve = shop.caller().get(f"/api/finance/products/{shop.products[STEADY]}/navs").json()["items"]
    assert all(nav["value"] != 99_999 for nav in curve)
    rows = shop.caller("qin").get("/api/finance/operations/navs").json()["items"]
    row = next(row for row in rows if row["product_code"] == STEADY and row["date"] == "2026-11-24")
    assert (row["status"], row["value"], row["maker"], row["mine"]) == ("draft", 99_999, "方敏", False)


def test_nobody_signed_in_sees_nothing(shop: Shop) -> None:
    from tests.support.caller import Caller

    guest = Caller(None)
    for path in ("products", "wealth", "orders", "assessment", "operations/navs"):
        assert guest.get(f"/api/finance/{path}").status_code == 401


def test_somebody_elses_order_does_not_exist(shop: Shop) -> None:
    order = shop.buy()
    for stranger in ("xu", "lin", "zhou", "fang"):
        assert shop.caller(stranger).get(f"/api/finance/orders/{order['id']}").status_code == 404
        assert shop.cancel(order["id"], stranger).status_code == 404
        assert shop.caller(stranger).get("/api/finance/orders").json()["items"] == []
    assert shop.order(order["id"])["state"] == "accepted"


def test_an_offer_is_seen_by_its_two_parties_alone_and_bought_from_by_its_customer_alone(shop: Shop) -> None:
    offer_id = shop.offer(STEADY, "su").json()["id"]
    assert shop.caller("su").get(f"/api/finance/offers/{offer_id}").json()["mine"] is True
    assert shop.caller("zhou").get(f"/api/finance/offers/{offer_id}").json()["mine"] is False
    for stranger in ("xu", "lin", "liang", "song"):
        assert shop.caller(stranger).get(f"/api/finance/offers/{offer_id}").status_code == 404
    assert shop.post_order(shop.wish(STEADY, "xu", offer_id=offer_id), "xu").status_code == 404
    accounts.set_roles(person_id=shop.world.people["zhou"], roles={}, by=None)
    assert shop.caller("zhou").get(f"/api/finance/offers/{offer_id}").status_code == 404
    drain()
    assert shop.caller("su").get(f"/api/finance/offers/{offer_id}").json()["mine"] is True
    assert shop.post_order(shop.wish(CASH, "su", amount_fen=100, offer_id=offer_id)).status_code == 404


def test_only_the_customers_own_advisor_sends_a_card_and_sees_their_shelf(shop: Shop) -> None:
    su = shop.world.people["su"]
    for stranger in ("lin", "song", "fang", "liang", "su"):
        assert shop.offer(STEADY, "su", stranger).status_code == 404
        assert shop.caller(stranger).get(f"/api/finance/customers/{su}/shelf").status_code == 404
    lin = shop.world.people["lin"]  # in nobody's care
    assert shop.caller("zhou").get(f"/api/finance/customers/{lin}/shelf").status_code == 404


def test_a_card_goes_only_into_a_conversation_of_both(shop: Shop) -> None:
    other = shop.talk("xu")
    assert shop.offer(STEADY, "su", conversation_id=str(other)).status_code == 404
    assert shop.offer(STEADY, "su", conversation_id=str(uuid.uuid4())).status_code == 404


@pytest.mark.parametrize("who", ["su", "zhou", "liang", "song"])
def test_navs_are_for_operations(shop: Shop, who: str) -> None:
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": 10_000}
    assert shop.caller(who).get("/api/finance/operations/navs").status_code == 403
    assert shop.caller(who).post("/api/finance/operations/navs", body).status_code == 403
    nav_id = shop.caller("fang").post("/api/finance/operations/navs", body).json()["nav_id"]
    assert shop.caller(who).post(f"/api/finance/operations/navs/{nav_id}/approve", {"value": 10_000}).status_code == 403


def test_makers_do_not_approve_and_checkers_do_not_enter(shop: Shop) -> None:
    body = {"id": str(uuid.uuid4()), "product_id": str(shop.products[STEADY]), "date": "2026-11-24", "value": 10_000}
    assert shop.caller("qin").post("/api/finance/operations/navs", body).status_code == 403
    nav_id = shop.caller("fang").post("/api/finance/operations/navs", body).json()["nav_id"]
    approve = f"/api/finance/operations/navs/{nav_id}/approve"
    assert shop.caller("fang").post(approve, {"value": 10_000}).status_code == 403


@pytest.mark.parametrize("path", ["products/{}", "products/{}/navs", "orders/{}", "offers/{}"])
def test_an_id_that_is_nobodys_is_not_found(shop: Shop, path: str) -> None:
    assert shop.caller().get("/api/finance/" + path.format(uuid.uuid4())).status_code == 404
    assert shop.caller().get("/api/finance/" + path.format("nonsense")).status_code == 404


def test_the_product_card_and_the_order_card_follow_the_order(shop: Shop) -> None:
    talk = shop.talk()
    offered = shop.offer(STEADY, "su")
    drain()
    (card,) = shop.cards(talk)
    assert (card["kind"], card["state"], card["ref"]) == ("product", "offered", offered.json()["id"])
    assert "C2" not in str(card["payload"]) and "suitab" not in str(card["payload"])

    order = shop.buy(offer_id=offered.json()["id"], amount_fen=2_000_000)
    drain()
    assert _states(shop, talk) == [("product", "accepted"), ("order", "accepted")]
    assert _states(shop, talk, "zhou") == [("product", "accepted"), ("order", "accepted")]
    seen = shop.caller("zhou").get(f"/api/finance/offers/{offered.json()['id']}").json()
    assert seen["order"]["amount_fen"] == 2_000_000

    shop.cancel(order["id"])
    drain()
    assert _states(shop, talk) == [("product", "cancelled"), ("order", "cancelled")]

    shop.clock.set("2026-11-24", "10:30:00")
    again = shop.buy(offer_id=offered.json()["id"], amount_fen=1_000_000)
    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    assert _states(shop, talk) == [("product", "confirmed"), ("order", "cancelled"), ("order", "confirmed")]
    confirmed = next(card for card in shop.cards(talk) if card["ref"] == again["id"])
    assert confirmed["payload"]["shares"] == 1_000_000 and confirmed["payload"]["nav"] == "1.0000"


def _states(shop: Shop, talk: uuid.UUID, name: str = "su") -> list[tuple[Any, Any]]:
    found = [(card["kind"], card["state"]) for card in shop.cards(talk, name)]
    return sorted(found, key=lambda item: (item[0] != "product", item[1]))


def test_the_same_card_sent_again_is_one(shop: Shop) -> None:
    client_id = str(uuid.uuid4())
    first, second = shop.offer(client_id=client_id), shop.offer(client_id=client_id)
    assert first.json() == second.json()
    assert error(shop.offer(CASH, client_id=client_id)) == "key_reused"
    drain()
    assert len(shop.cards(shop.talk())) == 1
