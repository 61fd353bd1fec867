"""The card of an alert, in the conversation with 账户变动. The balance is not in it: the viewer fetches that."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from chat import cards
from chat.actions import PastCard
from finance.services.models import Alert
from kernel.money import yuan
from officials import actions as officials

KIND = "alert"
STATE = "told"
CODE = "alerts"
_WORDS = {"in": ("收入", "In"), "out": ("支出", "Out"), "held": ("冻结", "Held"), "free": ("解冻", "Released")}
MENU = [
    {"key": "balance", "name": "余额", "action": {"kind": "view", "path": "/wealth"}},
    {"key": "entries", "name": "明细", "action": {"kind": "view", "path": "/wealth/accounts"}},
    {"key": "settings", "name": "提醒设置", "action": {"kind": "view", "path": "/alerts/settings"}},
]


class AlertCard(msgspec.Struct, frozen=True):
    """What happened to which account."""

    direction: Literal["in", "out", "held", "free"]
    account_id: UUID
    account_name: str
    tail: str
    amount_fen: int
    kind: str
    memo: str
    at: datetime


def summary(payload: AlertCard, state: str, language: str) -> str:
    """The card's line in a list of conversations."""
    zh, en = _WORDS[payload.direction]
    amount = yuan(payload.amount_fen)
    if language == "en":
        return f"{payload.account_name} ending {payload.tail}: {en.lower()} ¥ {amount}"
    return f"{payload.account_name} 尾号 {payload.tail} {zh} ¥ {amount}"


def register() -> None:
    """Tells chat of the kind, at start."""
    cards.register(KIND, payload=AlertCard, states=frozenset({STATE}), summary=summary)


def ensure() -> None:
    """The service account that alerts come from."""
    officials.ensure_official(
        CODE,
        "账户变动",
        title="服务号",
        title_en="Service account",
        hue=158,
        description="每一笔收支都在这里提醒您。",
        raw_menu=MENU,
        auto_reply="这里只发送账户变动提醒。想调整提醒,请点下方的“提醒设置”。",
        always_on=True,
    )


def payload_of(alert: Alert, *, account_name: str, tail: str) -> dict[str, Any]:
    """What an alert's card shows."""
    return {
        "direction": alert.direction,
        "account_id": str(alert.account_id),
        "account_name": account_name,
        "tail": tail,
        "amount_fen": alert.amount_fen,
        "kind": alert.kind,
        "memo": alert.memo,
        "at": alert.at.isoformat(),
    }


def show(alert: Alert, *, account_name: str, tail: str, past: bool = False) -> None:
    """Puts the alert's card into its owner's conversation; once, however often called. `past`: with its own time."""
    payload, key = payload_of(alert, account_name=account_name, tail=tail), f"alert:{alert.pk}"
    if past:
        card = PastCard(KIND, alert.pk, STATE, payload)
        officials.bring_past(code=CODE, person_id=alert.owner_id, said=[officials.Past(key, alert.at, card=card)])
        return
    officials.deliver_card(
        code=CODE,
        person_id=alert.owner_id,
        kind=KIND,
        ref=alert.pk,
        state=STATE,
        payload=payload,
        key=key,
    )
