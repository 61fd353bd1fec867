"""Text from outside: what is refused before it is kept."""

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\u180e\ufeff\u00ad\u3164\u115f\u1160\uffa0")
_LINE_BREAKS = frozenset("\n\r\t")


def is_storable(value: str) -> bool:
    """Whether the text has no NUL and no lone surrogate, which the database cannot hold."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def is_plain(value: str, *, multiline: bool) -> bool:
    """Whether the text is storable and free of control characters (line breaks are fine if `multiline`)."""
    return is_storable(value) and not any(
        unicodedata.category(character) == "Cc" and not (multiline and character in _LINE_BREAKS) for character in value
    )


def is_name(value: str) -> bool:
    """Whether the text may name a person or thing: one line, visible, no marks that reorder or hide letters."""
    return (
        bool(value.strip())
        and value == value.strip()
        and is_plain(value, multiline=False)
        and not any(character in _BIDI or character in _INVISIBLE for character in value)
    )


def mask_name(name: str) -> str:
    """A registered name for other people's eyes: all but the first character of a Chinese name, `*晓舟`."""
    return f"*{name[1:]}" if len(name) > 1 else "*"
