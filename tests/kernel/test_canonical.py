import json
from typing import Any
from uuid import UUID

import pytest

from kernel.canonical import canonical


def by_the_standard_library(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()


def test_every_character_is_written_as_it_always_was() -> None:
    for first in range(0, 0x110000, 0x800):
        if 0xD800 <= first < 0xE000:
            continue
        text = "".join(map(chr, range(first, first + 0x800)))
        assert canonical(text) == by_the_standard_library(text)


@pytest.mark.parametrize(
    "value",
    [
        {"b": [1, -(2**63), 2**64, 0], "a": {"null": None, "true": True, "空": "", "é": [], "😀": {}, "｡": 1}},
        ["None", "payments.transfer_confirmed", {"amount_fen": 100, "account": "x"}],
        (UUID(int=7), 5, "transfer", None, [(UUID(int=8), -5)]),
    ],
)
def test_a_value_is_written_as_it_always_was(value: Any) -> None:
    assert canonical(value) == by_the_standard_library(value)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        canonical("\ud83d")
