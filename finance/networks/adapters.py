"""The ports over the signed JSON link of NETWORKS_URL. A bank with other networks writes adapters of its own."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.limits import CODE_LIFE
from accounts.ports import NotConnected, Verdict
from finance.networks.link import Link
from finance.networks.ports import STATUSES, CreditTransfer, Declined, Report, Unreachable

VERIFICATION_LIMIT_S = 3.0
"""A person waits for this one."""
CLEARING_LIMIT_S = 5.0
MESSAGE_LIMIT_S = 3.0

CODE_FOR = {"register": "注册", "sign_in": "登录", "reset_password": "重设登录密码", "bank_proof": "设置支付密码"}
"""What a code is asked for, in the words of the text message: whoever did not ask for that must notice."""

_REASONS = frozenset({"mismatch", "card_unusable"})


def _link(limit_s: float) -> Link:
    # Made per use: the address is a setting, and a connection kept for rare calls would go stale.
    return Link(settings.NETWORKS_URL, settings.NETWORKS_SECRET, limit_s=limit_s)


class LinkVerifier:
    """Four-element verification: name, ID number, card and phone, asked of the card's bank."""

    def verify(self, name: str, id_number: str, card_number: str, phone: str) -> Verdict:
        """The bank's answer; Verdict(False, "unavailable") where there is none that can be trusted."""
        body = {"name": name, "id_number": id_number, "card_number": card_number, "phone": phone}
        try:
            answer = _link(VERIFICATION_LIMIT_S).call("POST", "/verification", body)
        except (Unreachable, Declined):
            return Verdict(False, "unavailable")
        if answer.get("ok") is True:
            return Verdict(True)
        reason = answer.get("reason")
        return Verdict(False, reason if reason in _REASONS else "unavailable")


class LinkMessages:
    """One-time codes as text messages, over the link of SMS_URL."""

    def send_code(self, phone: str, code: str, purpose: str) -> None:
        """Hands the message over. Raises NotConnected where the gateway did not take it: the code is then useless."""
        minutes = int(CODE_LIFE.total_seconds() // 60)
        text = (
            f"【{settings.BANK_NAME}】{code} 是您用于{CODE_FOR[purpose]}的验证码,{minutes} 分钟内有效。"
            "任何人(包括银行人员)向您索要,都不要告诉。"
        )
        try:
            Link(settings.SMS_URL, settings.NETWORKS_SECRET, limit_s=MESSAGE_LIMIT_S).call(
                "POST", "/messages", {"phone": phone, "text": text}
            )
        except (Unreachable, Declined) as error:
            raise NotConnected from error


def _report(content: Any, expected: UUID) -> Report:
    """A report of this very payment. Raises Unreachable for anything else."""
    if not isinstance(content, dict) or content.get("end_to_end_id") != str(expected):
        raise Unreachable("report of another payment")
    status, reason = content.get("status"), content.get("reason", "")
    for known in STATUSES:
        if status == known and isinstance(reason, str):
            return Report(expected, known, reason[:8])
    raise Unreachable("report without a status")


class LinkClearing:
    """Payments to other banks' cards."""

    def send(self, transfer: CreditTransfer) -> Sequence[Report]:
        """Hands a payment over and answers the reports that came with it."""
        answer = _link(CLEARING_LIMIT_S).call(
            "POST",
            "/clearing/transfers",
            {
                "end_to_end_id": str(transfer.end_to_end_id),
                "amount_fen": transfer.amount_fen,
                "currency": "CNY",
                "creditor_card": transfer.creditor_card,
                "creditor_name": transfer.creditor_name,
                "remittance": transfer.remittance,
            },
        )
        reports = answer.get("reports")
        if not isinstance(reports, list):
            raise Unreachable("no list of reports")
        return [_report(content, transfer.end_to_end_id) for content in reports]

    def ask(self, end_to_end_id: UUID) -> Report | None:
        """What became of a payment; None where the network does not know it."""
        try:
            answer = _link(CLEARING_LIMIT_S).call("GET", f"/clearing/transfers/{end_to_end_id}")
        except Declined as refusal:
            if refusal.code == "unknown":
                return None
            raise
        return _report(answer.get("report"), end_to_end_id)
