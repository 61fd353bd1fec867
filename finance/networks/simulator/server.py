"""The simulator's door: signed JSON over HTTP.

| request | answer |
| --- | --- |
| POST /verification | {"ok", "reason"} |
| POST /clearing/transfers | {"reports": [...]} |
| GET /clearing/transfers/<end-to-end id> | {"report"}, or 404 unknown |
| POST /messages | {}: a text message, kept in memory |
| POST /control | {"orders": [...]}: how to behave; replaces the orders that stand |
| GET /control/book | {"payments": [...], "messages": [...]}: what was taken, for tests |

An order is {"on": "verification"|"transfer"|"ask"|"message", "do": ..., "times"?: n, "seconds"?: s, "reason"?: code}
with `do`: `delay` (answer late), `reject` (RJCT, mismatch, or no message), `pending` (PDNG for so many seconds),
`repeat` (the same report twice), `vanish` (do it, answer nothing), `lose` (do nothing, answer nothing), `contradict`
(report it, then the opposite).
Without `times` it stands until replaced.
"""

import json
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from finance.networks import signature
from finance.networks.simulator.book import Book, Payment

MAX_BODY_BYTES = 64 * 1024
MAX_ORDERS = 100
MAX_MESSAGES = 1000
READ_LIMIT_S = 10
PAYMENT = "/clearing/transfers/"
VERIFIED_FIELDS = ("name", "id_number", "card_number", "phone")
DEFAULT_REJECTION = "AC04"


class Vanished(Exception):
    """The answer is not to be given."""


@dataclass
class Order:
    """How to behave at the next requests of a kind."""

    on: str
    do: str
    times: int | None = None
    seconds: float = 0.0
    reason: str = DEFAULT_REJECTION


class Server(ThreadingHTTPServer):
    """The listening side. `settle_after_s`: how long a payment stays PDNG when nothing is ordered."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, book: Book, secret: str, *, settle_after_s: float) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.book, self.secret, self.settle_after_s = book, secret, settle_after_s
        self.messages: deque[dict[str, str]] = deque(maxlen=MAX_MESSAGES)
        self._orders: list[Order] = []
        self._lock = threading.Lock()

    def order_for(self, kind: str) -> Order | None:
        """The order to follow for this request; it is used up by one."""
        with self._lock:
            for order in self._orders:
                if order.on == kind:
                    if order.times is not None:
                        order.times -= 1
                        if order.times <= 0:
                            self._orders.remove(order)
                    return order
        return None

    def replace_orders(self, orders: list[Order]) -> None:
        """Takes new orders instead of those that stand."""
        with self._lock:
            self._orders = orders[:MAX_ORDERS]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = READ_LIMIT_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """One line a request, without its body: that holds names and card numbers."""
        sys.stderr.write(f"{self.command} {self.path.split('?')[0]} {args[1] if len(args) > 1 else ''}\n")

    def _answer(self, method: str) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= MAX_BODY_BYTES:
            self.close_connection = True
            self._send(413, {"code": "too_large"})
            return
        raw = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not signature.request_is_genuine(self.server.secret, method, self.path, raw, headers):
            self._send(401, {"code": "not_signed"})
            return
        try:
            status, content = self._handle(method, json.loads(raw) if raw else {})
        except (ValueError, TypeError, KeyError):
            status, content = 400, {"code": "malformed"}
        except Vanished:
            self.close_connection = True
            return
        self._send(status, content)

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content, ensure_ascii=False).encode()
        nonce = self.headers.get(signature.NONCE_HEADER, "")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header(signature.MAC_HEADER, signature.sign_answer(self.server.secret, nonce, status, body))
        self.end_headers()
        self.wfile.write(body)

    def _handle(self, method: str, asked: Any) -> tuple[int, dict[str, Any]]:
        if not isinstance(asked, dict):
            raise TypeError("no object")
        match method, self.path:
            case "POST", "/verification":
                return self._verification({field: str(asked[field]) for field in VERIFIED_FIELDS})
            case "POST", "/clearing/transfers":
                return self._transfer(asked)
            case "GET", _ if self.path.startswith(PAYMENT):
                return self._ask(self.path.removeprefix(PAYMENT))
            case "POST", "/messages":
                return self._message({"phone": str(asked["phone"]), "text": str(asked["text"])})
            case "POST", "/control":
                self.server.replace_orders([Order(**order) for order in asked.get("orders", [])])
                for card in asked.get("close_cards", []):
                    self.server.book.close_card(str(card))
                return 200, {}
            case "GET", "/control/book":
                rows = [self._row(payment) for payment in self.server.book.payments.values()]
                return 200, {"payments": rows, "messages": list(self.server.messages)}
        return 404, {"code": "no_such_path"}

    def _verification(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        order = self.server.order_for("verification")
        if order and order.do in {"lose", "vanish"}:
            raise Vanished
        if order and order.do == "delay":
            time.sleep(order.seconds)
        reason = "mismatch" if order and order.do == "reject" else self.server.book.verify(asked)
        return 200, {"ok": not reason, "reason": reason}

    def _message(self, message: dict[str, str]) -> tuple[int, dict[str, Any]]:
        order = self.server.order_for("message")
        if order and order.do in {"lose", "vanish"}:
            raise Vanished
        if order and order.do == "reject":
            return 422, {"code": "refused"}
        self.server.messages.append(message)
        return 200, {}

    def _transfer(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        amount = asked["amount_fen"]
        if type(amount) is not int or amount <= 0 or asked["currency"] != "CNY":
            return 400, {"code": "malformed"}
        order = self.server.order_for("transfer")
        if order and order.do == "lose":
            raise Vanished
        pause = order.seconds if order and order.do == "pending" else self.server.settle_after_s
        card = str(asked["creditor_card"])
        rejected = order.reason if order and order.do == "reject" else ""
        taken = self.server.book.take(
            Payment(
                end_to_end_id=str(asked["end_to_end_id"]),
                content=json.dumps(asked, sort_keys=True, ensure_ascii=False),
                amount_fen=amount,
                card=card,
                settles_at=time.time() + pause,
                reason=DEFAULT_REJECTION if card in self.server.book.unusable else rejected,
            )
        )
        if taken is None:
            return 409, {"code": "end_to_end_id_reused"}
        if order and order.do == "vanish":
            raise Vanished
        if order and order.do == "delay":
            time.sleep(order.seconds)
        reports = [self._report(taken, None)]
        if order and order.do in {"repeat", "contradict"}:
            reports.append(self._report(taken, order))
        return 200, {"reports": reports}

    def _ask(self, end_to_end_id: str) -> tuple[int, dict[str, Any]]:
        order = self.server.order_for("ask")
        if order and order.do in {"lose", "vanish"}:
            raise Vanished
        if order and order.do == "delay":
            time.sleep(order.seconds)
        payment = self.server.book.payments.get(end_to_end_id)
        if payment is None:
            return 404, {"code": "unknown"}
        return 200, {"report": self._report(payment, order)}

    @staticmethod
    def _report(payment: Payment, order: Order | None) -> dict[str, Any]:
        status, reason = payment.status(), payment.reason
        if order and order.do == "contradict":
            status, reason = ("ACSC", "") if status == "RJCT" else ("RJCT", DEFAULT_REJECTION)
        return {"end_to_end_id": payment.end_to_end_id, "status": status, "reason": reason}

    @staticmethod
    def _row(payment: Payment) -> dict[str, Any]:
        return {
            "end_to_end_id": payment.end_to_end_id,
            "amount_fen": payment.amount_fen,
            "card_tail": payment.card[-4:],
            "status": payment.status(),
        }
