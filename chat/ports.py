"""What the apps above say about chat's work. They fill these at start; all are synchronous, few need the database."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
