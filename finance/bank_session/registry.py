"""What can be confirmed: finance's apps register their kinds here at start."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from finance.bank_session.models import Intent
from finance.bank_session.statements import StatementDraft
from kernel.statements import Answers, Question


@dataclass(frozen=True)
class ExecuteResult:
    """What came of it: small, JSON, shown to the person and kept with the intent (ids and codes)."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Deed:
    """What is about to be done: how it now reads, and the doing, from the same facts."""

    draft: StatementDraft
    do: Callable[[], ExecuteResult]


@dataclass(frozen=True)
class Beginning:
    """What a deed needs to know, asked in the statement that locks its intent, and the deed that follows from it."""

    questions: Sequence[Question[Any]]
    begun: Callable[[Intent, Answers], Deed]


@dataclass(frozen=True)
class Kind:
    """How one kind of intent is said again, and done."""

    begin: Callable[[Intent], Beginning]
    restate: Callable[[Intent], StatementDraft]
    pays_others: bool = False


_kinds: dict[str, Kind] = {}


def register(
    kind: str,
    *,
    restate: Callable[[Intent], StatementDraft],
    execute: Callable[[Intent], ExecuteResult] | None = None,
    begin: Callable[[Intent], Beginning] | None = None,
    pays_others: bool = False,
) -> None:
    """Makes a kind known. Raises ValueError if it is taken, or if it has not one of `execute` and `begin`.

    `restate` says what would be confirmed now, from intent.subject; it may raise a Refusal where it can no longer be
    done. `execute` does it, inside the one confirmation transaction, after `restate` was asked there; it may raise a
    Refusal (all of it is rolled back, the intent stays prepared) or StatementStale (the person gets the fresh
    statement). A kind whose words and deed need the same facts gives `begin` instead: what it asks, and both from the
    answers, in that transaction. Its intent is the one that is about to be locked: kind and subject do not change, its
    state may. `pays_others`: the money leaves the person, so a device that they have not verified may do little
    of it.
    """
    if kind in _kinds:
        raise ValueError(f"{kind} is registered already")
    if begin is None and execute is not None:
        begin = partial(_said_again, restate, execute)
    elif begin is None or execute is not None:
        raise ValueError(f"{kind} needs one way to be done")
    _kinds[kind] = Kind(begin, restate, pays_others)


def _said_again(
    restate: Callable[[Intent], StatementDraft], execute: Callable[[Intent], ExecuteResult], _: Intent
) -> Beginning:
    return Beginning((), lambda locked, _answers: Deed(restate(locked), partial(execute, locked)))


def kind_named(kind: str) -> Kind:
    """The kind, or KeyError."""
    return _kinds[kind]


def paying_kinds() -> list[str]:
    """The kinds by which money leaves the person."""
    return [name for name, kind in _kinds.items() if kind.pays_others]
