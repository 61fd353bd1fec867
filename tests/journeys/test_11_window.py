"""On a desktop the bank's page is a window of its own, and the app waits for it."""

from collections.abc import Callable

import psycopg
from playwright.sync_api import Page, expect

from rongliao.demo import PIN
from tests.support.browser import DESK
from tests.support.paying import confirm
from tests.support.site import Site

KEEP_WINDOWS = (
    "(() => { const open = window.open.bind(window); window.open = (...given) => (window.kept = open(...given)); })()"
)
REACH = """() => {
    const found = {};
    for (const [name, read] of [
        ["page", () => window.kept.document.body.innerHTML],
        ["address", () => window.kept.location.href],
        ["opener", () => window.kept.opener.location.href],
    ]) {
        try { found[name] = read(); } catch (error) { found[name] = error.name; }
    }
    return found;
}"""
FORGE = """([origin, id]) => {
    const done = {type: "rongliao.bank", outcome: "done", intent_id: id};
    window.postMessage(done, location.origin);
    dispatchEvent(new MessageEvent("message", {data: done, origin, source: window}));
    window.kept.postMessage(done, origin);
    window.kept.postMessage({type: "rongliao.bank.cancel", intent_id: "other"}, origin);
}"""


def intents(site: Site) -> list[tuple[str, str]]:
    """Id and state, newest first."""
    with psycopg.connect(site.database_url) as connection:
        found = connection.execute("SELECT id::text, state FROM bank_session_intent ORDER BY prepared_at DESC")
        return [(str(intent_id), str(state)) for intent_id, state in found]


def start(page: Page, amount: str) -> None:
    page.goto("/wealth/accounts")
    page.get_by_role("button", name="转到我的账户").click()
    page.get_by_label("转账金额").fill(amount)


def send(page: Page) -> Page:
    """Has the bank's window opened by the click, and waits for its pad."""
    with page.expect_popup() as opened:
        page.get_by_role("button", name="转账", exact=True).click()
    window = opened.value
    expect(window.get_by_role("button", name="5", exact=True)).to_be_enabled()
    expect(page.get_by_role("dialog", name="请在银行窗口中确认")).to_be_visible()
    return window


def type_pin(window: Page) -> None:
    for digit in PIN:
        window.get_by_role("button", name=digit, exact=True).click()


def test_a_window_confirms_is_closed_or_given_up_and_the_app_follows(
    new_phone: Callable[..., Page], site: Site
) -> None:
    su = new_phone("su", size=DESK)
    su.add_init_script(KEEP_WINDOWS)
    waiting = su.get_by_role("dialog", name="请在银行窗口中确认")

    start(su, "11.10")
    window = send(su)
    assert window.url.startswith(site.bank_origin) and "code" not in window.url
    expect(su.locator("iframe")).to_have_count(0)
    window.close()
    expect(waiting).to_have_count(0)
    expect(su.get_by_label("转账金额")).to_have_value("11.10")

    window = send(su)
    waiting.get_by_role("button", name="取消").click()
    expect(waiting).to_have_count(0)
    assert window.is_closed()
    assert intents(site)[0][1] == "cancelled"

    window = send(su)
    intent_id, state = intents(site)[0]
    assert state == "prepared"
    assert su.evaluate(REACH) == {
        "page": "SecurityError",
        "address": "SecurityError",
        "opener": f"{site.origin}/wealth/own-transfer",
    }
    su.evaluate(FORGE, [site.bank_origin, intent_id])
    su.get_by_role("button", name="回到银行窗口").click()
    expect(waiting).to_be_visible()
    expect(window.get_by_role("button", name="5", exact=True)).to_be_enabled()
    type_pin(window)
    expect(window.get_by_role("heading", name="已转入您的账户")).to_be_visible()
    expect(su.get_by_text("已转到您的账户")).to_be_visible()
    expect(waiting).to_have_count(0)
    assert window.is_closed()
    assert intents(site)[0] == (intent_id, "executed")


def test_where_no_window_may_open_it_stays_a_sheet(new_phone: Callable[..., Page], site: Site) -> None:
    su = new_phone("su", size=DESK)
    su.add_init_script("window.open = () => null")
    start(su, "12.20")
    su.get_by_role("button", name="转账", exact=True).click()
    confirm(su)
    expect(su.get_by_text("已转到您的账户")).to_be_visible()


def test_what_was_typed_comes_back_after_a_reload_and_is_done_once(new_phone: Callable[..., Page], site: Site) -> None:
    su = new_phone("su", path="/wealth/accounts")
    su.get_by_role("button", name="转到我的账户").click()
    su.get_by_label("转账金额").fill("13.30")
    su.get_by_role("button", name="转账", exact=True).click()
    expect(su.frame_locator("iframe").get_by_role("button", name="5", exact=True)).to_be_enabled()
    before = intents(site)[0]
    su.reload()
    expect(su.get_by_label("转账金额")).to_have_value("13.30")
    su.get_by_role("button", name="转账", exact=True).click()
    confirm(su)
    expect(su.get_by_text("已转到您的账户")).to_be_visible()
    assert intents(site)[0] == (before[0], "executed")
