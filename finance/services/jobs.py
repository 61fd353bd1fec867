"""What alerts take from the outbox. Each may run twice, or at once with itself."""

from uuid import UUID

from accounts import queries as people
from accounts.actions import NEW_DEVICE
from finance.bank_session.events import TOPIC as SECURITY
from finance.ledger.actions import TOPIC
from finance.services import actions, cards
from kernel.jobs import Payload, consumer


def _id(payload: Payload, name: str) -> UUID | None:
    return UUID(payload[name]) if payload.get(name) else None


@consumer(TOPIC)
def ledger_moved(payload: Payload) -> None:
    """Something touched a customer's account."""
    found = actions.happenings(payload["event"], entry_id=_id(payload, "entry_id"), hold_id=_id(payload, "hold_id"))
    # By owner: what telling locks is the owner's conversation, and two events must take it in the same order.
    for happening in sorted(found, key=lambda one: (one.owner_id, one.account_id)):
        actions.tell(happening)


@consumer(actions.WAITING)
def quiet_hours_over(payload: Payload) -> None:
    """An alert waited for the end of the quiet hours."""
    actions.tell_waiting(alert_id=UUID(payload["alert_id"]))


@consumer(SECURITY)
@consumer(NEW_DEVICE)
def security_changed(payload: Payload) -> None:
    """Something that matters to the safety of a person's money: their other devices are told."""
    device = _id(payload, "device_id")
    cards.ensure()
    cards.show_security(
        event_id=UUID(payload["id"]),
        person_id=UUID(payload["person_id"]),
        event=payload["event"],
        device=people.device_name(device) if device else "",
        at=payload["at"],
    )
