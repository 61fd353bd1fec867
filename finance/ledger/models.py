"""The books: accounts, entries and their postings, holds.

Amounts are whole fen. A customer's balance and what is held of it stand in the account's row and change with every
posting. An internal account has no such row to queue for: its balance is the sum of its postings, from the newest
roll-up on (see `queries.balance`). The SQL functions that hold are in migration 0002, those that post in 0005 and 0012.
"""

from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact, IsNull

from kernel.ids import new_id
from kernel.secrets import EncryptedField

NIL = UUID(int=0)


class Account(models.Model):
    """A customer's account, or one of the bank's own (`code`).

    Which columns each of the two has, and its nature, is kept by the trigger `ledger_account_kind` (migrations 0005
    and 0009), and that the bank's own keep nothing in their row by `ledger_account_internal` (0012): a CHECK would be
    asked at every posting. What stands here is asked then, and is short.
    """

    class Type(models.TextChoices):
        CUSTOMER = "customer"
        INTERNAL = "internal"

    class Class(models.TextChoices):
        I = "I"  # noqa: E741  (the three classes are called so)
        II = "II"
        III = "III"

    class Status(models.TextChoices):
        OPEN = "open"
        FROZEN = "frozen"
        """Takes money, gives none."""
        CLOSED = "closed"

    class Nature(models.TextChoices):
        """What an account is in the bank's balance sheet or result. Customers' accounts are what the bank owes."""

        ASSET = "asset"
        LIABILITY = "liability"
        EQUITY = "equity"
        INCOME = "income"
        EXPENSE = "expense"

    id = models.UUIDField(primary_key=True, default=new_id)
    owner = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    type = models.CharField(max_length=8, choices=Type)
    nature = models.CharField(max_length=9, choices=Nature, db_default=Nature.LIABILITY)
    """Fixed when the account is opened, by the trigger `ledger_account_kind` too."""
    account_class = models.CharField(max_length=3, choices=Class, null=True)  # noqa: DJ001
    name = models.CharField(max_length=40)
    code = models.CharField(max_length=40, null=True, unique=True)  # noqa: DJ001
    number = EncryptedField(null=True)
    number_index = models.BinaryField(max_length=32, null=True, unique=True)
    tail = models.CharField(max_length=4, blank=True, default="")
    opened_remotely = models.BooleanField(default=False)
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)
    ceiling_fen = models.BigIntegerField(null=True)
    balance_fen = models.BigIntegerField(default=0)
    held_fen = models.BigIntegerField(default=0)
    posted_count = models.BigIntegerField(default=0)
    """How many postings the account has; the next one's `seq` is one more. Customers' accounts only."""
    key = models.CharField(max_length=120, unique=True)
    input_hash = models.BinaryField(max_length=32)
    opened_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["owner", "id"], name="ledger_accounts_of", condition=Q(owner__isnull=False))]
        constraints = [
            models.CheckConstraint(
                name="ledger_account_available", condition=Q(held_fen__gte=0, balance_fen__gte=F("held_fen"))
            ),
            models.CheckConstraint(name="ledger_account_ceiling", condition=Q(balance_fen__lte=F("ceiling_fen"))),
        ]

    @property
    def available_fen(self) -> int:
        """What the owner may dispose of: balance less what is held."""
        return self.balance_fen - self.held_fen


class Entry(models.Model):
    """One movement of money: at least two postings that add up to nothing. Never changed, never removed.

    That what it reverses exists is kept by the trigger `ledger_entry_reverses` (migration 0012).
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    key = models.CharField(max_length=120, unique=True)
    input_hash = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=40)
    memo = models.CharField(max_length=120)
    reference = models.UUIDField(null=True)
    """What it belongs to: an order, a transfer."""
    initiator_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    value_date = models.DateField()
    legs = models.SmallIntegerField()
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    recorded_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        indexes = [models.Index(fields=["reference"], name="ledger_entry_of", condition=Q(reference__isnull=False))]
        constraints = [
            models.CheckConstraint(name="ledger_entry_two_legs", condition=Q(legs__gte=2)),
            models.UniqueConstraint(
                fields=["reverses"], name="ledger_reversed_once", condition=Q(reverses__isnull=False)
            ),
        ]


class Posting(models.Model):
    """One leg of an entry. Above zero: the account's balance goes up.

    `leg` is its place in the entry, 1 to the entry's `legs`: a full entry has no room for another. `seq` and
    `balance_after_fen` are counted under the account's lock, for customers' accounts only. That entry and account
    exist is checked by a trigger at the end of the statement (migration 0005); neither can be removed.
    """

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(
        Entry, on_delete=models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    legs = models.SmallIntegerField()
    leg = models.SmallIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount_fen = models.BigIntegerField()
    at = models.DateTimeField()
    seq = models.BigIntegerField(null=True)
    balance_after_fen = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "at", "seq"], name="ledger_statement", condition=Q(seq__isnull=False)),
            models.Index(fields=["account", "id"], name="ledger_rolling", condition=Q(seq__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["entry", "leg"], name="ledger_posting_leg"),
            models.CheckConstraint(name="ledger_posting_amount", condition=~Q(amount_fen=0)),
            models.CheckConstraint(name="ledger_posting_place", condition=Q(leg__gte=1, leg__lte=F("legs"))),
            models.CheckConstraint(
                name="ledger_posting_after",
                # Both or neither: what is missing is neither true nor false to a CHECK, which lets that pass.
                condition=Q(Exact(IsNull(F("seq"), True), IsNull(F("balance_after_fen"), True)))
                & Q(seq__gte=1, balance_after_fen__gte=0),
            ),
        ]


class Hold(models.Model):
    """Money that is still the customer's and already promised. Open, then captured, released or expired."""

    class State(models.TextChoices):
        OPEN = "open"
        CAPTURED = "captured"
        RELEASED = "released"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=new_id)
    key = models.CharField(max_length=120, unique=True)
    input_hash = models.BinaryField(max_length=32)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount_fen = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    memo = models.CharField(max_length=120)
    reference = models.UUIDField(null=True)
    placed_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    closed_at = models.DateTimeField(null=True)
    closed_key = models.CharField(max_length=120, null=True, unique=True)  # noqa: DJ001
    closed_memo = models.CharField(max_length=120, blank=True, default="")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["account"], name="ledger_open_holds", condition=Q(state="open")),
            # A capture is not in it: what posts does not write here.
            models.Index(
                fields=["closed_at"], name="ledger_ended_holds", condition=Q(state__in=["released", "expired"])
            ),
        ]
        constraints = [
            models.CheckConstraint(name="ledger_hold_amount", condition=Q(amount_fen__gte=1)),
            models.UniqueConstraint(fields=["entry"], name="ledger_one_capture", condition=Q(entry__isnull=False)),
            models.CheckConstraint(
                name="ledger_hold_closed",
                condition=Q(
                    Exact(Q(state="open"), IsNull(F("closed_at"), True)),
                    Exact(IsNull(F("closed_at"), True), IsNull(F("closed_key"), True)),
                    Exact(Q(state="captured"), IsNull(F("entry"), False)),
                    state__in=["open", "captured", "released", "expired"],
                ),
            ),
        ]


