"""Journey 4: a customer buys from the card in the chat, sees it in transit, and gets shares at the published NAV."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.journeys.test_2_talking import open_talk, row_of
from tests.support.browser import DESK
from tests.support.paying import confirm, sheet_of
from tests.support.site import Site

PRODUCT, CODE = "远山稳进 90 天 12 号", "YSWJ90-12"
WITHIN_MS = 3_000
"""A second on a quiet machine; the suite shares two cores with everything else."""


def card(page: Page, kind: str) -> Locator:
    return page.get_by_role("log").get_by_role("article", name=f"{kind}:{PRODUCT}").last


def get(page: Page, site: Site, path: str) -> Any:
    answer = page.request.get(f"{site.origin}/api/finance/{path}")
    assert answer.ok, answer.text()
    return answer.json()


def send_product_card(zhou: Page) -> None:
    zhou.get_by_role("link", name="苏禾").click()
    zhou.get_by_role("listitem").filter(has_text=PRODUCT).get_by_role("button", name="发卡片").click()
    zhou.get_by_role("alertdialog").get_by_role("button", name="发卡片").click()


def open_documents(su: Page) -> None:
    expect(su.get_by_text("请先打开上面的三份文件")).to_be_visible()
    for title in ("产品说明书", "投资协议书", "风险揭示书"):
        su.get_by_role("link", name=title).click()
        expect(su.get_by_text("已打开,记录于本人名下")).to_be_visible()
        su.get_by_role("button", name="我已阅读").click()
        # The product's page stands where it was left: nobody looks for the list of documents three times.
        expect(su.get_by_role("link", name=title).get_by_text("已阅读")).to_be_in_viewport()


def order_from_card(su: Page, yuan: str) -> None:
    card(su, "产品").get_by_role("button", name="购买").click()
    expect(su.get_by_role("heading", name=PRODUCT)).to_be_visible()
    tick = su.get_by_role("checkbox")
    if tick.is_disabled():
        open_documents(su)
    tick.check()
    su.get_by_role("button", name="购买", exact=True).click()
    su.get_by_label("购买金额").fill(yuan)
    su.get_by_role("radio", name="储蓄卡").check()
    su.get_by_role("button", name="下一步").click()


def everything_that_is_hashed_is_shown(su: Page, site: Site) -> None:
    """All of the statement and the pad fit the phone together; behind one row each document has its whole hash."""
    sheet = sheet_of(su)
    expect(
        sheet.get_by_text(re.compile(r"^生成时间 \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\(北京时间\)$"))
    ).to_be_in_viewport(ratio=1)
    expect(sheet.get_by_role("button", name="0", exact=True)).to_be_in_viewport(ratio=1)
    listed = get(su, site, "products")["items"]
    product = next(one["id"] for one in listed if one["code"] == CODE)
    documents = get(su, site, f"products/{product}")["documents"]
    assert len(documents) == 3
    expect(sheet.get_by_text(documents[0]["sha256"])).to_be_hidden()
    sheet.get_by_text("产品说明书、投资协议书、风险揭示书").click()
    for document in documents:
        expect(sheet.get_by_text(document["sha256"])).to_be_visible()


def back_to_talk(su: Page) -> None:
    su.goto("/messages")
    open_talk(su, "周经理")


def enter_nav(fang: Page, day: str) -> None:
    fang.goto("/desk/operations/navs")
    row = _nav_row(fang, day)
    row.get_by_role("textbox").fill("1.0345")
    row.get_by_role("button", name="录入").click()
    expect(row.get_by_text("待复核")).to_be_visible()
    expect(row.get_by_role("button", name="复核并发布")).to_have_count(0)


def approve_nav(qin: Page, day: str) -> None:
    qin.goto("/desk/operations/navs")
    row = _nav_row(qin, day)
    expect(row).to_contain_text("1.0345")
    row.get_by_role("button", name="复核并发布").click()
    expect(row).to_have_count(0)


def _nav_row(page: Page, day: str) -> Locator:
    year, month, date = (int(part) for part in day.split("-"))
    return page.get_by_role("region", name=f"{year}年{month}月{date}日").get_by_role("row").filter(has_text=CODE)


def next_trading_day(page: Page) -> None:
    page.goto("/wealth")
    shown = page.get_by_text(re.compile("演示:营业日期"))
    before = shown.inner_text()
    page.get_by_role("button", name="拨到下一交易日").click()
    expect(shown).not_to_have_text(before)


def test_a_customer_buys_waits_and_gets_shares(new_phone: Callable[..., Page], site: Site) -> None:
    su, zhou = new_phone("su"), new_phone("zhou", size=DESK, path="/desk/")
    open_talk(su, "周经理")
    send_product_card(zhou)
    expect(zhou.get_by_role("complementary")).to_contain_text("理财本金")
    held = zhou.get_by_role("definition").last.inner_text()
    expect(card(su, "产品")).to_contain_text("与您的 C2 匹配")

    order_from_card(su, "20000")
    sheet = sheet_of(su)
    for said in ("¥ 20,000.00", PRODUCT, "尾号 8823", "可撤销至"):
        expect(sheet.get_by_text(said).first).to_be_visible()
    everything_that_is_hashed_is_shown(su, site)
    assert get(su, site, "orders?limit=1")["items"][0]["state"] == "confirmed", "nothing is ordered before the PIN"
    confirm(su)
    expect(su.get_by_text("已受理,待确认").first).to_be_visible()
    expect(card(zhou, "产品")).to_contain_text("已受理,待确认", timeout=WITHIN_MS)
    expect(zhou.get_by_role("complementary")).not_to_contain_text(held, timeout=WITHIN_MS)
    expect(card(zhou, "产品")).to_contain_text("¥ 20,000.00")
    back_to_talk(su)
    for page in (su, zhou):
        expect(card(page, "产品")).to_contain_text("已受理,待确认")
        expect(card(page, "购买申请")).to_contain_text("已受理,待确认")
        expect(card(page, "购买申请")).to_contain_text("20,000.00")

    order = get(su, site, "orders?limit=1")["items"][0]
    su.goto("/wealth")
    expect(su.get_by_role("heading", name="在途")).to_be_visible()
    expect(su.get_by_role("link", name=PRODUCT).filter(has_text="已受理,待确认")).to_contain_text("20,000.00")
    su.goto("/messages")
    row_of(su, "账户变动").click()
    expect(su.get_by_role("log").get_by_text("20,000.00").last).to_be_visible()

    next_trading_day(su)
    enter_nav(new_phone("fang", size=DESK, path="/desk/"), order["trading_day"])
    approve_nav(new_phone("qin", size=DESK, path="/desk/"), order["trading_day"])
    next_trading_day(su)
    expect(su.get_by_role("link", name=PRODUCT).filter(has_text="已受理,待确认")).to_have_count(0)
    expect(card(zhou, "产品")).to_contain_text("已确认")
    expect(card(zhou, "购买申请")).to_contain_text("19,333.01 份")
    back_to_talk(su)
    expect(card(su, "购买申请")).to_contain_text("19,333.01 份")
    su.goto(f"/wealth/orders/{order['id']}")
    expect(su.get_by_text("1.0345")).to_be_visible()
    expect(su.get_by_role("button", name="撤销委托")).to_have_count(0)


def test_an_order_is_cancelled_before_the_cut_off_and_both_browsers_see_it(
    new_phone: Callable[..., Page], site: Site
) -> None:
    su, zhou = new_phone("su"), new_phone("zhou", size=DESK, path="/desk/")
    before = get(su, site, "accounts")["items"][0]
    open_talk(su, "周经理")
    send_product_card(zhou)
    order_from_card(su, "10000")
    sheet_of(su).get_by_role("button", name="取消").click()
    expect(su.get_by_text("没有确认,未购买,未扣款")).to_be_visible()
    assert get(su, site, "wealth")["in_transit"] == []

    su.get_by_role("button", name="下一步").click()
    confirm(su)
    su.get_by_role("button", name="撤销委托").click()
    su.get_by_role("alertdialog").get_by_role("button", name="撤销委托").click()
    expect(su.get_by_text("已撤销,款项已解冻").first).to_be_visible()
    expect(card(zhou, "产品")).to_contain_text("已撤销")
    back_to_talk(su)
    expect(card(su, "购买申请")).to_contain_text("已撤销")
    expect(card(su, "产品").get_by_role("button", name="购买")).to_be_enabled()
    assert get(su, site, "accounts")["items"][0] == before, "what was held is free again"
    assert get(su, site, "wealth")["in_transit"] == []


def test_a_product_above_ones_class_says_why_and_offers_the_way_out(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su", path="/wealth/products")
    su.get_by_role("link", name="科创先锋").click()
    expect(su.get_by_text("高于 C2 稳健型")).to_be_visible()
    expect(su.get_by_role("button", name="购买", exact=True)).to_have_count(0)
    su.get_by_role("button", name="重新测评").click()
    expect(su.get_by_role("heading", name="风险测评")).to_be_visible()
    su.get_by_role("button", name="重新测评").click()
    for place in range(10):
        expect(su.get_by_text(f"第 {place + 1} / 10 题")).to_be_visible()
        su.get_by_role("radio").first.check()
    su.get_by_role("button", name="提交").click()
    expect(su.get_by_text("C1")).to_be_visible()
