"""People at the doors of moments, and what they post."""

import io
import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from rongliao.demo import World
from tests.support.caller import Caller


@pytest.fixture
def caller(world: World) -> Callable[[str], Caller]:
    """caller("su"): that person of the demo world, signed in."""
    return lambda name: Caller(world.people[name])


def png(width: int = 40, height: int = 30, colour: str = "#2a7f62") -> bytes:
    """A picture in one colour."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def post(who: Caller, text: str = "早上好", **more: Any) -> Any:
    """Posts; answers the post, having checked that it was taken."""
    body = {"id": str(uuid.uuid4()), "text": text, **more}
    answer = who.post("/api/moments/posts", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def upload(who: Caller, content: bytes | None = None) -> str:
    """Uploads a picture; answers its id."""
    answer = who.upload("/api/moments/pictures", content or png())
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def feed(who: Caller, limit: int = 20) -> list[Any]:
    """Everything in the person's feed, page by page."""
    found: list[Any] = []
    cursor = None
    while True:
        path = f"/api/moments/timeline?limit={limit}" + (f"&before={cursor}" if cursor else "")
        answer = who.get(path)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def ids(posts: list[Any]) -> list[UUID]:
    """Their ids, in order."""
    return [UUID(one["id"]) for one in posts]
