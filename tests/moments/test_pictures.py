"""Pictures of posts: who gets their bytes, and what is no picture."""

import io
import struct
import time
import uuid
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from kernel import clock, jobs
from kernel.models import Picture
from moments import actions
from moments.models import PostPicture
from tests.moments.conftest import feed, png, post, upload
from tests.support.caller import Caller
from tests.support.memory import growth

People = Callable[[str], Caller]
MEMORY_MIB = 200
SECONDS = 2


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _bomb() -> bytes:
    """A PNG of 50,000 × 50,000 pixels whose rows are zeros: small on the wire, 7.5 GB decoded."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    squeeze = zlib.compressobj(9)
    rows = b"".join(squeeze.compress(bytes(150_001)) for _ in range(200)) + squeeze.flush()
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _gif() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("P", (20, 20), index) for index in range(3)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(50_000_000))
    return out.getvalue()


def _jpeg(**more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "#557799").save(out, "JPEG", **more)
    return out.getvalue()


def _tall() -> bytes:
    out = io.BytesIO()
    Image.new("1", (1, 12_000)).save(out, "PNG")
    return out.getvalue()


NO_PICTURES = {
    "a bomb": _bomb,
    "too many pixels": lambda: png(4_000, 3_001),
    "too long a side": _tall,
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "gif": _gif,
    "a zip": _zip,
    "a picture that is also a zip": lambda: _jpeg() + _zip(),
    "a png that is also a zip": lambda: png() + _zip(),
    "half a picture": lambda: _jpeg()[:300],
    "half a png": lambda: png(800, 600)[:100],
    "a page": lambda: b"<!doctype html><title>x</title>",
    "noise": lambda: bytes(range(256)) * 40,
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_refused_quickly_and_in_little_memory(caller: People, name: str) -> None:
    su = caller("su")
    content = NO_PICTURES[name]()
    began = time.monotonic()
    with growth() as grown:
        answer = su.upload("/api/moments/pictures", content)
    took = time.monotonic() - began
    assert answer.status_code == 400 and answer.json()["error"]["message"]
    assert took < SECONDS and grown.mib < MEMORY_MIB, (took, grown)
    assert not PostPicture.objects.filter(owner_id=su.id).exists()


def test_more_than_ten_megabytes_are_refused(caller: People) -> None:
    assert caller("su").upload("/api/moments/pictures", bytes(10 * 1024 * 1024 + 1)).status_code in (400, 413)
    assert caller("su").upload("/api/moments/pictures", bytes(12 * 1024 * 1024)).status_code == 413


def test_what_the_camera_wrote_into_a_picture_is_gone_and_it_stands_upright(caller: People) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lying on its side
    exif[0x010F] = "CANARY-CAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (30.0, 14.0, 22.0)
    su = caller("su")
    picture = upload(su, _jpeg(exif=exif.tobytes(), comment=b"CANARY-COMMENT"))
    for size in ("full", "thumb"):
        answer = su.get(f"/api/moments/pictures/{picture}?size={size}")
        assert answer["Content-Type"] == "image/webp"
        assert b"CANARY" not in answer.content
        with Image.open(io.BytesIO(answer.content)) as shown:
            assert shown.format == "WEBP" and not shown.getexif() and shown.size == (48, 64)


def test_a_picture_is_shown_to_who_may_see_its_post_and_nobody_else(caller: People) -> None:
    su, lin, tao, bai = (caller(name) for name in ("su", "lin", "tao", "bai"))
    picture = upload(su)
    address = f"/api/moments/pictures/{picture}"
    assert [who.get(address).status_code for who in (su, lin, tao, bai)] == [200, 404, 404, 404]
    made = post(su, "", pictures=[picture], audience="except", people=[str(tao.id)])
    answers = [who.get(address) for who in (su, lin, tao, bai)]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404]
    assert answers[1]["Cache-Control"] == "private, no-cache" and "Cookie" in answers[1]["Vary"]
    assert lin.get(f"{address}?size=huge").status_code == 400
    assert su.delete(f"/api/moments/posts/{made['id']}").status_code == 204
    assert [who.get(address).status_code for who in (su, lin)] == [404, 404], "at once, before the worker has come"


def test_nobody_posts_with_anothers_picture_or_one_that_is_used(caller: People) -> None:
    su, lin = caller("su"), caller("lin")
    picture = upload(su)
    body = {"text": "我的", "pictures": [picture]}
    refused = lin.post("/api/moments/posts", {"id": str(uuid.uuid4()), **body})
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "picture_not_ready"
    post(su, "第一次", pictures=[picture])
    assert su.post("/api/moments/posts", {"id": str(uuid.uuid4()), **body}).status_code == 409
    assert "我的" not in {one["text"] for one in feed(su) + feed(lin)}


def test_nine_pictures_keep_their_order_and_a_tenth_is_refused(caller: People) -> None:
    su = caller("su")
    pictures = [upload(su, png(10 + index, 10)) for index in range(10)]
    answer = su.post("/api/moments/posts", {"id": str(uuid.uuid4()), "text": "", "pictures": pictures})
    assert answer.status_code == 400
    made = post(su, "", pictures=pictures[:9][::-1])
    assert [one["id"] for one in made["pictures"]] == pictures[:9][::-1]
    assert [one["width"] for one in made["pictures"]] == list(range(18, 9, -1))


def test_pictures_that_no_post_takes_have_a_limit_and_are_thrown_away_after_a_day(
    caller: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    su = caller("su")
    monkeypatch.setattr(actions, "MAX_LOOSE_PICTURES", 2)
    kept, lost = upload(su), upload(su)
    refused = su.upload("/api/moments/pictures", png())
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "too_many_loose_pictures"
    post(su, "", pictures=[kept])
    jobs.drain()
    assert su.get(f"/api/moments/pictures/{lost}").status_code == 200, "not before its time"
    from kernel.models import OutboxRow

    for row in OutboxRow.objects.filter(topic="moments.forget_picture", done_at=None):
        row.run_at -= timedelta(days=1, seconds=1)
        row.save()
    jobs.drain()
    assert su.get(f"/api/moments/pictures/{lost}").status_code == 404
    assert not Picture.objects.filter(pk=lost).exists()
    assert su.get(f"/api/moments/pictures/{kept}").status_code == 200


def test_a_picture_waits_for_its_post_also_where_the_banks_date_was_moved_on(caller: People, settings: Any) -> None:
    settings.DEMO = True
    clock.advance(timedelta(days=40))
    su = caller("su")
    picture = upload(su)
    jobs.drain()
    assert su.get(f"/api/moments/pictures/{picture}").status_code == 200
    post(su, "还在", pictures=[picture])
