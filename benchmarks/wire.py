"""A connection that is kept alive, to a port, by somebody who is on one of the product's origins."""

import http.client
import json
import select
from typing import Any
from urllib.parse import urlsplit


class Wire:
    """Asks like a browser: same origin, with a cookie. Raises AssertionError for another status than expected."""

    def __init__(self, port: int, origin: str, cookie: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {
            "Host": urlsplit(origin).netloc,
            "Origin": origin,
            "Cookie": cookie,
            "Content-Type": "application/json",
        }

    def ask(self, path: str, status: int, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What is answered to a GET, or to a POST with a body."""
        if self.connection.sock and select.select([self.connection.sock], [], [], 0)[0]:
            # Nothing is owed to us: the server has closed what was idle for too long.
            self.connection.close()
        sent = None if body is None else json.dumps(body)
        self.connection.request("GET" if sent is None else "POST", path, sent, self.headers)
        answer = self.connection.getresponse()
        read = answer.read()
        assert answer.status == status, (answer.status, read[:500])
        return dict(json.loads(read))
