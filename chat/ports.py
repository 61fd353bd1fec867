"""What the apps above say about chat's work. They fill these at start; all are synchronous, few need the database."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from kernel.errors import Refusal


@dataclass(frozen=True)
class Warning:
    """A message goes out, and its receivers are told to be careful. `code` names the sentence."""

    code: str


Screen = Callable[[UUID, UUID, str], Refusal | Warning | None]
"""(sender_id, conversation_id, text) → nothing, a refusal that stops the message, or a warning that goes with it."""

ArchivePolicy = Callable[[str, Iterable[str]], bool]
"""(kind of conversation, kinds of its members) → whether the bank keeps everything that is said in it."""

BANK_CONVERSATIONS = frozenset({"advisor", "service", "official"})
BANK_PEOPLE = frozenset({"staff", "official"})


def where_a_bank_role_takes_part(kind: str, people: Iterable[str]) -> bool:
    """The default policy: conversations with the bank, by their kind or by who is in them."""
    return kind in BANK_CONVERSATIONS or not BANK_PEOPLE.isdisjoint(people)


_screens: list[Screen] = []
_policy: list[ArchivePolicy] = [where_a_bank_role_takes_part]


def add_screen(screen: Screen) -> None:
    """Adds a screen; adding it again changes nothing."""
    if screen not in _screens:
        _screens.append(screen)


def screens() -> tuple[Screen, ...]:
    """The screens in the order in which they were added."""
    return tuple(_screens)


def set_archive_policy(policy: ArchivePolicy) -> None:
    """Replaces the policy."""
    _policy[0] = policy


def is_archived(kind: str, people: Iterable[str]) -> bool:
    """Whether a conversation of this kind, among people of these kinds, is archived."""
    return _policy[0](kind, people)


@dataclass(frozen=True)
class PushTarget:
    """A browser at its vendor's push service: the address, and the keys under which only the browser can read."""

    endpoint: str
    p256dh: str
    auth: str


Rung = Literal["sent", "gone", "later", "refused"]
"""`gone`: the browser has withdrawn. `later`: the service is away or asks for patience. `refused`: it finds fault with
what it was sent, not with the browser."""


RING_TOPIC = "chat.ring"


class RingRefused(Exception):
    """A push service finds fault with what it was sent; the outbox tries again."""


class Ringer(Protocol):
    """Brings a few bytes to a closed browser."""

    def ring(self, target: PushTarget, payload: bytes, *, life_s: int, topic: str) -> Rung:
        """What the push service said. It keeps the bytes for `life_s`; a later ring of the same topic (at most 32
        characters of base64url) replaces one that was not yet shown."""


_ringer: list[Ringer] = []


def set_ringer(ringer: Ringer) -> None:
    """Replaces the adapter (chat.webpush)."""
    _ringer[:] = [ringer]


def ringer() -> Ringer:
    """The adapter. Raises LookupError where the app was not started."""
    return _ringer[0]
