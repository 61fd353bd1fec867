"""Steps of paying in a browser, as the hand makes them."""

from playwright.sync_api import FrameLocator, Locator, Page, expect

from rongliao.demo import PIN


def talk_with(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_placeholder("发消息")).to_be_visible()


def type_amount(page: Page, amount: str) -> None:
    pad = page.get_by_role("group", name="数字键盘")
    for key in amount:
        pad.get_by_role("button", name="小数点" if key == "." else key, exact=True).click()


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


def prove(page: Page, **fields: str) -> None:
    """Proves in the sheet who one is: the code that the demo shows, and the fields named by their label."""
    sheet = sheet_of(page)
    sheet.get_by_role("button", name="获取验证码").click()
    sheet.get_by_role("button", name="填入").click()
    for label, value in fields.items():
        sheet.get_by_label(label).fill(value)
    sheet.get_by_role("button", name="核验").click()


def choose_pin(page: Page, pin: str = PIN) -> None:
    """Types a new PIN twice."""
    sheet = sheet_of(page)
    for words in ("设置新的 6 位支付密码", "再输入一次"):
        expect(sheet.get_by_text(words)).to_be_visible()
        for digit in pin:
            sheet.get_by_role("button", name=digit, exact=True).click()


def card(page: Page, amount: str, state: str) -> Locator:
    return page.get_by_role("article", name=f"转账 ¥ {amount},{state}")
