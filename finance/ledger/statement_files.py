"""A month's statement as files: PDF to keep, CSV to reckon with. Both are whole, or are not given out."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from accounts import queries as people
from finance.ledger.errors import StatementTooLong
from finance.ledger.monthly import AccountStatement, Entry, entries
from finance.ledger.names import with_tail
from kernel.clock import BANK_ZONE, business_now
from kernel.errors import Language
from kernel.money import MINUS, yuan
from kernel.paper import FONT, cut, drawable, know_font, wrapped

MOST_ON_PAPER = 20_000
BOM = "\ufeff"

_KINDS = {
    "zh": {
        "transfer": "转账",
        "own_transfer": "本人账户互转",
        "payout": "转出到绑定卡",
        "wealth-subscription": "购买理财",
        "reversal": "冲正",
        "opening": "期初转入",
        "salary": "工资",
        "bill": "缴费",
        "card_payment": "刷卡消费",
    },
    "en": {
        "transfer": "Transfer",
        "own_transfer": "Own accounts",
        "payout": "To bound card",
        "wealth-subscription": "Wealth product",
        "reversal": "Reversal",
        "opening": "Brought in",
        "salary": "Salary",
        "bill": "Bill",
        "card_payment": "Card payment",
    },
}
"""Kinds of entries in words; a kind that is not here is named as it is."""
_WORDS = {
    "zh": {
        "title": "电子对账单",
        "holder": "户名",
        "account": "账户",
        "month": "账期",
        "until": "本月尚未结束,截至",
        "made": "出具时间",
        "opening": "期初余额",
        "closing": "期末余额",
        "in": "收入合计",
        "out": "支出合计",
        "count": "笔数",
        "at": "时间",
        "kind": "类型",
        "memo": "摘要",
        "counterpart": "对方",
        "amount": "金额(元)",
        "balance": "余额(元)",
        "none": "本月没有收支。",
        "page": "第 {n} 页",
        "check": "期初余额 + 收入合计 + 支出合计(负数)= 期末余额,出具前已核对。",
    },
    "en": {
        "title": "Account statement",
        "holder": "Account holder",
        "account": "Account",
        "month": "Month",
        "until": "The month is not over; up to",
        "made": "Issued",
        "opening": "Opening balance",
        "closing": "Closing balance",
        "in": "Total in",
        "out": "Total out",
        "count": "Entries",
        "at": "Time",
        "kind": "Kind",
        "memo": "Memo",
        "counterpart": "Counterpart",
        "amount": "Amount (CNY)",
        "balance": "Balance (CNY)",
        "none": "There was no movement in this month.",
        "page": "Page {n}",
        "check": "Opening balance + total in + total out (negative) = closing balance, checked before issue.",
    },
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _moment(at: datetime) -> str:
    return f"{at.astimezone(BANK_ZONE):%Y-%m-%d %H:%M:%S}"


def kind_text(kind: str, language: Language) -> str:
    """What kind of entry it is, in words."""
    return _KINDS[language].get(kind, kind)


def _plain(fen: int) -> str:
    """An amount that a spreadsheet takes for a number: no thousands, an ASCII minus."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection): an apostrophe goes before its signs."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _account(of: AccountStatement, language: Language) -> str:
    zh, en = with_tail(of.account)
    return en if language == "en" else zh


def as_csv(of: AccountStatement, language: Language) -> bytes:
    """UTF-8 with a byte-order mark, one row for each entry between those of the two balances.

    Raises StatementUnsound.
    """
    words = _WORDS[language]
    out = io.StringIO(newline="")
    out.write(BOM)
    rows = csv.writer(out)
    rows.writerow([words["account"], cell(_account(of, language))])
    rows.writerow([words["month"], str(of.month)])
    if not of.complete:
        rows.writerow([words["until"], _moment(of.until)])
    rows.writerow([words[column] for column in ("at", "kind", "memo", "counterpart", "amount", "balance")])
    rows.writerow(["", words["opening"], "", "", "", _plain(of.opening_fen)])
    for entry in entries(of):
        rows.writerow(
            [
                _moment(entry.at),
                cell(kind_text(entry.kind, language)),
                cell(entry.memo),
                cell(entry.counterpart or ""),
                _plain(entry.amount_fen),
                _plain(entry.balance_fen),
            ]
        )
    rows.writerow(["", words["in"], "", "", _plain(of.in_fen), ""])
    rows.writerow(["", words["out"], "", "", _plain(-of.out_fen), ""])
    rows.writerow(["", words["closing"], "", "", "", _plain(of.closing_fen)])
    return out.getvalue().encode()


_MARGIN, _ROW, _LINE, _TOP = 15 * mm, 6 * mm, 3.6 * mm, 18 * mm
_WIDTH, _HEIGHT = A4
# Left edges of the texts, right edges of the two figures.
_AT, _KIND, _MEMO, _OTHER = _MARGIN, _MARGIN + 33 * mm, _MARGIN + 58 * mm, _MARGIN + 108 * mm
_AMOUNT, _BALANCE = _MARGIN + 153 * mm, _WIDTH - _MARGIN
_GAP, _SIZE = 2 * mm, 8


