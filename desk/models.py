"""Service cases: a customer's question to the online service desk, from queue to rating."""

from django.db import models
from django.db.models import Q

from kernel.ids import new_id


class ServiceCase(models.Model):
    """One visit of a customer to the service desk. Its words stand in the conversation."""

    class State(models.TextChoices):
        WAITING = "waiting"
        ACTIVE = "active"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=new_id)
    customer = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    conversation_id = models.UUIDField()
    question = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    agent = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+", null=True)
    queued_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    stars = models.PositiveSmallIntegerField(null=True)
    comment = models.CharField(max_length=200, blank=True, default="")
    rated_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["queued_at", "id"], name="case_queue", condition=Q(state="waiting")),
            models.Index(fields=["agent", "state", "-taken_at"], name="case_by_agent"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], name="one_open_case_per_customer", condition=~Q(state="closed")
            ),
            models.CheckConstraint(
                name="case_agent_once_taken", condition=Q(state="waiting", agent=None) | ~Q(state="waiting")
            ),
            models.CheckConstraint(name="case_stars", condition=Q(stars=None) | Q(stars__range=(1, 5))),
        ]
