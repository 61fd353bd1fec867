"""A hostile script on the chat's page, with the bank's sheet open: tickets, frames, messages, a second tab, a sign-out.

The chat's own content policy is gone, as if a flaw had lost it.
"""

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from rongliao.demo import PASSWORD, PIN
from tests.support.browser import PHONE, PHONES
from tests.support.site import Site

PREPARE = """async (id) => {
    const answer = await fetch("/api/finance/passkeys", {
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({id, name: "手机"}),
    });
    return (await answer.json()).confirm_url;
}"""
AGAIN = """async (id) => {
    const answer = await fetch(`/api/finance/intents/${id}/open`, {method: "POST"});
    return (await answer.json()).confirm_url;
}"""
FRAME = """(url) => {
    document.querySelectorAll("iframe").forEach((frame) => frame.remove());
    const frame = document.createElement("iframe");
    frame.style.cssText = "position:fixed;inset:0;width:100%;height:100%;border:0;z-index:9999";
    frame.src = url;
    document.body.append(frame);
}"""
WORDS = "添加通行密钥"

People = Callable[[str], Page]


@pytest.fixture
def person(site: Site, browser: Browser) -> Iterator[People]:
    """person("su"): a browser of theirs, on a page without a content policy."""
    opened: list[BrowserContext] = []

    def sign_in(name: str) -> Page:
        context = browser.new_context(
            viewport={"width": PHONE[0], "height": PHONE[1]},
            base_url=site.origin,
            locale="zh-CN",
            bypass_csp=True,
            reduced_motion="reduce",
            service_workers="block",
        )
        opened.append(context)
        page = context.new_page()
        page.goto("/healthz")
        body = {"phone": PHONES[name], "password": PASSWORD}
        assert page.request.post("/api/session", headers={"Origin": site.origin}, data=body).ok
        page.goto("/")
        return page

    yield sign_in
    for context in opened:
        context.close()


def state_of(site: Site, intent_id: str) -> str:
    with psycopg.connect(site.database_url) as connection:
        row = connection.execute("SELECT state FROM bank_session_intent WHERE id = %s", [intent_id]).fetchone()
    return str(row[0]) if row else "none"


def prepared(page: Page) -> tuple[str, str]:
    """An intent of that person, and where it is confirmed."""
    intent_id = str(uuid4())
    return intent_id, str(page.evaluate(PREPARE, intent_id))


def type_pin(page: Page, pin: str = PIN) -> None:
    for digit in pin:
        page.frame_locator("iframe").get_by_role("button", name=digit, exact=True).click()


def waits(page: Page) -> None:
    """The pad is there."""
    expect(page.frame_locator("iframe").get_by_role("button", name="5", exact=True)).to_be_enabled()


def a_ticket_opens_one_sheet(su: Page) -> None:
    _, url = prepared(su)
    su.evaluate(FRAME, url)
    waits(su)
    again = su.context.new_page()
    again.goto(url)
    expect(again.get_by_role("alert")).to_be_visible()
    expect(again.get_by_text(WORDS)).to_have_count(0)
    assert "code=" not in again.url
    again.close()


def somebody_elses_ticket_confirms_nothing_of_ones_own(site: Site, su: Page, lin: Page) -> None:
    """The script puts another person's sheet where one's own stood, and waits for the PIN."""
    mine, url = prepared(su)
    theirs, their_url = prepared(lin)
    su.evaluate(FRAME, url)
    waits(su)
    su.evaluate(FRAME, their_url)
    waits(su)
    # 苏禾's own page, still open elsewhere, does not go on under the other's session.
    type_pin(su, "603182")
    expect(
        su.frame_locator("iframe").get_by_text("还可以试 4 次").or_(su.frame_locator("iframe").get_by_text("4 次"))
    ).to_be_visible()
    assert (state_of(site, mine), state_of(site, theirs)) == ("prepared", "prepared")


