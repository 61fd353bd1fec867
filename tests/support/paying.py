"""Steps of paying in a browser, as the hand makes them."""

from playwright.sync_api import FrameLocator, Locator, Page, expect

from rongliao.demo import PIN


def talk_with(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_placeholder("发消息")).to_be_visible()


def type_amount(page: Page, amount: str) -> None:
    pad = page.get_by_role("group", name="数字键盘")
    for key in amount:
        pad.get_by_role("button", name=key, exact=True).click()


def start_transfer(page: Page, amount: str, memo: str = "") -> None:
    page.get_by_role("button", name="更多功能").click()
    page.get_by_role("button", name="转账", exact=True).click()
    expect(page.get_by_text("手续费")).to_be_visible()
    type_amount(page, amount)
    if memo:
        page.get_by_label("附言(可不填)").fill(memo)
    page.get_by_role("button", name="转账", exact=True).click()


def sheet_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def confirm(page: Page, pin: str = PIN) -> None:
    sheet = sheet_of(page)
    expect(sheet.get_by_role("button", name="5", exact=True)).to_be_enabled()
    for digit in pin:
        sheet.get_by_role("button", name=digit, exact=True).click()


def card(page: Page, amount: str, state: str) -> Locator:
    return page.get_by_role("article", name=f"转账 ¥ {amount},{state}")
