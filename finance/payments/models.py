"""Tables of payments: transfers in chat, payouts to bound cards, what limits have been used, open questions."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull

from kernel.ids import new_id
from kernel.secrets import EncryptedField


class AccountBinding(models.Model):
    """The card of another bank that an account opened with it is bound to."""

    id = models.UUIDField(primary_key=True, default=new_id)
    account = models.OneToOneField("ledger.Account", on_delete=models.PROTECT, related_name="+")
    card_id = models.UUIDField()
    opened_at = models.DateTimeField()


class Direction(models.TextChoices):
    IN = "in"
    OUT = "out"


class LimitCounter(models.Model):
    """How much an account has moved in one direction in a day or a year, holds included. Its row is the lock."""

    account = models.ForeignKey("ledger.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    direction = models.CharField(max_length=3, choices=Direction)
    period = models.CharField(max_length=10)
    used_fen = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "direction", "period"], name="one_counter_per_period"),
            models.CheckConstraint(name="nothing_unused_given_back", condition=Q(used_fen__gte=0)),
        ]


class LimitUse(models.Model):
    """One movement's share of the limits, so that giving it back happens once and to the periods it came from."""

    key = models.CharField(primary_key=True, max_length=80)
    # Its counters are held to the account.
    account = models.ForeignKey(
        "ledger.Account", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    direction = models.CharField(max_length=3, choices=Direction)
    day = models.CharField(max_length=10)
    year = models.CharField(max_length=4)
    amount_fen = models.BigIntegerField()
    given_back_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="use_is_positive", condition=Q(amount_fen__gt=0))]


class Transfer(models.Model):
    """Money on its way to a friend: held at the payer until the payee takes it, returns it, or a day has passed."""

    class State(models.TextChoices):
        PENDING = "pending"
        RECEIVED = "received"
        RETURNED = "returned"
        EXPIRED = "expired"
        REVERSED = "reversed"

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        State.PENDING: frozenset({State.RECEIVED, State.RETURNED, State.EXPIRED}),
        State.RECEIVED: frozenset({State.REVERSED}),
    }

    # The id of the intent that was confirmed.
    id = models.UUIDField(primary_key=True)
    # The intent's person.
    payer = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    payee = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    # No foreign key: conversations may live on another shard than money.
    conversation_id = models.UUIDField()
    amount_fen = models.BigIntegerField()
    memo = models.CharField(max_length=40, blank=True, default="")
    # The hold's account, to which the database holds the hold.
    from_account = models.ForeignKey(
        "ledger.Account", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    to_account = models.ForeignKey(
        "ledger.Account", on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    hold_id = models.UUIDField(unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    revision = models.SmallIntegerField(default=1)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # When the bank took back what had been received.
    reversed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Few and short: PostgreSQL reads each anew from its text in every statement that writes the table.
            models.CheckConstraint(
                name="transfer_moves", condition=Q(amount_fen__gt=0, revision__gte=0) & ~Q(payer=F("payee"))
            ),
            models.CheckConstraint(
                name="transfer_state",
                condition=Q(
                    Exact(Q(state="pending"), IsNull(F("finished_at"), True)),
                    Exact(Q(state__in=["received", "reversed"]), IsNull(F("to_account"), False)),
                    Exact(Q(state="reversed"), IsNull(F("reversed_at"), False)),
                ),
            ),
        ]
        # Transfers are found by their id: an index for each foreign key would be written with each, and read by nobody.
        indexes = [models.Index(fields=["payer", "payee"], name="transfers_received", condition=Q(state="received"))]


class OwnTransfer(models.Model):
    """Money that a customer moved from one of their accounts to another."""

    # The id of the intent that was confirmed.
    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    from_account = models.ForeignKey("ledger.Account", on_delete=models.PROTECT, related_name="+")
    to_account = models.ForeignKey("ledger.Account", on_delete=models.PROTECT, related_name="+")
    amount_fen = models.BigIntegerField()
    memo = models.CharField(max_length=40, blank=True, default="")
    entry_id = models.UUIDField(unique=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="own_transfer_is_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(name="own_transfer_moves", condition=~Q(from_account=F("to_account"))),
        ]


class Payout(models.Model):
    """Money on its way to the owner's card at another bank: held until the clearing network says what became of it."""

    class State(models.TextChoices):
        ACCEPTED = "accepted"
        SENT = "sent"
        SETTLED = "settled"
        RETURNED = "returned"
        REVERSED = "reversed"

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        State.ACCEPTED: frozenset({State.SENT, State.SETTLED, State.RETURNED}),
        State.SENT: frozenset({State.SETTLED, State.RETURNED}),
        State.SETTLED: frozenset({State.REVERSED}),
    }

    # The id of the intent that was confirmed.
    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("ledger.Account", on_delete=models.PROTECT, related_name="+")
    card_id = models.UUIDField()
    bank_name = models.CharField(max_length=40)
    card_tail = models.CharField(max_length=4)
    # As confirmed: a card that is unbound or a name that is put right meanwhile does not redirect the money.
    card_number = EncryptedField()
    holder_name = EncryptedField()
    amount_fen = models.BigIntegerField()
    end_to_end_id = models.UUIDField(unique=True, default=new_id)
    hold_id = models.UUIDField(unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.ACCEPTED)
    reason = models.CharField(max_length=8, blank=True, default="")
    # How often the network was spoken to: the number of the next step.
    steps = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="payout_is_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="payout_finished_has_time",
                condition=Q(state__in=["accepted", "sent"], finished_at__isnull=True)
                | Q(state__in=["settled", "returned", "reversed"], finished_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["person", "-id"], name="payouts_of_person")]


class ClearingBreak(models.Model):
    """Money that is held and does not move on: a payout whose end the bank and the network do not agree on, or do not
    know; a payout or a transfer whose step fails for a reason nobody foresaw (`stuck`). People look at these."""

    class Kind(models.TextChoices):
        NO_ANSWER = "no_answer"
        CONTRADICTION = "contradiction"
        DECLINED = "declined"
        STUCK = "stuck"

    id = models.UUIDField(primary_key=True, default=new_id)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, null=True, related_name="breaks")
    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, null=True, related_name="breaks")
    kind = models.CharField(max_length=13, choices=Kind)
    detail = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payout", "kind"], name="one_open_break", condition=Q(closed_at__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["transfer", "kind"], name="one_open_break_of_transfer", condition=Q(closed_at__isnull=True)
            ),
            models.CheckConstraint(
                name="break_of_one_thing",
                condition=Q(payout__isnull=False, transfer__isnull=True)
                | Q(payout__isnull=True, transfer__isnull=False),
            ),
        ]

    @property
    def of(self) -> Payout | Transfer:
        """What it is about."""
        found = self.payout or self.transfer
        assert found is not None  # break_of_one_thing
        return found
