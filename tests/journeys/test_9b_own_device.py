"""Journey 9b: the device's own store: without a network, over a reload, and two devices of one person in step."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from rongliao.demo import PASSWORD
from tests.journeys.test_2_talking import newest, open_talk, row_of, say, whole_log
from tests.support.browser import PHONES, SIGN_IN, Phones
from tests.support.site import Site


@pytest.fixture
def own_phone(phones: Phones, site: Site) -> Iterator[Callable[[str], Page]]:
    """A phone that keeps the app's shell, as a real one does: it starts without a network."""
    opened: list[BrowserContext] = []

    def phone(name: str) -> Page:
        page = phones.open(name, path="/healthz", service_workers="allow")
        site.disrupted = True
        opened.append(page.context)
        signed = page.request.post(
            SIGN_IN, headers={"Origin": site.origin}, data={"phone": PHONES[name], "password": PASSWORD}
        )
        assert signed.ok
        page.goto("/")
        expect(row_of(page, "妈妈")).to_be_visible()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        return page

    yield phone
    for context in opened:
        context.close()


def test_without_a_network_the_app_starts_with_what_was_read_and_sends_later_what_is_written(
    own_phone: Callable[[str], Page], new_phone: Callable[..., Page]
) -> None:
    su, lin = own_phone("su"), new_phone("lin")
    open_talk(su, "林晓舟")
    newest(su, "收到啦,谢谢!")
    open_talk(lin, "苏禾")
    su.context.set_offline(True)
    say(su, "第一句,没有网络")
    su.reload()
    newest(su, "收到啦,谢谢!")
    newest(su, "第一句,没有网络")
    expect(su.get_by_text("消息会在恢复后按顺序送出")).to_be_visible()
    say(su, "第二句,重新打开以后")
    su.get_by_role("button", name="返回").click()
    expect(row_of(su, "妈妈")).to_be_visible()
    expect(row_of(su, "林晓舟")).to_contain_text("第二句,重新打开以后")
    su.context.set_offline(False)
    newest(lin, "第二句,重新打开以后")
    said = whole_log(lin)
    assert said[-2:] == ["第一句,没有网络", "第二句,重新打开以后"]
    assert len([text for text in said if "没有网络" in text]) == 1
    open_talk(su, "林晓舟")
    expect(su.get_by_role("log").get_by_text("第一句,没有网络")).to_have_count(1)
    expect(su.get_by_text("发送中")).to_have_count(0)


def test_two_devices_count_the_same_after_both_were_without_a_network(
    own_phone: Callable[[str], Page], new_phone: Callable[..., Page]
) -> None:
    first, second, lin = own_phone("su"), own_phone("su"), new_phone("lin")
    open_talk(first, "林晓舟")
    first.get_by_role("button", name="返回").click()
    open_talk(lin, "苏禾")
    say(lin, "都没有网络之前")
    for page in (first, second):
        expect(row_of(page, "林晓舟").get_by_text("1 条未读")).to_have_count(1)
        page.context.set_offline(True)
    open_talk(first, "林晓舟")
    first.get_by_role("button", name="返回").click()
    expect(row_of(first, "林晓舟").get_by_text("条未读")).to_have_count(0)
    say(lin, "都没有网络的时候")
    newest(lin, "都没有网络的时候")
    second.context.set_offline(False)
    expect(row_of(second, "林晓舟").get_by_text("2 条未读")).to_have_count(1)
    first.context.set_offline(False)
    for page in (first, second):
        expect(row_of(page, "林晓舟").get_by_text("1 条未读")).to_have_count(1)


def test_nothing_is_left_on_the_device_after_signing_out(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su")
    open_talk(su, "林晓舟")
    newest(su, "收到啦,谢谢!")
    kept = """async () => {
      const db = await new Promise((resolve) => {
        const asked = indexedDB.open("rongliao");
        asked.onsuccess = () => resolve(asked.result);
      });
      const count = (name) => new Promise((resolve) => {
        const asked = db.transaction(name).objectStore(name).count();
        asked.onsuccess = () => resolve(asked.result);
      });
      const found = {};
      for (const name of db.objectStoreNames) found[name] = await count(name);
      db.close();
      return found;
    }"""
    for _ in range(100):
        if su.evaluate(kept)["messages"]:
            break
        su.wait_for_timeout(50)
    found = su.evaluate(kept)
    assert found["messages"] > 0
    assert found["owner"] == 1
    su.goto("/me")
    su.get_by_role("button", name="退出登录").click()
    su.get_by_role("alertdialog").get_by_role("button", name="退出登录").click()
    expect(su.get_by_role("button", name="登录", exact=True)).to_be_visible()
    assert set(su.evaluate(kept).values()) == {0}
