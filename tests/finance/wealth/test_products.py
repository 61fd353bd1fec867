"""Operations enter, check and change products: always two people, and nothing in force before."""

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from accounts.models import StaffRole
from finance.wealth.facts import facts_json
from finance.wealth.models import Document, DraftStep, Order, Product, ProductDraft, Terms
from kernel.models import AuditRow
from rongliao.demo.wealth import PRODUCTS
from tests.finance.wealth.conftest import STEADY, Shop, drain, error

DRAFTS = "/api/finance/operations/product-drafts"
KEPT = "/api/finance/operations/products"
FILES = "/api/finance/operations/product-files"
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
TITLES = {"manual": "产品说明书", "agreement": "投资协议书", "risk": "风险揭示书"}


def text_of(title: str) -> bytes:
    return f"{title}\n\n一、内容\n".encode()


@dataclass
class Desk:
    """Fang enters, Qin checks."""

    shop: Shop

    def file(self, content: bytes, who: str = "fang") -> Any:
        answer = self.shop.caller(who).upload(FILES, content, "文件.txt")
        assert answer.status_code == 201, answer.content
        return answer.json()

    def documents(self) -> list[dict[str, str]]:
        return [
            {
                "kind": kind,
                "title": title,
                "title_en": kind,
                "file_id": self.file(text_of(title))["id"],
            }
            for kind, title in TITLES.items()
        ]

    def facts(self, **changed: Any) -> dict[str, Any]:
        return {**facts_json(PRODUCTS[STEADY][0]), "code": "NEW-1", "shelf_order": 20, **changed}

    def new(self, who: str = "fang", **changed: Any) -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()),
            "purpose": "new",
            "product_id": None,
            "facts": self.facts(),
            "documents": self.documents(),
            "note": "",
            **changed,
        }

    def of_product(self, purpose: str, code: str = STEADY, **changed: Any) -> dict[str, Any]:
        product_id = str(self.shop.products[code])
        body: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "purpose": purpose,
            "product_id": product_id,
            "facts": None,
            "documents": [],
            "note": "依据通知",
        }
        if purpose == "change":
            body["facts"] = self.shop.caller("fang").get(f"{KEPT}/{product_id}").json()["facts"]
        return {**body, **changed}

    def enter(self, body: dict[str, Any], who: str = "fang") -> Any:
        return self.shop.caller(who).post(DRAFTS, body)

    def decide(self, draft_id: str, what: str, who: str = "qin", **body: Any) -> Any:
        return self.shop.caller(who).post(f"{DRAFTS}/{draft_id}/{what}", {"revision": 1, **body})

    def done(self, body: dict[str, Any]) -> dict[str, Any]:
        """Entered and approved."""
        assert self.enter(body).status_code == 201
        answer = self.decide(body["id"], "approve")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def codes_on_shelf(self) -> list[str]:
        return [item["code"] for item in self.shop.caller().get("/api/finance/products").json()["items"]]


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


def test_a_product_is_sold_only_after_a_second_person_has_approved_it(desk: Desk) -> None:
    body = desk.new()
    entered = desk.enter(body)
    assert (entered.status_code, entered.json()["state"], entered.json()["mine"]) == (201, "waiting", True)
    assert "NEW-1" not in desk.codes_on_shelf() and not Product.objects.filter(code="NEW-1").exists()

    approved = desk.decide(body["id"], "approve")

    assert (approved.json()["state"], approved.json()["terms_number"]) == ("approved", 1)
    assert "NEW-1" in desk.codes_on_shelf()
    product = Product.objects.get(code="NEW-1")
    desk.shop.products["NEW-1"] = product.pk
    page = desk.shop.page("NEW-1")
    assert {one["sha256"] for one in page["documents"]} == {
        hashlib.sha256(text_of(title)).hexdigest() for title in TITLES.values()
    }
    order = desk.shop.buy("NEW-1")
    assert (order["state"], order["terms_number"]) == ("accepted", 1)


