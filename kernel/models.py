"""Tables of the kernel: the outbox, the audit chain, stored answers, pictures, the demo's business clock."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.expressions import RawSQL

from kernel.ids import new_id


class BusinessClock(models.Model):
    """How far the bank's time runs ahead, in demo mode. One row."""

    offset_seconds = models.BigIntegerField(default=0)


class OutboxRow(models.Model):
    """A side effect that is due once its transaction has committed."""

    topic = models.CharField(max_length=64)
    payload = models.JSONField()
    key = models.CharField(max_length=200, null=True, unique=True)  # noqa: DJ001  (NULL: any number without a key)
    run_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True, default="")
    done_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["run_at", "id"],
                name="outbox_due",
                condition=models.Q(done_at__isnull=True, failed_at__isnull=True),
            )
        ]


class AuditRow(models.Model):
    """Who did what. Inserted with a MAC in the transaction of the deed; never changed."""

    at = models.DateTimeField(db_default=TransactionNow())
    actor_id = models.UUIDField(null=True)
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=120)
    detail = models.JSONField()
    mac = models.BinaryField(max_length=32)
    transaction = models.BigIntegerField(db_default=RawSQL("(pg_current_xact_id()::text::bigint)", []), editable=False)

    class Meta:
        indexes = [models.Index(fields=["subject", "id"], name="audit_subject")]


class AuditLink(models.Model):
    """An audit row's place in the chain. Inserted by the sealer, never changed."""

    position = models.BigIntegerField(primary_key=True)
    row = models.OneToOneField(AuditRow, on_delete=models.PROTECT, related_name="link")
    digest = models.BinaryField(max_length=32)


class StoredAnswer(models.Model):
    """The answer that a write with an idempotency key gave, to be given again."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person_id = models.UUIDField()
    key = models.UUIDField()
    input_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person_id", "key"], name="one_answer_per_key")]


class Picture(models.Model):
    """A picture that was decoded within bounds and encoded anew. Who may see it is said by what shows it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    owner_id = models.UUIDField()
    name = models.CharField(max_length=64, unique=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    sha256 = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(db_default=TransactionNow())


class Heartbeat(models.Model):
    """When a background role was last seen alive."""

    role = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
