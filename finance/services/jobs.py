"""What alerts take from the outbox. Each may run twice, or at once with itself."""

from uuid import UUID

from finance.ledger.actions import TOPIC
from finance.services import actions
from kernel.jobs import Payload, consumer


def _id(payload: Payload, name: str) -> UUID | None:
    return UUID(payload[name]) if payload.get(name) else None


@consumer(TOPIC)
def ledger_moved(payload: Payload) -> None:
    """Something touched a customer's account."""
    found = actions.happenings(payload["event"], entry_id=_id(payload, "entry_id"), hold_id=_id(payload, "hold_id"))
    for happening in sorted(found, key=lambda one: one.account_id):
        actions.tell(happening)


@consumer(actions.WAITING)
def quiet_hours_over(payload: Payload) -> None:
    """An alert waited for the end of the quiet hours."""
    actions.tell_waiting(alert_id=UUID(payload["alert_id"]))
