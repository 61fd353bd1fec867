"""What the doors of operations to products take and answer."""

from datetime import time
from typing import Any

from rest_framework import serializers

from finance.wealth.facts import DocumentWish, Facts, Wanted
from finance.wealth.models import CUT_OFF, Document, DocumentFile, DraftStep, Product, ProductDraft
from kernel.errors import said
from kernel.fields import FenField, IdField, PlainText, WholeField

MOST_BP = 1_000
MOST_BENCHMARK_BP = 10_000
MOST_DAYS = 3_650
MOST_PLACE = 30_000
NAV_SCALES = (10_000, 1_000_000)
NAMES = {"title": 120, "title_en": 160, "reason": 200}


class _Form(serializers.RegexField):
    """A text of one form, in ASCII."""

    def __init__(self, form: str, **kwargs: Any) -> None:
        super().__init__(regex=form, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The text, or a validation error: a number is no text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class FactsBody(serializers.Serializer[Any]):
    """A product's facts: amounts in fen of CNY, rates in basis points, `nav_scale` parts of a yuan."""

    code = _Form(r"^[A-Z0-9][A-Z0-9-]{1,19}$", max_length=20)
    name = PlainText(name=True, max_length=60)
    name_en = PlainText(name=True, max_length=80)
    issuer = PlainText(name=True, max_length=60)
    issuer_en = PlainText(name=True, max_length=80)
    issuer_risk = WholeField(minimum=1, maximum=5)
    seller_risk = WholeField(minimum=1, maximum=5)
    kind = serializers.ChoiceField(choices=Product.Kind.choices)
    benchmark_low_bp = WholeField(minimum=1, maximum=MOST_BENCHMARK_BP, allow_null=True)
    benchmark_high_bp = WholeField(minimum=1, maximum=MOST_BENCHMARK_BP, allow_null=True)
    min_fen = FenField()
    step_fen = FenField()
    term_days = WholeField(minimum=0, maximum=MOST_DAYS)
    open_days = PlainText(name=True, max_length=120)
    open_days_en = PlainText(name=True, max_length=160)
    cut_off = _Form(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, help_text="HH:MM, 15:00 at the latest")
    sale_from = serializers.DateField(allow_null=True)
    sale_until = serializers.DateField(allow_null=True)
    subscription_fee_bp = WholeField(minimum=0, maximum=MOST_BP)
    management_fee_bp = WholeField(minimum=0, maximum=MOST_BP)
    custody_fee_bp = WholeField(minimum=0, maximum=MOST_BP)
    registration_code = _Form(r"^[A-Z0-9]{6,30}$", max_length=30)
    nav_scale = WholeField(minimum=NAV_SCALES[0], maximum=NAV_SCALES[1])
    quota_fen = FenField()
    shelf_order = WholeField(minimum=0, maximum=MOST_PLACE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What one fact says about another."""
        wrong: dict[str, Any] = {}
        low, high = attrs["benchmark_low_bp"], attrs["benchmark_high_bp"]
        if (low is None) is not (high is None) or (low is not None and low > high):
            wrong["benchmark_high_bp"] = said(
                "业绩比较基准须同时填写,且上限不低于下限。", "A benchmark has both ends, the higher one last."
            )
        if attrs["nav_scale"] not in NAV_SCALES:
            wrong["nav_scale"] = said("净值为 4 位或 6 位小数。", "A NAV has 4 or 6 decimals.")
        if (attrs["kind"] == Product.Kind.CLOSED) is not (attrs["term_days"] > 0):
            wrong["term_days"] = said(
                "封闭式产品须有封闭期,其他产品没有。", "A closed product has a term, others have none."
            )
        if attrs["quota_fen"] < attrs["min_fen"]:
            wrong["quota_fen"] = said("额度不能低于起购金额。", "The quota is at least the least amount.")
        if attrs["sale_from"] and attrs["sale_until"] and attrs["sale_from"] > attrs["sale_until"]:
            wrong["sale_until"] = said("销售截止日不能早于起始日。", "The last day of sale is not before the first.")
        if time.fromisoformat(attrs["cut_off"]) > CUT_OFF:
            wrong["cut_off"] = said("截止时间不能晚于 15:00。", "The cut-off is 15:00 at the latest.")
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


class WishBody(serializers.Serializer[Any]):
    """A document of a draft: an uploaded file under its names."""

    kind = serializers.ChoiceField(choices=Document.Kind.choices)
    title = PlainText(name=True, max_length=NAMES["title"])
    title_en = PlainText(name=True, max_length=NAMES["title_en"])
    file_id = IdField()


class _Words(serializers.Serializer[Any]):
    facts = FactsBody(allow_null=True, default=None)
    documents = serializers.ListField(child=WishBody(), max_length=len(Document.Kind.values), default=list)
    note = PlainText(max_length=NAMES["reason"], allow_blank=True, default="")

    def validate_documents(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Each kind once."""
        if len({one["kind"] for one in documents}) != len(documents):
            raise serializers.ValidationError(said("每种文件只能有一份。", "One document of each kind."))
        return documents

    def wanted(self) -> Wanted:
        """What was checked, for the action."""
        found = self.validated_data
        facts = found["facts"]
        return Wanted(
            facts=Facts(**{**facts, "cut_off": time.fromisoformat(facts["cut_off"])}) if facts else None,
            documents=tuple(DocumentWish(**one) for one in found["documents"]),
            note=found["note"],
        )


class DraftBody(_Words):
    id = IdField()
    purpose = serializers.ChoiceField(choices=ProductDraft.Purpose.choices)
    product_id = IdField(allow_null=True, default=None)


class DraftChangeBody(_Words):
    revision = WholeField(minimum=1, help_text="of the draft as the maker saw it")


class SeenRevisionBody(serializers.Serializer[Any]):
    revision = WholeField(minimum=1, help_text="of the draft as the person saw it")


class ReturnBody(SeenRevisionBody):
    reason = PlainText(name=True, max_length=NAMES["reason"])


class FileBody(serializers.Serializer[Any]):
    file = serializers.FileField()


class FileShape(serializers.Serializer[DocumentFile]):
    id = IdField(source="pk")
    sha256 = serializers.CharField()
    media_type = serializers.ChoiceField(choices=DocumentFile.MediaType.choices)
    size = serializers.IntegerField()


class FactsShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    issuer = serializers.CharField()
    issuer_en = serializers.CharField()
    issuer_risk = serializers.IntegerField()
    seller_risk = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Product.Kind.choices)
    benchmark_low_bp = serializers.IntegerField(allow_null=True)
    benchmark_high_bp = serializers.IntegerField(allow_null=True)
    min_fen = serializers.IntegerField()
    step_fen = serializers.IntegerField()
    term_days = serializers.IntegerField()
    open_days = serializers.CharField()
    open_days_en = serializers.CharField()
    cut_off = serializers.CharField()
    sale_from = serializers.CharField(allow_null=True)
    sale_until = serializers.CharField(allow_null=True)
    subscription_fee_bp = serializers.IntegerField()
    management_fee_bp = serializers.IntegerField()
    custody_fee_bp = serializers.IntegerField()
    registration_code = serializers.CharField()
    nav_scale = serializers.IntegerField()
    quota_fen = serializers.IntegerField()
    shelf_order = serializers.IntegerField()


class KeptDocumentShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Document.Kind.choices)
    title = serializers.CharField()
    title_en = serializers.CharField()
    document_id = IdField(allow_null=True, help_text="where it is in force")
    file_id = IdField(allow_null=True)
    sha256 = serializers.CharField()
    media_type = serializers.ChoiceField(choices=DocumentFile.MediaType.choices)


