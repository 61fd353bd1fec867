import threading
import uuid
from typing import Any

import pytest
from django.db import connection, connections

from finance.ledger import actions as ledger
from finance.ledger.actions import Leg
from finance.ledger.models import Account
from finance.wealth import actions
from finance.wealth.models import Order, Product
from tests.finance.wealth.conftest import INDEX, MONEY_FEN, STEADY, Shop, drain, error, orders_of
from tests.support.bank import Sheet, step_up
from tests.support.scan import text_of


def test_a_confirmed_purchase_holds_the_money_and_waits_for_its_trading_day(shop: Shop) -> None:
    order = shop.buy(amount_fen=2_000_000)

    assert order["state"] == "accepted" and order["can_cancel"] is True
    assert order["trading_day"] == "2026-11-24" and order["confirm_day"] == "2026-11-25"
    assert order["cut_off_at"].startswith("2026-11-24T07:00:00")
    account = shop.account()
    assert (account.balance_fen, account.held_fen) == (MONEY_FEN, 2_000_000)
    assert Product.objects.get(pk=shop.products[STEADY]).quota_used_fen == 2_000_000


def test_the_statement_names_product_amount_account_trading_day_and_documents(shop: Shop) -> None:
    statement = shop.prepare(amount_fen=2_000_000).intent().json()["statement"]
    page = shop.page()

    for said in ("远山稳进 90 天 12 号", "YSWJ90-12", "2026-11-24", "2026-11-25", "20,000.00", shop.account().tail):
        assert said in statement
    for document in page["documents"]:
        assert f'"sha256":"{document["sha256"]}"' in statement


def test_the_receipt_of_a_purchase_names_each_document_by_its_whole_hash(shop: Shop) -> None:
    sheet, page = shop.prepare(), shop.page()
    sheet.confirm()

    receipt = f"/api/finance/intents/{sheet.intent_id}/receipt"
    named = {one["title"]: one["sha256"] for one in shop.caller().get(receipt).json()["documents"]}
    assert set(named) == {"产品说明书", "投资协议书", "风险揭示书"}
    assert sorted(named.values()) == sorted(one["sha256"] for one in page["documents"])
    words = text_of(shop.caller().get(f"{receipt}/pdf").content)
    for title, sha256 in named.items():
        assert title in words and sha256[:32] in words and sha256[32:] in words


def test_nothing_moves_before_the_confirmation(shop: Shop) -> None:
    shop.prepare()
    assert orders_of(shop) == []
    assert shop.account().held_fen == 0


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (0, "invalid"),
        (-1, "invalid"),
        (0.001, "invalid"),
        (1e30, "invalid"),
        (2_000_000.0, "invalid"),
        (True, "invalid"),
        ("１００", "invalid"),
        ("2000000", "invalid"),
        (None, "invalid"),
        (2**63, "invalid"),
        (999_999, "below_minimum"),
        (1_050_000, "off_step"),
        (1_000_001, "off_step"),
        (MONEY_FEN + 100_000, "not_enough_money"),
    ],
)
def test_an_amount_that_does_not_fit_is_refused_and_changes_nothing(shop: Shop, amount: Any, code: str) -> None:
    refused = shop.post_order(shop.wish(amount_fen=amount))
    assert 400 <= refused.status_code < 500 and error(refused) == code
    assert orders_of(shop) == [] and shop.account().held_fen == 0


def test_least_amount_and_one_step_more_are_taken(shop: Shop) -> None:
    assert shop.buy(amount_fen=1_000_000)["state"] == "accepted"
    assert shop.buy(amount_fen=1_100_000)["state"] == "accepted"


