"""Journey 10: a PIN of one's own: chosen, changed, guessed at until it locks, and opened again by its owner."""

from collections.abc import Callable

import psycopg
from playwright.sync_api import FrameLocator, Page, expect

from rongliao.demo import PIN
from rongliao.demo.accounts import CUSTOMERS, JIANG_CARD, card_number, id_number
from tests.support.paying import card, choose_pin, confirm, prove, sheet_of, start_transfer, talk_with
from tests.support.site import Site

FIRST, CHANGED, WRONG, ANEW = "147036", "805274", "603182", "914063"
ORDER = list("1234567890")


def tail_of(name: str) -> str:
    return id_number(*CUSTOMERS[name][4:])[-6:]


def type_pin(sheet: FrameLocator, pin: str) -> None:
    """On the keys of a keyboard, once the sheet takes them."""
    expect(sheet.get_by_role("button", name="5", exact=True)).to_be_enabled()
    sheet.get_by_role("main").press_sequentially(pin)


def type_new_pin(sheet: FrameLocator, pin: str) -> None:
    for words in ("设置新的 6 位支付密码", "再输入一次"):
        expect(sheet.get_by_text(words)).to_be_visible()
        type_pin(sheet, pin)


def digits_of(sheet: FrameLocator) -> list[str]:
    """As they stand on the pad."""
    pad = sheet.get_by_role("group", name="数字键盘")
    expect(pad).to_be_visible()
    return [said for said in pad.get_by_role("button").all_inner_texts() if said.isdigit()]


def guesses_are_refused(sheet: FrameLocator) -> None:
    """What a thief tries first: a run, and the owner's birthday."""
    for guess in ("123456", f"{CUSTOMERS['tao'][5]:%y%m%d}"):
        type_new_pin(sheet, guess)
        expect(sheet.get_by_role("alert")).to_contain_text("这个密码容易被猜到,没有保存")


def the_pad_stands_otherwise_each_time(page: Page) -> None:
    """By the choice of the person, which holds for what is opened afterwards. All ten digits by chance in their usual
    order, or twice in the same, would be one in 3.6 million.
    """
    sheet, seen = sheet_of(page), []
    page.get_by_role("switch", name="乱序键盘").click()
    for _ in range(2):
        page.get_by_role("button", name="修改支付密码").click()
        seen.append(digits_of(sheet))
        sheet.get_by_role("button", name="取消").click()
        expect(page.locator("iframe")).to_have_count(0)
    assert [sorted(digits) for digits in seen] == [sorted(ORDER)] * 2
    assert ORDER not in seen and seen[0] != seen[1]


def a_first_pin_is_chosen(tao: Page) -> None:
    sheet = sheet_of(tao)
    tao.get_by_role("button", name="设置支付密码").click()
    prove(tao, **{"身份证号后 6 位": tail_of("tao")})
    guesses_are_refused(sheet)
    choose_pin(tao, FIRST)
    expect(tao.get_by_text("支付密码已更新")).to_be_visible()
    expect(tao.get_by_role("heading", name="支付密码 已设置")).to_be_visible()


def it_is_changed_by_whoever_knows_it(tao: Page) -> None:
    """On the shuffled pad, digit by digit where it stands."""
    sheet = sheet_of(tao)
    tao.get_by_role("button", name="修改支付密码").click()
    for present in (WRONG, FIRST):
        expect(sheet.get_by_text("输入现在的支付密码")).to_be_visible()
        confirm(tao, present)
        type_new_pin(sheet, CHANGED)
        if present == WRONG:
            expect(sheet.get_by_role("alert")).to_contain_text("还可以试 4 次")
    expect(sheet.get_by_role("heading", name="已完成")).to_be_visible()


def five_wrong_ones_lock_it(jiang: Page) -> None:
    sheet = sheet_of(jiang)
    for left in (4, 3, 2, 1):
        type_pin(sheet, WRONG)
        expect(sheet.get_by_role("alert")).to_have_text(f"密码不正确,还可以试 {left} 次。未执行。")
    sheet.get_by_role("button", name="忘记密码").click()
    expect(sheet.get_by_label("本人银行卡号")).to_be_visible()
    sheet.get_by_role("button", name="返回输入密码").click()
    type_pin(sheet, WRONG)
    expect(sheet.get_by_text("密码输错次数过多,已锁定,未执行")).to_be_visible()
    expect(sheet.get_by_role("group", name="数字键盘")).to_have_count(0)
    expect(sheet.get_by_role("button", name="返回输入密码")).to_have_count(0)


def its_owner_opens_it_again(jiang: Page) -> None:
    """By a code, the ID number and a card: then another PIN is chosen, which still has to be given."""
    sheet = sheet_of(jiang)
    prove(jiang, **{"身份证号后 6 位": tail_of("jiang"), "本人银行卡号": card_number(JIANG_CARD)})
    type_new_pin(sheet, ANEW)
    expect(sheet.get_by_text("密码已设置。核对上面的内容,再输入一次以授权")).to_be_visible()


def transfers(site: Site) -> int:
    with psycopg.connect(site.database_url) as connection:
        found = connection.execute("SELECT count(*) FROM payments_transfer WHERE amount_fen = 1234").fetchone()
    return int(found[0]) if found else 0


def test_a_pin_is_chosen_changed_locked_by_guesses_and_opened_again_by_its_owner(
    new_phone: Callable[..., Page], site: Site
) -> None:
    tao = new_phone("tao", path="/me/bank")
    a_first_pin_is_chosen(tao)
    the_pad_stands_otherwise_each_time(tao)
    it_is_changed_by_whoever_knows_it(tao)

    jiang = new_phone("jiang")
    talk_with(jiang, "林晓舟")
    start_transfer(jiang, "12.34")
    five_wrong_ones_lock_it(jiang)
    its_owner_opens_it_again(jiang)
    assert transfers(site) == 0, "choosing a PIN authorises nothing"
    type_pin(sheet_of(jiang), PIN)
    expect(sheet_of(jiang).get_by_role("alert")).to_contain_text("还可以试 4 次")
    type_pin(sheet_of(jiang), ANEW)
    expect(card(jiang, "12.34", "待收款")).to_be_visible()
    assert transfers(site) == 1
