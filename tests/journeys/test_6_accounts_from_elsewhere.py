"""Journey 6, from the bound card on: accounts opened, a small transfer received, a refusal by rule, a payout."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg
from playwright.sync_api import Page, expect

from rongliao.demo.accounts import card_number, id_number
from tests.support.browser import Phones
from tests.support.paying import choose_pin, confirm, prove, sheet_of, start_transfer
from tests.support.site import Site

NEW_PHONE, NAME, PASSWORD = "13700000009", "温岚", "quiet-harbour-9"
CARD = card_number("621700770001234567")


def call(page: Page, site: Site, path: str, **body: Any) -> Any:
    answer = page.request.post(path, headers={"Origin": site.origin}, data=body)
    assert answer.ok, f"{path}: {answer.status} {answer.text()}"
    return answer.json() if answer.text() else {}


def newcomer_with_a_card(phones: Phones, site: Site) -> Page:
    """Registered, named, and another bank's card bound after the four-element check; by way of the API."""
    page = phones.open("newcomer", path="/healthz")
    device = str(uuid4())
    code = call(page, site, "/api/codes", phone=NEW_PHONE, purpose="register", device_id=device)["demo_code"]
    call(
        page,
        site,
        "/api/registrations",
        phone=NEW_PHONE,
        code=code,
        password=PASSWORD,
        display_name=NAME,
        device_id=device,
        agreed={one["kind"]: one["version"] for one in page.request.get("/api/agreements").json()["items"]},
    )
    call(page, site, "/api/identity", name=NAME, id_number=id_number("330106", date(1990, 2, 3), 87))
    call(page, site, "/api/cards", id=str(uuid4()), number=CARD)
    return page


def befriend(new: Page, lin: Page, site: Site) -> None:
    asked = call(new, site, "/api/contacts/requests", id=str(uuid4()), phone="13800000002", message="我是温岚")
    waiting = lin.request.get("/api/contacts/requests").json()["items"]
    request_id = asked.get("id") or waiting[0]["id"]
    call(lin, site, f"/api/contacts/requests/{request_id}/accept")


def conversation(new: Page, lin: Page, site: Site) -> str:
    answer = call(lin, site, "/api/chat/conversations", person_id=new.request.get("/api/me").json()["id"])
    return str((answer.get("conversation") or answer)["id"])


def test_a_bound_card_opens_accounts_that_receive_and_pay_out_by_their_class(
    new_phone: Callable[..., Page], phones: Phones, site: Site
) -> None:
    new = newcomer_with_a_card(phones, site)
    lin = new_phone("lin")
    befriend(new, lin, site)

    new.goto("/me/open-account")
    second = new.get_by_role("article", name="II 类账户", exact=True)
    expect(second).to_contain_text("只能从绑定的卡转入")
    second.get_by_role("button", name="开立 II 类账户").click()
    prove(new, 本人银行卡号=CARD)
    choose_pin(new)
    expect(second.get_by_text("已开立")).to_be_visible()
    expect(new.locator("iframe")).to_have_count(0)
    third = new.get_by_role("article", name="III 类账户")
    expect(third).to_contain_text("余额最多 ¥ 2,000.00")
    third.get_by_role("button", name="开立 III 类账户").click()
    expect(third.get_by_text("已开立")).to_be_visible()

    talk = f"/messages/{conversation(new, lin, site)}"
    new.goto(talk)
    lin.goto(talk)
    start_transfer(lin, "88.8", "欢迎")
    confirm(lin)
    new.get_by_role("button", name="收款").click()
    receive = new.get_by_role("dialog", name="收款")
    expect(receive.get_by_role("radio", name=re.compile("^II 类账户"))).to_be_disabled()
    expect(receive.get_by_text("线上开立的 II 类账户只能从它绑定的账户收款(银发〔2016〕302号)。")).to_be_visible()
    expect(receive.get_by_role("radio", name="III 类账户")).to_be_checked()
    receive.get_by_role("button", name="确认收款").click()
    expect(new.get_by_role("article", name="转账 ¥ 88.80,已收款")).to_be_visible()

    new.goto("/me/payouts/new")
    new.get_by_role("radio", name="III 类账户").check()
    new.get_by_label("转出金额").fill("50")
    new.get_by_role("button", name="转出", exact=True).click()
    expect(sheet_of(new).get_by_text("(本人,*岚)")).to_be_visible()
    confirm(new)
    payout = new.get_by_role("article", name="转出至 建设银行")
    expect(payout).to_contain_text("¥ 50.00")
    expect(payout.get_by_text("已到账")).to_be_visible(timeout=20_000)
    with psycopg.connect(site.database_url) as connection:
        found = connection.execute(
            "SELECT account_class, balance_fen, held_fen FROM ledger_account"
            " JOIN accounts_person p ON p.id = owner_id WHERE p.display_name = %s ORDER BY account_class",
            [NAME],
        ).fetchall()
    assert found == [("II", 0, 0), ("III", 3880, 0)]
