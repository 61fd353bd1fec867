"""Operations take an entry back by four eyes, see the day closed, and its owner what the balance was before."""

from collections.abc import Callable

import psycopg
from playwright.sync_api import Page, expect

from tests.support.browser import DESK
from tests.support.site import Site

ENTRY = """
SELECT e.id, e.memo FROM ledger_entry e
JOIN ledger_posting p ON p.entry_id = e.id JOIN ledger_account a ON a.id = p.account_id
WHERE a.owner_id = %s AND a.account_class = 'I' AND p.amount_fen < 0 ORDER BY p.id DESC LIMIT 1
"""


def test_an_entry_is_taken_back_by_two_and_the_day_is_closed(new_phone: Callable[..., Page], site: Site) -> None:
    with psycopg.connect(site.database_url) as connection:
        found = connection.execute(ENTRY, [site.world.people["su"]]).fetchone()
    assert found is not None
    entry_id, memo = str(found[0]), str(found[1])

    fang = new_phone("fang", size=DESK, path="/desk/operations/reversals")
    fang.get_by_label("分录编号或业务编号").fill("12")
    fang.get_by_role("button", name="查找").click()
    expect(fang.get_by_text("请填写完整的编号")).to_be_visible()
    fang.get_by_label("分录编号或业务编号").fill(entry_id)
    fang.get_by_role("button", name="查找").click()
    fang.get_by_role("button", name="录入冲正").click()
    sheet = fang.get_by_role("dialog")
    sheet.get_by_label("冲正原因").fill("商户重复扣款,已核实")
    sheet.get_by_role("button", name="提交复核").click()
    expect(fang.get_by_text("待复核")).to_be_visible()
    expect(fang.get_by_text("您录入的,须由另一人复核")).to_be_visible()
    expect(fang.get_by_role("button", name="复核通过")).to_have_count(0)

    qin = new_phone("qin", size=DESK, path="/desk/operations/reversals")
    expect(qin.get_by_text("商户重复扣款,已核实")).to_be_visible()
    qin.get_by_role("button", name="复核通过").click()
    qin.get_by_role("alertdialog").get_by_role("button", name="复核通过").click()
    expect(qin.get_by_role("article").get_by_text("已冲正", exact=True)).to_be_visible()

    su = new_phone("su", path="/wealth/accounts")
    su.get_by_role("link", name="储蓄卡").click()
    expect(su.get_by_text(f"冲正:{memo}")).to_be_visible()
    now = su.locator(".sum").inner_text()
    su.get_by_role("button", name="对账单").click()
    su.get_by_label("日期和时间").fill("2020-01-01T00:00")
    su.get_by_role("button", name="查询", exact=True).click()
    expect(su.get_by_role("status").filter(has_text="2020-01-01")).to_contain_text("0.00")
    assert "0.00" not in now.split()[-1:]

    site.manage("close_day")
    qin.goto("/desk/operations/closes")
    qin.get_by_role("button").filter(has_text="平").last.click()
    trial = qin.get_by_role("region", name="试算平衡表")
    expect(trial.get_by_role("row", name="客户 I 类户")).to_be_visible()
    expect(trial.locator("tfoot td").first).to_have_text("0.00")
