"""python -m finance.networks.simulator [--port N] [--data DIR] [--settle-after SECONDS]

Without options it reads NETWORKS_URL and VAR_DIR; the secret of the link is NETWORKS_SECRET always.
"""

import argparse
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from finance.networks.simulator.book import Book
from finance.networks.simulator.server import Server


def main() -> None:
    options = argparse.ArgumentParser(description="The other side of the bank's network links, simulated.")
    options.add_argument("--port", type=int, default=urlsplit(os.environ.get("NETWORKS_URL", "")).port or 8009)
    options.add_argument("--data", type=Path, default=Path(os.environ.get("VAR_DIR", "var")) / "networks")
    options.add_argument("--settle-after", type=float, default=2.0, metavar="SECONDS")
    chosen = options.parse_args()
    secret = os.environ.get("NETWORKS_SECRET", "development-only-networks-secret")
    server = Server(chosen.port, Book(chosen.data), secret, settle_after_s=chosen.settle_after)

    def stop(number: int, frame: FrameType | None) -> None:
        # shutdown() waits for the loop that this very thread runs.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve_forever(poll_interval=0.1)


main()
