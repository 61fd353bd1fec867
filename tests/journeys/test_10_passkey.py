"""Journey 10: a passkey is added on the bank's page, signs a large transfer on a verified device, and is removed."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

import psycopg
from playwright.sync_api import Page, Response, expect

from rongliao.demo.accounts import CUSTOMERS, id_number
from tests.support.paying import confirm, prove, sheet_of, start_transfer, talk_with, type_amount
from tests.support.site import Site

TAIL = id_number(*CUSTOMERS["su"][4:])[-6:]


NAME, RENAMED = "书房的钥匙", "随身的手机"
UNVERIFIED = """async (intent) => {
    const asked = await (await fetch(`/api/bank/intents/${intent}`)).json();
    const hash = Uint8Array.from(asked.statement_hash.match(/../g), (pair) => parseInt(pair, 16));
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({
        challenge: btoa(String.fromCharCode(...hash)).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, ""),
        allowCredentials: asked.passkeys, rpId: asked.rp_id, userVerification: "discouraged",
    });
    const passkey = (await navigator.credentials.get({publicKey})).toJSON();
    const answer = await fetch(`/api/bank/intents/${intent}/confirm`, {
        method: "POST", headers: {"Content-Type": "application/json"},
        body: JSON.stringify({passkey, statement_hash: asked.statement_hash}),
    });
    return [answer.status, (await answer.json()).error.code];
}"""
"""Signs what is shown without asking the device who holds it, as the bank's page never does."""


class Device:
    """The device's own authenticator: it verifies its user by itself, unless it is told not to."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("WebAuthn.enable")
        made = self._devtools.send(
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
        self._id = made["authenticatorId"]

    def verifies(self, yes: bool) -> None:
        """Whether the finger on it is its owner's."""
        self._devtools.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": yes})


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


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


def confirmed_statement(site: Site, intent: str) -> bytes:
    """The canonical bytes that were kept with the confirmation."""
    with psycopg.connect(site.database_url) as connection:
        found = connection.execute(
            "SELECT statement FROM bank_session_confirmation WHERE intent_id = %s", [intent]
        ).fetchone()
    assert found
    return bytes(found[0])


def a_key_is_added_by_name(su: Page) -> None:
    su.get_by_role("button", name="添加通行密钥").click()
    su.get_by_label("名称").fill(NAME)
    su.get_by_role("button", name="下一步").click()
    expect(sheet_of(su).get_by_text(NAME)).to_be_visible()
    confirm(su)
    sheet_of(su).get_by_role("button", name="创建通行密钥").click()
    expect(su.get_by_text("通行密钥已添加")).to_be_visible()
    young = su.get_by_text("起可签署大额")
    expect(young).to_be_visible()
    assert young.evaluate("words => words.scrollWidth <= words.clientWidth"), "the words are cut off"


def the_pin_is_enough_below_the_amount_and_not_from_it_on(su: Page) -> None:
    """The first digits of a larger amount are confirmed either way; the whole of it by a signature alone."""
    sheet = sheet_of(su)
    talk_with(su, "林晓舟")
    start_transfer(su, "200")
    expect(sheet.get_by_text("用通行密钥签署,或输入支付密码授权")).to_be_visible()
    expect(sheet.get_by_role("group", name="数字键盘")).to_be_visible()
    sheet.get_by_role("button", name="取消").click()
    expect(su.locator("iframe")).to_have_count(0)
    type_amount(su, "00")
    su.get_by_role("button", name="转账", exact=True).click()
    expect(sheet.get_by_text("¥ 20,000.00").first).to_be_visible()
    expect(sheet.get_by_text("这个金额须由通行密钥签署")).to_be_visible()
    expect(sheet.get_by_role("group", name="数字键盘")).to_have_count(0)


def nothing_is_signed_where_the_device_does_not_verify_its_user(su: Page, device: Device, site: Site) -> None:
    """Neither by the page, which demands it, nor by a script on it that does not."""
    sheet = sheet_of(su)
    device.verifies(False)
    sheet.get_by_role("button", name="用通行密钥签署").click()
    expect(sheet.get_by_role("alert")).to_have_text("没有使用通行密钥,还没有执行")
    frame = next(frame for frame in su.frames if frame.url.startswith(site.bank_origin))
    with psycopg.connect(site.database_url) as connection:
        intent = connection.execute(
            "SELECT id::text FROM bank_session_intent ORDER BY prepared_at DESC LIMIT 1"
        ).fetchone()
    assert intent and frame.evaluate(UNVERIFIED, intent[0]) == [403, "passkey_refused"]
    device.verifies(True)


def the_signature_covers_what_is_shown(su: Page, site: Site) -> None:
    """The challenge is the hash of the very bytes that the page drew, which are the ones that are kept."""
    drawn: list[Response] = []
    su.on("response", lambda answer: drawn.append(answer) if answer.request.method == "GET" else None)
    prove(su, **{"身份证号后 6 位": TAIL})
    expect(sheet_of(su).get_by_text("设备已核验")).to_be_visible()
    with su.expect_request(re.compile("/api/bank/intents/[^/]+/confirm$")) as sending:
        sheet_of(su).get_by_role("button", name="用通行密钥签署").click()
    expect(su.get_by_role("article", name="转账 ¥ 20,000.00,待收款")).to_be_visible()

    sent = sending.value.post_data_json
    signed = json.loads(urlsafe_b64decode(sent["passkey"]["response"]["clientDataJSON"] + "=="))
    kept = confirmed_statement(site, sending.value.url.split("/")[-2])
    assert signed["type"] == "webauthn.get" and signed["origin"] == site.bank_origin
    assert signed["challenge"] == base64url(hashlib.sha256(kept).digest())
    assert sent["statement_hash"] == hashlib.sha256(kept).hexdigest()
    assert json.loads(kept)["amount"]["fen"] == 2_000_000


def it_is_called_otherwise_and_removed(su: Page) -> None:
    su.goto("/me/bank")
    su.get_by_role("button", name=f"{NAME},改名").click()
    su.get_by_label("名称").fill(RENAMED)
    su.get_by_role("button", name="保存").click()
    expect(su.get_by_role("button", name=f"{RENAMED},改名")).to_be_visible()
    su.get_by_role("button", name="移除").click()
    expect(sheet_of(su).get_by_text(RENAMED)).to_be_visible()
    confirm(su)
    expect(su.get_by_text("通行密钥已移除")).to_be_visible()
    expect(su.get_by_role("button", name=f"{RENAMED},改名")).to_have_count(0)


def test_a_passkey_signs_a_large_transfer_that_the_pin_does_not_authorise(
    new_phone: Callable[..., Page], site: Site
) -> None:
    su = new_phone("su", path="/me/bank")
    device = Device(su)
    before = len(proofs(site))
    a_key_is_added_by_name(su)
    a_day_passes(site)
    su.goto("/messages")
    the_pin_is_enough_below_the_amount_and_not_from_it_on(su)
    nothing_is_signed_where_the_device_does_not_verify_its_user(su, device, site)
    sheet_of(su).get_by_role("button", name="用通行密钥签署").click()
    expect(sheet_of(su).get_by_text("这是一台新设备:核验身份前")).to_be_visible()
    the_signature_covers_what_is_shown(su, site)
    assert proofs(site)[before:] == ["pin", "passkey"]
    su.goto("/me/receipts")
    su.get_by_role("button", name="确认转账").first.click()
    expect(su.get_by_role("dialog", name="确认转账").get_by_text("通行密钥签署")).to_be_visible()
    it_is_called_otherwise_and_removed(su)
