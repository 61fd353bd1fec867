"""Journey 10: a passkey is added on the bank's page and signs a large transfer, on a device that is verified for it."""

from collections.abc import Callable

import psycopg
from playwright.sync_api import Page, expect

from rongliao.demo.accounts import CUSTOMERS, id_number
from tests.support.browser import Phones
from tests.support.paying import confirm, prove, sheet_of, start_transfer, talk_with
from tests.support.site import Site

TAIL = id_number(*CUSTOMERS["su"][4:])[-6:]


def with_an_authenticator(page: Page) -> None:
    """The device's own: it verifies its user by itself."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def proofs(site: Site) -> list[str]:
    with psycopg.connect(site.database_url) as connection:
        found = connection.execute(
            "SELECT c.proof FROM bank_session_confirmation c JOIN bank_session_intent i ON i.id = c.intent_id"
            " WHERE i.kind IN ('add_passkey', 'transfer') AND c.person_id = %s ORDER BY c.at",
            [site.world.people["su"]],
        )
        return [row[0] for row in found.fetchall()]


def a_day_passes(site: Site) -> None:
    """A key that the PIN let in counts for large amounts from then on."""
    with psycopg.connect(site.database_url) as connection:
        connection.execute("UPDATE bank_session_passkey SET counts_from = now()")


def a_receipt_is_kept_and_anybody_who_holds_it_checks_it(su: Page, phones: Phones) -> None:
    su.goto("/me/receipts")
    su.get_by_role("button", name="确认转账").first.click()
    sheet = su.get_by_role("dialog", name="确认转账")
    expect(sheet.get_by_text("通行密钥签署")).to_be_visible()
    pdf = su.request.get(str(sheet.get_by_role("link", name="下载 PDF").get_attribute("href")))
    assert pdf.ok and pdf.body().startswith(b"%PDF-")

    link = su.request.get("/api/finance/receipts?limit=1").json()["items"][0]["link"]
    guest = phones.open("guest", path=link)
    expect(guest.get_by_text("内容未被改动")).to_be_visible()
    expect(guest.get_by_text("¥ 20,000.00").first).to_be_visible()
    forged = phones.open("forger", path=link[:-4] + "AAAA")
    expect(forged.get_by_text("没有查到这张回单")).to_be_visible()


def test_a_passkey_signs_a_large_transfer_that_the_pin_does_not_authorise(
    new_phone: Callable[..., Page], phones: Phones, site: Site
) -> None:
    su = new_phone("su", path="/me/bank")
    with_an_authenticator(su)
    before = len(proofs(site))
    su.get_by_role("button", name="添加通行密钥").click()
    su.get_by_role("button", name="下一步").click()
    confirm(su)
    sheet_of(su).get_by_role("button", name="创建通行密钥").click()
    expect(su.get_by_text("通行密钥已添加")).to_be_visible()
    expect(su.get_by_role("button", name="我的手机,改名")).to_be_visible()
    young = su.get_by_text("起可签署大额")
    expect(young).to_be_visible()
    assert young.evaluate("words => words.scrollWidth <= words.clientWidth"), "the words are cut off"

    a_day_passes(site)
    su.goto("/messages")
    talk_with(su, "林晓舟")
    start_transfer(su, "20000")
    sheet = sheet_of(su)
    expect(sheet.get_by_text("这个金额须由通行密钥签署")).to_be_visible()
    expect(sheet.get_by_role("group", name="数字键盘")).to_have_count(0)
    sheet.get_by_role("button", name="用通行密钥签署").click()
    expect(sheet.get_by_text("这是一台新设备:核验身份前")).to_be_visible()
    prove(su, **{"身份证号后 6 位": TAIL})
    expect(sheet.get_by_text("设备已核验")).to_be_visible()
    sheet.get_by_role("button", name="用通行密钥签署").click()
    expect(su.get_by_role("article", name="转账 ¥ 20,000.00,待收款")).to_be_visible()

    assert proofs(site)[before:] == ["pin", "passkey"]
    a_receipt_is_kept_and_anybody_who_holds_it_checks_it(su, phones)
