"""The socket's door: who may open one, and what each frame asks for.

A plain ASGI application: Channels' consumer would close database connections in a thread on every event, and keep a
channel for every socket. Here a socket costs a task and an entry in the hub.
"""

import asyncio
import contextlib
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation

from accounts.auth import Guest, guest_by_key, guest_from, guest_question
from chat import log, screens, wire
from chat.delivery.connection import Connection, Reason
from chat.delivery.engine import Engine, engine, in_thread
from chat.delivery.writer import failure
from chat.errors import BadFrame, FrameTooLarge, UnknownFrame
from chat.ports import BANK_PEOPLE
from kernel.asgi import write_of
from kernel.clock import now
from kernel.errors import Refusal, TooMany, language_of
from kernel.ids import new_id

MAX_SOCKETS_OF_A_PERSON = 20
MAX_IN_FLIGHT = 256
MAX_LINES = 64
BURST_S = 10
"""A socket may save up this many seconds of its allowance of frames."""
PATIENCE = 100
"""Frames over the allowance that are answered with an error before the socket is closed."""


def _header(scope: dict[str, Any], name: bytes) -> str:
    for key, value in scope.get("headers", ()):
        if key == name:
            return bytes(value).decode("latin-1")
    return ""


def _session_key(scope: dict[str, Any]) -> str | None:
    try:
        cookie = SimpleCookie(_header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return cookie.value if cookie else None


async def _refuse(receive: Any, send: Any, reason: Reason) -> None:
    await receive()
    await send({"type": "websocket.close", "code": int(reason)})


class Socket:
    """One socket from its opening to its end."""

    def __init__(self, running: Engine, connection: Connection, receive: Any) -> None:
        self._engine = running
        self._connection = connection
        self._receive = receive
        self._rate = float(settings.CHAT_FRAMES_PER_SECOND)
        self._over = 0
        self._typing: asyncio.Task[None] | None = None

    async def read(self) -> None:
        """Handles what comes until the client leaves."""
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                return
            text = event.get("text")
            if text is None:
                self._odd(BadFrame())
            elif len(text) > wire.MAX_FRAME_BYTES:
                self._odd(FrameTooLarge(limit_kib=wire.MAX_FRAME_BYTES // 1024))
            elif "\n" in text:
                lines = [line for line in text.split("\n", MAX_LINES) if line]
                for line in lines[:MAX_LINES]:
                    await self._handle(line)
                if not lines:
                    self._may()
                elif len(lines) > MAX_LINES:
                    self._odd(BadFrame())
            else:
                await self._handle(text)

    def _odd(self, refusal: Refusal) -> None:
        """Refuses what is no frame. It is counted like one: it takes the loop's time all the same."""
        self._fail(refusal if self._may() else TooMany(wait_s=1))

    def _fail(self, refusal: Refusal, client_id: UUID | None = None) -> None:
        self._connection.push(failure(refusal, self._connection.language, client_id=client_id))

    def _may(self) -> bool:
        """Takes one frame from the allowance; a client that goes on without one is sent away."""
        connection = self._connection
        moment = connection.loop.time()
        saved = connection.allowance + (moment - connection.allowance_at) * self._rate
        connection.allowance = min(saved, self._rate * BURST_S) - 1
        connection.allowance_at = moment
        if connection.allowance >= 0:
            self._over = 0
            return True
        connection.allowance = 0
        self._over += 1
        if self._over > PATIENCE:
            connection.close(Reason.TOO_MANY_FRAMES)
        return False

    async def _handle(self, line: str) -> None:
        if not self._may():
            self._fail(TooMany(wait_s=1), wire.misread(line).client_id)
            return
        try:
            frame = wire.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            unknown, client_id = wire.misread(line)
            self._fail(UnknownFrame() if unknown else BadFrame(), client_id)
            return
        connection = self._connection
        if frame.v > wire.PROTOCOL_VERSION:
            self._fail(UnknownFrame(), frame.client_id if isinstance(frame, wire.Send) else None)
        elif isinstance(frame, wire.Send):
            await self._send(frame)
        elif isinstance(frame, wire.Read):
            self._engine.marks.submit(connection, frame.conversation_id, frame.seq)
        elif isinstance(frame, wire.Typing):
            if self._typing is None or self._typing.done():
                # Not waited for: what is said meanwhile would pile up where the server keeps it without a bound.
                self._typing = asyncio.create_task(self._type(frame.conversation_id))
        elif isinstance(frame, wire.Probed):
            connection.confirm(frame.n)
        else:
            connection.push(wire.encode(wire.Pong(n=frame.n)))

    async def _type(self, conversation_id: UUID) -> None:
        # Who is typing is worth no retry.
        with contextlib.suppress(psycopg.Error):
            await self._engine.typing(self._connection, conversation_id)

    async def _send(self, frame: wire.Send) -> None:
        connection = self._connection
        draft = log.Draft(
            o=0,
            id=new_id(),
            c=frame.conversation_id,
            s=connection.person_id,
            k=frame.client_id,
            kind="text",
            e=connection.session_id,
        )
        if connection.in_flight >= MAX_IN_FLIGHT:
            connection.push(failure(TooMany(wait_s=1), connection.language, draft))
            return
        try:
            draft.body = screens.checked_text(frame.text)
            draft.w = await self._judged(frame)
        except Refusal as refusal:
            connection.push(failure(refusal, connection.language, draft))
            return
        self._engine.write(connection, draft)

    async def _judged(self, frame: wire.Send) -> str:
        """What the screens say of a text. Raises the Refusal of a screen that stops it."""
        connection = self._connection

        def judge() -> str:
            return screens.judge(
                connection.person_id, frame.conversation_id, frame.text, bank_identity=connection.bank_identity
            )

        try:
            return judge()
        except SynchronousOnlyOperation:
            # Nearly every text is judged in memory. A screen that has to ask the database does so off the loop.
            return await in_thread(judge)


async def _admitted(running: Engine, key: str) -> Guest | None:
    """Who comes with this key. Thousands may come at once: threads would take the loop's time from everybody else."""
    try:
        rows = await running.ask(*guest_question(key))
    except psycopg.Error:
        rows = None
    if rows == []:
        return None
    guest = guest_from(key, rows[0]) if rows else None
    return guest or await in_thread(lambda: guest_by_key(key))


def _ready(connection: Connection, person_id: UUID) -> str:
    return wire.encode(
        wire.Ready(
            v=wire.PROTOCOL_VERSION,
            connection_id=connection.id,
            person_id=person_id,
            now=now(),
            max_frame_bytes=wire.MAX_FRAME_BYTES,
            max_text=wire.MAX_TEXT,
        )
    )


async def socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI application of /ws/."""
    if _header(scope, b"origin") not in settings.SOCKET_ORIGINS:
        await _refuse(receive, send, Reason.WRONG_ORIGIN)
        return
    key = _session_key(scope)
    running = engine()
    guest = await _admitted(running, key) if key else None
    if guest is None:
        await _refuse(receive, send, Reason.SIGN_IN_NEEDED)
        return
    opened = guest.session
    if running.hub.count_of(opened.person_id) >= MAX_SOCKETS_OF_A_PERSON:
        await _refuse(receive, send, Reason.TOO_MANY_SOCKETS)
        return
    connection = Connection(
        send,
        write=write_of(scope),
        person_id=opened.person_id,
        session_id=opened.id,
        lives_s=(guest.until - now()).total_seconds(),
        bank_identity=guest.kind in BANK_PEOPLE,
        language=language_of(_header(scope, b"accept-language")),
        allowance=settings.CHAT_FRAMES_PER_SECOND * BURST_S,
    )
    await receive()
    await send({"type": "websocket.accept"})
    if running.hub.count_of(opened.person_id) >= MAX_SOCKETS_OF_A_PERSON:
        # Many that came in one moment were let past the first look.
        await send({"type": "websocket.close", "code": int(Reason.TOO_MANY_SOCKETS)})
        return
    running.hub.add(connection)
    connection.push(_ready(connection, opened.person_id))
    connection.reader = asyncio.create_task(Socket(running, connection, receive).read())
    if connection.closing is not None:
        connection.reader.cancel()
    try:
        await asyncio.wait((connection.reader,))
    finally:
        connection.reader.cancel()
        running.hub.remove(connection)
        await connection.finish()
