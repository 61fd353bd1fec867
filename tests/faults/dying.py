"""A process that dies at a chosen point of a deed: before or after one of its statements, or around a commit.

The deed runs in a fork of the test. An execute wrapper counts; the product knows nothing of it.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

NEVER = 0
DIED, DONE, FAILED = "died", "done", "failed"


class _Points:
    def __init__(self, deadly: int) -> None:
        self.deadly, self.passed = deadly, 0

    def pass_one(self) -> None:
        self.passed += 1
        if self.passed == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, execute: Callable[..., Any], *call: Any) -> Any:
        self.pass_one()
        result = execute(*call)
        self.pass_one()
        return result


def run(deed: Callable[[], None], *, deadly: int = NEVER) -> tuple[str, int]:
    """Does the deed in a process of its own that dies at that point (1, 2, ...), or passes all of them.

    Answers how it ended, and for one that lived how many points there were.
    """
    # A connection that two processes share is nobody's.
    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _live(deed, _Points(deadly), writing)
    os.close(writing)
    with os.fdopen(reading) as said:
        words = said.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        return DIED, 0
    assert words.isdigit(), words
    return DONE, int(words)


def _live(deed: Callable[[], None], points: _Points, writing: int) -> None:
    said = ""
    try:
        commit = connection._commit

        def commit_between_points() -> Any:
            return points.around(commit)

        connection._commit = commit_between_points  # type: ignore[method-assign]
        with connection.execute_wrapper(points.around):
            deed()
        said = str(points.passed)
    except BaseException as error:
        said = f"{FAILED}: {error!r}"
    finally:
        os.write(writing, said.encode())
        # No clean-up of the test that this is a copy of.
        os._exit(0)
