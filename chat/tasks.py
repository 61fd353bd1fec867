"""Celery's doors into chat. Each may run twice, or at once with itself."""

from celery import shared_task

from chat import actions


@shared_task(name="chat.ring")
def ring() -> None:
    """Looks whom to ring for what was said in the last seconds."""
    actions.look()
