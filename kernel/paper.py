"""What everything that is drawn as PDF shares: the font, and lines of a width."""

import re
from collections.abc import Iterator

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont

FONT = "STSong-Light"
"""One of the Chinese fonts that every PDF reader knows by name: no file to carry, and the text can be searched."""


_BEYOND = re.compile("[^\u0000-\uffff]")


def know_font() -> None:
    """Makes the font known to the library. Harmless twice."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def drawable(text: str) -> str:
    """The text with a box for each sign beyond the first plane: the font has none of them."""
    return _BEYOND.sub("□", text)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """The text in lines of at most this width."""
    return list(_lines(text, size, width))


def _lines(text: str, size: float, width: float) -> Iterator[str]:
    line = ""
    for character in text:
        if line and pdfmetrics.stringWidth(line + character, FONT, size) > width:
            yield line
            line = ""
        line += character
    yield line


def cut(text: str, size: float, width: float) -> str:
    """The text if it fits, else as much of it as fits with an ellipsis."""
    if pdfmetrics.stringWidth(text, FONT, size) <= width:
        return text
    return wrapped(text, size, width - pdfmetrics.stringWidth("…", FONT, size))[0] + "…"
