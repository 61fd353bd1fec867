"""How a REST body is read."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

_REASON = "the body is no JSON object that this service takes"


class StrictJSONParser(BaseParser):
    """JSON as in RFC 8259: UTF-8, no NaN, no lone surrogate, no NUL in a text, an object at the top."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body as a dict. Raises ParseError where it is none."""
        raw = stream.read()
        if b"\x00" in raw or b"\\u0000" in raw:
            raise ParseError(_REASON)
        try:
            data = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError(_REASON) from error
        if not isinstance(data, dict):
            raise ParseError(_REASON)
        return data
