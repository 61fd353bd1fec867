import base64
import os
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from kernel.secrets import blind_index, seal, unseal


@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_was_sealed_opens_to_the_same(plain: bytes, context: str) -> None:
    assert unseal(seal(plain, context), context) == plain


def test_a_ciphertext_moved_to_another_row_does_not_open() -> None:
    sealed = seal(b"13800000001", "accounts.person:1:phone")
    with pytest.raises(InvalidTag):
        unseal(sealed, "accounts.person:2:phone")


def test_any_flipped_bit_is_noticed() -> None:
    sealed = seal(b"secret", "here")
    start = 1 + sealed[0]
    for index in range(start, len(sealed)):
        broken = bytearray(sealed)
        broken[index] ^= 1
        with pytest.raises(InvalidTag):
            unseal(bytes(broken), "here")


def test_after_rotation_old_rows_open_and_new_ones_use_the_new_key(settings: Any) -> None:
    old = seal(b"kept", "here")
    settings.FIELD_KEYS = ["new:" + base64.b64encode(os.urandom(32)).decode(), *settings.FIELD_KEYS]
    assert unseal(old, "here") == b"kept"
    fresh = seal(b"kept", "here")
    assert fresh[1 : 1 + fresh[0]] == b"new"


def test_an_index_tells_purposes_apart_and_needs_the_key(settings: Any) -> None:
    first = blind_index("phone", "13800000001")
    assert first == blind_index("phone", "13800000001") != blind_index("card", "13800000001")
    settings.BLIND_INDEX_KEY = "another"
    assert first != blind_index("phone", "13800000001")
