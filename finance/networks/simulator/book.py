"""What the other side remembers: cardholders and payments, in a file that survives a kill."""

import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Payment:
    """A payment that the clearing house has taken. It settles at `settles_at` (Unix seconds) unless rejected."""

    end_to_end_id: str
    content: str
    amount_fen: int
    card: str
    settles_at: float
    reason: str

    def status(self) -> str:
        """The status as of now."""
        if self.reason:
            return "RJCT"
        return "ACSC" if time.time() >= self.settles_at else "PDNG"


class Book:
    """An append-only file of JSON lines, read at the start; every line is on disk before it is answered."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "book.jsonl"
        self._lock = threading.Lock()
        self.holders: dict[str, dict[str, str]] = {}
        self.unusable: set[str] = set()
        self.payments: dict[str, Payment] = {}
        self._load()
        self._file = self._path.open("ab")

    def _load(self) -> None:
        if not self._path.exists():
            return
        whole = b""
        for line in self._path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break  # cut by a kill: it was never answered
            self._apply(json.loads(line))
            whole += line
        if len(whole) != self._path.stat().st_size:
            self._path.write_bytes(whole)

    def _apply(self, row: dict[str, Any]) -> None:
        match row.pop("kind"):
            case "holder":
                self.holders[row["card_number"]] = row
            case "unusable":
                self.unusable.add(row["card_number"])
            case "payment":
                self.payments[row["end_to_end_id"]] = Payment(**row)

    def _append(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._apply(dict(row))

    def verify(self, asked: dict[str, str]) -> str:
        """Empty where the four elements belong together, else mismatch or card_unusable.

        A card that was never asked about belongs to whoever asks first; from then on the four elements are fixed.
        """
        with self._lock:
            card = asked["card_number"]
            if card in self.unusable:
                return "card_unusable"
            if card not in self.holders:
                self._append({"kind": "holder", **asked})
            return "" if self.holders[card] == asked else "mismatch"

    def close_card(self, card_number: str) -> None:
        """Makes a card unusable from now on."""
        with self._lock:
            self._append({"kind": "unusable", "card_number": card_number})

    def take(self, payment: Payment) -> Payment | None:
        """Keeps a payment; the one that is kept under its end-to-end id; None where that one's content differs."""
        with self._lock:
            known = self.payments.get(payment.end_to_end_id)
            if known is None:
                self._append({"kind": "payment", **payment.__dict__})
                return self.payments[payment.end_to_end_id]
            return known if known.content == payment.content else None
