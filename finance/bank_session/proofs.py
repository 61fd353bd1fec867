"""How a person proves that a statement is theirs to confirm: the PIN authorises it, a passkey signs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from finance.bank_session import passkeys, pins
from kernel.statements import Answers, Question


@dataclass(frozen=True)
class Proven:
    """What a proof is worth. `signed`: by a passkey that counts, which may do more than a PIN.

    `used`: the passkey that signed, whose use is noted when the deed is done. `evidence` is what anybody can
    check of it later, to be kept: a signature. A PIN leaves nothing.
    """

    signed: bool = False
    used: passkeys.Use | None = None
    evidence: dict[str, str] | None = None


@dataclass(frozen=True)
class Trial:
    """A proof on trial: what it asks in the statement that locks the intent, and from the answers what it is worth.

    `proven` returns if the proof holds, and raises a Refusal otherwise; then all of that transaction is rolled back.
    """

    questions: Sequence[Question[Any]]
    proven: Callable[[Answers], Proven]


class Proof(Protocol):
    """Something given with a confirmation."""

    @property
    def kind(self) -> str:
        """Its name, kept with the confirmation."""

    def tried(self, person_id: UUID, statement_hash: bytes, amount_fen: int | None) -> Trial:
        """Tries it for this person, these bytes and so much. What counts tries does so here, before the transaction, so
        that a try outlives every rollback, and raises a Refusal at once.
        """


@dataclass(frozen=True)
class PinProof:
    """The person's PIN. It authorises exactly this statement on the server; it does not sign it."""

    pin: str

    @property
    def kind(self) -> str:
        """`pin`."""
        return "pin"

    def tried(self, person_id: UUID, statement_hash: bytes, amount_fen: int | None) -> Trial:
        """Checks the PIN. Raises PasskeyNeeded (it is not enough: no try is used), WrongPin, PinLocked, PinNotSet,
        PinBusy.
        """
        passkeys.refuse_pin_beyond(person_id, amount_fen)
        pins.check(person_id, self.pin)
        return Trial((), lambda _: Proven())


@dataclass(frozen=True)
class PasskeyProof:
    """A passkey's signature over the statement's hash, as the browser gives it."""

    credential: dict[str, Any]

    @property
    def kind(self) -> str:
        """`passkey`."""
        return "passkey"

    def tried(self, person_id: UUID, statement_hash: bytes, amount_fen: int | None) -> Trial:
        """Has the signature checked with the person's key as it then stands. Raises PasskeyRefused, and so does what it
        is worth, or PasskeyYoung (a new key, where the PIN would not be enough).
        """
        asked = passkeys.key_question(person_id, self.credential)

        def proven(answers: Answers) -> Proven:
            signature = passkeys.verify(answers.to(asked), self.credential, statement_hash)
            if not signature.counts:
                passkeys.refuse_young_beyond(person_id, amount_fen)
            return Proven(signature.counts, signature.used, signature.evidence)

        return Trial([asked], proven)
