"""One socket: what waits to be sent, and when to give up on a reader.

Neither server under us bounds what it buffers for a slow client (Daphne) or says so (uvicorn). So we count: the
queue has a limit, and after some bytes the client must confirm that it still reads.
"""

import asyncio
import enum
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from chat import wire
from kernel.asgi import Write
from kernel.ids import new_id

MAX_QUEUED_CHARACTERS = 512 * 1024
PROBE_EVERY_BYTES = 128 * 1024
MAX_UNCONFIRMED_BYTES = 1024 * 1024
# With a second for the look that finds it, and two for saying goodbye: less than ten.
ANSWER_LIMIT_S = 6.0
SEND_LIMIT_S = 6.0
MAX_BATCH_CHARACTERS = 64 * 1024

Sender = Callable[[dict[str, Any]], Awaitable[None]]


class Reason(enum.IntEnum):
    """Why the server closes a socket (codes of RFC 6455's private range)."""

    SIGN_IN_NEEDED = 4401
    WRONG_ORIGIN = 4403
    SESSION_ENDED = 4001
    TOO_SLOW = 4008
    TOO_MANY_FRAMES = 4029
    TOO_MANY_SOCKETS = 4030
    GOING_AWAY = 4000


class Connection:
    """A socket of a signed-in person. Lives on one loop; `push` and `close` are called there."""

    __slots__ = (
        "_asked_at",
        "_confirmed",
        "_flushing",
        "_probe",
        "_pushed_at",
        "_queue",
        "_queued",
        "_send",
        "_sent",
        "_write",
        "allowance",
        "allowance_at",
        "bank_identity",
        "closing",
        "ends_at",
        "id",
        "in_flight",
        "language",
        "loop",
        "person_id",
        "reader",
        "session_id",
        "typed_at",
    )

    def __init__(
        self,
        send: Sender,
        *,
        write: Write | None = None,
        person_id: UUID,
        session_id: UUID,
        lives_s: float,
        bank_identity: bool,
        language: str,
        allowance: float,
    ) -> None:
        self.id = new_id()
        self.person_id = person_id
        self.session_id = session_id
        self.bank_identity = bank_identity
        self.language = language
        self.loop = asyncio.get_running_loop()
        self.ends_at = self.loop.time() + lives_s
        self.closing: Reason | None = None
        self.reader: asyncio.Task[None] | None = None
        self.in_flight = 0
        self.allowance = allowance
        self.allowance_at = self.loop.time()
        self.typed_at: dict[UUID, float] = {}
        self._send = send
        self._write = write
        self._queue: deque[str] = deque()
        self._queued = 0
        self._flushing: asyncio.Task[None] | asyncio.Handle | None = None
        self._pushed_at = 0.0
        self._sent = 0
        self._confirmed = 0
        self._asked_at: float | None = None
        self._probe: tuple[int, int] | None = None

    def push(self, frame: str) -> None:
        """Queues a frame. A reader with too much in the queue, or unconfirmed, is closed: it catches up by sync."""
        if self.closing is not None:
            return
        self._queue.append(frame)
        self._queued += len(frame)
        if self._queued > MAX_QUEUED_CHARACTERS or self._sent - self._confirmed > MAX_UNCONFIRMED_BYTES:
            self.close(Reason.TOO_SLOW)
        elif self._flushing is None:
            self._pushed_at = self.loop.time()
            # What else is pushed in this turn of the loop goes with it.
            self._flushing = self.loop.call_soon(self._flush)

    def confirm(self, number: int) -> None:
        """The client has read up to the probe of this number; nobody can say it who has not."""
        if self._probe is not None and number == self._probe[0]:
            self._confirmed = self._probe[1]
            self._probe = self._asked_at = None

    def close(self, reason: Reason) -> None:
        """Stops the socket with a code; what is queued is dropped."""
        if self.closing is None:
            self.closing = reason
            self._queue.clear()
            self._queued = 0
            if self.reader is not None:
                self.reader.cancel()

    def is_stuck(self) -> bool:
        """Whether the client has neither taken nor confirmed anything for too long.

        An answer may stand behind other frames that a busy server has not come to: as long as it hears the client,
        only what is unconfirmed counts (see push).
        """
        now = self.loop.time()
        return (self._flushing is not None and now - self._pushed_at > SEND_LIMIT_S) or (
            self._asked_at is not None and now - max(self._asked_at, self.allowance_at) > ANSWER_LIMIT_S
        )

    def _flush(self) -> None:
        """Writes what is queued; a task is for a server that has to be waited for."""
        try:
            while self._queue and self.closing is None:
                text = self._next()
                if self._write is None or not self._write(text):
                    self._flushing = self.loop.create_task(self._drain(text))
                    return
        except Exception:
            # The peer went away while we wrote; servers raise different errors for that.
            self.close(Reason.GOING_AWAY)
        self._flushing = None

    async def _drain(self, text: str) -> None:
        try:
            await self._send({"type": "websocket.send", "text": text})
            while self._queue and self.closing is None:
                await self._send({"type": "websocket.send", "text": self._next()})
        except Exception:
            self.close(Reason.GOING_AWAY)
        finally:
            self._flushing = None

    def _next(self) -> str:
        """What is written next; from time to time with a question whether it arrives."""
        text = self._take()
        self._sent += len(text) if text.isascii() else len(text.encode())
        if self._asked_at is None and self._sent - self._confirmed > PROBE_EVERY_BYTES:
            self._asked_at = self.loop.time()
            self._probe = secrets.randbelow(2**53), self._sent
            text = f"{text}\n{wire.encode(wire.Probe(n=self._probe[0]))}"
        self._pushed_at = self.loop.time()
        return text

    def _take(self) -> str:
        queue = self._queue
        if len(queue) == 1:
            self._queued = 0
            return queue.popleft()
        lines = []
        size = 0
        while queue and size < MAX_BATCH_CHARACTERS:
            line = queue.popleft()
            size += len(line)
            lines.append(line)
        self._queued -= size
        return "\n".join(lines)

    async def finish(self) -> None:
        """Says goodbye; the server may already have lost the peer."""
        if self._flushing is not None:
            self._flushing.cancel()
        try:
            await asyncio.wait_for(
                self._send({"type": "websocket.close", "code": int(self.closing or Reason.GOING_AWAY)}), 1.0
            )
        except Exception:
            return
