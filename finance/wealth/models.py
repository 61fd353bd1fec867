"""Products with their terms and documents, NAVs, assessments, offers, orders, holdings, the exchange's calendar."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from kernel.ids import new_id

SHARE_UNITS = 100
"""Shares are whole hundredths of a share."""


class Product(models.Model):
    """Something that customers may put money into. Its facts change only together with a new Terms version."""

    class Kind(models.TextChoices):
        CASH = "cash"
        CLOSED = "closed"
        INDEX = "index"

    class Status(models.TextChoices):
        ON_SALE = "on_sale"
        PAUSED = "paused"
        ENDED = "ended"

    id = models.UUIDField(primary_key=True, default=new_id)
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    issuer = models.CharField(max_length=60)
    issuer_en = models.CharField(max_length=80)
    issuer_risk = models.PositiveSmallIntegerField()
    seller_risk = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    benchmark_low_bp = models.PositiveIntegerField(null=True)
    benchmark_high_bp = models.PositiveIntegerField(null=True)
    min_fen = models.BigIntegerField()
    step_fen = models.BigIntegerField()
    term_days = models.PositiveIntegerField(default=0)
    open_days = models.CharField(max_length=120)
    open_days_en = models.CharField(max_length=160)
    subscription_fee_bp = models.PositiveIntegerField(default=0)
    management_fee_bp = models.PositiveIntegerField(default=0)
    custody_fee_bp = models.PositiveIntegerField(default=0)
    registration_code = models.CharField(max_length=30)
    nav_scale = models.PositiveIntegerField(default=10_000)
    quota_fen = models.BigIntegerField()
    quota_used_fen = models.BigIntegerField(default=0)
    status = models.CharField(max_length=8, choices=Status, default=Status.ON_SALE)
    shelf_order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="product_risks_1_to_5",
                condition=Q(issuer_risk__range=(1, 5)) & Q(seller_risk__range=(1, 5)),
            ),
            models.CheckConstraint(
                name="product_min_and_step_positive", condition=Q(min_fen__gt=0) & Q(step_fen__gt=0)
            ),
            models.CheckConstraint(
                name="product_quota_not_exceeded",
                condition=Q(quota_used_fen__gte=0) & Q(quota_used_fen__lte=F("quota_fen")),
            ),
            models.CheckConstraint(name="product_nav_scale_known", condition=Q(nav_scale__in=[10_000, 1_000_000])),
        ]

    @property
    def risk(self) -> int:
        """1..5: where issuer and seller differ the higher stands."""
        return max(self.issuer_risk, self.seller_risk)


class Document(models.Model):
    """A text that a buyer opens first. Never changed: another wording is another document."""

    class Kind(models.TextChoices):
        MANUAL = "manual"
        AGREEMENT = "agreement"
        RISK = "risk"

    id = models.UUIDField(primary_key=True, default=new_id)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=10, choices=Kind)
    title = models.CharField(max_length=120)
    title_en = models.CharField(max_length=160)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "kind"], condition=Q(is_current=True), name="one_current_document_per_kind"
            )
        ]


class Terms(models.Model):
    """A version of a product's facts: what a card showed and what a statement was about."""

    id = models.UUIDField(primary_key=True, default=new_id)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="terms")
    number = models.PositiveIntegerField()
    facts = models.JSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "number"], name="one_terms_per_number")]


class Nav(models.Model):
    """The net asset value of a product on a trading day, in 1/nav_scale yuan. Two people make it public."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"

    id = models.UUIDField(primary_key=True, default=new_id)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="navs")
    date = models.DateField()
    value = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    entered_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "date"], name="one_nav_per_day"),
            models.CheckConstraint(name="nav_positive", condition=Q(value__gt=0)),
            models.CheckConstraint(
                name="nav_checker_is_not_maker", condition=Q(checker__isnull=True) | ~Q(checker=F("maker"))
            ),
            models.CheckConstraint(
                name="nav_published_by_a_checker",
                condition=Q(status="draft", checker__isnull=True, published_at__isnull=True)
                | Q(status="published", checker__isnull=False, published_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["status", "date"], name="nav_by_status")]


class Assessment(models.Model):
    """A person's answers to the risk questionnaire and the class that follows."""

    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    questionnaire = models.PositiveSmallIntegerField()
    answers = models.JSONField()
    score = models.PositiveSmallIntegerField()
    person_class = models.PositiveSmallIntegerField()
    business_date = models.DateField()
    valid_until = models.DateField()
    created_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [models.CheckConstraint(name="assessment_class_1_to_5", condition=Q(person_class__range=(1, 5)))]
        indexes = [models.Index(fields=["person", "business_date", "id"], name="assessment_of_person")]


