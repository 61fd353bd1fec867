"""Journey 2: a customer talks to their relationship manager, live in two browsers."""

from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect

from chat.wire import MAX_TEXT
from rongliao.demo.landscapes import paint
from tests.support.browser import DESK
from tests.support.site import Site


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_text(name, exact=True)).get_by_role("link")


def open_talk(page: Page, name: str) -> None:
    row_of(page, name).click()
    expect(page.get_by_role("log")).to_be_visible()
    expect(page.get_by_placeholder("发消息")).to_be_visible()


def say(page: Page, text: str) -> None:
    page.get_by_placeholder("发消息").fill(text)
    page.get_by_role("button", name="发送", exact=True).click()


def newest(page: Page, text: str) -> None:
    expect(page.get_by_role("log").get_by_text(text)).to_be_visible()


def whole_log(page: Page) -> list[str]:
    """Every text of the conversation that is open, oldest first. Only what is in sight exists as rows."""
    said: list[str] = page.get_by_role("log").evaluate(
        """async (log) => {
          const box = log.parentElement;
          const found = new Map();
          box.scrollTop = box.scrollHeight;
          for (let turn = 0; turn < 60; turn += 1) {
            await new Promise((resolve) => setTimeout(resolve, 60));
            for (const row of log.querySelectorAll("[data-seq]"))
              found.set(Number(row.dataset.seq), row.querySelector(".bubble")?.innerText ?? "");
            if (box.scrollTop <= 0) break;
            box.scrollTop -= box.clientHeight;
          }
          box.scrollTop = box.scrollHeight;
          return [...found].sort((one, other) => one[0] - other[0]).map(([, text]) => text).filter(Boolean);
        }"""
    )
    return said


def test_a_customer_and_their_manager_talk_in_text_and_pictures(new_phone: Callable[..., Page]) -> None:
    su, zhou = new_phone("su"), new_phone("zhou")
    row = row_of(su, "周经理")
    expect(row).to_contain_text("您的客户经理")
    expect(row.get_by_text("1 条未读")).to_have_count(1)
    open_talk(su, "周经理")
    expect(su.get_by_role("heading", name="周经理")).to_be_visible()
    expect(su.get_by_role("img", name="客户经理").first).to_be_visible()
    expect(su.get_by_text("会话由银行存档").first).to_be_visible()

    open_talk(zhou, "苏禾")
    words = f"明天上午十点方便通话吗 {uuid4().hex[:6]}"
    say(su, words)
    newest(su, words)
    newest(zhou, words)
    expect(su.get_by_text("发送中")).to_have_count(0)

    zhou.get_by_placeholder("发消息").press_sequentially("好的")
    expect(su.get_by_text("对方正在输入")).to_be_visible()
    zhou.get_by_role("button", name="发送", exact=True).click()
    newest(su, "好的")

    with zhou.expect_file_chooser() as chooser:
        zhou.get_by_role("button", name="更多功能").click()
        zhou.get_by_role("button", name="图片", exact=True).click()
    chooser.value.set_files(
        {"name": "hills.jpg", "mimeType": "image/jpeg", "buffer": paint("lake", 9, (600, 400)).getvalue()}
    )
    expect(su.get_by_role("button", name="周经理 发的图片").last).to_be_visible()
    su.get_by_role("button", name="周经理 发的图片").last.click()
    expect(su.get_by_role("dialog")).to_be_visible()
    su.keyboard.press("Escape")


def test_what_arrives_while_one_looks_elsewhere_is_counted_until_it_is_read(new_phone: Callable[..., Page]) -> None:
    su, lin = new_phone("su"), new_phone("lin")
    open_talk(su, "林晓舟")
    su.get_by_role("button", name="返回").click()
    expect(row_of(su, "林晓舟").get_by_text("条未读")).to_have_count(0)
    open_talk(lin, "苏禾")
    say(lin, "你在吗")
    say(lin, "晚上一起吃饭?")
    row = row_of(su, "林晓舟")
    expect(row.get_by_text("2 条未读")).to_have_count(1)
    expect(row).to_contain_text("晚上一起吃饭?")
    open_talk(su, "林晓舟")
    su.get_by_role("button", name="返回").click()
    expect(row.get_by_text("条未读")).to_have_count(0)
    su.reload()
    expect(row_of(su, "林晓舟").get_by_text("条未读")).to_have_count(0)


