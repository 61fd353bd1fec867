"""A receipt as PDF: the words that were confirmed, how it is signed, and a QR code to the page that checks it."""

import io
import re
from datetime import datetime
from typing import Any

import segno
from django.conf import settings
from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A5
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from finance.bank_session.receipts import Shown
from kernel.clock import BANK_ZONE
from kernel.paper import FONT, drawable

LATIN = "Helvetica"
_WORDS = {
    "zh": {
        "title": "电子回单",
        "holder": "户名",
        "number": "业务编号",
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
        "holder": "Account holder",
        "number": "Order number",
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
_BETWEEN = 6 * mm
_QR = 30 * mm
_SEAL = 11 * mm
_INK, _QUIET, _CINNABAR = HexColor("#1b1f24"), HexColor("#565c65"), HexColor("#b5352a")
_RUNS = re.compile(r"([\x20-\x7e\xa0-\xff]+)|[^\x20-\x7e\xa0-\xff]+")
"""What the Latin font draws, and what it does not: each in its own font, digits of one width among them."""
_TOKENS = re.compile(r"[\x21-\x7e\xa1-\xff]+ ?|.", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def _runs(text: str) -> list[tuple[str, str]]:
    return [(LATIN, run[1]) if run[1] else (FONT, drawable(run[0])) for run in _RUNS.finditer(text)]


def _width(text: str, size: float) -> float:
    return float(sum(pdfmetrics.stringWidth(run, font, size) for font, run in _runs(text)))


def _wrapped(text: str, size: float, width: float) -> list[str]:
    """The text in lines of at most this width, words whole where they fit; a digest in two halves."""
    if _DIGEST.fullmatch(text):
        return [text[:32], text[32:]]
    lines, line = [], ""
    for token in _TOKENS.findall(text):
        for part in [token] if _width(token.rstrip(), size) <= width else token:
            if line and _width(line + part.rstrip(), size) > width:
                lines.append(line.rstrip())
                line = ""
            line += part
    return [*lines, line.rstrip()]


class _Page:
    """A canvas with a place to write at, which goes on to another page when this one is full."""

    def __init__(self, out: io.BytesIO) -> None:
        self.width, self.height = A5
        self.canvas = Canvas(out, pagesize=A5, invariant=True)
        self.canvas.setFillColor(_INK)
        self.y = self.height - 18 * mm

    def room(self, height: float) -> None:
        """Sees to it that so much fits below."""
        if self.y - height < _MARGIN:
            self.canvas.showPage()
            self.canvas.setFillColor(_INK)
            self.y = self.height - 18 * mm

    def write(self, text: str, size: float, *, right: bool = False, ink: HexColor = _INK) -> None:
        """One line at the present height, from the left margin or up to the right one."""
        self.canvas.setFillColor(ink)
        x = self.width - _MARGIN - _width(text, size) if right else _MARGIN
        for font, run in _runs(text):
            self.canvas.setFont(font, size)
            self.canvas.drawString(x, self.y, run)
            x += pdfmetrics.stringWidth(run, font, size)

    def rule(self) -> None:
        """A thin line across."""
        self.y -= 5 * mm
        self.canvas.setStrokeColor(_QUIET)
        self.canvas.setLineWidth(0.4)
        self.canvas.line(_MARGIN, self.y, self.width - _MARGIN, self.y)

    def seal(self) -> None:
        """The bank's mark at the head: what stands here it vouches for."""
        left, bottom = self.width - _MARGIN - _SEAL, self.height - 14 * mm - _SEAL
        self.canvas.setFillColor(_CINNABAR)
        self.canvas.roundRect(left, bottom, _SEAL, _SEAL, 1.4 * mm, stroke=0, fill=1)
        self.canvas.setFillColor(white)
        self.canvas.setFont(FONT, 19)
        self.canvas.drawCentredString(left + _SEAL / 2, bottom + 2.9 * mm, "行")

    def fact(self, label: str, value: str) -> None:
        """A label and its value, in as many lines as it takes."""
        most = self.width - 2 * _MARGIN
        lines = _wrapped(value, 10, most - _width(label, 10) - _BETWEEN)
        self.room(_LINE * (1 + 0.8 * (len(lines) - 1)))
        self.y -= _LINE
        self.write(label, 10, ink=_QUIET)
        for place, line in enumerate(lines):
            self.y -= _LINE * 0.8 if place else 0
            self.write(line, 10, right=True)


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
    page = _Page(out)
    page.canvas.setTitle(f"{statement['bank']} {words['title']}")
    page.canvas.setAuthor(settings.BANK_NAME)
    page.seal()
    page.write(f"{statement['bank']} {words['title']}", 15)
    page.y -= 9 * mm
    page.write(statement["title"], 11)
    if statement["amount"]:
        page.y -= 12 * mm
        page.write(statement["amount"]["text"], 22)
        page.y -= 6.5 * mm
        page.write(statement["amount"]["words"], 10, ink=_QUIET)
    page.rule()
    at = datetime.fromisoformat(receipt.at).astimezone(BANK_ZONE).strftime("%Y-%m-%d %H:%M:%S")
    if receipt.holder:
        page.fact(words["holder"], receipt.holder)
    for line in statement["lines"]:
        page.fact(line["label"], line["value"])
    for document in statement["documents"]:
        page.fact(document["title"], document["sha256"])
    page.fact(words["number"], statement["intent"])
    page.fact(words["time"], at)
    page.fact(words["proof"], words.get(receipt.proof, receipt.proof))
    page.room(_QR + 7 * mm)
    page.rule()
    page.canvas.drawImage(_qr(receipt.link), page.width - _MARGIN - _QR, page.y - _QR - 2 * mm, _QR, _QR)
    page.y -= 2 * mm
    small = [
        words["hash"],
        *_wrapped(receipt.statement_hash, 8, page.width),
        words["signed"].format(algorithm=receipt.algorithm, key_id=receipt.key_id),
        words["check"],
    ]
    for line in small:
        for part in _wrapped(line, 8, page.width - 2 * _MARGIN - _QR - 4 * mm):
            page.y -= _SMALL
            page.write(part, 8, ink=_QUIET)
    page.canvas.showPage()
    page.canvas.save()
    return out.getvalue()
