"""The rules of selling wealth products, as plain functions of what was read before."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from finance.wealth.models import SHARE_UNITS, Document, DocumentFile, Order
from finance.wealth.questionnaire import CLASS_NAMES, RISK_NAMES

FEN_PER_YUAN = 100
BASIS = 10_000

Code = Literal["fits", "no_assessment", "assessment_expired", "above_class", "holds_above_class"]


@dataclass(frozen=True)
class Suitability:
    """Whether a product may be shown as fitting, sent, recommended to and bought by a person, and why not."""

    ok: bool
    product_risk: int
    person_class: int | None
    reason_zh: str
    reason_en: str
    code: Code
    valid_until: date | None = None

    @property
    def way_out(self) -> Literal["assess"] | None:
        """What the person can do about a refusal."""
        return None if self.ok else "assess"


@dataclass(frozen=True)
class Standing:
    """What suitability knows of a person: the class of the newest assessment and its last valid day."""

    person_class: int | None
    valid_until: date | None


def judge(*, product_risk: int, standing: Standing, today: date, holds: bool) -> Suitability:
    """The one suitability rule: R ≤ C under an assessment that is valid today.

    《理财公司理财产品销售管理暂行办法》 art. 29 and 32: neither sale nor promotion above the class. Who holds more
    risk than the class, for instance after a new assessment, keeps it but cannot add.
    """
    person_class, valid_until = standing.person_class, standing.valid_until
    risk_zh, risk_en = RISK_NAMES[product_risk]
    if person_class is None or valid_until is None:
        return Suitability(
            False,
            product_risk,
            None,
            "尚无风险测评。完成测评之后,才能购买、发送或推荐这款产品。",
            "There is no risk assessment yet. It comes before this product can be bought, sent or recommended.",
            "no_assessment",
        )
    if today > valid_until:
        return Suitability(
            False,
            product_risk,
            person_class,
            f"风险测评已于 {valid_until:%Y-%m-%d} 到期。重新测评之后,才能购买、发送或推荐这款产品。",
            f"The risk assessment ended on {valid_until:%Y-%m-%d}. Please take it again: without it this product "
            "cannot be bought, sent or recommended.",
            "assessment_expired",
            valid_until,
        )
    class_zh, class_en = CLASS_NAMES[person_class]
    if product_risk <= person_class:
        return Suitability(
            True,
            product_risk,
            person_class,
            f"产品 R{product_risk} {risk_zh},在 C{person_class} {class_zh}的范围内。",
            f"R{product_risk} ({risk_en}) is within class C{person_class} ({class_en}).",
            "fits",
            valid_until,
        )
    above_zh = f"产品 R{product_risk} {risk_zh},高于 C{person_class} {class_zh}"
    above_en = f"R{product_risk} ({risk_en}) is above class C{person_class} ({class_en})"
    if holds:
        return Suitability(
            False,
            product_risk,
            person_class,
            f"{above_zh}:已持有的可以继续持有,不能追加。如情况有变,可重新测评。",
            f"{above_en}. What is held may be kept; nothing can be added. If circumstances have changed, "
            "take the assessment again.",
            "holds_above_class",
            valid_until,
        )
    return Suitability(
        False,
        product_risk,
        person_class,
        f"{above_zh},不能购买、发送或推荐。如情况有变,可重新测评。",
        f"{above_en}. It cannot be bought, sent or recommended. If circumstances have changed, take the "
        "assessment again.",
        "above_class",
        valid_until,
    )


def fee_within(amount_fen: int, rate_bp: int) -> int:
    """The subscription fee contained in a gross amount, in fen: amount − amount / (1 + rate), rounded half up.

    The net amount is what buys shares (外扣法, as the Asset Management Association's fee guideline counts it).
    """
    net_fen = (amount_fen * BASIS * 2 + BASIS + rate_bp) // ((BASIS + rate_bp) * 2)
    return amount_fen - net_fen


def shares_for(net_fen: int, nav_value: int, nav_scale: int) -> int:
    """Shares in hundredths for a net amount at a NAV, cut off (never rounded up) below a hundredth.

    What is cut off, less than a hundredth of a share, stays in the product's assets: so no order gets more than
    it paid for, and all shares together never exceed the money received.
    """
    return net_fen * nav_scale * SHARE_UNITS // (nav_value * FEN_PER_YUAN)


def value_of(shares: int, nav_value: int, nav_scale: int) -> int:
    """The value in fen of shares (in hundredths) at a NAV, rounded half up."""
    numerator = shares * nav_value * FEN_PER_YUAN
    denominator = SHARE_UNITS * nav_scale
    return (numerator * 2 + denominator) // (denominator * 2)


def annualised_bp(first: int, last: int, days: int) -> int:
    """The yearly rate in basis points of a NAV that went from `first` to `last` in `days` calendar days."""
    if days <= 0 or first <= 0:
        return 0
    numerator, denominator = (last - first) * BASIS * 365, first * days
    return (numerator * 2 + denominator) // (denominator * 2)


def change_bp(first: int, last: int) -> int:
    """The change from `first` to `last` in basis points, rounded half up."""
    return ((last - first) * BASIS * 2 + first) // (first * 2)


def can_cancel(order: Order, moment: datetime) -> bool:
    """Whether the person may still cancel at `moment`: accepted, and before its cut-off."""
    return order.state == Order.State.ACCEPTED and moment < order.cut_off_at


def media_type_of(document: Document) -> str:
    """What a document is: only a text has words of its own."""
    return DocumentFile.MediaType.TEXT if document.text else DocumentFile.MediaType.PDF
