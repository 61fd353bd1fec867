"""Journey 10: what was confirmed is kept on paper, and whoever holds the paper checks it without the bank's word."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from finance.bank_session.verify_receipt import Forged, verify
from tests.support.browser import Phones
from tests.support.paying import card, confirm, start_transfer, talk_with
from tests.support.scan import qr_codes, text_of


def downloaded(page: Page, link: str) -> bytes:
    """What that link of the open receipt saves."""
    with page.expect_download() as saving:
        page.get_by_role("link", name=link).click()
    return Path(saving.value.path()).read_bytes()


def with_another(text: str, place: int) -> str:
    """The text with one character of it altered."""
    return text[:place] + ("1" if text[place] == "0" else "0") + text[place + 1 :]


def the_file_proves_itself(file: bytes, key: bytes) -> None:
    content = verify(file, key)
    statement = json.loads(content["statement"])
    assert statement["amount"]["text"] == "¥ 31.50"
    assert content["statement_sha256"] == hashlib.sha256(content["statement"].encode()).hexdigest()
    with pytest.raises(Forged):
        verify(file.replace(b"31.50", b"81.50"), key)


def the_code_leads_anybody_to_the_page_that_checks_it(link: str, phones: Phones) -> None:
    guest = phones.open("guest", path=link)
    assert guest.context.cookies() == []
    expect(guest.get_by_text("内容未被改动")).to_be_visible()
    expect(guest.get_by_text("¥ 31.50").first).to_be_visible()
    for place in (len(link) - 1, link.index("#") - 1):
        forged = phones.open("forger", path=with_another(link, place))
        expect(forged.get_by_text("没有查到这张回单")).to_be_visible()
        expect(forged.get_by_text("¥ 31.50")).to_have_count(0)


def test_a_receipt_s_paper_and_file_are_checked_by_whoever_holds_them_and_no_altered_one_is_believed(
    new_phone: Callable[..., Page], phones: Phones
) -> None:
    su = new_phone("su")
    talk_with(su, "林晓舟")
    start_transfer(su, "31.50")
    confirm(su)
    expect(card(su, "31.50", "待收款")).to_be_visible()
    su.goto("/me/receipts")
    su.get_by_role("button", name="确认转账").first.click()
    expect(su.get_by_role("dialog", name="确认转账").get_by_text("支付密码授权")).to_be_visible()

    paper = downloaded(su, "下载 PDF")
    mine = su.request.get("/api/finance/receipts?limit=1").json()["items"][0]
    assert qr_codes(paper) == [mine["link"]]
    for said in ("¥ 31.50", "*晓舟", mine["statement_hash"][:32], mine["statement_hash"][32:]):
        assert said in text_of(paper)
    key = su.request.get("/api/finance/receipts/key").json()["public_key"].encode()
    the_file_proves_itself(downloaded(su, "下载签名文件"), key)
    the_code_leads_anybody_to_the_page_that_checks_it(mine["link"], phones)
