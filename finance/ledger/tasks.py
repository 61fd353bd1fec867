"""Celery's doors into the ledger. Each may run twice, or at once with itself."""

from celery import shared_task

from finance.ledger import closing, rollups, verify


@shared_task(name="ledger.roll_up")
def roll_up() -> None:
    """Brings the sums of the bank's own accounts forward."""
    rollups.roll_up()


@shared_task(name="ledger.verify")
def verify_books() -> None:
    """Proves what was posted since the last proof. What does not hold is logged, and shown by /readyz and /metrics."""
    verify.verify_new()


@shared_task(name="ledger.close_day")
def close_day() -> None:
    """Closes yesterday once it is over; asked each quarter of an hour, done once."""
    closing.close_day()
