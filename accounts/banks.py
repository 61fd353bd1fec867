"""Which bank a card is of: the table of bank identification numbers (6 to 8 digits)."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from stdnum import luhn

TABLE = Path(__file__).parent / "data" / "bins.csv"
MIN_BIN, MAX_BIN = 6, 8


@dataclass(frozen=True)
class Issuer:
    """Who issued a card, of which kind (debit or credit), with how many digits."""

    bank_name: str
    kind: str
    length: int


@lru_cache(maxsize=1)
def _table() -> dict[str, Issuer]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["bin"]: Issuer(row["bank_name"], row["kind"], int(row["length"])) for row in csv.DictReader(file)}


def issuer_by_bin(digits: str) -> Issuer | None:
    """The issuer by the longest known BIN that the digits begin with, or None."""
    found = (_table().get(digits[:length]) for length in range(min(MAX_BIN, len(digits)), MIN_BIN - 1, -1))
    return next((issuer for issuer in found if issuer is not None), None)


def issuer_of(number: str) -> Issuer | None:
    """The issuer by the longest known BIN, or None where the table has none or the length is not its."""
    issuer = issuer_by_bin(number)
    return issuer if issuer is not None and len(number) == issuer.length else None


def is_card_number(number: str) -> bool:
    """Whether the text is 12 to 19 ASCII digits with a right check digit (ISO/IEC 7812, Luhn)."""
    return number.isascii() and number.isdigit() and 12 <= len(number) <= 19 and bool(luhn.is_valid(number))
