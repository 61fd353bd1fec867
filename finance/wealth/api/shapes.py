"""What the doors of wealth take and answer."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from finance.wealth.cards import nav_text
from finance.wealth.models import Document, DocumentFile, Nav, Order, Product
from finance.wealth.queries import HoldingView, ProductView, Suitability
from finance.wealth.rules import can_cancel, media_type_of
from kernel.fields import FenField, IdField, PlainText, WholeField

MAX_SHA = 64
MAX_NAV = 10**12


class Sha256Field(serializers.RegexField):
    """The SHA-256 of a text, in hex."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(regex=r"^[0-9a-f]{64}$", max_length=MAX_SHA, trim_whitespace=False, **kwargs)


class SuitabilityShape(serializers.Serializer[Suitability]):
    ok = serializers.BooleanField()
    code = serializers.ChoiceField(
        choices=["fits", "no_assessment", "assessment_expired", "above_class", "holds_above_class"]
    )
    product_risk = serializers.IntegerField()
    person_class = serializers.IntegerField(allow_null=True)
    reason_zh = serializers.CharField()
    reason_en = serializers.CharField()
    valid_until = serializers.DateField(allow_null=True)
    way_out = serializers.ChoiceField(choices=["assess"], allow_null=True)


class NavPointShape(serializers.Serializer[Nav]):
    date = serializers.DateField()
    value = serializers.IntegerField(help_text="in 1/nav_scale yuan")


class ProductShape(serializers.Serializer[ProductView]):
    id = IdField(source="product.pk")
    code = serializers.CharField(source="product.code")
    name = serializers.CharField(source="product.name")
    name_en = serializers.CharField(source="product.name_en")
    issuer = serializers.CharField(source="product.issuer")
    issuer_en = serializers.CharField(source="product.issuer_en")
    kind = serializers.ChoiceField(source="product.kind", choices=Product.Kind.choices)
    risk = serializers.IntegerField(source="product.risk")
    issuer_risk = serializers.IntegerField(source="product.issuer_risk")
    seller_risk = serializers.IntegerField(source="product.seller_risk")
    benchmark_low_bp = serializers.IntegerField(source="product.benchmark_low_bp", allow_null=True)
    benchmark_high_bp = serializers.IntegerField(source="product.benchmark_high_bp", allow_null=True)
    min_fen = serializers.IntegerField(source="product.min_fen")
    step_fen = serializers.IntegerField(source="product.step_fen")
    term_days = serializers.IntegerField(source="product.term_days")
    open_days = serializers.CharField(source="product.open_days")
    open_days_en = serializers.CharField(source="product.open_days_en")
    subscription_fee_bp = serializers.IntegerField(source="product.subscription_fee_bp")
    management_fee_bp = serializers.IntegerField(source="product.management_fee_bp")
    custody_fee_bp = serializers.IntegerField(source="product.custody_fee_bp")
    registration_code = serializers.CharField(source="product.registration_code")
    status = serializers.ChoiceField(source="product.status", choices=Product.Status.choices)
    on_sale = serializers.BooleanField(help_text="not taken off, and today is one of its days of sale")
    sale_from = serializers.DateField(source="product.sale_from", allow_null=True)
    sale_until = serializers.DateField(source="product.sale_until", allow_null=True)
    cut_off = serializers.TimeField(source="product.cut_off", format="%H:%M")
    nav_scale = serializers.IntegerField(source="product.nav_scale")
    nav = NavPointShape(allow_null=True)
    day_change_bp = serializers.IntegerField(allow_null=True)
    seven_day_bp = serializers.IntegerField(allow_null=True)
    left_fen = serializers.IntegerField()
    suitability = SuitabilityShape()


class DocumentLineShape(serializers.Serializer[dict[str, Any]]):
    id = IdField()
    kind = serializers.ChoiceField(choices=["manual", "agreement", "risk"])
    title = serializers.CharField()
    title_en = serializers.CharField()
    sha256 = serializers.CharField()
    media_type = serializers.ChoiceField(choices=DocumentFile.MediaType.choices)
    opened = serializers.BooleanField()


class SessionShape(serializers.Serializer[Any]):
    trading_day = serializers.DateField()
    cut_off_at = serializers.DateTimeField()
    confirm_day = serializers.DateField()


