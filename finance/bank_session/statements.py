"""The canonical statement: the words and figures that a person sees, confirms, and that are kept.

It is one JSON object in the form of kernel.canonical (RFC 8785). The sheet draws what it shows from these very bytes
and hashes them again; SHA-256 over them is what a proof covers. Version 1 has:

    amount      {"fen", "text", "words"} or null
    at          when the challenge was made, UTC, whole seconds
    bank        the bank's name
    documents   [{"title", "sha256"}]: what a product's buyer was given, each with its whole hash
    fee         {"fen", "text"} or null
    intent      the intent's id
    kind        what is to be done
    language    "zh" or "en"
    lines       [{"label", "value"}]
    nonce       32 random hex digits, of this challenge alone
    title       what is to be done, in words
    version     1
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from kernel.canonical import canonical as canonical_json
from kernel.money import in_words, yuan

VERSION = 1
MAX_LINES = 12
MAX_VALUE = 200


class Line(NamedTuple):
    """One fact of a statement, in both languages."""

    label_zh: str
    label_en: str
    value_zh: str
    value_en: str


@dataclass(frozen=True)
class NamedDocument:
    """A document that belongs to what is confirmed; its SHA-256 as 64 hex digits."""

    title_zh: str
    title_en: str
    sha256: str


@dataclass(frozen=True)
class StatementDraft:
    """What a kind wants confirmed. `valid_until` is in the bank's time; afterwards it is restated.

    The lines say facts that stay the same when nothing has changed: no clock times of the moment, no balances that
    move by themselves. `fee_fen` (0 is worth saying) is drawn as the last line.
    """

    title_zh: str
    title_en: str
    lines: Sequence[Line]
    amount_fen: int | None = None
    valid_until: datetime | None = None
    fee_fen: int | None = None
    documents: Sequence[NamedDocument] = ()

    def words(self) -> dict[str, Any]:
        """Everything that is shown, as JSON; two drafts with equal words are the same statement."""
        lines = [line._asdict() for line in self.lines]
        if len(lines) > MAX_LINES or any(len(text) > MAX_VALUE for line in lines for text in line.values()):
            raise ValueError("a statement must fit the sheet")
        return {
            "title_zh": self.title_zh,
            "title_en": self.title_en,
            "amount_fen": self.amount_fen,
            "fee_fen": self.fee_fen,
            "lines": lines,
            "documents": [dict(vars(document)) for document in self.documents],
        }


def money_text(fen: int) -> str:
    """The amount as the sheet shows it."""
    return f"¥ {yuan(fen)}"


def canonical(words: dict[str, Any], *, language: str, intent_id: UUID, kind: str, at: datetime) -> tuple[bytes, bytes]:
    """The canonical bytes of a fresh challenge over these words, and their SHA-256."""
    lines = [{"label": line[f"label_{language}"], "value": line[f"value_{language}"]} for line in words["lines"]]
    fee, amount = words["fee_fen"], words["amount_fen"]
    if fee is not None:
        lines.append({"label": "手续费" if language == "zh" else "Fee", "value": money_text(fee)})
    statement = {
        "amount": None if amount is None else {"fen": amount, "text": money_text(amount), "words": in_words(amount)},
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "bank": settings.BANK_NAME if language == "zh" else settings.BANK_NAME_EN,
        "documents": [
            {"title": document[f"title_{language}"], "sha256": document["sha256"]} for document in words["documents"]
        ],
        "fee": None if fee is None else {"fen": fee, "text": money_text(fee)},
        "intent": str(intent_id),
        "kind": kind,
        "language": language,
        "lines": lines,
        "nonce": secrets.token_hex(16),
        "title": words[f"title_{language}"],
        "version": VERSION,
    }
    raw = canonical_json(statement)
    return raw, hashlib.sha256(raw).digest()
