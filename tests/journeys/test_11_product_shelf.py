"""A product comes on the shelf by two people: entered with its files, sent back, changed, approved, bought from."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.browser import DESK

NAME = "远山稳进 30 天 1 号"
PAPERS = ("产品说明书", "投资协议书", "风险揭示书")


def fill_in(page: Page) -> None:
    """The form of a new product."""
    for label, value in {
        "产品代码": "YSWJ30-1",
        "登记编码": "Z7003926000901",
        "名称": NAME,
        "英文名称": "Yuanshan Steady 30 Days No. 1",
        "管理人": "远山理财有限责任公司",
        "管理人(英文)": "Yuanshan Wealth Management",
        "起购金额": "1,000",
        "递增金额": "100",
        "总额度": "100,000,000",
        "封闭期(天)": "30",
        "开放安排": "封闭 30 天,到期自动兑付",
        "开放安排(英文)": "Closed for 30 days",
    }.items():
        page.get_by_label(label, exact=True).fill(value)
    for name in PAPERS:
        page.get_by_label(f"选择{name}的文件").set_input_files(
            {"name": f"{name}.txt", "mimeType": "text/plain", "buffer": f"{name}\n\n一、内容\n以此为准。\n".encode()}
        )
        expect(page.get_by_text(f"{name}.txt")).to_be_visible()


def test_a_product_is_entered_by_one_person_and_put_on_the_shelf_by_another(new_phone: Callable[..., Page]) -> None:
    fang, qin, su = (
        new_phone("fang", size=DESK, path="/desk/products/new"),
        new_phone("qin", size=DESK, path="/desk/products"),
        new_phone("su", path="/wealth/products"),
    )
    fill_in(fang)
    fang.get_by_label("起购金额", exact=True).fill("1 元")
    fang.get_by_role("button", name="提交复核").click()
    expect(fang.get_by_role("alert").filter(has_text="请检查填写的内容")).to_be_visible()
    fang.get_by_label("起购金额", exact=True).fill("1,000")
    fang.get_by_role("button", name="提交复核").click()
    expect(fang.get_by_text("待复核")).to_be_visible()
    expect(fang.get_by_role("button", name="复核通过")).to_have_count(0)

    qin.get_by_role("button", name="刷新").click()
    qin.get_by_role("link", name=re.compile(NAME)).click()
    expect(qin.get_by_role("row", name=re.compile("起购金额"))).to_contain_text("1,000.00 元")
    expect(qin.get_by_text("SHA-256")).to_have_count(3)
    qin.get_by_role("button", name="退回").click()
    qin.get_by_role("dialog").get_by_label("退回原因").fill("请补充业绩比较基准")
    qin.get_by_role("dialog").get_by_role("button", name="退回").click()
    expect(qin.get_by_text("已退回", exact=True)).to_be_visible()

    fang.reload()
    expect(fang.get_by_text("请补充业绩比较基准")).to_be_visible()
    fang.get_by_role("button", name="修改").click()
    fang.get_by_label("业绩比较基准下限").fill("1.80")
    fang.get_by_label("业绩比较基准上限").fill("2.20")
    fang.get_by_role("button", name="提交复核").click()
    expect(fang.get_by_text("待复核")).to_be_visible()
    su.reload()
    expect(su.get_by_text("远山稳进 90 天 12 号").first).to_be_visible()
    expect(su.get_by_text(NAME)).to_have_count(0)

    qin.reload()
    qin.get_by_role("button", name="复核通过").click()
    qin.get_by_role("alertdialog").get_by_role("button", name="复核通过").click()
    expect(qin.get_by_text("已生效", exact=True).first).to_be_visible()
    su.reload()
    su.get_by_role("link", name=re.compile(f"{NAME} R2")).click()
    expect(su.get_by_text("1.80%–2.20%").first).to_be_visible()
    su.get_by_role("link", name=re.compile("产品说明书")).click()
    expect(su.get_by_text("以此为准。")).to_be_visible()