def words_from_elsewhere_are_not_the_banks(site: Site, su: Page) -> None:
    """The app's own sheet hears neither its own page, nor another frame of it, nor another frame of the bank's."""
    su.goto("/wealth/accounts")
    su.get_by_role("button", name="转到我的账户").click()
    su.get_by_label("转账金额").fill("14.40")
    su.get_by_role("button", name="转账", exact=True).click()
    waits(su)
    with psycopg.connect(site.database_url) as connection:
        row = connection.execute(
            "SELECT id::text FROM bank_session_intent ORDER BY prepared_at DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    su.evaluate(
        """async ([origin, id]) => {
            const done = {type: "rongliao.bank", outcome: "done", intent_id: id};
            postMessage(done, "*");
            const blank = document.createElement("iframe");
            blank.srcdoc = `<script>parent.postMessage(${JSON.stringify(done)}, "*")</script>`;
            const twin = document.createElement("iframe");
            twin.src = `${origin}/sheet/`;
            document.body.append(blank, twin);
            await new Promise((resolve) => setTimeout(resolve, 1500));
            blank.remove();
            twin.remove();
        }""",
        [site.bank_origin, row[0]],
    )
    waits(su)
    assert state_of(site, row[0]) == "prepared"
    expect(su.get_by_text("已转到您的账户")).to_have_count(0)
    su.frame_locator("iframe").get_by_role("button", name="取消").click()
    expect(su.locator("iframe")).to_have_count(0)


def signed_out_meanwhile_nothing_is_confirmed(site: Site, su: Page) -> None:
    intent_id, url = prepared(su)
    su.evaluate(FRAME, url)
    waits(su)
    assert su.evaluate("fetch('/api/session', {method: 'DELETE'}).then((answer) => answer.status)") == 204
    type_pin(su)
    expect(su.frame_locator("iframe").get_by_role("alert").first).to_be_visible()
    expect(su.frame_locator("iframe").get_by_role("button", name="5", exact=True)).to_have_count(0)
    assert state_of(site, intent_id) == "prepared"


def test_a_hostile_script_beside_the_sheet_gets_nothing_confirmed(person: People, site: Site) -> None:
    su, lin = person("su"), person("lin")

    a_ticket_opens_one_sheet(su)
    somebody_elses_ticket_confirms_nothing_of_ones_own(site, su, lin)
    words_from_elsewhere_are_not_the_banks(site, su)
    signed_out_meanwhile_nothing_is_confirmed(site, su)


def test_two_tabs_confirm_one_intent_once_and_no_page_between_frames_the_sheet(
    person: People, site: Site, browser: Browser
) -> None:
    su = person("su")
    intent_id, url = prepared(su)
    second = su.context.new_page()
    second.goto("/")
    su.evaluate(FRAME, url)
    waits(su)
    second.evaluate(FRAME, second.evaluate(AGAIN, intent_id))
    waits(second)
    for page in (su, second):
        type_pin(page, PIN[:-1])
    for page in (su, second):
        type_pin(page, PIN[-1])
    for page in (su, second):
        expect(page.frame_locator("iframe").get_by_role("button", name="5", exact=True)).to_have_count(0)
    with psycopg.connect(site.database_url) as connection:
        counted = connection.execute(
            "SELECT count(*) FROM bank_session_confirmation WHERE intent_id = %s", [intent_id]
        ).fetchone()
    assert counted == (1,) and state_of(site, intent_id) == "executed"

    no_page_between_frames_it(site, browser)


def no_page_between_frames_it(site: Site, browser: Browser) -> None:
    """The sheet within a page of another site within the app's: each of its ancestors must be the app's."""
    context = browser.new_context(base_url=site.origin, service_workers="block")
    page = context.new_page()
    frames = "".join(
        f"<iframe src='{site.bank_origin}{path}'></iframe>" for path in ("/sheet/", "/static/dist/bank.html")
    )
    for where, body in (
        ("**/nested", "<iframe src='http://elsewhere.localhost/'></iframe>"),
        ("http://elsewhere.localhost/**", frames),
    ):
        page.route(where, lambda route, _, body=body: route.fulfill(body=body, content_type="text/html"))
    page.goto("/nested")
    page.wait_for_timeout(1_500)
    assert len(page.frames) == 4
    assert not [frame.url for frame in page.frames if frame.url.startswith(site.bank_origin)]
    context.close()
