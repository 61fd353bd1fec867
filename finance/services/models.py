"""Tables of alerts: what each ledger event was told as, and what a person wants to be told."""

from django.db import models
from django.db.models import Q

from kernel.ids import new_id


class Alert(models.Model):
    """A ledger event as its account's owner is told of it: one row for each event and account, whatever happens."""

    class Outcome(models.TextChoices):
        SENT = "sent"
        WAITS = "waits"
        """For the end of the quiet hours."""
        BELOW = "below"
        """The amount is below what the owner wants to hear of."""
        OFF = "off"

    id = models.UUIDField(primary_key=True, default=new_id)
    event_key = models.CharField(max_length=120, unique=True)
    owner = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("ledger.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    entry_id = models.UUIDField(null=True)
    direction = models.CharField(max_length=4)
    amount_fen = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    memo = models.CharField(max_length=120)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=5, choices=Outcome)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="alert_amount", condition=Q(amount_fen__gte=1)),
            models.CheckConstraint(name="alert_direction", condition=Q(direction__in=["in", "out", "held", "free"])),
            models.CheckConstraint(
                name="alert_sent_has_a_time",
                condition=Q(outcome="sent", sent_at__isnull=False) | ~Q(outcome="sent") & Q(sent_at__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["account", "at"], name="alert_of_account")]


class AlertSetting(models.Model):
    """What the owner of an account wants to be told of it. Without a row: everything, at once."""

    account = models.OneToOneField("ledger.Account", primary_key=True, on_delete=models.CASCADE, related_name="+")
    enabled = models.BooleanField(default=True)
    threshold_fen = models.BigIntegerField(default=0)
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="alert_threshold", condition=Q(threshold_fen__gte=0)),
            models.CheckConstraint(
                name="alert_quiet_has_both_ends",
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False) & ~Q(quiet_from=models.F("quiet_to")),
            ),
        ]