def test_documents_come_first_and_the_disclosure_must_be_this_text(shop: Shop) -> None:
    disclosure = next(item["sha256"] for item in shop.page()["documents"] if item["kind"] == "risk")
    body = {
        "id": str(uuid.uuid4()),
        "product_id": str(shop.products[STEADY]),
        "amount_fen": 1_000_000,
        "account_id": str(shop.accounts["su"]),
        "risk_sha256": disclosure,
    }
    assert error(shop.post_order(body)) == "documents_unread"

    shop.read_documents()
    assert error(shop.post_order({**body, "risk_sha256": "0" * 64})) == "risk_not_acknowledged"
    assert shop.post_order(body).status_code == 201


def test_a_document_counts_as_opened_only_with_the_hash_of_its_text(shop: Shop) -> None:
    document = shop.page()["documents"][0]
    path = f"/api/finance/products/{shop.products[STEADY]}/documents/{document['id']}/opened"
    assert shop.caller().post(path, {"sha256": "0" * 64}).status_code == 409
    assert shop.caller().post(path, {"sha256": "nothing"}).status_code == 400
    assert shop.page()["documents"][0]["opened"] is False


def test_changed_terms_make_the_statement_stale_and_the_sheet_gets_a_fresh_one(shop: Shop) -> None:
    sheet = shop.prepare()
    actions.change_terms(product_id=shop.products[STEADY], actor_id=None, changes={"subscription_fee_bp": 30})

    refused = sheet.confirm()

    assert error(refused) == "statement_stale"
    assert orders_of(shop) == [] and shop.account().held_fen == 0
    assert sheet.confirm(statement_hash=sheet.shown_hash()).status_code == 200
    (order,) = orders_of(shop)
    assert order.fee_fen == 5_982  # 20,000 yuan - 20,000 / 1.003, rounded half up


def test_a_replaced_document_must_be_opened_before_anything_is_confirmed(shop: Shop) -> None:
    sheet = shop.prepare()
    actions.change_terms(
        product_id=shop.products[STEADY],
        actor_id=None,
        changes={},
        documents=[actions.DocumentText("manual", "新说明书", "New manual", "另一份说明书\n\n一、内容\n有所不同。\n")],
    )
    assert error(sheet.confirm()) == "documents_unread"
    assert orders_of(shop) == []


def test_a_repeat_of_the_same_request_gives_the_same_bytes_and_one_intent(shop: Shop) -> None:
    body, key = shop.wish(), str(uuid.uuid4())
    first, second = shop.post_order(body, key=key), shop.post_order(body, key=key)
    assert first.content == second.content
    assert error(shop.post_order({**body, "amount_fen": 3_000_000}, key=key)) == "key_reused"


def test_an_order_s_id_is_taken_once(shop: Shop) -> None:
    """Under another key, and though the same is asked for."""
    body = shop.wish()
    sheet = Sheet(shop.post_order(body).json()["confirm_url"])
    assert sheet.confirm().status_code == 200

    assert error(shop.post_order(body)) == "conflict"
    assert len(orders_of(shop)) == 1 and shop.account().held_fen == 2_000_000


def test_confirming_twice_is_one_order(shop: Shop) -> None:
    sheet = shop.prepare()
    shown = sheet.shown_hash()
    assert sheet.confirm(statement_hash=shown).status_code == 200
    assert sheet.confirm(statement_hash=shown).status_code == 200
    assert len(orders_of(shop)) == 1 and shop.account().held_fen == 2_000_000