def test_whoever_wrote_in_a_draft_does_not_approve_it(desk: Desk, shop: Shop) -> None:
    StaffRole.objects.create(person_id=shop.world.people["qin"], role="product")
    StaffRole.objects.create(person_id=shop.world.people["fang"], role="checker")
    body = desk.new()
    desk.enter(body)
    assert error(desk.decide(body["id"], "approve", who="fang")) == "own_draft"
    words = {name: body[name] for name in ("facts", "documents", "note")}
    changed = shop.caller("qin").put(f"{DRAFTS}/{body['id']}", {**words, "note": "改了", "revision": 1})
    assert changed.status_code == 200
    for who in ("fang", "qin"):
        assert error(desk.decide(body["id"], "approve", who=who, revision=2)) == "own_draft"
        assert error(desk.decide(body["id"], "return", who=who, revision=2, reason="不行")) == "own_draft"
    assert not Product.objects.filter(code="NEW-1").exists()


def test_a_draft_that_is_sent_back_says_why_and_waits_again_once_it_is_changed(desk: Desk, shop: Shop) -> None:
    body = desk.new()
    desk.enter(body)
    assert desk.decide(body["id"], "return", reason=" ").status_code == 400
    returned = desk.decide(body["id"], "return", reason="起购金额与说明书不符")
    assert returned.json()["state"] == "returned"
    assert desk.decide(body["id"], "return", reason="起购金额与说明书不符").status_code == 200
    assert error(desk.decide(body["id"], "approve")) == "draft_returned"

    words = {"facts": desk.facts(min_fen=2_000_000), "documents": body["documents"], "note": "", "revision": 1}
    first = shop.caller("fang").put(f"{DRAFTS}/{body['id']}", words)
    again = shop.caller("fang").put(f"{DRAFTS}/{body['id']}", words)
    assert (first.status_code, first.json()["state"], first.json()["revision"]) == (200, "waiting", 2)
    assert again.content == first.content
    assert error(shop.caller("fang").put(f"{DRAFTS}/{body['id']}", {**words, "note": "别的"})) == "draft_changed"
    assert error(desk.decide(body["id"], "approve", revision=1)) == "draft_changed"

    assert desk.decide(body["id"], "approve", revision=2).status_code == 200
    assert Product.objects.get(code="NEW-1").min_fen == 2_000_000
    shown = shop.caller("qin").get(f"{DRAFTS}/{body['id']}").json()
    assert [step["what"] for step in shown["steps"]] == ["entered", "returned", "changed", "approved"]
    assert shown["steps"][1]["reason"] == "起购金额与说明书不符"


def test_a_change_waits_while_the_old_version_stays_in_force(desk: Desk, shop: Shop) -> None:
    before = shop.page()
    order = shop.buy()
    body = desk.of_product("change")
    body["facts"] |= {"name": "远山稳进新名", "min_fen": 5_000_000, "term_days": 60, "seller_risk": 1}
    new_manual = desk.file("新的说明书\n\n一、内容\n".encode())
    body["documents"] = [{"kind": "manual", "title": "新说明书", "title_en": "New manual", "file_id": new_manual["id"]}]
    desk.enter(body)

    waiting = shop.page()
    assert (waiting["terms_number"], waiting["product"]["min_fen"]) == (1, 1_000_000)
    assert waiting["terms_sha256"] == before["terms_sha256"]
    sheet = shop.prepare()

    assert desk.decide(body["id"], "approve").json()["terms_number"] == 2
    after = shop.page()
    assert (after["terms_number"], after["product"]["min_fen"]) == (2, 5_000_000)
    kinds = {one["kind"]: one for one in after["documents"]}
    assert kinds["manual"]["sha256"] == new_manual["sha256"] and not kinds["manual"]["opened"]
    assert kinds["risk"]["sha256"] == {one["kind"]: one for one in before["documents"]}["risk"]["sha256"]
    # What was prepared under the old version is not confirmed under the new one.
    assert sheet.confirm().status_code in (400, 409)
    assert Order.objects.count() == 1

    kept = shop.order(order["id"])
    assert (kept["product_name"], kept["terms_number"]) == ("远山稳进 90 天 12 号", 1)
    old_manual = {one["kind"]: one for one in before["documents"]}["manual"]
    text = shop.caller().get(f"/api/finance/products/{shop.products[STEADY]}/documents/{old_manual['id']}")
    assert text.json()["sha256"] == old_manual["sha256"] == Order.objects.get().terms.facts["documents"]["manual"]
    shop.clock.set("2026-11-25")
    shop.publish(STEADY, "2026-11-24", 10_000)
    drain()
    assert shop.order(order["id"])["matures_on"] == "2027-02-23"  # 90 days, as the order's terms say


