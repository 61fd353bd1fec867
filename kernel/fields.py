"""Serializer fields that take what they say and nothing near it."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from kernel.errors import said
from kernel.money import MAX_FEN
from kernel.text import is_line, is_name, is_plain


class FenField(serializers.Field[int, Any, int, int]):
    """An amount in whole fen: a JSON integer. Refuses true, 1.0, "1", and what is out of its bounds."""

    default_error_messages = {
        "type": said("金额须为以分计的整数。", "An amount is a whole number of fen."),
        "least": said("金额不能小于 {minimum} 分。", "The amount is at least {minimum} fen."),
        "most": said("金额不能大于 {maximum} 分。", "The amount is at most {maximum} fen."),
    }

    def __init__(self, *, minimum: int = 1, maximum: int = MAX_FEN, **kwargs: Any) -> None:
        self.minimum, self.maximum = minimum, maximum
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        """The amount, or a validation error."""
        if type(data) is not int:
            self.fail("type")
        if data < self.minimum:
            self.fail("least", minimum=self.minimum)
        if data > self.maximum:
            self.fail("most", maximum=self.maximum)
        return data

    def to_representation(self, value: int) -> int:
        """The amount as it is."""
        return value


class WholeField(FenField):
    """A whole number under the same rules: a JSON integer within bounds."""

    default_error_messages = {
        "type": said("须为整数。", "A whole number is needed."),
        "least": said("不能小于 {minimum}。", "At least {minimum}."),
        "most": said("不能大于 {maximum}。", "At most {maximum}."),
    }


class PlainText(serializers.CharField):
    """Text that reads as it is written (kernel.text): a line, a `name`, or several lines if `multiline`.

    Nothing is stripped silently; numbers and booleans are not text. Every text from outside comes through here
    (tests/architecture/test_every_text_is_plain.py).
    """

    def __init__(self, *, multiline: bool = False, name: bool = False, **kwargs: Any) -> None:
        self.multiline, self.name_only = multiline, name
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)
        self.error_messages["marks"] = said("含有不允许的字符。", "It has characters that are not allowed.")

    def to_internal_value(self, data: Any) -> str:
        """The text, or a validation error."""
        if not isinstance(data, str):
            self.fail("invalid")
        text = super().to_internal_value(data)
        if text and not self.fits(text):
            self.fail("marks")
        return text

    def fits(self, text: str) -> bool:
        """Whether the text may stand here."""
        if self.name_only:
            return is_name(text)
        return is_plain(text, multiline=True) if self.multiline else is_line(text)


class SecretText(PlainText):
    """A password: whatever can be typed in a line. It is shown to nobody."""

    def fits(self, text: str) -> bool:
        """Whether it can be kept."""
        return is_plain(text, multiline=False)


class IdField(serializers.UUIDField):
    """An id as a JSON text. DRF's own field would also take a number."""

    def to_internal_value(self, data: Any) -> UUID:
        """The id, or a validation error."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return UUID(str(super().to_internal_value(data)))
