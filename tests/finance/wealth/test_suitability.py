import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from finance.wealth import queries
from finance.wealth.models import Assessment
from finance.wealth.questionnaire import QUESTIONS
from rongliao.demo.wealth import ANSWERS, _answers
from tests.finance.wealth.conftest import BALANCED, CASH, INDEX, STEADY, Shop, drain, error, orders_of


def _assess(shop: Shop, answers: dict[str, Any], name: str = "su", assessment_id: str | None = None) -> Any:
    return shop.caller(name).post(
        "/api/finance/assessments", {"id": assessment_id or str(uuid.uuid4()), "answers": answers}
    )


@pytest.mark.parametrize("code", [STEADY, INDEX, CASH, BALANCED])
@pytest.mark.parametrize("name", ["su", "xu"])
def test_sending_recommending_showing_and_buying_say_the_same(shop: Shop, code: str, name: str) -> None:
    judged = queries.suitability(shop.world.people[name], shop.products[code])

    shown = shop.page(code, name)["product"]["suitability"]
    on_shelf = shop.caller("zhou").get(f"/api/finance/customers/{shop.world.people[name]}/shelf").json()["items"]
    for_advisor = next(item["suitability"] for item in on_shelf if item["code"] == code)
    recommended = {view.product.code for view in queries.recommended(shop.world.people[name], most=10)}
    sent = shop.offer(code, name)
    prepared = shop.post_order(shop.wish(code, name, amount_fen=3_000_000), name)

    assert shown == for_advisor
    assert (shown["ok"], shown["reason_zh"]) == (judged.ok, judged.reason_zh)
    assert (code in recommended) is judged.ok
    assert (sent.status_code == 201) is judged.ok
    assert (prepared.status_code == 201) is judged.ok
    if not judged.ok:
        assert error(sent) == error(prepared) == "not_suitable"
        assert sent.json()["error"]["message"] == prepared.json()["error"]["message"] == judged.reason_zh
    assert judged.ok is (name == "xu" or code in {STEADY, CASH})


def test_the_higher_risk_of_issuer_and_seller_stands(shop: Shop) -> None:
    product = shop.page(INDEX)["product"]
    assert (product["issuer_risk"], product["seller_risk"], product["risk"]) == (3, 4, 4)
    assert queries.suitability(shop.world.people["he"], shop.products[INDEX]).code == "above_class"


def test_the_reason_is_said_in_the_readers_language_with_the_way_out(shop: Shop) -> None:
    suitability = shop.page(INDEX)["product"]["suitability"]
    assert (
        "R4" in suitability["reason_zh"] and "C2" in suitability["reason_zh"] and "重新测评" in suitability["reason_zh"]
    )
    assert suitability["way_out"] == "assess"
    english = shop.caller("zhou").post(
        "/api/finance/offers",
        {
            "client_id": str(uuid.uuid4()),
            "customer_id": str(shop.world.people["su"]),
            "conversation_id": str(shop.talk()),
            "product_id": str(shop.products[INDEX]),
        },
        **{"Accept-Language": "en"},
    )
    assert "above class C2" in english.json()["error"]["message"]


def test_an_assessment_is_valid_to_its_last_day_and_not_a_day_longer(shop: Shop) -> None:
    last = Assessment.objects.get(person_id=shop.world.people["su"]).valid_until
    assert last == date(2027, 10, 24)  # taken on 2026-10-25
    shop.clock.set(last.isoformat(), "23:59:59")
    assert queries.suitability(shop.world.people["su"], shop.products[STEADY]).ok
    shop.clock.set((last + timedelta(days=1)).isoformat(), "00:00:00")
    after = queries.suitability(shop.world.people["su"], shop.products[STEADY])
    assert (after.ok, after.code) == (False, "assessment_expired")


def test_without_an_assessment_nothing_can_be_bought_and_nothing_is_recommended(shop: Shop) -> None:
    assert queries.suitability(shop.world.people["tao"], shop.products[CASH]).code == "no_assessment"
    assert shop.caller("tao").get("/api/finance/wealth").json()["recommended"] == []


