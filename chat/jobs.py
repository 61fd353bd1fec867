"""What chat does after commit."""

from typing import Any
from uuid import UUID

from chat import actions
from chat.ports import RING_TOPIC
from kernel.jobs import consumer


@consumer(RING_TOPIC)
def ring(payload: dict[str, Any]) -> None:
    """Rings a closed browser."""
    actions.ring(
        subscription_id=UUID(payload["subscription_id"]),
        conversation_id=UUID(payload["conversation_id"]),
        seq=payload["seq"],
    )
