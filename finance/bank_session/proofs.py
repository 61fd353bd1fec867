"""How a person proves that a statement is theirs to confirm: the PIN authorises it, a passkey signs it."""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from finance.bank_session import passkeys, pins


@dataclass(frozen=True)
class Proven:
    """What a proof is worth. `signed`: by a passkey that counts, which may do more than a PIN.

    `used`: the passkey that signed, whose use is noted when the deed is done. `evidence` is what anybody can
    check of it later, to be kept: a signature. A PIN leaves nothing.
    """

    signed: bool = False
    used: passkeys.Use | None = None
    evidence: dict[str, str] | None = None


class Proof(Protocol):
    """Something given with a confirmation."""

    @property
    def kind(self) -> str:
        """Its name, kept with the confirmation."""

    def prove(self, person_id: UUID, statement_hash: bytes, amount_fen: int | None) -> Proven:
        """Returns if it holds for this person, these bytes and so much; raises a Refusal otherwise."""


@dataclass(frozen=True)
class PinProof:
    """The person's PIN. It authorises exactly this statement on the server; it does not sign it."""

    pin: str

    @property
    def kind(self) -> str:
        """`pin`."""
        return "pin"

    def prove(self, person_id: UUID, statement_hash: bytes, amount_fen: int | None) -> Proven:
        """Checks the PIN. Raises PasskeyNeeded (it is not enough: no try is used), WrongPin, PinLocked, PinNotSet,
        PinBusy.
        """
        passkeys.refuse_pin_beyond(person_id, amount_fen)
        pins.check(person_id, self.pin)
        return Proven()


@dataclass(frozen=True)
class PasskeyProof:
    """A passkey's signature over the statement's hash, as the browser gives it."""

    credential: dict[str, Any]

    @property
    def kind(self) -> str:
        """`passkey`."""
        return "passkey"

    def prove(self, person_id: UUID, statement_hash: bytes, amount_fen: int | None) -> Proven:
        """Checks the signature. Raises PasskeyRefused, PasskeyYoung (a new key, where the PIN would not be enough)."""
        signature = passkeys.verify(person_id, self.credential, statement_hash)
        if not signature.counts:
            passkeys.refuse_young_beyond(person_id, amount_fen)
        return Proven(signature.counts, signature.used, signature.evidence)
