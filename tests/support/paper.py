"""The words of a PDF that this product drew: its pages' texts, in the order in which they were drawn."""

import base64
import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:\\.|[^\\)])*)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _plain(found: re.Match[bytes]) -> bytes:
    said = found[1]
    return bytes([int(said, 8)]) if len(said) == 3 else _LETTERS.get(said, said)


def words_of(pdf: bytes) -> str:
    """The texts, one in a line. They are set in a font that is addressed in UTF-16."""
    found = []
    for stream in _STREAM.findall(pdf):
        page = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        found += [_ESCAPED.sub(_plain, shown).decode("utf-16-be") for shown in _SHOWN.findall(page)]
    return "\n".join(found)
