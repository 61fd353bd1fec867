"""What each lock of wealth is for, shown with one client that holds and another that waits."""

import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import F

from finance.wealth import actions
from finance.wealth.actions import settle
from finance.wealth.errors import AssessmentsUsedUp, DraftChanged, NavChanged, OrderFinished
from finance.wealth.facts import Wanted
from finance.wealth.models import Nav, Order, Product, ProductDraft
from rongliao.demo.wealth import _answers
from tests.finance.wealth.conftest import MONEY_FEN, STEADY, Shop, drain, error
from tests.finance.wealth.test_products import Desk
from tests.support.aside import Aside


@pytest.fixture
def ripe(real_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """An order of 20,000 yuan that is due to be confirmed, and that the clock does not keep from being cancelled."""
    order_id = UUID(real_shop.buy()["id"])
    drain()
    real_shop.publish(STEADY, "2026-11-24", 10_000)
    monkeypatch.setattr("finance.wealth.actions.purchase.can_cancel", lambda order, moment: True)
    real_shop.clock.set("2026-11-25")
    return order_id


def _cancel(shop: Shop, order_id: UUID) -> Order:
    return actions.cancel_order(person_id=shop.world.people["su"], order_id=order_id)


def test_an_order_that_is_being_cancelled_is_not_confirmed(real_shop: Shop, ripe: UUID) -> None:
    with transaction.atomic():
        _cancel(real_shop, ripe)
        other = Aside(lambda: settle.confirm_order(ripe))
        assert other.waits()

    assert other.result() is False
    assert (real_shop.account().balance_fen, real_shop.account().held_fen) == (MONEY_FEN, 0)


def test_an_order_that_is_being_confirmed_is_not_cancelled(real_shop: Shop, ripe: UUID) -> None:
    with transaction.atomic():
        assert settle.confirm_order(ripe)
        other = Aside(lambda: _cancel(real_shop, ripe))
        assert other.waits()
    with pytest.raises(OrderFinished):
        other.result()

    assert real_shop.account().balance_fen == MONEY_FEN - 2_000_000
    assert Product.objects.get(pk=real_shop.products[STEADY]).quota_used_fen == 2_000_000


def test_a_nav_that_is_being_changed_is_not_approved_unseen(real_shop: Shop) -> None:
    people, product_id, nav_id = real_shop.world.people, real_shop.products[STEADY], uuid.uuid4()
    asked: dict[str, Any] = {"nav_id": nav_id, "maker_id": people["fang"], "product_id": product_id}
    day = real_shop.clock.moment.date()
    actions.enter_nav(**asked, day=day, value=10_000)

    with transaction.atomic():
        actions.enter_nav(**asked, day=day, value=11_000)
        other = Aside(lambda: actions.approve_nav(nav_id=nav_id, checker_id=people["qin"], value=10_000))
        assert other.waits()
    with pytest.raises(NavChanged):
        other.result()

    assert Nav.objects.get(pk=nav_id).status == "draft"


def test_a_draft_that_is_being_changed_is_not_approved_unseen(real_shop: Shop) -> None:
    desk, people = Desk(real_shop), real_shop.world.people
    body = desk.of_product("off_sale")
    assert desk.enter(body).status_code == 201
    draft_id = UUID(body["id"])

    with transaction.atomic():
        wanted = Wanted(facts=None, documents=[], note="另有原因")
        actions.change_draft(draft_id=draft_id, maker_id=people["fang"], revision=1, wanted=wanted)
        other = Aside(lambda: actions.approve_draft(draft_id=draft_id, checker_id=people["qin"], revision=1))
        assert other.waits()
    with pytest.raises(DraftChanged):
        other.result()

    assert ProductDraft.objects.get(pk=draft_id).state == "waiting"


def test_assessments_of_one_person_are_counted_one_after_the_other(real_shop: Shop) -> None:
    su = real_shop.world.people["su"]

    def take() -> Any:
        return actions.take_assessment(assessment_id=uuid.uuid4(), person_id=su, answers=_answers("C3"))

    take()
    with transaction.atomic():
        take()
        other = Aside(take)
        assert other.waits()
    with pytest.raises(AssessmentsUsedUp):
        other.result()


def _sold_meanwhile(shop: Shop, change: Callable[[UUID], Any]) -> str:
    """The code of what a purchase is answered that is confirmed while the product is being changed."""
    sheet = shop.prepare()
    seen = sheet.shown_hash()
    with transaction.atomic():
        change(shop.products[STEADY])
        other = Aside(lambda: sheet.confirm(statement_hash=seen))
        assert other.waits()
    refused = error(other.result())
    assert not Order.objects.exists() and shop.account().held_fen == 0
    return refused


def test_a_quota_that_is_being_used_up_is_not_used_twice(real_shop: Shop) -> None:
    def use_up(product_id: UUID) -> None:
        Product.objects.filter(pk=product_id).update(quota_used_fen=F("quota_fen"))

    assert _sold_meanwhile(real_shop, use_up) == "quota_used_up"


def test_what_is_being_taken_off_sale_is_not_sold(real_shop: Shop) -> None:
    def take_off(product_id: UUID) -> None:
        Product.objects.filter(pk=product_id).update(status="paused")

    assert _sold_meanwhile(real_shop, take_off) == "product_not_on_sale"


def test_terms_that_are_being_changed_are_not_bought_under_the_old_ones(real_shop: Shop) -> None:
    def change(product_id: UUID) -> None:
        actions.change_terms(product_id=product_id, actor_id=None, changes={"subscription_fee_bp": 30})

    assert _sold_meanwhile(real_shop, change) == "statement_stale"
