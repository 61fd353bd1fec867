"""Journey 5: money to a friend from the chat: confirmed on the bank sheet, received or returned, or back by itself."""

from collections.abc import Callable

import psycopg
from playwright.sync_api import Page, expect

from tests.support.browser import Phones
from tests.support.paying import card, confirm, sheet_of, start_transfer, talk_with
from tests.support.site import Site


def rows(site: Site, statement: str, *params: object) -> list[tuple[object, ...]]:
    with psycopg.connect(site.database_url) as connection:
        return connection.execute(statement, params).fetchall()  # type: ignore[arg-type]  # psycopg asks for a literal


def test_money_goes_to_a_friend_who_receives_it_into_the_account_of_their_choice(
    new_phone: Callable[..., Page], site: Site
) -> None:
    su, lin = new_phone("su"), new_phone("lin")
    talk_with(lin, "苏禾")
    talk_with(su, "林晓舟")
    start_transfer(su, "123.45", "周末的票")

    sheet = sheet_of(su)
    expect(sheet.get_by_text("¥ 123.45").first).to_be_visible()
    expect(sheet.get_by_text("人民币壹佰贰拾叁元肆角伍分")).to_be_visible()
    expect(sheet.get_by_text("*晓舟(好友,已实名)")).to_be_visible()
    expect(sheet.get_by_text("林晓舟")).to_have_count(0)
    confirm(su)

    expect(card(su, "123.45", "待收款")).to_be_visible()
    su.get_by_role("link", name="详情").last.click()
    expect(su.get_by_text("自动退回").first).to_be_visible()
    waiting = card(lin, "123.45", "待收款")
    expect(waiting).to_contain_text("周末的票")
    waiting.get_by_role("button", name="收款").click()
    receive = lin.get_by_role("dialog", name="收款")
    expect(receive.get_by_text("来自 *禾")).to_be_visible()
    receive.get_by_role("radio", name="储蓄卡").check()
    receive.get_by_role("button", name="确认收款").click()
    expect(su.get_by_text("对方已收款")).to_be_visible()
    su.go_back()
    for page in (su, lin):
        expect(card(page, "123.45", "已收款")).to_be_visible()
    assert rows(site, "SELECT state FROM payments_transfer WHERE amount_fen = 12345") == [("received",)]


def test_the_way_back_closes_the_bank_sheet_before_it_leaves_the_page(
    new_phone: Callable[..., Page], site: Site
) -> None:
    su = new_phone("su")
    talk_with(su, "林晓舟")
    start_transfer(su, "77.00")
    expect(sheet_of(su).get_by_text("¥ 77.00").first).to_be_visible()
    su.go_back()
    expect(su.locator("iframe")).to_have_count(0)
    expect(su.get_by_text("手续费")).to_be_visible()
    su.go_back()
    expect(su.get_by_placeholder("发消息")).to_be_visible()
    assert rows(site, "SELECT state FROM payments_transfer WHERE amount_fen = 7700") == []


def test_a_transfer_is_returned_in_the_payees_own_browser(new_phone: Callable[..., Page]) -> None:
    su, lin = new_phone("su"), new_phone("lin")
    talk_with(su, "林晓舟")
    talk_with(lin, "苏禾")
    start_transfer(su, "66")
    confirm(su)
    card(lin, "66.00", "待收款").get_by_role("button", name="退回").click()
    lin.get_by_role("alertdialog").get_by_role("button", name="退回").click()
    expect(card(lin, "66.00", "已退回")).to_be_visible()
    expect(card(su, "66.00", "已退回")).to_contain_text("对方已退回")


def test_a_sheet_that_is_cancelled_moves_nothing(new_phone: Callable[..., Page], site: Site) -> None:
    su = new_phone("su")
    talk_with(su, "林晓舟")
    start_transfer(su, "77")
    sheet_of(su).get_by_role("button", name="取消").click()
    expect(su.get_by_role("button", name="转账", exact=True)).to_be_enabled()
    assert rows(site, "SELECT count(*) FROM payments_transfer WHERE amount_fen = 7700") == [(0,)]


def test_a_friend_without_an_account_sees_how_to_receive_and_after_24_hours_it_goes_back(
    new_phone: Callable[..., Page], phones: Phones, site: Site
) -> None:
    su, tao = new_phone("su"), new_phone("tao")
    talk_with(tao, "苏禾")
    talk_with(su, "陶然")
    start_transfer(su, "9.9")
    expect(sheet_of(su).get_by_text("首次向此人付款")).to_be_visible()
    confirm(su)
    waiting = card(tao, "9.90", "待收款")
    expect(waiting).to_contain_text("开户后可收")
    waiting.get_by_role("button", name="去开户").click()
    expect(tao.get_by_text("先绑定一张银行卡")).to_be_visible()
    tao.go_back()

    before = rows(site, "SELECT held_fen FROM ledger_account WHERE id = %s", site.world.accounts["su"])[0][0]
    for _ in range(2):
        moved = su.request.post("/api/demo/advance", headers={"Origin": site.origin}, data={"to": "next_trading_day"})
        assert moved.ok, moved.text()
    expect(card(su, "9.90", "过期退回")).to_be_visible()
    expect(card(tao, "9.90", "过期退回")).to_be_visible()
    after = rows(site, "SELECT held_fen FROM ledger_account WHERE id = %s", site.world.accounts["su"])[0][0]
    assert int(str(before)) - int(str(after)) >= 990
    assert phones.complaints == []