def test_history_scrolls_back_to_the_notice_at_the_beginning(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su")
    open_talk(su, "周经理")
    log = su.get_by_role("log")
    for number in range(60):
        say(su, f"记一笔 {number}")
    newest(su, "记一笔 59")
    su.reload()
    newest(su, "记一笔 59")
    expect(log.get_by_text("记一笔 0", exact=True)).to_have_count(0)
    for _ in range(40):
        if log.get_by_text("银行会存档本会话").count():
            break
        su.get_by_role("log").locator("..").evaluate("element => element.scrollTo(0, 0)")
        su.wait_for_timeout(100)
    expect(log.get_by_text("银行会存档本会话")).to_be_visible()
    expect(log.get_by_text("会话从这里开始")).to_be_visible()
    su.get_by_role("button", name="回到最新").click()
    newest(su, "记一笔 59")


def test_a_message_that_is_refused_stays_red_with_its_reason(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su")
    open_talk(su, "陶然")
    su.get_by_placeholder("发消息").fill("长" * (MAX_TEXT + 1))
    expect(su.get_by_text("已超出 1 字")).to_be_visible()
    expect(su.get_by_role("button", name="发送")).to_be_disabled()


def test_what_is_written_without_a_network_goes_out_in_order_when_it_is_back(
    new_phone: Callable[..., Page], site: Site
) -> None:
    su, lin = new_phone("su"), new_phone("lin")
    open_talk(su, "林晓舟")
    open_talk(lin, "苏禾")
    site.disrupted = True
    su.context.set_offline(True)
    expect(su.get_by_text("消息会在恢复后按顺序送出")).to_be_visible()
    for number in range(3):
        say(su, f"离线 {number}")
    expect(su.get_by_text("发送中").first).to_be_visible()
    su.context.set_offline(False)
    newest(lin, "离线 2")
    said = whole_log(lin)
    assert [text for text in said if text.startswith("离线")] == ["离线 0", "离线 1", "离线 2"]
    expect(su.get_by_text("发送中")).to_have_count(0)


def test_a_page_out_of_reach_leaves_the_app_standing_and_opens_once_the_network_is_back(
    new_phone: Callable[..., Page], site: Site
) -> None:
    su = new_phone("su")
    expect(row_of(su, "林晓舟")).to_be_visible()
    site.disrupted = True
    su.context.set_offline(True)
    su.get_by_role("link", name="财富", exact=True).click()
    expect(su.get_by_text("这一页没有打开")).to_be_visible()
    expect(su.get_by_role("heading", name="消息")).to_be_visible()
    su.context.set_offline(False)
    su.get_by_role("link", name="财富", exact=True).click()
    expect(su.get_by_role("navigation", name="常用")).to_have_css("display", "flex")


def test_a_friend_who_asks_for_money_comes_with_a_warning(new_phone: Callable[..., Page]) -> None:
    su, tao = new_phone("su"), new_phone("tao")
    open_talk(su, "陶然")
    open_talk(tao, "苏禾")
    say(tao, "我手机坏了,借我 8,000 周转一下?")
    expect(su.get_by_text("对方不是银行认证身份")).to_be_visible()
    expect(tao.get_by_text("对方不是银行认证身份")).to_have_count(0)


def test_a_recalled_message_goes_from_both_browsers(new_phone: Callable[..., Page]) -> None:
    su, lin = new_phone("su"), new_phone("lin")
    open_talk(su, "林晓舟")
    open_talk(lin, "苏禾")
    say(su, "发错了的话")
    newest(lin, "发错了的话")
    su.get_by_role("log").get_by_text("发错了的话").click(button="right")
    su.get_by_role("dialog").get_by_role("button", name="撤回").click()
    newest(su, "您撤回了一条消息")
    newest(lin, "对方撤回了一条消息")
    expect(lin.get_by_role("log").get_by_text("发错了的话")).to_have_count(0)


def test_list_and_conversation_stand_side_by_side_on_a_wide_screen(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su", size=DESK)
    open_talk(su, "妈妈")
    expect(row_of(su, "周经理")).to_be_visible()
    field = su.get_by_placeholder("发消息")
    field.fill("周六到")
    field.press("Enter")
    newest(su, "周六到")
    field.fill("几点")
    open_talk(su, "周经理")
    expect(row_of(su, "妈妈")).to_contain_text("[草稿] 几点")
    open_talk(su, "妈妈")
    expect(field).to_have_value("几点")
    field.fill("")
    expect(row_of(su, "妈妈")).not_to_contain_text("草稿")


def test_on_a_wide_screen_tab_goes_to_the_rail_the_list_and_what_is_open(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su", size=DESK, path="/contacts")
    expect(su.get_by_role("button", name="去答复")).to_be_visible()
    su.keyboard.press("Tab")  # past the tabs, for whoever wants that
    for tab in ("消息", "通讯录", "朋友圈", "财富", "我"):
        su.keyboard.press("Tab")
        expect(su.get_by_role("navigation").get_by_role("link", name=tab)).to_be_focused()
    su.keyboard.press("Tab")
    expect(su.get_by_role("button", name="添加朋友")).to_be_focused()


def test_whoever_writes_many_lines_keeps_the_newest_message_in_sight(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su")
    open_talk(su, "林晓舟")
    newest(su, "收到啦,谢谢!")
    write = su.get_by_placeholder("发消息")
    for _ in range(7):
        write.press_sequentially("又一行")
        write.press("Shift+Enter")
    write.press_sequentially("最后一行")
    expect(su.get_by_role("button", name="回到最新")).to_have_count(0)
    end = "log => { const box = log.parentElement; return box.scrollHeight - box.scrollTop - box.clientHeight; }"
    assert su.get_by_role("log").evaluate(end) < 10


def test_whoever_opens_a_lively_conversation_stays_at_its_end(new_phone: Callable[..., Page]) -> None:
    su, lin = new_phone("su"), new_phone("lin")
    open_talk(su, "林晓舟")
    row_of(lin, "苏禾").click()
    su.evaluate(
        """async (times) => {
          const field = document.querySelector("textarea");
          for (let turn = 0; turn < times; turn += 1) {
            field.value = `一句接一句${turn}。`;
            field.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise((resolve) => setTimeout(resolve, 30));
            field.form.requestSubmit();
            await new Promise((resolve) => setTimeout(resolve, 30));
          }
        }""",
        40,
    )
    newest(lin, "一句接一句39。")
    expect(lin.get_by_role("button", name="回到最新")).to_have_count(0)
