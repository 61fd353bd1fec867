"""What everything that is drawn as PDF shares: the font, and lines of a width."""

import re
from collections.abc import Iterator

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont

FONT = "STSong-Light"
"""One of the Chinese fonts that every PDF reader knows by name: no file to carry, and the text can be searched."""

_BEYOND_GBK = re.compile("[¥€・\u3400-\u4db5\u4e00-\u9fa5]")
"""What the font has besides: two currencies, a middle dot, and the rare ideographs of GB 18030."""


def know_font() -> None:
    """Makes the font known to the library. Harmless twice."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def drawable(text: str) -> str:
    """The text with a box for each sign that the font lacks: its width is known then, and lines stay in place."""
    # Its middle dot is found under another number.
    return "".join(sign if _has(sign) else "□" for sign in text.replace("·", "・"))


def _has(sign: str) -> bool:
    if _BEYOND_GBK.match(sign):
        return True
    try:
        sign.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


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
