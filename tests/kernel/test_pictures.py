import io
import struct
import time
import zipfile
import zlib
from typing import Any

import pytest
from PIL import Image

from kernel import pictures
from kernel.ids import new_id
from tests.support.memory import growth

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def _png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\x00" * 100_000)) + chunk(b"IEND", b"")


def _gif() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "GIF")
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\x00" * 1_000_000)
    return out.getvalue()


def _jpeg_of_many_scans(more: int) -> bytes:
    """A small file whose last scan stands in it again and again: a decoder draws each over twelve megapixels."""
    out = io.BytesIO()
    Image.new("L", (4000, 2990), 120).save(out, "JPEG", progressive=True, quality=50)
    raw = out.getvalue()
    return raw[:-2] + raw[raw.rfind(b"\xff\xda") : -2] * more + raw[-2:]


def _webp_claiming(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "WEBP", lossless=True)
    raw = bytearray(out.getvalue())
    place = raw.index(b"VP8L") + 9
    raw[place : place + 4] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(raw)


def _png_with_much_to_say() -> bytes:
    """Hidden texts that unpack to a gigabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    said = chunk(b"zTXt", b"k\x00\x00" + zlib.compress(b"\x00" * 1_000_000))
    profile = chunk(b"iCCP", b"k\x00\x00" + zlib.compress(b"\x00" * 100_000_000))
    return b"\x89PNG\r\n\x1a\n" + header + profile + said * 1_000 + chunk(b"IEND", b"")


def _polyglot() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue() + _zip()


@pytest.mark.parametrize(
    "raw",
    [
        _jpeg_of_many_scans(100),
        _webp_claiming(16_383, 16_383),
        _png_with_much_to_say(),
        _polyglot(),
        b"%PDF-1.7\n" + _png_claiming(8, 8),
        b"GIF89a/*" + _png_claiming(8, 8),
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        _gif(),
        _zip(),
        _png_claiming(50_000, 50_000),
        _png_claiming(9_000, 10),
        _png_claiming(100, 100)[:60],
        b"\xff" * (10 * 1024 * 1024 + 1),
    ],
    ids=[
        "scans",
        "webp",
        "talk",
        "polyglot",
        "pdf",
        "gif in front",
        "empty",
        "text",
        "svg",
        "gif",
        "zip",
        "bomb",
        "long",
        "cut",
        "heavy",
    ],
)
def test_what_is_no_usable_picture_is_refused_quickly_and_in_little_memory(raw: bytes) -> None:
    began = time.monotonic()
    with growth() as grown, pytest.raises(pictures.PictureRefused):
        pictures.store(io.BytesIO(raw), owner_id=new_id())
    assert grown.mib < 200
    assert time.monotonic() - began < 2


def test_the_largest_picture_that_is_taken_takes_little_memory() -> None:
    out = io.BytesIO()
    Image.effect_noise((4000, 3000), 60).convert("RGBA").save(out, "PNG", compress_level=1)
    assert len(out.getvalue()) > 10 * 1024 * 1024
    with pytest.raises(pictures.PictureRefused):
        pictures.store(io.BytesIO(out.getvalue()), owner_id=new_id())

    out = io.BytesIO()
    Image.linear_gradient("L").resize((4000, 3000)).convert("RGBA").save(out, "PNG")
    with growth() as grown:
        kept = pictures.store(io.BytesIO(out.getvalue()), owner_id=new_id())
    assert (kept.width, kept.height) == (2048, 1536)
    assert 4000 * 3000 * 4 / 2**20 < grown.mib < 200


def test_a_picture_is_drawn_anew_without_its_exif_and_without_what_hung_on_it() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(out, "JPEG", exif=exif)
    kept = pictures.store(io.BytesIO(out.getvalue() + b"<script>alert(1)</script>"), owner_id=new_id())
    raw = pictures.read(kept, "full")
    with Image.open(io.BytesIO(raw)) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("WEBP", (200, 300), {})
    assert b"SecretCamera" not in raw
    assert b"script" not in raw


def test_a_large_picture_is_kept_at_a_bounded_size_with_a_thumbnail() -> None:
    out = io.BytesIO()
    Image.new("RGB", (4000, 2500), "teal").save(out, "PNG")
    kept = pictures.store(io.BytesIO(out.getvalue()), owner_id=new_id())
    assert (kept.width, kept.height) == (2048, 1280)
    with Image.open(io.BytesIO(pictures.read(kept, "thumb"))) as thumb:
        assert max(thumb.size) == pictures.THUMB_SIDE


def test_names_on_disk_cannot_be_guessed() -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    names = {pictures.store(io.BytesIO(out.getvalue()), owner_id=new_id()).name for _ in range(20)}
    assert len(names) == 20
    assert all(len(name) >= 43 for name in names)
