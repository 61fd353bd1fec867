"""Journey 9c: notifications: turned on and off on this device, hidden content, quiet hours, and a closed page rung."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from rongliao.demo import PASSWORD
from tests.journeys.test_2_talking import row_of
from tests.support.browser import PHONES, SIGN_IN, Phones
from tests.support.site import Site

# The browser's own push service is not reached from a test: what it gives is stood in for, and nothing of ours.
SUBSCRIBED = """
(() => {
  const key = "p.sub";
  const point = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
  const made = () => ({
    endpoint: "https://fcm.googleapis.com/fcm/send/journey",
    toJSON: () => ({
      endpoint: "https://fcm.googleapis.com/fcm/send/journey",
      keys: { p256dh: point, auth: "BTBZMqHH6r4Tts7J_aSIgg" },
    }),
    unsubscribe: () => Promise.resolve(localStorage.removeItem(key) ?? true),
  });
  PushManager.prototype.subscribe = () => Promise.resolve(localStorage.setItem(key, "1") ?? made());
  PushManager.prototype.getSubscription = () => Promise.resolve(localStorage.getItem(key) ? made() : null);
})();
"""


RUNG_MS = 1_500
"""What a worker takes at most to start and to ring."""


@pytest.mark.notifications
def test_a_phone_rings_for_whoever_turned_it_on_and_leads_to_the_conversation(phones: Phones, site: Site) -> None:
    su = phones.open("su", path="/healthz", service_workers="allow")
    su.context.add_init_script(SUBSCRIBED)
    signed = su.request.post(
        SIGN_IN, headers={"Origin": site.origin}, data={"phone": PHONES["su"], "password": PASSWORD}
    )
    assert signed.ok
    su.goto("/me")
    su.evaluate("navigator.serviceWorker.ready.then(() => true)")
    su.get_by_role("link", name="消息通知").click()
    ring = su.get_by_role("switch", name="有新消息时通知")
    expect(ring).not_to_be_checked()
    su.context.grant_permissions(["notifications"])
    ring.click()
    expect(su.get_by_text("这台设备会提醒您")).to_be_visible()
    su.get_by_role("switch", name="隐藏内容").click()
    expect(su.get_by_role("switch", name="隐藏内容")).to_be_checked()
    su.get_by_role("switch", name="免打扰时段").click()
    expect(su.get_by_label("从", exact=True)).to_have_value("22:00")
    su.reload()
    expect(ring).to_be_checked()
    expect(su.get_by_role("switch", name="隐藏内容")).to_be_checked()
    expect(su.get_by_label("到", exact=True)).to_have_value("07:00")

    assert rung(su, site) == [{"title": "融聊", "body": "您有一条新消息"}]
    su.goto("/me/notifications")
    ring.click()
    expect(ring).not_to_be_checked()
    su.reload()
    expect(ring).not_to_be_checked()


def rung(page: Page, site: Site) -> list[dict[str, str]]:
    """What stands on the screen after a push while no page is open."""
    devtools = page.context.new_cdp_session(page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(one["registrationId"] for one in event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    for _ in range(100):
        if found:
            break
        page.wait_for_timeout(20)
    page.goto("about:blank")
    note = {
        "v": 1,
        "type": "message",
        "conversation_id": str(site.world.conversations["lin-su"]),
        "tag": str(site.world.conversations["lin-su"]),
        "badge": 3,
        "at": "2026-11-23T10:00:00+00:00",
        "title": "融聊",
        "body": "您有一条新消息",
    }
    devtools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": site.origin, "registrationId": found[-1], "data": json.dumps(note)},
    )
    page.wait_for_timeout(RUNG_MS)
    page.goto("/healthz")
    shown: list[dict[str, str]] = page.evaluate(
        """navigator.serviceWorker.getRegistration("/").then((worker) => worker.getNotifications())
           .then((all) => all.map(({ title, body }) => ({ title, body })))"""
    )
    return shown


def test_a_browser_that_cannot_ring_says_what_to_do(new_phone: Callable[..., Page]) -> None:
    su = new_phone("su", path="/me/notifications")
    expect(su.get_by_text("这个浏览器不能接收通知")).to_be_visible()
    expect(su.get_by_role("switch", name="隐藏内容")).to_be_visible()


def test_devices_are_listed_and_one_is_shown_the_door(new_phone: Callable[..., Page]) -> None:
    here, there = new_phone("su"), new_phone("su")
    expect(row_of(there, "林晓舟")).to_be_visible()
    here.goto("/me/devices")
    expect(here.get_by_text("本机")).to_have_count(1)
    here.get_by_role("button", name=re.compile("^移除")).first.click()
    here.get_by_role("alertdialog").get_by_role("button", name="移除").click()
    expect(here.get_by_text("已移除")).to_be_visible()
    expect(there.get_by_role("button", name="登录", exact=True)).to_be_visible()
    expect(there.get_by_text("登录已失效,请重新登录")).to_be_visible()
