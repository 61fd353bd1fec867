"""Pictures: decoded within bounds, encoded anew without what they carried, kept under unguessable names."""

import hashlib
import io
import secrets
import warnings
import zipfile
from typing import IO, Literal
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from kernel.errors import Refusal
from kernel.ids import new_id
from kernel.models import Picture

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 12_000_000
MAX_SIDE = 8_000
MAX_SCANS = 40
"""Of a progressive JPEG, each of which is drawn over the whole picture; encoders make about ten. A hundred bytes are
enough for one more, so that a small file could take hours.
"""
KEPT_SIDE = 2_048
THUMB_SIDE = 480
CONTENT_TYPE = "image/webp"

Size = Literal["full", "thumb"]
SIZES: tuple[Size, ...] = ("full", "thumb")


class PictureRefused(Refusal):
    code = "picture_refused"
    status = 400
    zh = "这个文件不是可用的图片(JPEG、PNG 或 WebP,不超过 10 MB、1200 万像素),未上传。"
    en = "This file is no picture that can be used (JPEG, PNG or WebP, up to 10 MB and 12 megapixels). Not uploaded."


_SCAN = b"\xff\xda"
"""Stands at the head of each scan, and within none: what is compressed writes FF 00 there."""


def _decode(raw: bytes) -> Image.Image:
    if raw.startswith(b"\xff\xd8") and raw.count(_SCAN) > MAX_SCANS:
        raise PictureRefused
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
                width, height = opened.size
                if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE or min(width, height) < 1:
                    raise PictureRefused
                # A frame is enough: animation is not shown, and a bomb hides in it.
                opened.seek(0)
                upright = ImageOps.exif_transpose(opened)
                return upright.convert("RGBA" if "A" in upright.getbands() or upright.mode == "P" else "RGB")
    except PictureRefused:
        raise
    except Exception as error:
        # Pillow's decoders raise many kinds for broken files; each means the same to the person.
        raise PictureRefused from error


def _encode(image: Image.Image, side: int, quality: int) -> tuple[bytes, int, int]:
    copy = image.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    copy.save(out, "WEBP", quality=quality, method=2)
    return out.getvalue(), copy.width, copy.height


def store(upload: IO[bytes], *, owner_id: UUID) -> Picture:
    """Keeps a picture for its owner, in two sizes. Raises PictureRefused, having kept nothing.

    What comes out is WebP of at most 2048 pixels a side, drawn from the pixels alone: no EXIF, no second content.
    """
    raw = upload.read(settings.MAX_UPLOAD_BYTES + 1)
    if len(raw) > settings.MAX_UPLOAD_BYTES:
        raise PictureRefused
    if zipfile.is_zipfile(io.BytesIO(raw)):
        raise PictureRefused  # an archive that also opens as a picture has no honest use here
    image = _decode(raw)
    full, width, height = _encode(image, KEPT_SIDE, 82)
    thumb, _, _ = _encode(image, THUMB_SIDE, 74)
    name = secrets.token_urlsafe(32)
    default_storage.save(_path(name, "full"), ContentFile(full))
    default_storage.save(_path(name, "thumb"), ContentFile(thumb))
    return Picture.objects.create(
        id=new_id(),
        owner_id=owner_id,
        name=name,
        width=width,
        height=height,
        size_bytes=len(full),
        sha256=hashlib.sha256(full).digest(),
    )


def read(picture: Picture, size: Size) -> bytes:
    """The bytes of a stored picture (WebP). Who may have them was decided by the caller."""
    with default_storage.open(_path(picture.name, size)) as file:
        return bytes(file.read())


def discard(picture: Picture) -> None:
    """Throws a picture away, files first: where the row stays after a crash, the next try finds it again."""
    for size in SIZES:
        default_storage.delete(_path(picture.name, size))
    picture.delete()


def _path(name: str, size: Size) -> str:
    return f"pictures/{name[:2]}/{name}.{size}.webp"
