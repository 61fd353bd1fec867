"""Text from outside: what is refused before it is kept."""

import unicodedata

_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BIDI = _REORDERING | frozenset("\u061c\u200e\u200f")
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\u180e\ufeff\u00ad\u3164\u115f\u1160\uffa0")
_JOINER = "\u200d"  # it holds an emoji of several parts together
_LINE_BREAKS = frozenset("\n\r\t")


def is_storable(value: str) -> bool:
    """Whether the text has no NUL and no lone surrogate, which the database cannot hold."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def is_plain(value: str, *, multiline: bool) -> bool:
    """Whether the text is storable, and free of control characters (line breaks are fine if `multiline`) and of marks
    that reorder what stands around them."""
    return is_storable(value) and not any(
        character in _REORDERING
        or (unicodedata.category(character) == "Cc" and not (multiline and character in _LINE_BREAKS))
        for character in value
    )


def is_line(value: str) -> bool:
    """Whether the text may stand beside amounts and names: one line that reads as it is written, with no mark that
    reorders or hides letters, and no digits but 0 to 9."""
    return is_plain(value, multiline=False) and not any(
        character in _BIDI or (character in _INVISIBLE and character != _JOINER) or _is_foreign_digit(character)
        for character in value
    )


def _is_foreign_digit(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character) == "Nd"


def is_name(value: str) -> bool:
    """Whether the text may name a person or thing: a visible line (is_line) without gaps around or marks within."""
    return bool(value.strip()) and value == value.strip() and is_line(value) and _INVISIBLE.isdisjoint(value)


def mask_name(name: str) -> str:
    """A registered name for other people's eyes: all but the first character of a Chinese name, `*晓舟`."""
    return f"*{name[1:]}" if len(name) > 1 else "*"
