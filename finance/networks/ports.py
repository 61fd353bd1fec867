"""What the bank asks of the world outside, whichever network carries it.

Shaped after ISO 20022: a credit transfer (pacs.008) has a unique end-to-end id; the network reports on it (pacs.002)
once, twice, late or never, with a status of ACSC (settled), RJCT (rejected, with a reason code) or PDNG (not yet).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from accounts.ports import Port

Status = Literal["ACSC", "RJCT", "PDNG"]
STATUSES: tuple[Status, ...] = ("ACSC", "RJCT", "PDNG")


class Unreachable(Exception):
    """No answer, or none that can be trusted. What became of the request is not known."""


class Declined(Exception):
    """The other side understood the request and will never take it. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class CreditTransfer:
    """One payment to an account at another bank."""

    end_to_end_id: UUID
    amount_fen: int
    creditor_card: str
    creditor_name: str
    remittance: str


@dataclass(frozen=True)
class Report:
    """What the network says of one payment. `reason` is an ISO external status reason code, such as AC04."""

    end_to_end_id: UUID
    status: Status
    reason: str = ""


class Clearing(Protocol):
    """Pays to cards of other banks."""

    def send(self, transfer: CreditTransfer) -> Sequence[Report]:
        """Hands a payment over; the same end-to-end id again is the same payment.

        Answers the reports that came with it, which may be none, or one twice. Raises Unreachable, Declined.
        """

    def ask(self, end_to_end_id: UUID) -> Report | None:
        """What became of a payment; None where the network does not know it. Raises Unreachable, Declined."""


clearing: Port[Clearing] = Port()
