"""A receipt as PDF: the words that were confirmed, how it is signed, and a QR code to the page that checks it."""

import io
from datetime import datetime
from typing import Any

import segno
from django.conf import settings
from reportlab.lib.pagesizes import A5
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from finance.bank_session.receipts import Shown
from kernel.clock import BANK_ZONE

FONT = "STSong-Light"
"""One of the Chinese fonts that every PDF reader knows by name: no file to carry, and the text can be searched."""
_WORDS = {
    "zh": {
        "title": "电子回单",
        "time": "时间",
        "proof": "确认方式",
        "pin": "支付密码授权",
        "passkey": "通行密钥签署",
        "identity": "核验身份后设置",
        "hash": "内容指纹 SHA-256",
        "signed": "本行签名 {algorithm},公钥 {key_id}",
        "check": "扫码核验真伪",
    },
    "en": {
        "title": "Receipt",
        "time": "Time",
        "proof": "Confirmed by",
        "pin": "PIN (authorised)",
        "passkey": "Passkey (signed)",
        "identity": "Identity check",
        "hash": "Statement SHA-256",
        "signed": "Signed by the bank with {algorithm}, key {key_id}",
        "check": "Scan to verify",
    },
}
_MARGIN, _LINE, _SMALL = 14 * mm, 6.4 * mm, 4.2 * mm


def _wrapped(text: str, size: float, width: float) -> list[str]:
    """The text in lines of at most this width."""
    lines, line = [], ""
    for character in text:
        if line and pdfmetrics.stringWidth(line + character, FONT, size) > width:
            lines.append(line)
            line = ""
        line += character
    return [*lines, line]


def _qr(link: str) -> ImageReader:
    drawn = io.BytesIO()
    segno.make(link, error="m").save(drawn, kind="png", scale=6, border=2)
    return ImageReader(io.BytesIO(drawn.getvalue()))


def draw(receipt: Shown) -> bytes:
    """The PDF, in the language of the statement."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    statement: dict[str, Any] = receipt.statement
    words = _WORDS["en" if statement["language"] == "en" else "zh"]
    out = io.BytesIO()
    width, height = A5
    page = Canvas(out, pagesize=A5, invariant=True)
    page.setTitle(f"{statement['bank']} {words['title']}")
    page.setAuthor(settings.BANK_NAME)
    y = height - 18 * mm
    page.setFont(FONT, 15)
    page.drawString(_MARGIN, y, f"{statement['bank']} {words['title']}")
    y -= 9 * mm
    page.setFont(FONT, 11)
    page.drawString(_MARGIN, y, statement["title"])
    if statement["amount"]:
        y -= 12 * mm
        page.setFont(FONT, 22)
        page.drawString(_MARGIN, y, statement["amount"]["text"])
        y -= 6.5 * mm
        page.setFont(FONT, 10)
        page.drawString(_MARGIN, y, statement["amount"]["words"])
    y -= 5 * mm
    page.line(_MARGIN, y, width - _MARGIN, y)
    at = datetime.fromisoformat(receipt.at).astimezone(BANK_ZONE).strftime("%Y-%m-%d %H:%M:%S")
    facts = [(line["label"], line["value"]) for line in statement["lines"]]
    facts += [(words["time"], at), (words["proof"], words.get(receipt.proof, receipt.proof))]
    for label, value in facts:
        y -= _LINE
        page.setFont(FONT, 10)
        page.drawString(_MARGIN, y, label)
        for place, line in enumerate(_wrapped(value, 10, width - 2 * _MARGIN - 32 * mm)):
            y -= _LINE * 0.8 if place else 0
            page.drawRightString(width - _MARGIN, y, line)
    y -= 5 * mm
    page.line(_MARGIN, y, width - _MARGIN, y)
    side = 30 * mm
    page.drawImage(_qr(receipt.link), width - _MARGIN - side, y - side - 2 * mm, side, side)
    small = [
        words["hash"],
        *_wrapped(receipt.statement_hash, 8, width - 2 * _MARGIN - side - 4 * mm),
        words["signed"].format(algorithm=receipt.algorithm, key_id=receipt.key_id),
        words["check"],
    ]
    page.setFont(FONT, 8)
    for line in small:
        y -= _SMALL
        page.drawString(_MARGIN, y, line)
    page.showPage()
    page.save()
    return out.getvalue()