class RollUp(models.Model):
    """An internal account's balance as of a posting: every posting up to `upto` is in it, none later."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="+")
    upto = models.BigIntegerField()
    balance_fen = models.BigIntegerField()
    made_at = models.DateTimeField()


class Verification(models.Model):
    """A proof of the books that was tried: of all of them (`whole`), or of what came since the one before.

    `upto`: the last posting that it covers. `again`: how many older postings it went over once more (see
    ProofCursor). `rule` is empty where the books held, or says what did not.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    whole = models.BooleanField()
    upto = models.BigIntegerField()
    entries = models.BigIntegerField()
    postings = models.BigIntegerField()
    again = models.BigIntegerField(db_default=0)
    took_ms = models.BigIntegerField()
    rule = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=80, blank=True)
    detail = models.CharField(max_length=200, blank=True)


class ProofCursor(models.Model):
    """How far the rounds over all the books have come, of which each minute's proof goes a piece (`rolling`). One row.

    Rows up to and with each `..._after` are done in the present round. `sums`: what was posted to each of the bank's
    own accounts as far as the round has come, in fen by the account's id. `accounts`: how many customers' accounts
    there were when their round began.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    account_after = models.UUIDField(default=NIL)
    accounts = models.BigIntegerField(default=0)
    entry_after = models.UUIDField(default=NIL)
    posting_after = models.BigIntegerField(default=0)
    sums = models.JSONField(default=dict)

    class Meta:
        constraints = [models.CheckConstraint(name="ledger_one_cursor", condition=Q(id=1))]


class DayClose(models.Model):
    """A day of the bank's calendar that is closed.

    It has what was booked (`at`) before `cut`, the midnight that ends the day, and stood in the books at a moment when
    nobody was posting (`upto`), unless an earlier close has it; all postings up to `since` are in earlier closes. What
    comes later for a closed day is in the next close: `late` says how many such postings this one has. A close without
    `cut` has all postings after `since` up to `upto`.
    """

    day = models.DateField(primary_key=True)
    at = models.DateTimeField()
    since = models.BigIntegerField()
    upto = models.BigIntegerField()
    cut = models.DateTimeField(null=True)
    late = models.BigIntegerField(db_default=0)
    balances = models.BooleanField(default=False)


class TrialLine(models.Model):
    """A line of a day's trial balance. `group`: the code of one of the bank's own accounts, or customers by class."""

    close = models.ForeignKey(DayClose, on_delete=models.PROTECT, related_name="lines")
    group = models.CharField(max_length=40)
    opening_fen = models.BigIntegerField()
    debit_fen = models.BigIntegerField()
    credit_fen = models.BigIntegerField()
    closing_fen = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["close", "group"], name="ledger_trial_group")]


class DayTurnover(models.Model):
    """What a close found posted to one account on one of the bank's days: a past balance is a sum of these and a day.

    A posting belongs to the day of its `at`, and is counted in the one close that covers it.
    """

    close = models.ForeignKey(DayClose, on_delete=models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    day = models.DateField()
    amount_fen = models.BigIntegerField()
    postings = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "day", "close"], name="ledger_turnover_once")]


class ReversalRequest(models.Model):
    """That an entry be taken back: entered by one person with a reason, decided by another."""

    class State(models.TextChoices):
        WAITING = "waiting"
        APPROVED = "approved"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=200)
    maker = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    entered_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    checker = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    checker_reason = models.CharField(max_length=200, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    reversal = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["-entered_at", "-id"], name="ledger_reversals")]
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], name="ledger_reversal_asked_once", condition=Q(state__in=["waiting", "approved"])
            ),
            models.CheckConstraint(
                name="ledger_reversal_four_eyes", condition=Q(checker__isnull=True) | ~Q(checker=F("maker"))
            ),
            models.CheckConstraint(
                name="ledger_reversal_decided",
                condition=Q(state="waiting", checker__isnull=True, closed_at__isnull=True, reversal__isnull=True)
                | Q(state="approved", checker__isnull=False, closed_at__isnull=False, reversal__isnull=False)
                | Q(state="refused", checker__isnull=False, closed_at__isnull=False, reversal__isnull=True)
                | Q(state="withdrawn", checker__isnull=True, closed_at__isnull=False, reversal__isnull=True),
            ),
        ]