def test_code_kind_and_decimals_of_a_product_never_change(desk: Desk) -> None:
    body = desk.of_product("change")
    body["facts"] |= {"code": "OTHER", "kind": "index", "term_days": 0, "nav_scale": 1_000_000}
    refused = desk.enter(body)
    assert refused.status_code == 400
    assert set(refused.json()["error"]["fields"]) == {"facts.code", "facts.kind", "facts.nav_scale"}


def test_two_people_take_a_product_off_sale_and_put_it_back(desk: Desk, shop: Shop) -> None:
    off = desk.of_product("off_sale")
    assert error(desk.enter(desk.of_product("on_sale"))) == "sale_as_it_is"
    assert desk.enter({**off, "note": " "}).status_code == 400
    desk.enter(off)
    assert STEADY in desk.codes_on_shelf()
    sheet = shop.prepare()
    desk.decide(off["id"], "approve")
    assert STEADY not in desk.codes_on_shelf()
    assert error(sheet.confirm()) == "product_not_on_sale"
    assert error(shop.offer()) == "product_not_on_sale"
    assert Order.objects.count() == 0 and shop.account().held_fen == 0
    desk.done(desk.of_product("on_sale"))
    assert STEADY in desk.codes_on_shelf()


def test_a_product_is_sold_from_its_first_day_to_its_last(desk: Desk, shop: Shop) -> None:
    body = desk.of_product("change")
    body["facts"] |= {"sale_from": "2026-11-25", "sale_until": "2026-11-26"}
    desk.done(body)
    sold = {}
    for day in ("2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"):
        shop.clock.set(day)
        sold[day] = STEADY in desk.codes_on_shelf()
        assert shop.page()["product"]["on_sale"] is sold[day]
        answer = shop.post_order(shop.wish())
        assert (answer.status_code == 201) is sold[day]
    assert list(sold.values()) == [False, True, True, False]


def test_a_product_may_close_its_day_before_the_exchange(desk: Desk, shop: Shop) -> None:
    body = desk.of_product("change")
    body["facts"] |= {"cut_off": "11:30"}
    desk.done(body)
    shop.clock.set("2026-11-24", "11:29:59")
    early = shop.buy()
    shop.clock.set("2026-11-24", "11:30:00")
    late = shop.buy()
    assert (early["trading_day"], early["cut_off_at"]) == ("2026-11-24", "2026-11-24T03:30:00.000000Z")
    assert (late["trading_day"], late["cut_off_at"]) == ("2026-11-25", "2026-11-25T03:30:00.000000Z")


