"""uvicorn's protocols, with an end to waiting: whoever does not say what they want, or does not take it, is let go.

uvicorn itself waits for ever for a request's head or body, so that a thousand silent connections would stay; and ten
seconds, or for ever, for a reader of a socket who was told to go and takes nothing.
"""

import asyncio
from functools import lru_cache
from typing import Any

import h11
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

from kernel.asgi import WRITE
from rongliao.turnstile import Turnstile, turnstile_for

HEAD_LIMIT_S = 10.0
"""From the connection, or a request's first byte on a used one, until its head is complete."""
BODY_PAUSE_S = 20.0
"""The longest silence in the middle of a body."""

UNHEARD = 8
"""So many messages of a socket may wait for the application before it is read no further. uvicorn stops at each one,
which is two calls of the system for every message."""

GOODBYE_LIMIT_S = 1.0
"""For the client to answer that its socket is closed, and for what is still to be written."""


class PunctualProtocol(H11Protocol):
    """For `uvicorn --http rongliao.http:PunctualProtocol`."""

    _deadline: asyncio.TimerHandle | None = None
    _early: list[bytes] | None = None
    _known = False
    _line: Turnstile | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the parent
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._wait(HEAD_LIMIT_S)

    def data_received(self, data: bytes) -> None:
        """What a newcomer says first waits for its turn."""
        if self._known:
            self._hear(data)
        elif self._early is not None:
            self._early.append(data)
        else:
            self._early = [data]
            self._line = turnstile_for(self.loop, data)
            self._line.enter(self._first)

    def _first(self) -> bool:
        said = b"".join(self._early or ())
        line = turnstile_for(self.loop, said)
        if line is not self._line:
            # The wish for a socket came in pieces.
            self._line = line
            line.enter(self._first)
            return False
        self._early, self._known = None, True
        if self.transport.is_closing():
            return False
        self._hear(said)
        return self.transport.get_protocol() is not self

    def _hear(self, data: bytes) -> None:
        """A head has a fixed time, however it drips; a body must go on."""
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            return  # a socket from here on
        if self.conn.their_state is h11.SEND_BODY:
            self._wait(BODY_PAUSE_S)
        elif self.conn.their_state is not h11.IDLE:
            self._wait(None)
        elif self._deadline is None and self.timeout_keep_alive_task is None:
            self._wait(HEAD_LIMIT_S)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Whoever opens a socket has said what they want."""
        self._wait(None)
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._wait(None)
        super().connection_lost(exc)

    def _wait(self, limit_s: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if limit_s is None else self.loop.call_later(limit_s, self._late)

    def _late(self) -> None:
        self._deadline = None
        if self.flow.read_paused or self._early is not None:
            # It is we who do not listen: the application has enough for the moment, or others' turn comes first.
            self._wait(BODY_PAUSE_S)
        elif not self.transport.is_closing():
            self.transport.close()


@lru_cache(maxsize=32)
def _frame(text: str) -> bytes:
    """A text as it goes over the wire. A server's frames are not masked: it is the same for every receiver."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False, extensions=[])


class PunctualSocket(WebSocketsSansIOProtocol):
    """For `uvicorn --ws rongliao.http:PunctualSocket`. What goes to many is put into its frame once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = GOODBYE_LIMIT_S
        # No compression, whatever the command line says: it costs memory for each socket, and tells lengths.
        self.conn.available_extensions = []

    async def run_asgi(self) -> None:
        """The application may write without a task for it (kernel.asgi)."""
        offered: dict[Any, Any] = self.scope["extensions"]
        offered[WRITE] = {"write": self.write}
        try:
            await super().run_asgi()
        finally:
            # It leads back here: what is in no circle needs no collector.
            del offered[WRITE]

    def write(self, text: str) -> bool:
        """Sends a text over the open socket at once, unless the peer is behind. Raises ClientDisconnected."""
        if not self.handshake_complete or self.conn.extensions or not self.writable.is_set():
            return False
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(_frame(text))
        return True

    async def send(self, message: ASGISendEvent) -> None:
        """Texts over an open socket go straight out; everything else is uvicorn's."""
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is None or not self.handshake_complete or self.conn.extensions:
            await super().send(message)
            return
        while not self.write(str(text)):
            await self.writable.wait()

    def send_receive_event_to_app(self) -> None:
        """As the parent does; but a text that is none ends the socket in silence. A traceback for each, as uvicorn has
        it, would be anybody's way to fill the log.
        """
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "text":
            try:
                text = data.decode()
            except UnicodeDecodeError:
                self.conn.send_close(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
        else:
            self.queue.put_nowait({"type": "websocket.receive", "bytes": data})
        if not self.read_paused and self.queue.qsize() >= UNHEARD:
            self.read_paused = True
            self.transport.pause_reading()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """What the application left unwritten is not kept for somebody who does not read."""
        super().on_task_complete(task)
        if not self.disconnected:
            self.loop.call_later(2 * GOODBYE_LIMIT_S, self._abort)

    def _abort(self) -> None:
        if not self.disconnected:
            self.transport.abort()