class _Paper:
    """Pages that follow each other, each with the head of the table and its number."""

    def __init__(self, out: io.BytesIO, language: Language, title: str) -> None:
        know_font()
        self.words, self.language = _WORDS[language], language
        self.canvas = Canvas(out, pagesize=A4, invariant=True, pageCompression=1)
        self.canvas.setTitle(title)
        self.canvas.setAuthor(settings.BANK_NAME)
        self.title, self.number, self.y = title, 0, 0.0
        self.turn()

    def turn(self) -> None:
        """A new page."""
        if self.number:
            self.canvas.showPage()
        self.number += 1
        self.y = _HEIGHT - _TOP
        self.canvas.setFont(FONT, 13 if self.number == 1 else 9)
        self.canvas.drawString(_MARGIN, self.y, self.title)
        self.canvas.setFont(FONT, _SIZE)
        self.canvas.drawRightString(_WIDTH - _MARGIN, self.y, self.words["page"].format(n=self.number))
        self.y -= 9 * mm

    def fact(self, label: str, value: str) -> None:
        """A line of the head or the foot."""
        self.room()
        self.canvas.drawString(_MARGIN, self.y, label)
        self.canvas.drawRightString(_WIDTH - _MARGIN, self.y, value)
        self.y -= _ROW

    def room(self, below: float = 0) -> bool:
        """Turns the page where a row with so much below its first line does not fit; answers whether it did."""
        if self.y - below > _TOP:
            return False
        self.turn()
        return True

    def head(self) -> None:
        """The names of the columns."""
        for x, name in ((_AT, "at"), (_KIND, "kind"), (_MEMO, "memo"), (_OTHER, "counterpart")):
            self.canvas.drawString(x, self.y, self.words[name])
        self.canvas.drawRightString(_AMOUNT, self.y, self.words["amount"])
        self.canvas.drawRightString(_BALANCE, self.y, self.words["balance"])
        self.canvas.line(_MARGIN, self.y - 1.5 * mm, _WIDTH - _MARGIN, self.y - 1.5 * mm)
        self.y -= _ROW

    def rows(self, lines: Iterable[Entry]) -> None:
        """The entries."""
        self.head()
        for entry in lines:
            memo = wrapped(drawable(entry.memo), _SIZE, _OTHER - _MEMO - _GAP)
            if self.room((len(memo) - 1) * _LINE):
                self.head()
            draw, size = self.canvas.drawString, _SIZE
            draw(_AT, self.y, _moment(entry.at))
            draw(_KIND, self.y, cut(kind_text(entry.kind, self.language), size, _MEMO - _KIND - _GAP))
            draw(_OTHER, self.y, cut(drawable(entry.counterpart or ""), size, 20 * mm))
            self.canvas.drawRightString(_AMOUNT, self.y, _signed(entry.amount_fen))
            self.canvas.drawRightString(_BALANCE, self.y, _figure(entry.balance_fen))
            for place, line in enumerate(memo):
                self.y -= _LINE if place else 0
                draw(_MEMO, self.y, line)
            self.y -= _ROW

    def end(self) -> None:
        """Nothing comes after it."""
        self.canvas.showPage()
        self.canvas.save()


def _figure(fen: int) -> str:
    """An amount as the font can write it: it has no real minus sign."""
    return yuan(fen).replace(MINUS, "-")


def _signed(fen: int) -> str:
    return f"+{_figure(fen)}" if fen > 0 else _figure(fen)


def as_pdf(of: AccountStatement, language: Language) -> bytes:
    """A4 pages. Raises StatementUnsound, StatementTooLong beyond MOST_ON_PAPER entries."""
    if of.count > MOST_ON_PAPER:
        raise StatementTooLong(count=of.count, most=MOST_ON_PAPER)
    words = _WORDS[language]
    out = io.BytesIO()
    bank = settings.BANK_NAME_EN if language == "en" else settings.BANK_NAME
    paper = _Paper(out, language, f"{bank} {words['title']} {of.month}")
    owner_id = of.account.owner_id
    if owner_id and (holder := people.masked_name(owner_id)):
        paper.fact(words["holder"], drawable(holder))
    paper.fact(words["account"], _account(of, language))
    paper.fact(words["made"], _moment(business_now()))
    if not of.complete:
        paper.fact(words["until"], _moment(of.until))
    paper.fact(words["opening"], _figure(of.opening_fen))
    paper.y -= 2 * mm
    if of.count:
        paper.rows(entries(of))
    else:
        paper.fact(words["none"], "")
    paper.y -= 2 * mm
    paper.fact(words["count"], str(of.count))
    paper.fact(words["in"], _signed(of.in_fen))
    paper.fact(words["out"], _figure(-of.out_fen))
    paper.fact(words["closing"], _figure(of.closing_fen))
    paper.fact(words["check"], "")
    paper.end()
    return out.getvalue()
