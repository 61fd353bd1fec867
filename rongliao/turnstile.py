"""Newcomers are heard one at a time, whatever server lets them in.

When thousands connect at once they would all be heard in one turn of the loop, and everybody else would wait. Who asks
for a socket and who asks for anything else wait in a line each: a crowd of sockets, wanted or hostile, must not keep a
new customer from paying.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary

PACE_S = 0.004
"""Between two newcomers who come together. One costs two milliseconds, spread over several turns of the loop: so half
of the time is everybody else's, and 2,000 are in after eight seconds."""


class Turnstile:
    """Calls what newcomers have to say, between everything else that the loop does.

    After one who opened a socket there is a pause: what that costs comes in the turns that follow.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], bool]] = deque()
        self._turning = False

    def enter(self, hear: Callable[[], bool]) -> None:
        """Calls `hear` when its turn comes, which says whether it opened a socket."""
        self._waiting.append(hear)
        if not self._turning:
            self._turning = True
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        if not self._waiting:
            self._turning = False
            return
        opened = False
        try:
            opened = self._waiting.popleft()()
        finally:
            if opened:
                self._loop.call_later(PACE_S, self._next)
            else:
                self._loop.call_soon(self._next)


_SOCKET = re.compile(rb"upgrade:\s*websocket", re.IGNORECASE)
"""Whatever blanks, or none, stand between: servers take them all."""

_turnstiles: "WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Turnstile, Turnstile]]" = WeakKeyDictionary()


def turnstile_for(loop: asyncio.AbstractEventLoop, said: bytes) -> Turnstile:
    """Where a newcomer of this loop waits who has said so much: with those who ask for sockets, or with the others."""
    found = _turnstiles.get(loop)
    if found is None:
        found = _turnstiles[loop] = Turnstile(loop), Turnstile(loop)
    return found[_SOCKET.search(said) is not None]
