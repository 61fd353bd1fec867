"""What operations do about money that does not move on."""

from uuid import UUID

from django.db import transaction

from finance.payments.actions import payouts, transfers
from finance.payments.errors import BreakNotStuck
from finance.payments.models import ClearingBreak
from kernel import audit, jobs
from kernel.errors import NotFound


@transaction.atomic
def try_again(*, break_id: UUID, by: UUID) -> ClearingBreak:
    """Has the step that was given up tried again. The break closes when the money has moved.

    Raises NotFound, BreakNotStuck for a break that trying again does not mend, and for one that is tried already.
    """
    found = (
        ClearingBreak.objects.select_for_update(of=("self",))
        .select_related("payout", "transfer")
        .filter(pk=break_id)
        .first()
    )
    if found is None:
        raise NotFound
    if found.kind != ClearingBreak.Kind.STUCK or found.closed_at is not None:
        raise BreakNotStuck
    if found.payout is not None:
        revived = jobs.retry(payouts.STEP_TOPIC, f"{found.payout.pk}:{found.payout.steps}")
    else:
        revived = jobs.retry(transfers.EXPIRY_TOPIC, f"expiry:{found.transfer_id}")
    if not revived:
        raise BreakNotStuck
    audit.record(by, "payments.break_tried_again", f"break:{found.pk}", {})
    return found
