"""Holds many sockets that read, and on a word no longer do: python -m tests.faults.holding PORT ORIGIN.

A process of its own, so that its reading takes nothing from whoever is timed beside it. It reads a JSON list of
sessions, answers with the list of its ports when all are open, reads what comes (and answers no probe) until a line
comes, says so, and keeps the sockets until its input ends.
"""

import contextlib
import json
import selectors
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.faults.raw import stalled

AT_ONCE = 16
CHUNK = 65536


def _heard(ready: selectors.BaseSelector) -> bool:
    """Reads what there is; whether a line came."""
    word = False
    for key, _ in ready.select():
        if isinstance(key.fileobj, socket.socket):
            with contextlib.suppress(OSError):
                key.fileobj.recv(CHUNK)
        else:
            word = True
    return word


def main() -> None:
    """See above."""
    port, origin = int(sys.argv[1]), sys.argv[2]
    sessions = json.loads(sys.stdin.readline())
    with ThreadPoolExecutor(AT_ONCE) as opening:
        held = list(opening.map(lambda session: stalled(origin, port, session), sessions))
    print(json.dumps([one.getsockname()[1] for one in held]), flush=True)
    with selectors.DefaultSelector() as ready:
        ready.register(sys.stdin, selectors.EVENT_READ)
        for one in held:
            one.setblocking(False)
            ready.register(one, selectors.EVENT_READ)
        while not _heard(ready):
            pass
    sys.stdin.readline()
    print("none reads", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
