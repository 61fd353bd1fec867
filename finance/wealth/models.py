"""Products with their terms and documents, NAVs, assessments, offers, orders, holdings, the exchange's calendar."""

from datetime import date, time
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from kernel.ids import new_id

SHARE_UNITS = 100
"""Shares are whole hundredths of a share."""
CUT_OFF = time(15, 0)
"""When the exchange closes: no order may be taken for a day's NAV later, and a product may end its day earlier."""


class Product(models.Model):
    """Something that customers may put money into. Its facts change only together with a new Terms version.

    Amounts are fen of CNY, the one currency here. `sale_from` and `sale_until` are the first and the last day on which
    it is sold, without bounds where null.
    """

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
    cut_off = models.TimeField(default=CUT_OFF)
    sale_from = models.DateField(null=True)
    sale_until = models.DateField(null=True)
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
            models.CheckConstraint(name="product_cut_off_by_close", condition=Q(cut_off__lte=CUT_OFF)),
            models.CheckConstraint(name="product_sale_days_in_order", condition=Q(sale_until__gte=F("sale_from"))),
        ]

    @property
    def risk(self) -> int:
        """1..5: where issuer and seller differ the higher stands."""
        return max(self.issuer_risk, self.seller_risk)

    def on_sale(self, today: date) -> bool:
        """Whether it is sold on that business day."""
        started = self.sale_from is None or self.sale_from <= today
        ended = self.sale_until is not None and self.sale_until < today
        return self.status == self.Status.ON_SALE and started and not ended


class DocumentFile(models.Model):
    """A file that operations uploaded, byte for byte. Never changed; the same bytes are the same row.

    `text` is what a reader is shown of a text file; a PDF has none and is opened as it is.
    """

    class MediaType(models.TextChoices):
        TEXT = "text/plain"
        PDF = "application/pdf"

    id = models.UUIDField(primary_key=True, default=new_id)
    sha256 = models.CharField(max_length=64, unique=True)
    media_type = models.CharField(max_length=20, choices=MediaType)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    text = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(db_default=TransactionNow())


class Document(models.Model):
    """What a buyer opens first, a text or a PDF. Never changed: another wording is another document.

    `sha256` is of the file's bytes, or of the text where there is no file.
    """

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
    file = models.ForeignKey(DocumentFile, on_delete=models.PROTECT, related_name="+", null=True)
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


class ProductDraft(models.Model):
    """What somebody wants of a product, until a second person has decided: a new one, a change, off sale, on again.

    Nothing of it is in force before. `facts` are all facts that the product shall have (actions.shelf.Facts, as JSON)
    and `documents` the files by kind; a kind that is missing keeps the document in force.
    """

    class Purpose(models.TextChoices):
        NEW = "new"
        CHANGE = "change"
        OFF_SALE = "off_sale"
        ON_SALE = "on_sale"

    class State(models.TextChoices):
        WAITING = "waiting"
        RETURNED = "returned"
        APPROVED = "approved"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True)
    purpose = models.CharField(max_length=8, choices=Purpose)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="drafts", null=True)
    code = models.CharField(max_length=20)
    facts = models.JSONField(null=True)
    documents = models.JSONField(default=dict)
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    revision = models.PositiveIntegerField(default=1)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+", null=True)
    """The version that its approval put in force."""
    entered_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=Q(state__in=["waiting", "returned"]), name="one_open_draft_per_code"
            ),
            models.CheckConstraint(
                name="draft_checker_is_not_maker", condition=Q(checker__isnull=True) | ~Q(checker=F("maker"))
            ),
            models.CheckConstraint(
                name="draft_approved_by_a_checker",
                condition=Q(state="approved", checker__isnull=False, closed_at__isnull=False, product__isnull=False)
                | (Q(checker__isnull=True) & ~Q(state="approved")),
            ),
            models.CheckConstraint(
                name="draft_facts_where_needed",
                condition=Q(purpose__in=["new", "change"], facts__isnull=False)
                | Q(purpose__in=["off_sale", "on_sale"], facts__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["-entered_at", "-id"], name="draft_newest")]


class DraftStep(models.Model):
    """One thing that somebody did with a draft. Who ever wrote in it does not approve it."""

    class What(models.TextChoices):
        ENTERED = "entered"
        CHANGED = "changed"
        RETURNED = "returned"
        APPROVED = "approved"
        WITHDRAWN = "withdrawn"

    draft = models.ForeignKey(ProductDraft, on_delete=models.PROTECT, related_name="steps")
    what = models.CharField(max_length=9, choices=What)
    revision = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    """Of all that the draft said then."""
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()


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
                condition=Q(state="confirmed", nav__isnull=False, shares__isnull=False, shares__gt=0)
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
