"""Celery's doors into the ledger. Each may run twice, or at once with itself."""

from celery import shared_task

from finance.ledger import closing, rollups, verify
from kernel.clock import business_date, business_now


@shared_task(name="ledger.roll_up")
def roll_up() -> None:
    """Brings the sums of the bank's own accounts forward."""
    rollups.roll_up()


@shared_task(name="ledger.verify")
def verify_books() -> None:
    """Proves what came since the last proof and a piece of the rest. /readyz and /metrics show what does not hold."""
    verify.verify_new()


@shared_task(name="ledger.verify_night")
def verify_all_books() -> None:
    """Proves all the books once a night; asked each quarter of an hour."""
    verify.verify_night()


@shared_task(name="ledger.close_day")
def close_day() -> None:
    """Closes the days that are over; asked each quarter of an hour, each day done once."""
    closing.close_days(business_date(business_now() - closing.CLOSE_AFTER))