WRONG = {
    "code": ["", "new-1", "A" * 21, "新", "N１", "A/B", 12, None],
    "name": ["", " 名", "名" * 61, "a\u202eb", "１２", 5, None],
    "name_en": ["", "x" * 81],
    "issuer_risk": [0, 6, "2", 2.0, True, None],
    "kind": ["gold", None],
    "min_fen": [0, -1, "100", 1.5, 10**18],
    "step_fen": [0, True],
    "term_days": [-1, 0, 3651],
    "benchmark_low_bp": [0, None, 500],
    "subscription_fee_bp": [-1, 1001],
    "cut_off": ["15:01", "24:00", "9:30", "930", "15:00:00", None],
    "sale_from": ["2026-13-01", "2026-1-1x", 5, "明天"],
    "nav_scale": [100, 50_000],
    "quota_fen": [0, 999_999],
    "registration_code": ["abc", "Z7 003", "z700392600"],
    "shelf_order": [-1, 30_001],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_fact_that_cannot_be_is_refused_by_name_and_nothing_is_kept(desk: Desk, name: str) -> None:
    body = desk.new()
    for value in WRONG[name]:
        answer = desk.enter({**body, "id": str(uuid.uuid4()), "facts": desk.facts(**{name: value})})
        assert answer.status_code == 400, (value, answer.content)
        assert any(field.startswith("facts.") for field in answer.json()["error"]["fields"]), (value, answer.json())
    assert not ProductDraft.objects.exists() and not DraftStep.objects.exists()


def test_a_draft_says_what_its_purpose_needs_and_nothing_else(desk: Desk, shop: Shop) -> None:
    new, off = desk.new(), desk.of_product("off_sale")
    product = str(shop.products[STEADY])
    for body in (
        {**new, "facts": None},
        {**new, "product_id": product},
        {**new, "documents": new["documents"][:2]},
        {**new, "documents": [*new["documents"][:2], new["documents"][0]]},
        {**new, "documents": [{**one, "file_id": str(uuid.uuid4())} for one in new["documents"]]},
        {**new, "facts": desk.facts(sale_from="2026-12-02", sale_until="2026-12-01")},
        {**new, "purpose": "sell"},
        {**off, "facts": desk.facts()},
        {**off, "product_id": None},
        {**off, "note": "长" * 201},
        {},
        [],
    ):
        assert desk.enter(body).status_code == 400, body  # type: ignore[arg-type]
    assert desk.enter({**off, "product_id": str(uuid.uuid4())}).status_code == 404
    assert not ProductDraft.objects.exists()


def test_one_open_draft_at_a_time_and_one_product_per_code(desk: Desk) -> None:
    body = desk.new()
    desk.enter(body)
    assert error(desk.enter(desk.new())) == "draft_waiting"
    assert error(desk.enter(desk.new(facts=desk.facts(code=STEADY)))) == "code_taken"
    withdrawn = desk.decide(body["id"], "withdraw", who="fang")
    assert withdrawn.json()["state"] == "withdrawn"
    assert error(desk.decide(body["id"], "approve")) == "draft_closed"
    desk.done(desk.new())
    assert error(desk.enter(desk.new())) == "code_taken"


def test_the_same_again_is_the_same_and_other_words_under_its_id_are_refused(desk: Desk) -> None:
    body = desk.new()
    first, again = desk.enter(body), desk.enter(body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert error(desk.enter({**body, "note": "别的"})) == "key_reused"
    approved, repeated = desk.decide(body["id"], "approve"), desk.decide(body["id"], "approve")
    assert approved.content == repeated.content
    assert Terms.objects.filter(product__code="NEW-1").count() == 1
    with pytest.raises(DatabaseError, match="is decided"), transaction.atomic():
        ProductDraft.objects.filter(pk=body["id"]).update(note="later")


def test_the_quota_is_not_set_below_what_is_sold(desk: Desk, shop: Shop) -> None:
    body = desk.of_product("change")
    body["facts"] |= {"quota_fen": 1_500_000}
    desk.enter(body)
    shop.buy(amount_fen=2_000_000)
    assert error(desk.decide(body["id"], "approve")) == "quota_below_used"
    assert Product.objects.get(code=STEADY).quota_fen > 1_500_000


def test_without_the_role_the_doors_are_closed(desk: Desk, shop: Shop) -> None:
    body = desk.new()
    desk.enter(body)
    one, some = f"{DRAFTS}/{body['id']}", str(uuid.uuid4())
    for who in ("su", "zhou", "song"):
        caller = shop.caller(who)
        for path in (
            KEPT,
            f"{KEPT}/{shop.products[STEADY]}",
            DRAFTS,
            one,
            f"{FILES}/{body['documents'][0]['file_id']}",
        ):
            assert caller.get(path).status_code == 403, path
        assert caller.post(DRAFTS, desk.new(facts=desk.facts(code="NEW-2"))).status_code == 403
        assert caller.upload(FILES, PDF).status_code == 403
        for what in ("approve", "withdraw"):
            assert caller.post(f"{one}/{what}", {"revision": 1}).status_code == 403
        assert caller.post(f"{one}/return", {"revision": 1, "reason": "不"}).status_code == 403
    assert desk.enter(desk.new(facts=desk.facts(code="NEW-2")), who="qin").status_code == 403
    assert desk.decide(body["id"], "approve", who="fang").status_code == 403
    for path in (f"{KEPT}/{some}", f"{DRAFTS}/{some}", f"{FILES}/{some}"):
        assert shop.caller("qin").get(path).status_code == 404
    assert shop.caller("qin").post(f"{DRAFTS}/{some}/approve", {"revision": 1}).status_code == 404
    assert ProductDraft.objects.get().state == "waiting"


def test_files_are_kept_byte_for_byte_and_only_texts_and_pdfs(desk: Desk, shop: Shop) -> None:
    pdf = desk.file(PDF)
    assert (pdf["media_type"], pdf["sha256"]) == ("application/pdf", hashlib.sha256(PDF).hexdigest())
    assert desk.file(PDF) == pdf
    got = shop.caller("qin").get(f"{FILES}/{pdf['id']}")
    assert got.content == PDF and got["Content-Disposition"].startswith("attachment")
    assert got["X-Content-Type-Options"] == "nosniff"
    marked = b"\xef\xbb\xbf" + "风险\r\n提示".encode()
    assert desk.file(marked)["sha256"] == hashlib.sha256(marked).hexdigest()
    for content in (b"", b"\xff\xfe", b"PK\x03\x04", b"%PDF-1.7 cut off", b"a\x00b", "a\u202eb".encode(), b" \n"):
        assert shop.caller("fang").upload(FILES, content).status_code == 400, content
    assert shop.caller("fang").upload(FILES, b"x" * (5 * 1024 * 1024 + 1)).status_code == 413
    assert shop.caller("fang").post(FILES, {"file": "x"}).status_code in (400, 415)


def test_a_customer_reads_a_pdf_as_a_file_and_only_then_buys(desk: Desk, shop: Shop) -> None:
    body = desk.new()
    body["documents"][0]["file_id"] = desk.file(PDF)["id"]
    desk.done(body)
    product = Product.objects.get(code="NEW-1")
    shop.products["NEW-1"] = product.pk
    manual = next(one for one in shop.page("NEW-1")["documents"] if one["kind"] == "manual")
    path = f"/api/finance/products/{product.pk}/documents/{manual['id']}"
    shown = shop.caller().get(path).json()
    assert (shown["text"], shown["media_type"]) == ("", "application/pdf")
    assert shop.caller().get(f"{path}/file").content == PDF
    assert shop.buy("NEW-1")["state"] == "accepted"
    old = shop.page(STEADY)["documents"][0]
    text = shop.caller().get(f"/api/finance/products/{shop.products[STEADY]}/documents/{old['id']}/file")
    assert hashlib.sha256(text.content).hexdigest() == old["sha256"]
    assert shop.caller().get(f"/api/finance/products/{product.pk}/documents/{old['id']}/file").status_code == 404


def test_lists_come_in_pages_also_where_places_are_equal(desk: Desk, shop: Shop) -> None:
    for number in range(3):
        desk.done(desk.new(facts=desk.facts(code=f"SAME-{number}", shelf_order=20)))

    def walk(path: str, who: str, name: str, mark: str = "?") -> list[str]:
        found: list[str] = []
        answer = shop.caller(who).get(f"{path}{mark}limit=2").json()
        while True:
            found += [item[name] for item in answer["items"]]
            if not answer["next"]:
                return found
            answer = shop.caller(who).get(f"{path}{mark}limit=2&before={answer['next']}").json()

    assert walk("/api/finance/products", "su", "code") == desk.codes_on_shelf()
    assert len(desk.codes_on_shelf()) == 7
    assert walk(KEPT, "qin", "code") == sorted(Product.objects.values_list("code", flat=True))
    assert sorted(walk(DRAFTS, "qin", "code", "?state=all&")) == ["SAME-0", "SAME-1", "SAME-2"]
    for path in (f"{DRAFTS}?before=x", f"{DRAFTS}?state=x", f"{KEPT}?limit=0", "/api/finance/products?before=x"):
        assert shop.caller("qin").get(path).status_code == 400, path


def test_every_step_is_in_the_audit_chain(desk: Desk, shop: Shop) -> None:
    body = desk.new()
    desk.enter(body)
    desk.decide(body["id"], "return", reason="缺少日期")
    words = {name: body[name] for name in ("facts", "documents")}
    shop.caller("fang").put(f"{DRAFTS}/{body['id']}", {**words, "note": "补上", "revision": 1})
    desk.decide(body["id"], "approve", revision=2)
    rows = AuditRow.objects.filter(subject=f"product-draft:{body['id']}").order_by("pk")
    assert [row.action for row in rows] == [
        f"wealth.draft.{what}" for what in ("entered", "returned", "changed", "approved")
    ]
    people = shop.world.people
    assert [row.actor_id for row in rows] == [people["fang"], people["qin"], people["fang"], people["qin"]]


def _at_once(*calls: Any) -> list[Any]:
    def run(call: Any) -> Any:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def test_two_decisions_at_once_leave_one(real_shop: Shop) -> None:
    desk = Desk(real_shop)
    body = desk.new()
    assert desk.enter(body).status_code == 201
    for who in ("fang", "qin"):
        real_shop.caller(who)
    answers = _at_once(
        lambda: desk.decide(body["id"], "approve"),
        lambda: desk.decide(body["id"], "withdraw", who="fang"),
        lambda: desk.decide(body["id"], "approve"),
    )
    state = ProductDraft.objects.get(pk=body["id"]).state
    assert Product.objects.filter(code="NEW-1").count() == (state == "approved")
    assert Terms.objects.filter(product__code="NEW-1").count() == (state == "approved")
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert DraftStep.objects.filter(draft_id=body["id"]).count() == 2


def test_two_drafts_of_one_product_at_once_leave_one(real_shop: Shop) -> None:
    desk = Desk(real_shop)
    bodies = [desk.of_product("off_sale") for _ in range(3)]
    answers = _at_once(*[lambda body=body: desk.enter(body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert ProductDraft.objects.count() == DraftStep.objects.count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_a_purchase_and_an_approval_at_once_agree_on_the_terms(real_shop: Shop, _round: int) -> None:
    desk = Desk(real_shop)
    sheet = real_shop.prepare()
    body = desk.of_product("change")
    body["facts"] |= {"subscription_fee_bp": 30}
    assert desk.enter(body).status_code == 201
    bought, approved = _at_once(sheet.confirm, lambda: desk.decide(body["id"], "approve"))
    assert approved.status_code == 200
    if bought.status_code == 200:
        order = Order.objects.get()
        assert (order.terms.number, order.fee_fen) == (1, 0)
    else:
        assert error(bought) == "statement_stale" and not Order.objects.exists()
        assert real_shop.account().held_fen == 0


def test_the_server_cannot_touch_files_steps_or_the_past_of_a_draft(desk: Desk) -> None:
    desk.enter(desk.new())
    for statement in (
        "UPDATE wealth_documentfile SET sha256 = ''",
        "DELETE FROM wealth_draftstep",
        "DELETE FROM wealth_productdraft",
        "UPDATE wealth_productdraft SET purpose = 'change'",
    ):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert Document.objects.filter(product__code=STEADY).count() == 3