def test_fifty_confirmations_at_once_are_one_order(real_shop: Shop) -> None:
    sheet = real_shop.prepare()
    shown = sheet.shown_hash()
    cookies = sheet.client.cookies
    answers: list[int] = []

    def confirm() -> None:
        twin = Sheet()
        twin.client.cookies, twin.intent_id = cookies, sheet.intent_id
        answers.append(twin.confirm(statement_hash=shown).status_code)
        connections.close_all()

    threads = [threading.Thread(target=confirm) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(answers) <= {200, 409, 429} and answers.count(200) >= 1  # 409: the first is at work
    assert len(orders_of(real_shop)) == 1
    assert real_shop.account().held_fen == 2_000_000
    assert Product.objects.get(pk=real_shop.products[STEADY]).quota_used_fen == 2_000_000


def test_the_quota_is_never_exceeded(shop: Shop) -> None:
    Product.objects.filter(pk=shop.products[STEADY]).update(quota_fen=3_000_000)
    first, second = shop.prepare(amount_fen=2_000_000), shop.prepare(amount_fen=2_000_000)
    first.client.cookies = second.client.cookies  # one page after the other, in one bank session
    step_up(second.client.cookies["rl_bank"].value)
    assert first.confirm().status_code == 200
    assert error(second.confirm()) == "quota_used_up"
    assert error(shop.post_order(shop.wish(amount_fen=2_000_000))) == "quota_used_up"
    assert shop.account().held_fen == 2_000_000


def test_the_fee_is_inside_the_amount_and_rounded_half_up(shop: Shop) -> None:
    order = shop.buy(INDEX, "xu", amount_fen=100_000)
    assert order["fee_fen"] == 100  # 1,000 yuan - 1,000 / 1.001 = 0.999 yuan


def test_an_account_of_somebody_else_or_of_class_three_cannot_pay(shop: Shop) -> None:
    assert error(shop.post_order(shop.wish(account_id=str(shop.accounts["xu"])))) == "account_cannot_pay"
    assert error(shop.post_order(shop.wish(account_id=str(uuid.uuid4())))) == "account_cannot_pay"
    small = ledger.open_account(
        owner_id=shop.world.people["su"], account_type="customer", account_class="III", name="零钱", key="test:small"
    )
    fund = [Leg(shop.accounts["xu"], -2_000_000), Leg(small.pk, 2_000_000)]
    ledger.post(key="test:fund", kind="opening", legs=fund, memo="期初")
    assert error(shop.post_order(shop.wish(account_id=str(small.pk)))) == "account_cannot_pay"


def test_a_frozen_account_cannot_pay(shop: Shop) -> None:
    Account.objects.filter(pk=shop.accounts["su"]).update(status="frozen")

    assert error(shop.post_order(shop.wish())) == "account_cannot_pay"


def test_the_checks_name_every_condition_with_its_reason(shop: Shop) -> None:
    path = "/api/finance/orders/checks"
    bare = shop.caller().post(path, {"product_id": str(shop.products[INDEX]), "amount_fen": 999}).json()
    outcome = {item["code"]: item["ok"] for item in bare["checks"]}
    assert outcome == {
        "on_sale": True,
        "suitability": False,
        "documents": False,
        "risk": False,
        "amount": False,
        "quota": True,
    }
    assert "R4" in next(item["message"] for item in bare["checks"] if item["code"] == "suitability")
    body = {key: value for key, value in shop.wish().items() if key != "id"}
    full = shop.caller().post(path, body).json()
    assert all(item["ok"] for item in full["checks"]) and full["session"]["trading_day"] == "2026-11-24"


def test_the_purchase_and_its_outbox_rows_are_one_transaction(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = shop.prepare()
    monkeypatch.setattr("finance.wealth.actions.purchase._take_quota", _fails)
    assert sheet.confirm().status_code == 500
    assert orders_of(shop) == [] and shop.account().held_fen == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kernel_outboxrow WHERE topic LIKE 'wealth.%%'")
        assert cursor.fetchone()[0] == 0


def _fails(*_: Any) -> None:
    raise RuntimeError("in the middle")


def test_the_order_card_is_in_the_service_conversation_when_bought_from_the_shelf(shop: Shop) -> None:
    order = shop.buy()
    drain()
    drain()  # a second run of everything changes nothing
    conversations = shop.caller().get("/api/chat/conversations").json()["items"]
    news = [item for item in conversations if (item.get("last") or {}).get("kind") == "card"]
    cards = [card for item in news for card in shop.cards(item["id"]) if card["kind"] == "order"]
    assert [(card["ref"], card["state"]) for card in cards] == [(order["id"], "accepted")]
    assert Order.objects.count() == 1
