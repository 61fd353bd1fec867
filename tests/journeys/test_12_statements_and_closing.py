"""A customer takes a month's account statement away, empties a second account and closes it."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.browser import PHONE
from tests.support.paper import words_of
from tests.support.paying import confirm, sheet_of


def test_a_statement_is_taken_away_and_an_empty_account_closed(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su", size=PHONE, path="/wealth/accounts")
    su.get_by_role("link", name="储蓄卡").click()
    su.get_by_role("button", name="对账单").click()
    # The month before this one is over.
    su.get_by_role("button").filter(has_text="月").nth(1).click()
    sheet = su.get_by_role("dialog")
    expect(sheet.get_by_text("出具前已核对")).to_be_visible()
    closing = sheet.locator(".closing dd").inner_text().strip()
    with su.expect_download() as csv:
        sheet.get_by_role("link", name="下载 CSV").click()
    with su.expect_download() as pdf:
        sheet.get_by_role("link", name="下载 PDF").click()
    assert closing.replace(",", "") in Path(csv.value.path()).read_text("utf-8-sig").splitlines()[-1]
    assert closing in words_of(Path(pdf.value.path()).read_bytes())

    su.goto("/wealth/accounts")
    su.get_by_role("link", name="电子账户").click()
    su.get_by_role("button", name="销户").click()
    su.get_by_role("alertdialog").get_by_role("button", name="继续").click()
    expect(su.get_by_role("alert").filter(has_text="请先转出再销户")).to_be_visible()

    su.goto("/wealth/accounts")
    su.get_by_role("button", name="转到我的账户").click()
    su.get_by_role("radiogroup", name="付款账户").get_by_text("电子账户").click()
    su.get_by_label("转账金额").fill("3680.50")
    su.get_by_role("button", name="转账", exact=True).click()
    confirm(su)
    expect(su.get_by_text("已转到您的账户")).to_be_visible()

    su.get_by_role("link", name="电子账户").click()
    su.get_by_role("button", name="销户").click()
    su.get_by_role("alertdialog").get_by_role("button", name="继续").click()
    expect(sheet_of(su).get_by_text("确认销户")).to_be_visible()
    confirm(su)
    expect(su.get_by_text("已销户")).to_be_visible()
    expect(su.get_by_role("link", name="储蓄卡")).to_be_visible()
    expect(su.get_by_role("link", name="电子账户")).to_have_count(0)