def test_a_lower_class_between_statement_and_confirmation_stops_the_purchase(shop: Shop) -> None:
    sheet = shop.prepare()
    assert _assess(shop, _answers("C1")).status_code == 201
    assert error(sheet.confirm()) == "not_suitable"
    assert orders_of(shop) == []


def test_who_holds_more_risk_than_their_class_is_told_and_cannot_add(shop: Shop) -> None:
    order = shop.buy(INDEX, "xu", amount_fen=1_000_000)
    shop.clock.set("2026-11-25")
    assert shop.publish(INDEX, "2026-11-24", 10_020).status_code == 200
    drain()
    assert shop.order(order["id"], "xu")["state"] == "confirmed"
    assert _assess(shop, _answers("C2"), "xu").status_code == 201

    holding = shop.caller("xu").get("/api/finance/wealth").json()["holdings"][0]
    assert holding["suitability"]["code"] == "holds_above_class"
    assert "不能追加" in holding["suitability"]["reason_zh"]
    assert error(shop.post_order(shop.wish(INDEX, "xu"), "xu")) == "not_suitable"


def test_the_questionnaire_gives_each_class(shop: Shop) -> None:
    for name, (person_class, _) in zip(("lin", "shen", "he", "bai", "tao"), ANSWERS.items(), strict=True):
        answer = _assess(shop, _answers(person_class), name)
        assert answer.status_code == 201 and f"C{answer.json()['person_class']}" == person_class


def test_who_can_bear_no_loss_is_conservative_whatever_the_rest(shop: Shop) -> None:
    answers = {question.key: max(question.options, key=lambda option: option.points).key for question in QUESTIONS}
    assert _assess(shop, {**answers, "loss": "a"}).json()["person_class"] == 1
    assert _assess(shop, answers, "lin").json()["person_class"] == 5


def test_two_assessments_a_day_and_eight_a_year_are_the_most(shop: Shop) -> None:
    shop.clock.set("2026-11-24")
    days = ["2026-11-24", "2026-11-25", "2026-11-26"]
    for day in days:
        shop.clock.set(day)
        assert _assess(shop, _answers("C2")).status_code == 201
        assert _assess(shop, _answers("C3")).status_code == 201
        assert error(_assess(shop, _answers("C2"))) == "assessments_used_up"
    shop.clock.set("2026-11-27")
    assert _assess(shop, _answers("C2")).status_code == 201  # the eighth: one was taken a month before
    assert error(_assess(shop, _answers("C2"))) == "assessments_used_up"
    page = shop.caller().get("/api/finance/assessment").json()
    assert (page["current"]["left_today"], page["current"]["left_this_year"]) == (0, 0)


def test_the_same_assessment_again_is_one_and_other_answers_under_its_id_are_refused(shop: Shop) -> None:
    same = str(uuid.uuid4())
    assert _assess(shop, _answers("C3"), assessment_id=same).status_code == 201
    assert _assess(shop, _answers("C3"), assessment_id=same).status_code == 201
    assert error(_assess(shop, _answers("C5"), assessment_id=same)) == "key_reused"
    assert error(_assess(shop, _answers("C3"), "xu", assessment_id=same)) == "key_reused"
    assert Assessment.objects.filter(person_id=shop.world.people["su"]).count() == 2


@pytest.mark.parametrize(
    "spoil",
    [
        {"age": "z"},
        {"age": "aa"},
        {"age": 1},
        {"age": None},
        {"age": "\u202e"},
        {"more": "a"},
    ],
)
def test_answers_that_do_not_fit_are_refused(shop: Shop, spoil: dict[str, Any]) -> None:
    assert _assess(shop, {**_answers("C3"), **spoil}).status_code == 400
    partial = _answers("C3")
    partial.pop("age")
    assert _assess(shop, partial).status_code == 400
    assert _assess(shop, {}).status_code == 400
