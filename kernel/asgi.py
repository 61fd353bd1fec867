"""What a server under us may offer an application beyond ASGI."""

from collections.abc import Callable
from typing import Any

WRITE = "rongliao.write"
Write = Callable[[str], bool]
"""Sends a text over an open socket at once; False where the peer is behind and `send` is to be waited for. Raises where
the peer is gone.
"""


def write_of(scope: dict[str, Any]) -> Write | None:
    """How a socket's texts are written without a task, if its server has it."""
    found: Write | None = scope.get("extensions", {}).get(WRITE, {}).get("write")
    return found
