"""JSON that is hashed: the same bytes for the same value, on every machine and in every version.

UTF-8; keys sorted by code point, no white space, no escapes but those that JSON demands, whole numbers only: RFC 8785
for this subset.
"""

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """The bytes of a value of dicts, lists, texts, whole numbers, booleans and None; a UUID is its text.

    Raises UnicodeEncodeError for half a surrogate pair.
    """
    return _encoder.encode(value)
