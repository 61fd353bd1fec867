"""The registry of card kinds. Chat knows an envelope; the apps above fill it at start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import msgspec

MAX_PAYLOAD_BYTES = 16 * 1024

Payload = TypeVar("Payload", bound=msgspec.Struct)
Summary = Callable[[Any, str, str], str]


class UnknownCard(Exception):
    """A kind, state or payload that nobody registered: a bug of the caller, not of a person."""


@dataclass(frozen=True)
class CardKind:
    """What may stand in a card of one kind."""

    name: str
    payload: type[msgspec.Struct]
    states: frozenset[str]
    summary: Summary
    client_may_send: bool


_kinds: dict[str, CardKind] = {}


def register(
    kind: str,
    *,
    payload: type[Payload],
    states: frozenset[str],
    summary: Callable[[Payload, str, str], str],
    client_may_send: bool = False,
) -> None:
    """Adds a kind. `summary(payload, state, "zh" | "en")` is its line in a list of conversations.

    `client_may_send`: people may forward such a card. Raises ValueError if the kind is taken by something else.
    """
    entry = CardKind(kind, payload, states, cast(Summary, summary), client_may_send)
    if _kinds.get(kind, entry).payload is not payload:
        raise ValueError(f"the card kind {kind} is registered already")
    _kinds[kind] = entry


def kinds() -> Mapping[str, CardKind]:
    """All kinds by name."""
    return dict(_kinds)


def checked(kind: str, state: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as its struct writes it. Raises UnknownCard on anything undeclared."""
    entry = _kinds.get(kind)
    if entry is None:
        raise UnknownCard(f"no card kind {kind!r}")
    if state not in entry.states:
        raise UnknownCard(f"a card of kind {kind} has no state {state!r}")
    try:
        typed = msgspec.convert(dict(payload), entry.payload, strict=False)
    except msgspec.ValidationError as error:
        raise UnknownCard(f"{kind}: {error}") from error
    extra = payload.keys() - {field.encode_name for field in msgspec.structs.fields(entry.payload)}
    if extra:
        raise UnknownCard(f"{kind}: undeclared fields {sorted(extra)}")
    if len(msgspec.json.encode(typed)) > MAX_PAYLOAD_BYTES:
        raise UnknownCard(f"{kind}: the payload is larger than {MAX_PAYLOAD_BYTES} bytes")
    return cast(dict[str, Any], msgspec.to_builtins(typed))


def summary(kind: str, state: str, payload: Mapping[str, Any], language: str) -> str:
    """The card's line in a list, or "" for a kind that is not installed."""
    entry = _kinds.get(kind)
    if entry is None:
        return ""
    return entry.summary(msgspec.convert(dict(payload), entry.payload, strict=False), state, language)


def client_may_send(kind: str) -> bool:
    """Whether people may forward a card of this kind."""
    entry = _kinds.get(kind)
    return entry is not None and entry.client_may_send
