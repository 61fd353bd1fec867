"""Celery's doors into accounts. Each may run twice, or at once with itself."""

from celery import shared_task

from accounts import actions


@shared_task(name="accounts.sweep")
def sweep() -> None:
    """Takes away counters and codes that have long run out."""
    actions.sweep()
