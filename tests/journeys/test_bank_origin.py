"""The walls around the bank's page, from the chat's side of them: script there neither reads the sheet nor confirms.

The chat's own content policy already forbids what is tried here. The browser is told to disregard it, as if it had
been lost: what holds then is the origin.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from rongliao.demo import PASSWORD
from rongliao.demo.accounts import CUSTOMERS, id_number
from tests.support.browser import PHONE, PHONES
from tests.support.paying import choose_pin, prove
from tests.support.site import Site

NEW_PIN = "147036"
TAO_TAIL = id_number(*CUSTOMERS["tao"][4:])[-6:]
PREPARE = """async (id) => {
    const answer = await fetch("/api/finance/pin", {
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({id}),
    });
    return (await answer.json()).confirm_url;
}"""
FRAME = """(url) => {
    window.heard = [];
    addEventListener("message", (event) => window.heard.push([event.origin, event.data]));
    const frame = document.createElement("iframe");
    frame.style.cssText = "position:fixed;inset:0;width:100%;height:100%;border:0;z-index:9999";
    frame.src = url;
    document.body.append(frame);
}"""
READ = """() => {
    const frame = document.querySelector("iframe");
    const found = {document: frame.contentDocument};
    for (const [name, read] of [
        ["body", () => frame.contentWindow.document.body.innerHTML],
        ["address", () => frame.contentWindow.location.href],
        ["cookie", () => frame.contentWindow.document.cookie],
    ]) {
        try { found[name] = read(); } catch (error) { found[name] = error.name; }
    }
    return {...found, own: document.cookie};
}"""
FETCH = """async ([url, options]) => {
    try {
        const answer = await fetch(url, {credentials: "include", ...options});
        return {type: answer.type, text: await answer.text()};
    } catch (error) { return error.name; }
}"""


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    """陶然, who has no PIN, signed in on a page whose content policy is gone."""
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]},
        base_url=site.origin,
        locale="zh-CN",
        bypass_csp=True,
        reduced_motion="reduce",
        service_workers="block",
    )
    page = context.new_page()
    page.goto("/healthz")
    signed = page.request.post(
        "/api/session", headers={"Origin": site.origin}, data={"phone": PHONES["tao"], "password": PASSWORD}
    )
    assert signed.ok, signed.text()
    page.goto("/")
    yield page
    context.close()


def opened(page: Page, site: Site) -> tuple[Frame, str]:
    """The sheet of a new intent in a frame of the chat's page, and the intent's id."""
    intent_id = str(uuid4())
    page.evaluate(FRAME, page.evaluate(PREPARE, intent_id))
    expect(page.frame_locator("iframe").get_by_label("身份证号后 6 位")).to_be_visible()
    frame = next(frame for frame in page.frames if frame.url.startswith(site.bank_origin))
    return frame, intent_id


def state_of(site: Site, intent_id: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(site.database_url) as connection:
        return connection.execute(
            "SELECT state, (SELECT count(*) FROM bank_session_pinverifier v WHERE v.person_id = i.person_id)"
            " FROM bank_session_intent i WHERE id = %s",
            [intent_id],
        ).fetchall()


def shown(frame: Frame, intent_id: str) -> dict[str, Any]:
    """What the bank's own page may read: asked from inside the frame."""
    found: dict[str, Any] = frame.evaluate("async (id) => (await fetch(`/api/bank/intents/${id}`)).json()", intent_id)
    return found


def reads_nothing(page: Page, site: Site, frame: Frame, intent_id: str) -> None:
    assert shown(frame, intent_id)["state"] == "prepared"

    found = page.evaluate(READ)

    assert found["document"] is None
    assert found["body"] == found["address"] == found["cookie"] == "SecurityError"
    assert "rl_bank" not in found["own"] and "code=" not in page.url
    for path in (f"intents/{intent_id}", "session", "config"):
        assert page.evaluate(FETCH, [f"{site.bank_origin}/api/bank/{path}", {}]) == "TypeError"
        opaque = page.evaluate(FETCH, [f"{site.bank_origin}/api/bank/{path}", {"mode": "no-cors"}])
        assert opaque in ("TypeError", {"type": "opaque", "text": ""})


