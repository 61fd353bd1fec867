"""What follows from a confirmation, after it: the person's other devices are told."""

from typing import Any
from uuid import UUID

from chat import push
from finance.bank_session import events, receipts
from finance.bank_session.actions.confirming import TOPIC
from kernel.jobs import consumer


@consumer(TOPIC)
def tell_devices(payload: dict[str, Any]) -> None:
    """Hints at what was confirmed, and on which device. A second hint does no harm."""
    push.hint(
        [UUID(payload["person_id"])],
        "sessions",
        {
            "event": "confirmed",
            "intent_id": payload["intent_id"],
            "kind": payload["kind"],
            "device_id": payload["device_id"],
        },
    )


@consumer(events.TOPIC)
def tell_of_security(payload: dict[str, Any]) -> None:
    """Hints at what happened to the PIN or a passkey, and on which device."""
    push.hint(
        [UUID(payload["person_id"])], "sessions", {"event": payload["event"], "device_id": payload["device_id"] or ""}
    )


@consumer(TOPIC)
def sign_receipt(payload: dict[str, Any]) -> None:
    """Has the receipt signed, once."""
    receipts.issue(UUID(payload["intent_id"]))
