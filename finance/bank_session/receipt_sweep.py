"""Looks after receipts whose outbox row was given up: the HSM was away for long, or the certificate was over.

Finds each, in order, and has it signed; where it cannot be, somebody is told (/readyz, /metrics).
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Exists, OuterRef

from finance.bank_session import receipts
from finance.bank_session.models import Confirmation, Receipt, ReceiptSweep
from kernel.clock import now
from kernel.ids import first_at

OUTBOX_S = 300
"""Of confirmations younger than this the outbox takes care; within it the servers' clocks agree."""
PAGE, PAGES = 5_000, 20
MAX_FAILED = 20
"""After so many a run gives up: it is the signer, not the receipts."""

_log = logging.getLogger(__name__)


def sweep() -> ReceiptSweep:
    """Has missing receipts signed, and notes up to where none is missing. Any number of times, also at once.

    One that cannot be signed is passed over and tried again the next time; everything after it is looked at again then.
    """
    until = first_at(now() - timedelta(seconds=OUTBOX_S))
    known = ReceiptSweep.objects.filter(pk=1).first()
    at = through = known.through if known else UUID(int=0)
    failed = 0
    for _ in range(PAGES):
        page = Confirmation.objects.filter(pk__gt=at, pk__lt=until).order_by("pk")
        has = Exists(Receipt.objects.filter(confirmation=OuterRef("pk")))
        found = list(page.annotate(has=has).values_list("pk", "intent_id", "has")[:PAGE])
        for at, intent_id, there in found:
            failed += not there and not _signed(intent_id)
            if not failed:
                through = at
            if failed == MAX_FAILED:
                break
        if len(found) < PAGE or failed == MAX_FAILED:
            break
    noted = ReceiptSweep(pk=1, through=through, missing=failed, at=now())
    ReceiptSweep.objects.bulk_create(
        [noted], update_conflicts=True, unique_fields=["id"], update_fields=["through", "missing", "at"]
    )
    return noted


def _signed(intent_id: UUID) -> bool:
    try:
        receipts.issue(intent_id)
    except DatabaseError:
        raise
    except Exception:
        _log.exception("the receipt of intent %s could not be signed", intent_id)
        return False
    return True
