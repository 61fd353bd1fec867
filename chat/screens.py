"""Words: what a text may hold, what stops it, what makes it arrive with a warning. In memory, synchronous."""

import re
from uuid import UUID

from chat import ports
from chat.errors import EmptyMessage, MarksRefused, MessageTooLong
from chat.wire import MAX_TEXT
from kernel.errors import Refusal
from kernel.text import is_plain

MONEY_REQUEST = "money_request"

# Asking for money, or for what opens an account. A warning costs the reader a glance, so it may be generous.
_ASKS_FOR_MONEY = re.compile(
    r"借(?:我|点|给我)|转(?:给我|账给|钱给|点钱|这个卡|到这个|我卡)|打(?:钱|款)(?:给|到|过来)?|汇(?:款|钱)(?:给|到)"
    r"|周转|垫(?:付|一下|钱)|急用钱|先转|安全账户|验证码(?:发|告诉|给)|保证金|手续费先"
)
_ASKS_IN_ENGLISH = re.compile(
    r"\b(?:lend|loan) me\b|\b(?:send|transfer|wire) (?:me )?(?:the )?(?:money|cash|funds)\b|\bsafe account\b",
    re.IGNORECASE,
)
_ASCII_LETTERS = re.compile("[A-Za-z]")


def _asks_for_money(text: str) -> bool:
    # Two expressions: without IGNORECASE the engine skips to a character that can begin one.
    if _ASKS_FOR_MONEY.search(text):
        return True
    return _ASCII_LETTERS.search(text) is not None and _ASKS_IN_ENGLISH.search(text) is not None


def checked_text(text: str) -> str:
    """The text, if it can be a message. Raises EmptyMessage, MessageTooLong, MarksRefused."""
    if len(text) > MAX_TEXT:
        raise MessageTooLong(limit=MAX_TEXT)
    if not text.isprintable() and not is_plain(text, multiline=True):
        raise MarksRefused
    if not text.strip():
        raise EmptyMessage
    return text


def judge(sender_id: UUID, conversation_id: UUID, text: str, *, bank_identity: bool) -> str:
    """The code of the warning that goes with the text, or "". Raises the Refusal of a screen that stops it.

    Somebody who is no verified bank identity and asks for money gets `money_request` on their message.
    """
    warning = MONEY_REQUEST if not bank_identity and _asks_for_money(text) else ""
    for screen in ports.screens():
        verdict = screen(sender_id, conversation_id, text)
        if isinstance(verdict, Refusal):
            raise verdict
        if isinstance(verdict, ports.Warning):
            warning = verdict.code
    return warning
