"""Conversations as logs: rows and the constraints that the database keeps."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from kernel.ids import new_id
from kernel.secrets import EncryptedField


def members_key(kind: str, member_ids: Sequence[UUID]) -> str:
    """The key under which a conversation is found by its members, whoever opens it first."""
    return f"{kind}:" + ":".join(str(person) for person in sorted(member_ids))


class Conversation(models.Model):
    """A log with two counters: `seq` numbers messages, `version` numbers messages and every change of one."""

    class Kind(models.TextChoices):
        DIRECT = "direct"
        GROUP = "group"
        ADVISOR = "advisor"
        SERVICE = "service"
        OFFICIAL = "official"

    id = models.UUIDField(primary_key=True, default=new_id)
    kind = models.CharField(max_length=10, choices=Kind)
    # What makes opening it twice harmless; a group has none.
    key = models.CharField(max_length=120, null=True, unique=True)  # noqa: DJ001
    title = models.CharField(max_length=60, blank=True, default="")
    seq = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=0)
    # Counts changes of membership, so that a process knows when its list of receivers is old.
    member_version = models.BigIntegerField(default=1)
    archived = models.BooleanField(default=False)
    notice_version = models.CharField(max_length=20, blank=True, default="")
    notice_seq = models.BigIntegerField(default=0)
    opened_by = models.ForeignKey("accounts.Person", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=TransactionNow())
    active_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [
            models.CheckConstraint(name="version_covers_seq", condition=Q(version__gte=F("seq"), seq__gte=0)),
        ]


class Member(models.Model):
    """A person in a conversation, and what they have read of it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="members")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    # Messages up to this one were written before the person came, and are not shown to them.
    joined_at_seq = models.BigIntegerField(default=0)
    read_seq = models.BigIntegerField(default=0)
    # Up to which message the person's closed browsers were rung.
    rung_seq = models.BigIntegerField(default=0)
    # Why the person may read here and not write: the code of the refusal (chat.errors.BARRED), or nothing.
    barred = models.CharField(max_length=20, blank=True, default="", db_default="")
    muted = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)
    # Taken off the list by its owner until a message after this one arrives.
    hidden_at_seq = models.BigIntegerField(null=True)
    joined_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "person"], name="member_once"),
            models.CheckConstraint(name="read_from_zero", condition=Q(read_seq__gte=0, joined_at_seq__gte=0)),
        ]


class Card(models.Model):
    """What several messages show of one thing: the state that all viewers share."""

    kind = models.CharField(max_length=20)
    ref = models.UUIDField()
    state = models.CharField(max_length=30)
    payload = models.JSONField()
    revision = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "ref"], name="card_once")]


class Message(models.Model):
    """One entry of a conversation's log. `version` is that of its newest change."""

    class Kind(models.TextChoices):
        TEXT = "text"
        PICTURE = "picture"
        CARD = "card"
        NOTICE = "notice"

    id = models.UUIDField(primary_key=True, default=new_id)
    # No index of its own: those of the constraints begin with it, and every message would pay for one more. Nor is it
    # looked up: chat_append, which alone writes messages, has just changed it, and the server may not remove it.
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, related_name="messages", db_index=False, db_constraint=False
    )
    seq = models.BigIntegerField()
    version = models.BigIntegerField()
    client_id = models.UUIDField()
    # Without a constraint in the database: it would lock the sender's row for every message. That the sender
    # exists is shown by the membership that chat_append looks up, and people are never deleted.
    sender = models.ForeignKey(
        "accounts.Person", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.TextField(blank=True, default="")
    notice = models.JSONField(null=True)
    warning = models.CharField(max_length=20, blank=True, default="")
    picture = models.ForeignKey("kernel.Picture", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    card = models.ForeignKey(Card, null=True, on_delete=models.PROTECT, related_name="messages", db_index=False)
    at = models.DateTimeField()
    recalled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq_once"),
            models.UniqueConstraint(fields=["conversation", "version"], name="message_version_once"),
            # The notices of the house have no sender, and their client ids are as unique as anybody's.
            models.UniqueConstraint(
                fields=["conversation", "client_id", "sender"], name="message_client_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="message_is_of_its_kind",
                condition=Q(recalled_at__isnull=False)
                | Q(kind="text", picture__isnull=True, card__isnull=True)
                | Q(kind="picture", picture__isnull=False, card__isnull=True)
                | Q(kind="card", picture__isnull=True, card__isnull=False)
                | Q(kind="notice", picture__isnull=True, card__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["card"], name="message_card", condition=Q(card__isnull=False)),
            models.Index(fields=["picture"], name="message_picture", condition=Q(picture__isnull=False)),
            # For finding what was said in the last seconds. Rows come nearly in this order: it costs next to nothing.
            BrinIndex(fields=["at"], name="message_at", autosummarize=True),
        ]


class ArchiveRow(models.Model):
    """What was said, recalled or changed where a bank role takes part. Inserted with the deed; never changed."""

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=10)  # said, recalled, card
    message_id = models.UUIDField()
    conversation_id = models.UUIDField()
    seq = models.BigIntegerField()
    version = models.BigIntegerField()
    sender_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=10)
    text = models.TextField(blank=True, default="")
    notice = models.JSONField(null=True)
    picture_id = models.UUIDField(null=True)
    card = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["conversation_id", "version"], name="archive_conversation")]


class NoticeSeen(models.Model):
    """That a person has been shown the archive notice of a conversation, in which version. Never changed."""

    id = models.BigAutoField(primary_key=True)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    version = models.CharField(max_length=20)
    at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "person", "version"], name="notice_seen_once"),
        ]


class PushSubscription(models.Model):
    """A browser that wants to be rung when the app is closed. It is worth as much as the sign-in that made it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    session_id = models.UUIDField()
    # Whoever knows the address can ring it, so it is kept like personal data.
    endpoint = EncryptedField()
    endpoint_index = models.BinaryField(max_length=32, unique=True)
    # The browser's public key and its secret: only it can read what it is sent (RFC 8291).
    p256dh = models.CharField(max_length=100)
    auth = EncryptedField()
    language = models.CharField(max_length=2)
    created_at = models.DateTimeField(db_default=TransactionNow())


class PushSettings(models.Model):
    """How a person wants to be rung. Hours are those of the bank's time zone; from > to goes over midnight."""

    person = models.OneToOneField("accounts.Person", primary_key=True, on_delete=models.CASCADE, related_name="+")
    hide_content = models.BooleanField(default=False)
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="quiet_hours_have_both_ends",
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
            ),
        ]


class RungUpTo(models.Model):
    """Up to which moment messages have been looked at for ringing. One row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
