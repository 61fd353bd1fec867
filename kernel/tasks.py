"""Celery's doors into the kernel. Each may run twice, or at once with itself."""

import time

from celery import shared_task
from django.conf import settings

from kernel import audit, jobs
from kernel.clock import now
from kernel.models import Heartbeat

DRAIN_S = 1.0
"""After so long the other tasks have their turn, which wait in the same queue: seals, proofs, the heartbeat."""


@shared_task(name="kernel.drain")
def drain() -> None:
    """Runs what is due in the outbox, for DRAIN_S at most; the next call takes the rest. The heartbeat is late then,
    and it is said here that the worker lives.
    """
    began = time.monotonic()
    jobs.drain(limit_s=DRAIN_S)
    if time.monotonic() - began >= DRAIN_S:
        heartbeat()


@shared_task(name="kernel.seal_audit")
def seal_audit() -> None:
    """Links what has been committed to the audit chain, and writes its head outside the database."""
    audit.seal_and_publish(settings.VAR_DIR / "audit-head.jsonl")


@shared_task(name="kernel.heartbeat")
def heartbeat() -> None:
    """Says that the worker lives."""
    Heartbeat.objects.update_or_create(role="worker", defaults={"at": now()})