class ProductPageShape(serializers.Serializer[dict[str, Any]]):
    product = ProductShape()
    documents = DocumentLineShape(many=True)
    terms_number = serializers.IntegerField()
    terms_sha256 = serializers.CharField()
    session = SessionShape()


class DocumentShape(serializers.Serializer[Any]):
    id = IdField(source="pk")
    kind = serializers.ChoiceField(choices=["manual", "agreement", "risk"])
    title = serializers.CharField()
    title_en = serializers.CharField()
    sha256 = serializers.CharField()
    media_type = serializers.SerializerMethodField()
    text = serializers.CharField(help_text="empty for a PDF, which is read as a file")

    @extend_schema_field(serializers.ChoiceField(choices=DocumentFile.MediaType.choices))
    def get_media_type(self, document: Document) -> str:
        """What its file is."""
        return media_type_of(document)


class OpenedBody(serializers.Serializer[dict[str, Any]]):
    sha256 = Sha256Field()


class OptionShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    zh = serializers.CharField()
    en = serializers.CharField()


class QuestionShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    zh = serializers.CharField()
    en = serializers.CharField()
    options = OptionShape(many=True)


class StandingShape(serializers.Serializer[Any]):
    person_class = serializers.IntegerField(allow_null=True)
    class_zh = serializers.CharField(allow_null=True)
    class_en = serializers.CharField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)
    valid_now = serializers.BooleanField()
    left_today = serializers.IntegerField()
    left_this_year = serializers.IntegerField()


class AssessmentPageShape(serializers.Serializer[Any]):
    current = StandingShape()
    questions = QuestionShape(many=True)


class AssessmentBody(serializers.Serializer[dict[str, Any]]):
    id = IdField()
    answers = serializers.DictField(child=PlainText(max_length=1))


class OrderBody(serializers.Serializer[dict[str, Any]]):
    id = IdField()
    product_id = IdField()
    amount_fen = FenField()
    account_id = IdField()
    risk_sha256 = Sha256Field(help_text="of the risk disclosure that the person acknowledged")
    offer_id = IdField(required=False, allow_null=True, default=None)


class ChecksBody(serializers.Serializer[dict[str, Any]]):
    product_id = IdField()
    amount_fen = FenField(required=False, allow_null=True, default=None)
    account_id = IdField(required=False, allow_null=True, default=None)
    risk_sha256 = Sha256Field(required=False, allow_null=True, default=None)


class CheckShape(serializers.Serializer[Any]):
    code = serializers.ChoiceField(
        choices=["on_sale", "suitability", "documents", "risk", "amount", "quota", "account"]
    )
    ok = serializers.BooleanField()
    message = serializers.CharField(allow_null=True)


class ChecksShape(serializers.Serializer[Any]):
    checks = CheckShape(many=True)
    fee_fen = serializers.IntegerField(allow_null=True)
    session = SessionShape()


class PreparedShape(serializers.Serializer[Any]):
    intent_id = IdField()
    confirm_url = serializers.CharField()


class OrderShape(serializers.Serializer[Order]):
    id = IdField(source="pk")
    product_id = IdField()
    product_name = serializers.CharField(source="terms.facts.name")
    product_name_en = serializers.SerializerMethodField()
    risk = serializers.SerializerMethodField(help_text="as the order's terms have it")
    terms_number = serializers.IntegerField(source="terms.number")
    state = serializers.ChoiceField(choices=Order.State.choices)
    amount_fen = serializers.IntegerField()
    fee_fen = serializers.IntegerField()
    account_tail = serializers.CharField()
    trading_day = serializers.DateField()
    confirm_day = serializers.DateField()
    cut_off_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    can_cancel = serializers.SerializerMethodField()
    nav = serializers.SerializerMethodField()
    nav_date = serializers.DateField(source="nav.date", allow_null=True, default=None)
    shares = serializers.IntegerField(allow_null=True, help_text="in hundredths")
    matures_on = serializers.DateField(allow_null=True)
    offer_id = IdField(allow_null=True)

    def get_product_name_en(self, order: Order) -> str:
        """The name in the order's terms; terms from before operations entered products have the product's."""
        return str(order.terms.facts.get("name_en", order.product.name_en))

    def get_risk(self, order: Order) -> int:
        """1..5: where issuer and seller differ the higher stands."""
        return int(max(order.terms.facts["issuer_risk"], order.terms.facts["seller_risk"]))

    def get_can_cancel(self, order: Order) -> bool:
        """Whether the cut-off is still to come at the `now` of the context."""
        return can_cancel(order, self.context["now"])

    def get_nav(self, order: Order) -> str | None:
        """The NAV of the confirmation, with its decimals."""
        return nav_text(order.nav.value, order.product.nav_scale) if order.nav else None


