"""The simulator of the other side (finance.networks.simulator), as a real process."""

import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from deploy.local.install import ROOT
from deploy.local.postgres import free_ports
from finance.networks.link import Link

START_LIMIT_S = 60


class Simulator:
    """One simulator with its own port and folder; it can be killed and started again on both."""

    def __init__(self, folder: Path, *, settle_after_s: float = 0.0) -> None:
        (self.port,) = free_ports(1)
        self.folder, self.settle_after_s = folder, settle_after_s
        self.secret = secrets.token_urlsafe(16)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the product reads to find it."""
        return {"NETWORKS_URL": self.url, "NETWORKS_SECRET": self.secret}

    def start(self) -> None:
        """Starts the process and waits until it listens."""
        command = [sys.executable, "-m", "finance.networks.simulator", "--port", str(self.port)]
        command += ["--data", str(self.folder / "network"), "--settle-after", str(self.settle_after_s)]
        with (self.folder / "simulator.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **self.environment}, stdout=log, stderr=log
            )
        until = time.monotonic() + START_LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise AssertionError((self.folder / "simulator.log").read_text()) from None
                time.sleep(0.05)

    def kill(self) -> None:
        """kill -9."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    stop = kill

    def order(self, *orders: dict[str, Any]) -> None:
        """How to behave from now on; none: normally."""
        Link(self.url, self.secret, limit_s=5).call("POST", "/control", {"orders": list(orders)})

    def close_card(self, number: str) -> None:
        """The other bank closes a card."""
        Link(self.url, self.secret, limit_s=5).call("POST", "/control", {"close_cards": [number]})

    def payments(self) -> list[dict[str, Any]]:
        """What the clearing house has taken."""
        return self._book("payments")

    def messages(self) -> list[dict[str, Any]]:
        """The text messages that were handed over."""
        return self._book("messages")

    def _book(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = Link(self.url, self.secret, limit_s=5).call("GET", "/control/book")[name]
        return rows
