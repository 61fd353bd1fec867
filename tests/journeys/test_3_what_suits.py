"""Journey 3: a manager writes to a customer and sends what suits; what does not is blocked with the reason."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys.test_2_talking import newest, open_talk, say
from tests.support.browser import DESK

FITS, TOO_RISKY = "远山稳进 90 天 12 号", "沪深精选指数 A"


def test_a_manager_sends_a_product_that_suits_and_cannot_send_one_that_does_not(new_phone: Callable[..., Page]) -> None:
    su, zhou = new_phone("su"), new_phone("zhou", size=DESK, path="/desk/")
    open_talk(su, "周经理")
    for name in ("苏禾", "许知远", "何田", "白鹭", "江一帆"):
        expect(zhou.get_by_role("link", name=name)).to_be_visible()
    expect(zhou.get_by_role("link", name="林晓舟")).to_have_count(0)

    zhou.get_by_role("link", name="苏禾").click()
    say(zhou, "给您看一款三个月的")
    newest(su, "给您看一款三个月的")

    blocked = zhou.get_by_role("listitem").filter(has_text=TOO_RISKY)
    expect(blocked).to_contain_text("高于 C2")
    expect(blocked.get_by_role("button", name="不可发送")).to_be_disabled()

    zhou.get_by_role("listitem").filter(has_text=FITS).get_by_role("button", name="发卡片").click()
    zhou.get_by_role("alertdialog").get_by_role("button", name="发卡片").click()
    for page in (su, zhou):
        card = page.get_by_role("log").get_by_role("article", name=FITS)
        expect(card).to_contain_text("2.65%–3.10%")
        expect(card).to_contain_text("非收益承诺")
        expect(card).to_contain_text("1 万元起")
        expect(card).to_contain_text("封闭 90 天")
    expect(su.get_by_role("log").get_by_role("article", name=FITS).get_by_role("button", name="购买")).to_be_visible()

    zhou.get_by_placeholder("发消息").fill("这款类似保本,您可以放心")
    guard = zhou.get_by_role("alert").filter(has_text="不能这样描述理财产品")
    expect(zhou.get_by_role("button", name="发送", exact=True)).to_be_disabled()
    guard.get_by_role("button").click()
    expect(zhou.get_by_placeholder("发消息")).to_have_value("这款类似非保本浮动收益,您可以放心")
    expect(guard).to_have_count(0)
    expect(zhou.get_by_role("button", name="发送", exact=True)).to_be_enabled()


def test_who_comes_by_a_conversations_address_stands_at_the_newest_card(new_phone: Callable[..., Page]) -> None:
    su, zhou = new_phone("su"), new_phone("zhou", size=DESK, path="/desk/")
    open_talk(su, "周经理")
    address = su.url
    zhou.get_by_role("link", name="苏禾").click()
    for _ in range(3):
        su.goto("about:blank")
        shown = zhou.get_by_role("log").get_by_role("article", name=FITS)
        before = shown.count()
        zhou.get_by_role("listitem").filter(has_text=FITS).get_by_role("button", name="发卡片").click()
        zhou.get_by_role("alertdialog").get_by_role("button", name="发卡片").click()
        expect(shown).to_have_count(before + 1)
        su.goto(address)
        newest_card = su.get_by_role("log").get_by_role("article", name=FITS).last
        expect(newest_card.get_by_text("与您的 C2 匹配")).to_be_in_viewport(ratio=1)
        expect(su.get_by_role("button", name="回到最新")).to_have_count(0)
