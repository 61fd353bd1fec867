"""Journey 7, second half: a customer follows a service account, its menu answers, and an article arrives."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.moments.conftest import png
from tests.support.browser import DESK

TITLE = "冬天的第一笔存款"


def write_article(fang: Page) -> None:
    """On the staff page: writes, previews and sends."""
    fang.get_by_role("combobox", name="服务号").select_option("wealth-news")
    fang.get_by_role("button", name="写文章").click()
    fang.get_by_label("标题", exact=True).fill(TITLE)
    fang.get_by_label("摘要").fill("先留好要用的,再谈存多久。")
    fang.get_by_label("段落").fill("三个月内要用的钱,放在随时可取的地方。\n<b>这不是标签</b>")
    with fang.expect_file_chooser() as chooser:
        fang.get_by_role("button", name="添加封面").click()
    chooser.value.set_files({"name": "cover.png", "mimeType": "image/png", "buffer": png(800, 450)})
    expect(fang.get_by_role("img", name="封面")).to_be_visible()
    fang.get_by_role("button", name="预览").click()
    expect(fang.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(fang.get_by_text("<b>这不是标签</b>")).to_be_visible()
    fang.get_by_role("button", name="发给全部关注者").click()
    fang.get_by_role("alertdialog").get_by_role("button", name="发送").click()
    expect(fang.get_by_text("全部送达:7 位关注者")).to_be_visible(timeout=20_000)
    expect(fang.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")


def test_a_customer_follows_taps_the_menu_and_gets_an_article(new_phone: Callable[..., Page]) -> None:
    shen = new_phone("shen", path="/contacts")
    shen.get_by_role("link", name="服务号", exact=True).click()
    shen.get_by_role("searchbox", name="搜索服务号").fill("财富")
    shen.locator("main").get_by_role("link", name="远山财富").click()
    shen.get_by_role("button", name="关注", exact=True).click()
    log = shen.get_by_role("log")
    expect(log.get_by_text("您好,这里是财富服务号。")).to_be_visible()

    menu = shen.get_by_role("navigation", name="菜单")
    menu.get_by_role("button", name="交易时间").click()
    expect(log.get_by_text("交易日 15:00 前提交的委托按当日净值确认")).to_be_visible()
    menu.get_by_role("button", name="看产品").click()
    expect(menu.get_by_role("button", name="风险测评")).to_be_visible()
    shen.keyboard.press("Escape")
    expect(menu.get_by_role("button", name="风险测评")).to_have_count(0)

    menu.get_by_role("button", name="改用键盘").click()
    shen.get_by_placeholder("发消息").fill("净值")
    shen.get_by_role("button", name="发送").click()
    expect(log.get_by_text("净值在每个交易日晚间更新")).to_be_visible()

    write_article(new_phone("fang", size=DESK, path="/desk/officials"))
    card = log.get_by_role("article", name=TITLE)
    expect(card).to_have_count(1)
    card.get_by_role("button").click()
    expect(shen.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(shen.get_by_text("<b>这不是标签</b>")).to_be_visible()

    su = new_phone("su")
    su.get_by_role("listitem").filter(has=su.get_by_text("远山财富", exact=True)).get_by_role("link").click()
    expect(su.get_by_role("log").get_by_role("article", name=TITLE)).to_have_count(1)


def test_another_role_finds_no_way_to_the_articles(new_phone: Callable[..., Page]) -> None:
    zhou = new_phone("zhou", size=DESK, path="/desk/")
    expect(zhou.get_by_role("navigation", name="工作台导航")).to_be_visible()
    expect(zhou.get_by_role("link", name="文章与群发")).to_have_count(0)
    assert zhou.request.get("/api/officials/operations/").status == 403


def test_an_alert_shows_its_balance_only_when_its_owner_asks(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su")
    su.get_by_role("listitem").filter(has=su.get_by_text("账户变动", exact=True)).get_by_role("link").click()
    card = su.get_by_role("log").get_by_role("article").last
    expect(card).to_contain_text("尾号 8823")
    card.get_by_role("button", name="轻触显示").click()
    expect(card.get_by_role("button", name="隐藏余额")).to_contain_text(".")
    card.get_by_role("button", name="设置提醒").click()
    expect(su.get_by_role("heading", name="提醒设置")).to_be_visible()
    account = su.get_by_role("region", name="储蓄卡 尾号 8823")
    account.get_by_role("switch", name="免打扰时段").click()
    expect(account.get_by_label("开始")).to_have_value("22:00")
    su.reload()
    expect(account.get_by_label("结束")).to_have_value("07:00")