class DocumentOpened(models.Model):
    """That a person had this very text before their eyes."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "document"], name="one_opening_per_document")]


class RiskAcknowledgement(models.Model):
    """That a person ticked the risk disclosure of these terms, with the hash of the text they had."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "terms"], name="one_acknowledgement_per_terms")]


class Offer(models.Model):
    """A product card that an advisor put into the conversation with a customer. `revision` numbers its states."""

    id = models.UUIDField(primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    advisor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    conversation_id = models.UUIDField()
    client_id = models.UUIDField()
    state = models.CharField(max_length=10, default="offered")
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["advisor", "client_id"], name="one_offer_per_client_id")]


class Order(models.Model):
    """A subscription. Its id is the id of the intent that the person confirmed."""

    class State(models.TextChoices):
        ACCEPTED = "accepted"
        CONFIRMED = "confirmed"
        CANCELLED = "cancelled"
        REJECTED = "rejected"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        State.ACCEPTED: frozenset({State.CONFIRMED, State.CANCELLED, State.REJECTED}),
        State.CONFIRMED: frozenset(),
        State.CANCELLED: frozenset(),
        State.REJECTED: frozenset(),
    }

    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="orders", null=True)
    account = models.ForeignKey("ledger.Account", on_delete=models.PROTECT, related_name="+")
    account_tail = models.CharField(max_length=4)
    hold_id = models.UUIDField(null=True)
    """The hold in the ledger; none for what was confirmed before this system."""
    state = models.CharField(max_length=10, choices=State, default=State.ACCEPTED)
    amount_fen = models.BigIntegerField()
    fee_fen = models.BigIntegerField()
    trading_day = models.DateField()
    confirm_day = models.DateField()
    cut_off_at = models.DateTimeField()
    accepted_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    nav = models.ForeignKey(Nav, on_delete=models.PROTECT, related_name="+", null=True)
    shares = models.BigIntegerField(null=True)
    matures_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="order_amount_covers_fee",
                condition=Q(amount_fen__gt=0) & Q(fee_fen__gte=0) & Q(fee_fen__lt=F("amount_fen")),
            ),
            models.CheckConstraint(
                name="order_accepted_with_hold", condition=~Q(state="accepted") | Q(hold_id__isnull=False)
            ),
            models.CheckConstraint(
                name="order_confirmed_with_shares",
                condition=Q(state="confirmed", nav__isnull=False, shares__gt=0)
                | (~Q(state="confirmed") & Q(nav__isnull=True, shares__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-accepted_at", "-id"], name="order_of_person"),
            models.Index(
                fields=["product", "trading_day", "id"], name="order_to_confirm", condition=Q(state="accepted")
            ),
        ]


class Holding(models.Model):
    """What a person holds of a product: whole hundredths of a share, and what was paid for them."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    shares = models.BigIntegerField()
    cost_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "product"], name="one_holding_per_product"),
            models.CheckConstraint(name="holding_not_negative", condition=Q(shares__gte=0) & Q(cost_fen__gte=0)),
        ]


class CalendarYear(models.Model):
    """A year whose closed weekdays stand in ClosedDay because the calendar library does not know it yet."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    is_provisional = models.BooleanField(default=True)
    source = models.CharField(max_length=200)


class ClosedDay(models.Model):
    """A weekday on which the exchange is closed, in a CalendarYear."""

    date = models.DateField(primary_key=True)
    year = models.ForeignKey(CalendarYear, on_delete=models.CASCADE, related_name="closed_days")
    reason = models.CharField(max_length=60)
