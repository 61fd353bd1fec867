"""What matters to the safety of a person's money, told to all their devices (finance.services shows it)."""

from typing import Literal
from uuid import UUID

from kernel import jobs
from kernel.clock import business_now
from kernel.ids import new_id

TOPIC = "bank_session.security"
"""{"id", "person_id", "event", "device_id" or null, "at"}; `id` makes it once."""

Event = Literal[
    "pin_set",
    "pin_changed",
    "pin_reset",
    "pin_locked",
    "proof_locked",
    "passkey_added",
    "passkey_removed",
    "device_verified",
    "device_elsewhere",
]


def happened(person_id: UUID, event: Event, *, device_id: UUID | None = None) -> None:
    """Notes the event, inside the transaction of its fact."""
    payload = {
        "id": str(new_id()),
        "person_id": str(person_id),
        "event": event,
        "device_id": None if device_id is None else str(device_id),
        "at": business_now().isoformat(),
    }
    jobs.enqueue(TOPIC, payload)
