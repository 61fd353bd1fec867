"""Journey 6: a customer of another bank registers, proves who they are, binds a card, and finds a friend."""

import re
from collections.abc import Callable
from datetime import date

from playwright.sync_api import Page, expect

from rongliao.demo.accounts import card_number, id_number
from tests.support.browser import PHONES

PHONE = "13712340006"
NAME = "温岚"
ID_NUMBER = id_number("330106", date(1990, 3, 7), 20)
CARD = card_number("621700880000123401")


def register(page: Page) -> None:
    """From the door to a bound card."""
    page.get_by_role("link", name="注册").click()
    expect(page.get_by_role("heading", name="验证手机号")).to_be_visible()
    page.get_by_label("手机号").fill(PHONE)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("演示短信")).to_be_visible()
    page.get_by_role("button", name="填入").click()
    page.get_by_role("button", name="下一步").click()

    page.get_by_label("昵称").fill("在线客服温岚")
    page.get_by_label("密码", exact=True).fill("quiet-harbour-9")
    page.get_by_role("button", name="注册", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("请先阅读并同意用户服务协议和隐私政策")
    page.get_by_role("button", name="《隐私政策》").click()
    text = page.get_by_role("dialog", name="《隐私政策》")
    expect(text.get_by_role("heading", name="五、怎样保护")).to_be_visible()
    expect(text.get_by_text("版本 2026-11")).to_be_visible()
    text.get_by_role("button", name="关闭").last.click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="注册", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("名称不能像银行、客服或官方的名称")
    page.get_by_label("昵称").fill(NAME)
    page.get_by_role("button", name="注册", exact=True).click()

    expect(page.get_by_role("heading", name="实名")).to_be_visible()
    page.get_by_label("姓名").fill(NAME)
    page.get_by_label("身份证号").fill(ID_NUMBER[:-1] + ("0" if ID_NUMBER[-1] != "0" else "1"))
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("alert")).to_contain_text("身份证号有误")
    page.get_by_label("身份证号").fill(ID_NUMBER)
    page.get_by_role("button", name="下一步").click()

    expect(page.get_by_role("heading", name="绑定银行卡")).to_be_visible()
    page.get_by_label("银行卡号").fill(CARD)
    expect(page.get_by_text("建设银行 · 储蓄卡")).to_be_visible()
    page.get_by_role("button", name="同意并绑定").click()
    expect(page.get_by_role("heading", name="都好了")).to_be_visible()


def befriend(page: Page, friend: Page, phone: str) -> None:
    """Asks somebody by phone number, who accepts on their own phone."""
    page.get_by_role("link", name="通讯录").click()
    page.get_by_role("button", name="添加朋友").first.click()
    page.get_by_label("手机号").fill(phone)
    page.get_by_label("打个招呼").fill("我是温岚,读书会认识的")
    page.get_by_role("button", name="发送申请").click()
    expect(page.get_by_text("已申请,等待对方同意")).to_be_visible()

    friend.get_by_role("link", name="通讯录").click()
    expect(friend.get_by_role("link", name="新的朋友")).to_contain_text("条未读")
    friend.get_by_role("link", name="新的朋友").click()
    expect(friend.get_by_text("我是温岚,读书会认识的")).to_be_visible()
    friend.get_by_role("button", name="接受").first.click()
    expect(friend.get_by_text("你和温岚已是好友")).to_be_visible()
    expect(page.get_by_role("button", name="发消息")).to_be_visible()


def test_a_customer_of_another_bank_registers_binds_a_card_and_finds_a_friend(new_phone: Callable[..., Page]) -> None:
    newcomer = new_phone("guest", signed_in=False)
    expect(newcomer.get_by_text("演示登录")).to_be_visible()
    register(newcomer)
    newcomer.get_by_role("button", name="进入融聊").click()
    newcomer.get_by_role("link", name="我", exact=True).click()
    expect(newcomer.get_by_text("已核验").first).to_be_visible()
    newcomer.get_by_role("link", name="银行卡").click()
    expect(newcomer.get_by_text(f"尾号 {CARD[-4:]}", exact=True)).to_be_visible()
    newcomer.get_by_role("button", name="返回").click()

    lin = new_phone("lin")
    befriend(newcomer, lin, PHONES["lin"])
    newcomer.get_by_role("button", name="发消息").click()
    newcomer.get_by_placeholder("发消息").fill("你好,加上啦")
    newcomer.get_by_role("button", name="发送").click()
    lin.get_by_role("button", name="返回").click()
    lin.get_by_role("link", name="消息").first.click()
    expect(lin.get_by_role("link", name="温岚")).to_contain_text("你好,加上啦")


def test_a_device_that_is_kicked_out_is_signed_out_at_once(new_phone: Callable[..., Page]) -> None:
    here, there = new_phone("su"), new_phone("su")
    expect(there.get_by_role("heading", name="消息")).to_be_visible()
    here.goto("/me/devices")
    here.get_by_role("button", name="移除").click()
    here.get_by_role("alertdialog").get_by_role("button", name="移除").click()
    expect(here.get_by_text("已移除")).to_be_visible()
    expect(there.get_by_role("button", name="登录", exact=True)).to_be_visible()
    expect(here.get_by_text("本机")).to_be_visible()


def test_every_service_of_the_bank_in_the_address_book_leads_to_its_conversation(
    new_phone: Callable[..., Page],
) -> None:
    su = new_phone("su", path="/contacts")
    for name in ("周经理", "账户变动", "在线客服"):
        su.get_by_role("link", name=name).first.click()
        expect(su.get_by_role("heading", name=name)).to_be_visible()
        expect(su.get_by_text("银行认证")).to_be_visible()
        su.get_by_role("button", name="发消息").click()
        expect(su).to_have_url(re.compile(r"/messages/[0-9a-f-]{36}$"))
        expect(su.get_by_role("log")).to_be_visible()
        su.goto("/contacts")
