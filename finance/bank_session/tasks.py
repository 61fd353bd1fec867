"""Celery's door into the bank session."""

from celery import shared_task

from finance.bank_session import receipt_sweep


@shared_task(name="bank_session.sweep_receipts")
def sweep_receipts() -> None:
    """Has missing receipts signed. It may run twice, or at once with itself."""
    receipt_sweep.sweep()