class OrdersShape(serializers.Serializer[Any]):
    items = OrderShape(many=True)
    next = serializers.CharField(allow_null=True)


class ProductsShape(serializers.Serializer[Any]):
    items = ProductShape(many=True)
    next = serializers.CharField(allow_null=True)


class NavsShape(serializers.Serializer[Any]):
    nav_scale = serializers.IntegerField()
    items = NavPointShape(many=True)


class HoldingShape(serializers.Serializer[HoldingView]):
    product_id = IdField(source="product.pk")
    name = serializers.CharField(source="product.name")
    name_en = serializers.CharField(source="product.name_en")
    kind = serializers.ChoiceField(source="product.kind", choices=Product.Kind.choices)
    risk = serializers.IntegerField(source="product.risk")
    nav_scale = serializers.IntegerField(source="product.nav_scale")
    shares = serializers.IntegerField(help_text="in hundredths")
    cost_fen = serializers.IntegerField()
    value_fen = serializers.IntegerField()
    day_fen = serializers.IntegerField()
    day_bp = serializers.IntegerField(allow_null=True)
    total_fen = serializers.IntegerField()
    nav = NavPointShape(allow_null=True)
    matures_on = serializers.DateField(allow_null=True)
    suitability = SuitabilityShape()


class GainShape(serializers.Serializer[Any]):
    day = serializers.DateField()
    fen = serializers.IntegerField()


class WealthShape(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField()
    total_fen = serializers.IntegerField()
    balances_fen = serializers.IntegerField()
    in_transit_fen = serializers.IntegerField()
    holdings_fen = serializers.IntegerField()
    day_fen = serializers.IntegerField()
    month_fen = serializers.IntegerField()
    series = GainShape(many=True)
    holdings = HoldingShape(many=True)
    in_transit = OrderShape(many=True)
    recommended = ProductShape(many=True)
    standing = StandingShape()


class OfferShape(serializers.Serializer[Any]):
    id = IdField(source="offer.pk")
    product_id = IdField(source="offer.product_id")
    state = serializers.CharField(source="offer.state")
    mine = serializers.BooleanField(help_text="the reader is the customer")
    suitability = SuitabilityShape()
    order = OrderShape(allow_null=True)


class OfferBody(serializers.Serializer[dict[str, Any]]):
    client_id = IdField()
    customer_id = IdField()
    conversation_id = IdField()
    product_id = IdField()


class OfferedShape(serializers.Serializer[Any]):
    id = IdField(source="pk")
    state = serializers.CharField()


class NavRowShape(serializers.Serializer[Any]):
    product_id = IdField()
    product_code = serializers.CharField()
    product_name = serializers.CharField()
    product_name_en = serializers.CharField()
    nav_scale = serializers.IntegerField()
    date = serializers.DateField()
    nav_id = IdField(allow_null=True)
    value = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=["missing", "draft", "published"])
    maker = serializers.CharField(allow_null=True)
    checker = serializers.CharField(allow_null=True)
    mine = serializers.BooleanField(help_text="the reader entered it")
    previous_value = serializers.IntegerField(allow_null=True)
    change_bp = serializers.IntegerField(allow_null=True)
    waiting_orders = serializers.IntegerField()


class CalendarGapShape(serializers.Serializer[Any]):
    year = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=["missing", "provisional"])


class NavRowsShape(serializers.Serializer[Any]):
    items = NavRowShape(many=True)
    may_enter = serializers.BooleanField()
    may_approve = serializers.BooleanField()
    calendar_gap = CalendarGapShape(allow_null=True)


class NavBody(serializers.Serializer[dict[str, Any]]):
    id = IdField()
    product_id = IdField()
    date = serializers.DateField()
    value = WholeField(minimum=1, maximum=MAX_NAV)


class ApproveBody(serializers.Serializer[dict[str, Any]]):
    value = WholeField(minimum=1, maximum=MAX_NAV)
