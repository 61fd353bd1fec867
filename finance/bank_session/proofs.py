"""How a person proves that a statement is theirs to confirm. A port: the PIN now, passkeys beside it."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from finance.bank_session import pins


class Proof(Protocol):
    """Something given with a confirmation."""

    @property
    def kind(self) -> str:
        """Its name, kept with the confirmation."""

    def prove(self, person_id: UUID, statement_hash: bytes) -> None:
        """Returns if it holds for this person and these bytes; raises a Refusal otherwise."""


@dataclass(frozen=True)
class PinProof:
    """The person's PIN. It authorises exactly this statement on the server; it does not sign it."""

    pin: str

    @property
    def kind(self) -> str:
        """`pin`."""
        return "pin"

    def prove(self, person_id: UUID, statement_hash: bytes) -> None:
        """Checks the PIN. Raises WrongPin, PinLocked, PinNotSet, PinBusy."""
        pins.check(person_id, self.pin)
