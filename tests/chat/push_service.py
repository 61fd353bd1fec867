"""A vendor's push service and the browsers behind it: it takes what is sent, and only the browser's key opens it."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Browser:
    """A browser with its keys; `answer` is what the service says for it."""

    origin: str
    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: os.urandom(16))
    answer: int = 201
    shown: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    @property
    def subscription(self) -> dict[str, Any]:
        """What PushSubscription.toJSON() gives."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": f"{self.origin}/{self.name}",
            "keys": {"p256dh": encoded(point), "auth": encoded(self.secret)},
        }

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.headers.append(headers)
        self.raw.append(body)
        if self.answer < 300:
            opened = http_ece.decrypt(body, private_key=self.key, auth_secret=self.secret, version="aes128gcm")
            self.shown.append(json.loads(opened))
        return self.answer


class PushService:
    """The service: an address for each browser."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.browsers: dict[str, Browser] = {}

    def browser(self) -> Browser:
        name = f"b{len(self.browsers)}"
        return self.browsers.setdefault(f"/{name}", Browser(self.origin, name))


@contextmanager
def serving() -> Iterator[PushService]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            browser = service.browsers.get(self.path)
            signed = Vapid02.verify(self.headers["Authorization"])
            status = (
                401
                if not signed
                else browser.take({key.lower(): value for key, value in self.headers.items()}, body)
                if browser
                else 410
            )
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{service.origin}/b0")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = PushService(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
