"""What accounts asks of the outside world, and what it says to the apps above it. They fill these at start."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from kernel.errors import Refusal

Adapter = TypeVar("Adapter")
Listener = TypeVar("Listener", bound=Callable[..., None])


class NotConnected(Refusal):
    code = "not_connected"
    status = 503
    zh = "这项服务暂时不可用,未做任何更改,请稍后再试。"
    en = "This service is not available now. Nothing was changed; please try later."


class Port(Generic[Adapter]):
    """A place for exactly one adapter."""

    def __init__(self) -> None:
        self._adapter: Adapter | None = None

    def fill(self, adapter: Adapter | None) -> None:
        """Puts an adapter here; None takes it out."""
        self._adapter = adapter

    def get(self) -> Adapter:
        """The adapter. Raises NotConnected where there is none."""
        if self._adapter is None:
            raise NotConnected
        return self._adapter

    @property
    def filled(self) -> bool:
        """Whether there is one."""
        return self._adapter is not None


@dataclass(frozen=True)
class Verdict:
    """What a check of identity said. `reason`: "" or mismatch | card_unusable | unavailable."""

    ok: bool
    reason: str = ""


class FourElementVerifier(Protocol):
    """Asks the card's bank whether name, ID number, card and phone belong together."""

    def verify(self, name: str, id_number: str, card_number: str, phone: str) -> Verdict:
        """The bank's answer. A peer that cannot be reached is Verdict(False, "unavailable")."""


class CodeSender(Protocol):
    """Sends one-time codes by text message."""

    def send_code(self, phone: str, code: str, purpose: str) -> None:
        """Hands the message over. Raises NotConnected where that fails."""


class Listeners(Generic[Listener]):
    """Those who want to be told, in the order in which they came."""

    def __init__(self) -> None:
        self._all: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """Adds one; adding it again changes nothing."""
        if listener not in self._all:
            self._all.append(listener)

    def tell(self, *args: Any) -> None:
        """Calls each."""
        for listener in self._all:
            listener(*args)


verification: Port[FourElementVerifier] = Port()
sms: Port[CodeSender] = Port()
verified_devices: Port[Callable[[UUID, Sequence[UUID]], frozenset[UUID]]] = Port()
"""(person_id, device ids): on which of these devices the person has proved to the bank who they are."""

# These two are called after commit, in memory, and must be quick.
session_ended: Listeners[Callable[[UUID, Sequence[UUID]], None]] = Listeners()
"""(person_id, session ids): these sessions are over; whatever they opened must close."""

changed: Listeners[Callable[[Sequence[UUID], str, dict[str, Any]], None]] = Listeners()
"""(person_ids, topic, data): something these people look at has changed; topics `contacts`, `sessions`, `me`."""

# These are called inside the transaction of the change: what hangs on it changes with it, or not at all.
friendship_changed: Listeners[Callable[[UUID, UUID, bool], None]] = Listeners()
"""(one, other, friends now): the two have become friends, or are so no longer."""

advisor_changed: Listeners[Callable[[Sequence[UUID], UUID | None, UUID | None], None]] = Listeners()
"""(customer_ids, former, successor): these customers have another relationship manager, or none."""

person_changed: Listeners[Callable[[UUID, Sequence[UUID] | None], None]] = Listeners()
"""(person_id, viewers): the person's name, picture or seal looks otherwise to these, or to everybody (None)."""

card_unbinding: Listeners[Callable[[UUID, UUID], None]] = Listeners()
"""(person_id, card_id): the card is about to be unbound. Who must keep it raises a Refusal."""

roles_lost: Listeners[Callable[[UUID, frozenset[str]], None]] = Listeners()
"""(person_id, roles): a member of staff no longer holds these roles."""
