"""The ports over the signed JSON link of NETWORKS_URL. A bank with other networks writes adapters of its own."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.ports import Verdict
from finance.networks.link import Link
from finance.networks.ports import STATUSES, CreditTransfer, Declined, Report, Unreachable

VERIFICATION_LIMIT_S = 3.0
"""A person waits for this one."""
CLEARING_LIMIT_S = 5.0

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
