"""A signed JSON link to one peer over HTTP."""

import json
from typing import Any
from urllib.parse import urlsplit

import httpx

from finance.networks import signature
from finance.networks.ports import Declined, Unreachable

MAX_ANSWER_BYTES = 64 * 1024


class Link:
    """Calls to one peer, each with a time limit in seconds and at most one answer that is believed."""

    def __init__(self, url: str, secret: str, *, limit_s: float) -> None:
        self.url, self.secret, self.limit_s = url.rstrip("/"), secret, limit_s
        self._base_path = urlsplit(self.url).path

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The peer's answer to one request.

        Raises Declined where the peer refuses for good (4xx with a code); Unreachable for anything else: no
        connection, no answer in time, an answer without the right signature, or one that is no JSON object.
        """
        raw = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = signature.sign_request(self.secret, method, self._base_path + path, raw)
        try:
            with httpx.Client(timeout=self.limit_s, trust_env=False) as client:
                answer = client.request(
                    method, self.url + path, content=raw, headers={**headers, "Content-Type": "application/json"}
                )
        except httpx.HTTPError as error:
            raise Unreachable(type(error).__name__) from error
        return self._believed(answer, headers[signature.NONCE_HEADER])

    def _believed(self, answer: httpx.Response, nonce: str) -> dict[str, Any]:
        mac = answer.headers.get(signature.MAC_HEADER, "")
        if len(answer.content) > MAX_ANSWER_BYTES:
            raise Unreachable("answer too large")
        if not signature.answer_is_genuine(self.secret, nonce, answer.status_code, answer.content, mac):
            raise Unreachable("answer not signed by the peer")
        try:
            content = json.loads(answer.content)
        except ValueError as error:
            raise Unreachable("answer is no JSON") from error
        if not isinstance(content, dict) or answer.status_code >= 500:
            raise Unreachable(f"status {answer.status_code}")
        if answer.status_code >= 400:
            raise Declined(str(content.get("code", answer.status_code)))
        return content
