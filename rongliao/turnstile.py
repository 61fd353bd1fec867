"""Newcomers are heard one at a time, whatever server lets them in.

When thousands connect at once they would all be heard in one turn of the loop, and everybody else would wait.
"""

import asyncio
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


_turnstiles: "WeakKeyDictionary[asyncio.AbstractEventLoop, Turnstile]" = WeakKeyDictionary()


def turnstile_of(loop: asyncio.AbstractEventLoop) -> Turnstile:
    """The turnstile of a loop, made when first asked for."""
    found = _turnstiles.get(loop)
    if found is None:
        found = _turnstiles[loop] = Turnstile(loop)
    return found
