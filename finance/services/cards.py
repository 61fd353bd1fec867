"""The card of an alert, in the conversation with 账户变动. The balance is not in it: the viewer fetches that."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from chat import cards
from chat.actions import PastCard
from finance.ledger.names import english
from finance.services.models import Alert
from kernel.money import yuan
from officials import actions as officials

KIND, SECURITY = "alert", "security"
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
    account_name_en: str = ""


def summary(payload: AlertCard, state: str, language: str) -> str:
    """The card's line in a list of conversations."""
    zh, en = _WORDS[payload.direction]
    amount = yuan(payload.amount_fen)
    if language == "en":
        return f"{english(payload.account_name)} ending {payload.tail}: {en.lower()} ¥ {amount}"
    return f"{payload.account_name} 尾号 {payload.tail} {zh} ¥ {amount}"


class SecurityCard(msgspec.Struct, frozen=True):
    """What happened to how a person proves who they are, and on which device."""

    event: Literal[
        "pin_set",
        "pin_changed",
        "pin_reset",
        "pin_locked",
        "proof_locked",
        "passkey_added",
        "passkey_removed",
        "device_verified",
        "device_elsewhere",
        "device_new",
    ]
    device: str
    at: datetime


_HAPPENED = {
    "pin_set": ("支付密码已设置", "Your PIN was set"),
    "pin_changed": ("支付密码已修改", "Your PIN was changed"),
    "pin_reset": ("支付密码已重设", "Your PIN was reset"),
    "pin_locked": ("支付密码已锁定", "Your PIN is locked"),
    "proof_locked": ("身份核验已锁定", "Identity checks are locked"),
    "passkey_added": ("已添加通行密钥", "A passkey was added"),
    "passkey_removed": ("已移除通行密钥", "A passkey was removed"),
    "device_verified": ("设备已核验,限额已提高", "A device was verified; its limits are raised"),
    "device_elsewhere": (
        "已核验的设备在另一个浏览器打开了银行确认页",
        "A verified device opened the bank's page in another browser",
    ),
    "device_new": ("新设备登录", "A new device signed in"),
}


def security_summary(payload: SecurityCard, state: str, language: str) -> str:
    """The card's line in a list of conversations."""
    return _HAPPENED[payload.event][language == "en"]


def register() -> None:
    """Tells chat of the kinds, at start."""
    cards.register(KIND, payload=AlertCard, states=frozenset({STATE}), summary=summary)
    cards.register(SECURITY, payload=SecurityCard, states=frozenset({STATE}), summary=security_summary)


def ensure() -> None:
    """The service account that alerts come from."""
    officials.ensure_official(
        CODE,
        "账户变动",
        name_en="Account alerts",
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
        "account_name_en": english(account_name),
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


def show_security(*, event_id: UUID, person_id: UUID, event: str, device: str, at: str) -> None:
    """Tells a person, on all their devices, what happened to how they prove who they are; once for an event."""
    officials.deliver_card(
        code=CODE,
        person_id=person_id,
        kind=SECURITY,
        ref=event_id,
        state=STATE,
        payload={"event": event, "device": device, "at": at},
        key=f"security:{event_id}",
    )