class OpenDraftShape(serializers.Serializer[ProductDraft]):
    id = IdField(source="pk")
    purpose = serializers.ChoiceField(choices=ProductDraft.Purpose.choices)
    state = serializers.ChoiceField(choices=ProductDraft.State.choices)


class KeptProductRowShape(serializers.Serializer[Any]):
    id = IdField(source="product.pk")
    code = serializers.CharField(source="product.code")
    name = serializers.CharField(source="product.name")
    name_en = serializers.CharField(source="product.name_en")
    kind = serializers.ChoiceField(source="product.kind", choices=Product.Kind.choices)
    risk = serializers.IntegerField(source="product.risk")
    status = serializers.ChoiceField(source="product.status", choices=Product.Status.choices)
    sale_from = serializers.DateField(source="product.sale_from", allow_null=True)
    sale_until = serializers.DateField(source="product.sale_until", allow_null=True)
    quota_fen = serializers.IntegerField(source="product.quota_fen")
    quota_used_fen = serializers.IntegerField(source="product.quota_used_fen")
    terms_number = serializers.IntegerField()
    draft = OpenDraftShape(allow_null=True)


class KeptProductsShape(serializers.Serializer[Any]):
    items = KeptProductRowShape(many=True)
    next = serializers.CharField(allow_null=True)
    may_enter = serializers.BooleanField()
    may_approve = serializers.BooleanField()


class KeptProductShape(KeptProductRowShape):
    facts = FactsShape()
    documents = KeptDocumentShape(many=True)


class DraftRowShape(serializers.Serializer[Any]):
    id = IdField()
    purpose = serializers.ChoiceField(choices=ProductDraft.Purpose.choices)
    state = serializers.ChoiceField(choices=ProductDraft.State.choices)
    revision = serializers.IntegerField()
    product_id = IdField(allow_null=True)
    code = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    maker = serializers.CharField()
    checker = serializers.CharField(allow_null=True)
    entered_at = serializers.DateTimeField()
    mine = serializers.BooleanField(help_text="the reader wrote in it, and cannot check it")


class DraftsShape(serializers.Serializer[Any]):
    items = DraftRowShape(many=True)
    next = serializers.CharField(allow_null=True)


class StepShape(serializers.Serializer[Any]):
    what = serializers.ChoiceField(choices=DraftStep.What.choices)
    revision = serializers.IntegerField()
    person = serializers.CharField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class DraftShape(DraftRowShape):
    facts = FactsShape(allow_null=True)
    documents = KeptDocumentShape(many=True)
    note = serializers.CharField()
    in_force = KeptProductShape(allow_null=True)
    steps = StepShape(many=True)
    terms_number = serializers.IntegerField(allow_null=True, help_text="that its approval put in force")
    may_enter = serializers.BooleanField()
    may_approve = serializers.BooleanField()
