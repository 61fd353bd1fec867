"""Journey 7: a customer asks the service desk, waits, is served, and rates it."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys.test_2_talking import newest, row_of, say
from tests.support.browser import DESK


def ask(page: Page, question: str) -> None:
    page.get_by_placeholder("想问什么?").fill(question)
    page.get_by_role("button", name="提问").click()


def test_a_customer_asks_waits_is_served_and_rates(new_phone: Callable[..., Page]) -> None:
    he, su = new_phone("he", path="/contacts"), new_phone("su")
    he.get_by_role("link", name="在线客服").or_(he.get_by_role("button", name="在线客服")).first.click()
    he.get_by_role("button", name="发消息").click()
    ask(he, "信用卡怎么注销?")
    expect(he.get_by_text("排队中,您是第 1 位")).to_be_visible()
    row_of(su, "在线客服").click()
    ask(su, "怎么修改预留手机号?")
    expect(su.get_by_text("排队中,您是第 2 位")).to_be_visible()

    song = new_phone("song", size=DESK, path="/desk/")
    expect(song.get_by_text("2 人等候")).to_be_visible()
    waiting = song.get_by_text("信用卡怎么注销?").locator("xpath=ancestor::*[.//button][1]")
    waiting.get_by_role("button", name="接入").click()
    expect(he.get_by_text("客服小远 正在为您服务")).to_be_visible()
    expect(su.get_by_text("排队中,您是第 1 位")).to_be_visible()

    say(song, "您好,我来帮您查一下。")
    newest(he, "您好,我来帮您查一下。")
    say(he, "好的,谢谢")
    newest(song, "好的,谢谢")

    song.get_by_role("button", name="结束服务").click()
    song.get_by_role("alertdialog").get_by_role("button", name="结束服务").click()
    card = he.get_by_role("article", name="客服小远 的服务已结束")
    card.get_by_role("radio", name="5 星").click()
    card.get_by_role("button", name="提交评价").click()
    expect(card.get_by_text("已评价")).to_be_visible()
    expect(song.get_by_text("5 星")).to_be_visible()
