"""Load on the socket of a running server, by itself; `make bench` does it beside the peers.

    python -m benchmarks.chat_load ws://localhost:8000/ws/ http://localhost:8000 PAIRS.json --in-flight 8 --seconds 10

PAIRS.json comes from benchmarks.chat_world. The server needs CHAT_FRAMES_PER_SECOND high enough for the load.
Exits 1 if anything acknowledged was lost, doubled or reordered; slowness is only printed.
"""

import argparse
import json
import sys
from pathlib import Path

import uvloop

from benchmarks.chat_client import Account, PairOf, run_pairs


def load(path: Path) -> list[PairOf]:
    """The pairs that benchmarks.chat_world wrote."""
    return [
        PairOf(Account(**pair["sender"]), Account(**pair["receiver"]), pair["conversation_id"])
        for pair in json.loads(path.read_text())
    ]


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("url")
    asked.add_argument("origin")
    asked.add_argument("pairs", type=Path)
    asked.add_argument("--in-flight", type=int, default=8)
    asked.add_argument("--seconds", type=float, default=10.0)
    asked.add_argument("--rate", type=float, help="messages a second over all pairs, instead of as fast as it goes")
    given = asked.parse_args()
    figures = uvloop.run(
        run_pairs(
            given.url,
            given.origin,
            load(given.pairs),
            in_flight=given.in_flight,
            seconds=given.seconds,
            per_second=given.rate,
        )
    )
    print(json.dumps(figures.line()))
    return 1 if figures.lost or figures.doubled or figures.reordered else 0


if __name__ == "__main__":
    sys.exit(main())
