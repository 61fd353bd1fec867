"""The app's frame in a browser: without a network, dark, large, by keyboard, for a screen reader."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.local.install import FRONTEND
from tests.support.browser import DESK, PHONE, Phones
from tests.support.site import Site

TABS = ("messages", "contacts", "moments", "wealth", "me")
BEHIND = (
    *("wealth/accounts", "wealth/own-transfer", "wealth/transfer"),
    *("me/bank", "me/devices", "me/receipts", "me/payouts", "me/payouts/new", "me/open-account"),
)
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
RULES = """
async () => {
  const found = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    resultTypes: ["violations"],
  });
  return found.violations.map((rule) => `${rule.id}: ${rule.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
}
"""


def settle(page: Page) -> None:
    """Until the skeletons are gone and nothing moves."""
    page.wait_for_load_state("networkidle")
    expect(page.locator(".rl-skeleton")).to_have_count(0)


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(RULES)
    return found


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (PHONE, True), (DESK, False), (DESK, True)])
def test_every_tab_passes_the_accessibility_rules(
    new_phone: Callable[..., Page], size: tuple[int, int], dark: bool
) -> None:
    page = new_phone("su", size=size, dark=dark)
    guilty = {}
    for tab in TABS:
        page.goto(f"/{tab}")
        settle(page)
        if found := violations(page):
            guilty[tab] = found
    assert guilty == {}


@pytest.mark.parametrize(("size", "language"), [(PHONE, "zh-CN"), (DESK, "en")])
def test_the_pages_of_money_and_of_devices_pass_them_too(
    new_phone: Callable[..., Page], size: tuple[int, int], language: str
) -> None:
    page = new_phone("su", size=size, language=language)
    guilty = {}
    for path in BEHIND:
        page.goto(f"/{path}")
        settle(page)
        if found := violations(page):
            guilty[path] = found
    assert guilty == {}


def test_nothing_is_wider_than_the_phone_in_the_large_type_mode(new_phone: Callable[..., Page]) -> None:
    page = new_phone("su")
    page.evaluate("localStorage.setItem('rl.size', 'large')")
    for tab in TABS:
        page.goto(f"/{tab}")
        settle(page)
        assert page.evaluate("document.documentElement.dataset.size") == "large"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], tab


def test_an_address_that_does_not_exist_says_so_and_leads_home(new_phone: Callable[..., Page]) -> None:
    page = new_phone("su", path="/no/such/page")
    expect(page.get_by_text("没有这个页面")).to_be_visible()
    page.get_by_role("link", name="回到消息").click()
    expect(page.get_by_role("navigation", name="主导航")).to_be_visible()


def test_whoever_is_not_signed_in_is_led_to_the_door_and_back_to_where_they_wanted(phones: Phones) -> None:
    page = phones.open("guest", path="/wealth")
    expect(page).to_have_url(phones.site.origin + "/sign-in?to=/wealth")


def test_the_app_starts_without_a_network_and_goes_on_when_it_is_back(site: Site, browser: Browser) -> None:
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, locale="zh-CN", base_url=site.origin
    )
    page = context.new_page()
    page.goto("/sign-in?to=/messages")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.set_offline(True)
    page.goto("/messages")
    expect(page.get_by_text("当前没有网络,恢复后会自动继续")).to_be_visible()
    kept = page.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys())
            for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
          return found;
        }"""
    )
    assert "/" in kept
    assert all(path == "/" or path.startswith("/static/dist/") for path in kept), "no answer of the API is ever kept"
    context.set_offline(False)
    expect(page).to_have_url(site.origin + "/sign-in?to=/messages")
    context.close()
