"""The bank sheet without a browser: what its page calls on the bank's origin."""

import json
from typing import Any

from django.conf import settings
from django.test import Client

from rongliao.demo import PIN


class Sheet:
    """One hand-off redeemed: the statement as the page would show it, to be confirmed or left."""

    def __init__(self, prepared: Any) -> None:
        assert prepared.status_code == 201, prepared.content
        body = prepared.json()
        self.intent_id = body["intent_id"]
        self.client = Client(HTTP_HOST=settings.BANK_NETLOC, raise_request_exception=False)
        code = body["confirm_url"].partition("#code=")[2]
        opened = self._post("/api/bank/sessions", {"handoff": code})
        assert opened.status_code == 201, opened.content
        self.look()

    def _post(self, path: str, body: Any) -> Any:
        return self.client.generic(
            "POST",
            path,
            json.dumps(body).encode(),
            content_type="application/json",
            headers={"Origin": settings.BANK_ORIGIN},
        )

    def look(self) -> dict[str, Any]:
        """Reads the intent again."""
        self.intent = self.client.get(f"/api/bank/intents/{self.intent_id}").json()
        self.statement = json.loads(self.intent["statement"]) if self.intent["statement"] else None
        return self.intent

    @property
    def lines(self) -> dict[str, str]:
        """What the statement says, by label."""
        assert self.statement is not None
        return {line["label"]: line["value"] for line in self.statement["lines"]}

    def confirm(self, pin: str = PIN) -> Any:
        """Types the PIN under the statement that was last read."""
        return self._post(
            f"/api/bank/intents/{self.intent_id}/confirm",
            {"pin": pin, "statement_hash": self.intent["statement_hash"]},
        )

    def set_first_pin(self, pin: str = PIN) -> Any:
        """Chooses the first PIN in this sheet."""
        return self._post(
            "/api/bank/pin",
            {"intent_id": self.intent_id, "pin": pin, "statement_hash": self.intent["statement_hash"]},
        )
