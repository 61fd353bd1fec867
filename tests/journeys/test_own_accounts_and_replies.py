"""A customer moves money between their own accounts; operations change what a service account says by itself."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.browser import DESK
from tests.support.paying import confirm


def test_an_account_without_a_card_leads_to_binding_one_before_it_pays_out(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su", path="/me/payouts/new")
    expect(su.get_by_text("还没有绑定银行卡")).to_be_visible()
    su.get_by_role("button", name="去绑卡").click()
    expect(su.get_by_role("heading", name="银行卡")).to_be_visible()


def test_money_between_ones_own_accounts_and_a_menu_of_ones_own(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su", path="/wealth/accounts")
    su.get_by_role("button", name="转到我的账户").click()
    su.get_by_label("转账金额").fill("88.66")
    expect(su.get_by_role("radiogroup", name="收款账户").get_by_role("radio")).not_to_have_count(0)
    su.get_by_role("button", name="转账", exact=True).click()
    confirm(su)
    expect(su.get_by_text("已转到您的账户")).to_be_visible()
    su.get_by_role("link").filter(has_text="尾号").nth(1).click()
    expect(su.get_by_text("本人账户互转").first).to_be_visible()

    fang = new_phone("fang", size=DESK, path="/desk/replies")
    fang.get_by_role("link", name="远山财富").click()
    fang.get_by_role("button", name="加关键词").click()
    fang.get_by_role("textbox", name="关键词").last.fill("利率")
    fang.get_by_label("回复", exact=True).last.fill("三个月定期 1.05%。")
    fang.get_by_role("button", name="保存").click()
    expect(fang.get_by_text("已保存")).to_be_visible()
    fang.reload()
    expect(fang.get_by_role("textbox", name="关键词").last).to_have_value("利率")
    fang.get_by_role("button", name="加关键词").click()
    fang.get_by_role("button", name="保存").click()
    expect(fang.get_by_role("alert")).to_be_visible()
