"""Bank sessions, what a person is about to do in one, and what they confirmed."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull

from kernel.ids import new_id


class Intent(models.Model):
    """What a person is about to do, stored before they confirm it. Its id is made by the client.

    `draft` holds the words in both languages; `statement` the canonical bytes of the newest challenge, over which
    `statement_hash` is taken. A challenge may be renewed over the same words; other words make another draft.
    """

    class State(models.TextChoices):
        PREPARED = "prepared"
        EXECUTED = "executed"
        CANCELLED = "cancelled"
        EXPIRED = "expired"
        SUPERSEDED = "superseded"

    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    device_id = models.UUIDField()
    chat_session_id = models.UUIDField()
    kind = models.CharField(max_length=40)
    subject = models.JSONField()
    input_hash = models.BinaryField(max_length=32)
    draft = models.JSONField()
    valid_until = models.DateTimeField(null=True)
    language = models.CharField(max_length=2)
    statement = models.BinaryField()
    statement_hash = models.BinaryField(max_length=32)
    challenged_until = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PREPARED)
    prepared_at = models.DateTimeField(db_default=TransactionNow())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)

    signed = False
    """While it is executed: whether a passkey that counts signed it (proofs.Proven)."""

    class Meta:
        indexes = [models.Index(fields=["person", "-prepared_at"], name="bank_intents_of")]
        constraints = [
            models.CheckConstraint(
                name="bank_intent_ended",
                condition=Q(
                    Exact(Q(state="prepared"), IsNull(F("ended_at"), True)),
                    Exact(Q(state="executed"), IsNull(F("result"), False)),
                    state__in=["prepared", "executed", "cancelled", "expired", "superseded"],
                ),
            )
        ]


class Handoff(models.Model):
    """A one-time code by which the chat's page opens the bank's. Only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id)
    code_hash = models.BinaryField(max_length=32, unique=True)
    # Written by the statement that writes the intent, or finds it; intents are not removed.
    intent = models.ForeignKey(Intent, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    # The intent's person, to whom the database holds the intent: asked once is enough.
    person = models.ForeignKey(
        "accounts.Person", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    device_id = models.UUIDField()
    chat_session_id = models.UUIDField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class BankSession(models.Model):
    """Minutes in which a person may confirm, bound to person, device and chat session.

    Until somebody has proved in it who they are (`proved_at`) it is for the one intent that it was opened for; then its
    token changes (finance.bank_session.step_up), and `earlier_hash` is that of the one before.
    """

    class Ended(models.TextChoices):
        ROTATED = "rotated"
        CLOSED = "closed"
        IDLE = "idle"

    id = models.UUIDField(primary_key=True, default=new_id)
    token_hash = models.BinaryField(max_length=32, unique=True)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    device_id = models.UUIDField()
    # Opened in the browser in which the device was verified, or verified in this very session.
    device_known = models.BooleanField(default=False, db_default=False)
    chat_session_id = models.UUIDField()
    intent_id = models.UUIDField(null=True)
    proved_at = models.DateTimeField(null=True)
    earlier_hash = models.BinaryField(max_length=32, null=True)
    opened_at = models.DateTimeField()
    used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=10, choices=Ended, blank=True, default="")

    replaced = False
    """In a request: whether it came with the earlier token, which only looks."""

    class Meta:
        indexes = [
            models.Index(fields=["chat_session_id"], name="bank_live_sessions", condition=Q(ended_at__isnull=True))
        ]


class PinVerifier(models.Model):
    """What a PIN is checked against: argon2 over the PIN keyed with the pepper. Attempts are raised before a check."""

    person = models.OneToOneField("accounts.Person", on_delete=models.CASCADE, primary_key=True, related_name="+")
    encoded = models.CharField(max_length=200)
    attempts = models.PositiveSmallIntegerField(default=0)
    locked_at = models.DateTimeField(null=True)
    set_at = models.DateTimeField()


class Proving(models.Model):
    """How often a person has tried to prove who they are since it last went well. Raised before anything is checked."""

    person = models.OneToOneField("accounts.Person", on_delete=models.CASCADE, primary_key=True, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)


class IdentityProof(models.Model):
    """That a person proved anew who they are: in one bank session, for one intent; to choose a PIN once, or for the
    device."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    bank_session = models.ForeignKey(BankSession, on_delete=models.CASCADE, related_name="+")
    intent = models.ForeignKey(Intent, on_delete=models.CASCADE, related_name="+", db_index=False)
    purpose = models.CharField(max_length=6, choices=[("first", "first"), ("reset", "reset"), ("device", "device")])
    proved_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class VerifiedDevice(models.Model):
    """A device on which its owner has proved who they are. Others have low limits.

    The bank's page keeps a token of its own there (`token_hash` is its digest; null: proved before there were any, so
    to be proved anew): who calls themselves by the device's id from elsewhere is not on it.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    device_id = models.UUIDField()
    by = models.CharField(max_length=10)
    at = models.DateTimeField()
    token_hash = models.BinaryField(max_length=32, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "device_id"], name="device_verified_once")]


class Passkey(models.Model):
    """A public key whose private half a device or security key keeps for the person."""

    id = models.UUIDField(primary_key=True, default=new_id)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    intent = models.OneToOneField(Intent, on_delete=models.PROTECT, related_name="+")
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    transports = models.JSONField(default=list)
    name = models.CharField(max_length=20)
    device_id = models.UUIDField()
    added_at = models.DateTimeField()
    # Until then its signature counts for no more than the PIN that let it in.
    counts_from = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["person"], name="passkeys_of")]


class Confirmation(models.Model):
    """That a person confirmed exactly these bytes, how, and when. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_id)
    # Read from the intent's own row, under its lock and the bank session's; neither is ever removed.
    intent = models.OneToOneField(Intent, on_delete=models.PROTECT, related_name="confirmation", db_constraint=False)
    # The intent's person, as of a hand-off.
    person = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    bank_session = models.ForeignKey(
        BankSession, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    proof = models.CharField(max_length=20)
    statement = models.BinaryField()
    statement_hash = models.BinaryField(max_length=32)
    # What a passkey signed, with the key that checks it; null for a PIN, which signs nothing.
    evidence = models.JSONField(null=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=TransactionNow())


class SigningKey(models.Model):
    """The public half, or the certificate, of a key that signed receipts: what checks them when another key signs."""

    key_id = models.CharField(max_length=64, primary_key=True)
    algorithm = models.CharField(max_length=20)
    public_key = models.TextField()
    first_used_at = models.DateTimeField()


class ReceiptSweep(models.Model):
    """Up to which confirmation each has its receipt, and how many after it could not be signed. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    through = models.UUIDField()
    missing = models.PositiveIntegerField()
    at = models.DateTimeField()


class Receipt(models.Model):
    """What the bank signed about a confirmation: the very bytes, and the signature. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_id)
    confirmation = models.OneToOneField(Confirmation, on_delete=models.PROTECT, related_name="receipt")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    document = models.BinaryField()
    algorithm = models.CharField(max_length=20)
    key_id = models.CharField(max_length=64)
    signature = models.BinaryField(max_length=1024)
    signed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["person", "-id"], name="receipts_of")]
