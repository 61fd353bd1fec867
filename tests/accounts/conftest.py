"""People at the doors of accounts."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.test import Client

from rongliao.demo import PASSWORD, World
from tests.support.browser import PHONES

NEW_PHONE = "13700000001"
AGREED = {"terms": "2026-11", "privacy": "2026-11"}


class Caller:
    """A program at the REST doors, with its own cookies."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.client = Client(headers={"host": settings.APP_NETLOC}, REMOTE_ADDR=address, raise_request_exception=False)
        self.device = str(uuid4())

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"origin": settings.APP_ORIGIN, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.generic(method, path, data, content_type="application/json", headers=headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any = None) -> Any:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def sign_in(self, phone: str, password: str = PASSWORD) -> Any:
        return self.post("/api/session", {"phone": phone, "password": password, "device_id": self.device})

    @property
    def cookie(self) -> str:
        return str(self.client.cookies[settings.SESSION_COOKIE_NAME].value)

    def code(self, phone: str, purpose: str) -> str:
        """Asks for a code and reads the text message that the demo shows."""
        answer = self.post("/api/codes", {"phone": phone, "purpose": purpose, "device_id": self.device})
        assert answer.status_code == 201, answer.content
        return str(answer.json()["demo_code"])

    def register(self, phone: str = NEW_PHONE, **changed: Any) -> Any:
        body = {
            "phone": phone,
            "code": self.code(phone, "register"),
            "password": "quiet-harbour-9",
            "display_name": "新来的人",
            "device_id": self.device,
            "agreed": AGREED,
        }
        return self.post("/api/registrations", {**body, **changed})


def error(answer: Any) -> str:
    """The code of a refusal."""
    return str(answer.json()["error"]["code"])


@pytest.fixture(autouse=True)
def _demo(settings: Any) -> None:
    """One-time codes are shown as in a demonstration: nothing of ours is replaced by that."""
    settings.DEMO = True


@pytest.fixture
def guest() -> Caller:
    """Somebody who has not signed in."""
    return Caller()


@pytest.fixture
def person(world: World) -> Callable[[str], Caller]:
    """person("su"): somebody of the demo world, signed in by password."""

    def sign_in(name: str) -> Caller:
        caller = Caller()
        answer = caller.sign_in(PHONES[name])
        assert answer.status_code == 200, answer.content
        return caller

    return sign_in


@pytest.fixture
def su(person: Callable[[str], Caller]) -> Caller:
    return person("su")


def ids(answer: Any) -> list[UUID]:
    """Every UUID in an answer."""
    found = re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", answer.content.decode())
    return [UUID(item) for item in found]
