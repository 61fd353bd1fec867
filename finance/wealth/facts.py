"""What there is to say of a product: its facts and documents, before they are put in force."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, time
from typing import Any
from uuid import UUID

from finance.wealth.models import CUT_OFF


@dataclass(frozen=True)
class DocumentText:
    """A document before it is kept. From a file: its id and the hash of its bytes; `text` is empty for a PDF."""

    kind: str
    title: str
    title_en: str
    text: str
    file_id: UUID | None = None
    file_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A product's facts; names and units as in the model."""

    code: str
    name: str
    name_en: str
    issuer: str
    issuer_en: str
    issuer_risk: int
    seller_risk: int
    kind: str
    min_fen: int
    step_fen: int
    open_days: str
    open_days_en: str
    registration_code: str
    quota_fen: int
    benchmark_low_bp: int | None = None
    benchmark_high_bp: int | None = None
    term_days: int = 0
    subscription_fee_bp: int = 0
    management_fee_bp: int = 0
    custody_fee_bp: int = 0
    nav_scale: int = 10_000
    cut_off: time = CUT_OFF
    sale_from: date | None = None
    sale_until: date | None = None
    shelf_order: int = 0


@dataclass(frozen=True)
class DocumentWish:
    """A document of a draft: which uploaded file, and what it is called."""

    kind: str
    title: str
    title_en: str
    file_id: UUID


@dataclass(frozen=True)
class Wanted:
    """What a draft says. `facts` only where the purpose has them; `note` is the maker's word to the checker."""

    facts: Facts | None
    documents: tuple[DocumentWish, ...]
    note: str


FACT_NAMES = tuple(one.name for one in fields(Facts))


def plain(value: Any) -> Any:
    """A fact as JSON keeps it."""
    if isinstance(value, time):
        return value.isoformat("minutes")
    return value.isoformat() if isinstance(value, date) else value


def facts_json(facts: Facts) -> dict[str, Any]:
    """Facts as a draft keeps them."""
    return {name: plain(getattr(facts, name)) for name in FACT_NAMES}


def facts_of(kept: Mapping[str, Any]) -> Facts:
    """Facts from what a draft keeps."""
    days = {name: date.fromisoformat(kept[name]) if kept[name] else None for name in ("sale_from", "sale_until")}
    return Facts(**{**kept, **days, "cut_off": time.fromisoformat(kept["cut_off"])})
