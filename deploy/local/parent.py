"""Ends a child process whose launcher died without a word (kill -9)."""

import os
import runpy
import signal
import sys
import threading
import time

GRACE_S = 10
VARIABLE = "STOP_WHEN_INPUT_CLOSES"


def watch() -> None:
    """Where the launcher holds our standard input open, its closing is the order to stop."""
    if os.environ.pop(VARIABLE, ""):
        threading.Thread(target=_wait, name="parent-watch", daemon=True).start()


def _wait() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    # python -m deploy.local.parent MODULE ...: runs a module that knows nothing of this.
    watch()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
