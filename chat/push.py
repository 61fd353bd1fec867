"""Hints to people: something they look at has changed. At most once; what it is about is read over HTTP."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from chat import wire
from chat.delivery import relay
from chat.delivery.hub import Parcel


def hint(person_ids: Iterable[UUID], topic: str, data: dict[str, Any]) -> None:
    """After commit, a `hint` frame to every socket of these people, from any thread or process.

    Topics: contacts, moments, finance, desk, officials, sessions, me, people. `data` holds ids and codes.
    """
    people = tuple(dict.fromkeys(person_ids))
    if people:
        relay.publish_on_commit([Parcel(people, wire.encode(wire.Hint(topic=topic, data=data)))])


def end_sessions(person_id: UUID, session_ids: Sequence[UUID]) -> None:
    """Closes every socket that these sessions opened, in every process. The caller has committed."""
    relay.publish((), ended=list(session_ids))