def confirms_nothing(page: Page, site: Site, frame: Frame, intent_id: str) -> None:
    """The PIN, the hash and the intent are known to the script, and the browser sends the cookie along."""
    statement_hash = shown(frame, intent_id)["statement_hash"]
    body = f'{{"intent_id": "{intent_id}", "pin": "{NEW_PIN}", "statement_hash": "{statement_hash}"}}'

    paths = ("pin", *(f"intents/{intent_id}/{deed}" for deed in ("confirm", "cancel", "proof", "proof/code")))
    for path in paths:
        url = f"{site.bank_origin}/api/bank/{path}"
        for options in (
            {"headers": {"Content-Type": "application/json"}},
            {"mode": "no-cors", "headers": {"Content-Type": "text/plain"}},
        ):
            answer = page.evaluate(FETCH, [url, {"method": "POST", "body": body, **options}])
            assert answer in ("TypeError", {"type": "opaque", "text": ""})
    sent = page.request.post(
        f"{site.bank_origin}/api/bank/pin",
        data=body,
        headers={"Origin": site.origin, "Content-Type": "application/json"},
    )

    assert sent.status == 403 and sent.json()["error"]["code"] == "wrong_origin"
    assert state_of(site, intent_id) == [("prepared", 0)]


def a_form_does_nothing(page: Page, site: Site, intent_id: str) -> None:
    with page.expect_navigation() as arrived:
        page.evaluate(
            """(action) => {
                const form = document.createElement("form");
                Object.assign(form, {method: "post", action, enctype: "text/plain"});
                document.body.append(form);
                form.submit();
            }""",
            f"{site.bank_origin}/api/bank/intents/{intent_id}/cancel",
        )

    assert arrived.value.status == 403
    assert state_of(site, intent_id) == [("prepared", 0)]


def the_sheet_does_it(page: Page, site: Site, frame: Frame, intent_id: str) -> None:
    """And tells the chat no more than the outcome."""
    sheet = page.frame_locator("iframe")
    assert "code=" not in frame.url

    prove(page, **{"身份证号后 6 位": TAO_TAIL})
    choose_pin(page, NEW_PIN)
    expect(sheet.get_by_role("heading", name="已完成")).to_be_visible()
    page.wait_for_function("window.heard.some(([, data]) => data.outcome)")
    heard = page.evaluate("window.heard")
    assert {origin for origin, _ in heard} == {site.bank_origin}
    kinds = {data["type"]: set(data) - {"type"} for _, data in heard}
    assert kinds == {"rongliao.bank.height": {"height"}, "rongliao.bank": {"outcome", "intent_id"}}
    assert state_of(site, intent_id) == [("executed", 1)]


def no_third_page_frames_it(site: Site, browser: Browser) -> None:
    context = browser.new_context(base_url=site.origin, service_workers="block")
    page = context.new_page()
    page.route("http://elsewhere.localhost/**", lambda route: route.fulfill(body="<!doctype html><p>another page</p>"))
    page.goto("http://elsewhere.localhost/")

    page.evaluate(FRAME, f"{site.bank_origin}/sheet/")
    page.wait_for_timeout(1_500)

    framed = [frame for frame in page.frames if frame != page.main_frame]
    assert framed and all(not frame.url.startswith(site.bank_origin) for frame in framed)
    context.close()


def test_script_on_the_chat_s_page_can_neither_read_the_sheet_nor_confirm(page: Page, site: Site) -> None:
    frame, intent_id = opened(page, site)

    reads_nothing(page, site, frame, intent_id)
    confirms_nothing(page, site, frame, intent_id)
    the_sheet_does_it(page, site, frame, intent_id)


def test_no_form_of_the_chat_s_and_no_third_page_gets_at_the_sheet(page: Page, site: Site, browser: Browser) -> None:
    # The bank session of an intent that is still waiting is in this browser's cookies.
    _, intent_id = opened(page, site)

    a_form_does_nothing(page, site, intent_id)
    no_third_page_frames_it(site, browser)
