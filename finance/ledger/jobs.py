"""What follows from money that moved: its owners' pages look again. The alert is the business of finance.services."""

from typing import Any
from uuid import UUID

from chat import push
from finance.ledger import queries
from finance.ledger.actions import TOPIC
from kernel.jobs import consumer


@consumer(TOPIC)
def tell_owners(payload: dict[str, Any]) -> None:
    """Hints to the owners of the accounts that were moved. A second hint does no harm."""
    if "entry_id" in payload:
        owners = {leg["owner_id"] for leg in queries.entry_legs(UUID(payload["entry_id"]))}
    else:
        hold = queries.hold(UUID(payload["hold_id"]))
        owners = {queries.account(hold.account_id).owner_id}
    push.hint([owner for owner in owners if owner is not None], "finance", {"event": "moved"})
