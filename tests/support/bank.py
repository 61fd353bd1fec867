"""The bank's page as a program: it redeems a hand-off, hashes what it was shown, and confirms."""

import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import transaction
from django.test import Client

from finance.bank_session import pins
from finance.bank_session.models import BankSession
from finance.bank_session.tokens import digest_of
from kernel.clock import now
from rongliao.demo import PIN

_encoded: dict[Any, str] = {}


def set_pin(person_id: Any, pin: str = PIN) -> None:
    """Gives a person a PIN without the page; the slow hash is computed once in a test run."""
    key = (person_id, pin)
    if key not in _encoded:
        _encoded[key] = pins.encode(person_id, pin)
    with transaction.atomic():
        pins.store_first(person_id, _encoded[key])


def step_up(cookie: str) -> None:
    """The session of this cookie counts as proved, and keeps its token: it is for all that its sign-in prepared."""
    BankSession.objects.filter(token_hash=digest_of(cookie)).update(proved_at=now())


class Sheet:
    """The bank's page, opened from a `confirm_url`."""

    def __init__(self, confirm_url: str | None = None, *, cookie: str | None = None, device: str | None = None) -> None:
        self.client = Client(HTTP_HOST=settings.BANK_NETLOC, raise_request_exception=False)
        self.intent_id = ""
        if cookie is not None:
            self.client.cookies[settings.BANK_COOKIE_NAME] = cookie
        if device is not None:
            self.client.cookies[settings.BANK_DEVICE_COOKIE_NAME] = device
        if confirm_url is not None:
            answer = self.redeem(confirm_url)
            assert answer.status_code == 201, answer.content
            self.intent_id = answer.json()["intent_id"]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"Origin": settings.BANK_ORIGIN, **headers}
        return self.client.generic(
            method,
            f"/api/bank/{path}",
            data,
            content_type="application/json",
            headers={name: value for name, value in headers.items() if value},
        )

    def redeem(self, confirm_url: str) -> Any:
        code = parse_qs(urlsplit(confirm_url).fragment)["code"][0]
        return self.call("POST", "sessions", {"handoff": code})

    def intent(self, **headers: str) -> Any:
        return self.call("GET", f"intents/{self.intent_id}", **headers)

    def shown_hash(self, **headers: str) -> str:
        """The hash of the bytes that the page is shown, computed here."""
        return hashlib.sha256(self.intent(**headers).json()["statement"].encode()).hexdigest()

    def ask_code(self) -> str:
        """The one-time code that was sent to the registered phone, as the demo shows it."""
        sent = self.call("POST", f"intents/{self.intent_id}/proof/code", {})
        assert sent.status_code == 201, sent.content
        return str(sent.json()["demo_code"])

    def prove(self, *, code: str | None = None, **given: str) -> Any:
        """Gives what proves the person: a fresh code unless one is named, and `id_tail` or `card_number`."""
        body = {"code": self.ask_code() if code is None else code, **given}
        return self.call("POST", f"intents/{self.intent_id}/proof", body)

    def choose(self, pin: Any, statement_hash: Any = None, **given: Any) -> Any:
        """Chooses a PIN in this sheet."""
        body = {"intent_id": self.intent_id, "pin": pin, "statement_hash": statement_hash or self.shown_hash()}
        return self.call("POST", "pin", {**body, **given})

    def confirm(self, pin: Any = PIN, statement_hash: Any = None, **headers: str) -> Any:
        """Confirms what is shown, or the hash given."""
        body = {"pin": pin, "statement_hash": statement_hash or self.shown_hash()}
        return self.call("POST", f"intents/{self.intent_id}/confirm", body, **headers)

    def cancel(self) -> Any:
        return self.call("POST", f"intents/{self.intent_id}/cancel", {})
