"""Between processes: one coalesced message on the channel layer.

Publishing never raises: what is published was committed, and delivery is a hint. What is lost is noticed (see ear.py),
and then the sockets are told to ask.
"""

import asyncio
import atexit
import contextlib
import itertools
import logging
import os
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from channels.layers import InMemoryChannelLayer, get_channel_layer
from cryptography.fernet import InvalidToken
from django.db import transaction

from chat.delivery.ear import BEAT_S, Ear
from chat.delivery.hub import Hub, Parcel, deliver_here, end_here, hubs

GROUP = "chat-hubs"
MAX_ITEMS = 200
MAX_WAITING = 20_000
MAX_PUBLISHING = 1_000
"""What `publish` was given and the layer has not taken. Beyond that it is lost: the others notice, and clients ask."""
RETRY_S = 0.5
SEND_LIMIT_S = 2.0

_log = logging.getLogger(__name__)


class _Voice:
    """This process among the others: its name, and the number of what it told last."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().bytes
        self.last = 0
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """The next number; taken also for what will never be sent, so that others notice."""
        self.last = next(self._numbers)
        return self.last


_voice = _Voice()


def _shared_layer() -> Any | None:
    """The layer, if other processes are on it."""
    layer = get_channel_layer()
    return None if layer is None or isinstance(layer, InMemoryChannelLayer) else layer


def is_shared() -> bool:
    """Whether other processes may be on the layer."""
    return _shared_layer() is not None


def _pack(parcels: Sequence[Parcel]) -> list[list[Any]]:
    return [
        [b"".join(person.bytes for person in people), frame, b"" if skip is None else skip.bytes]
        for people, frame, skip in parcels
    ]


def _ids(raw: bytes) -> list[UUID]:
    return [UUID(bytes=raw[start : start + 16]) for start in range(0, len(raw), 16)]


def receive(message: dict[str, Any], hub: Hub, ear: Ear) -> None:
    """Delivers what another process published."""
    sender, at = message["from"], hub.loop.time()
    if sender == _voice.name:
        ear.heard_myself(at)
        return
    number = message.get("n")  # none from an older version, while a bank goes from that to this
    if number is not None and message.get("bye"):
        ear.gone(sender, number, at)
    elif number is not None:
        ear.heard(sender, number, at, beat="parcels" not in message)
    hub.deliver(
        [
            Parcel(_ids(people), frame, UUID(bytes=skip) if skip else None)
            for people, frame, skip in message.get("parcels", ())
        ]
    )
    hub.end_sessions(_ids(message.get("ended", b"")))


async def listen(hub: Hub, ear: Ear) -> None:
    """Joins the layer and delivers what comes, for as long as it is not cancelled."""
    layer = _shared_layer()
    if layer is None:
        return
    channel = ""
    while True:
        try:
            channel = channel or await layer.new_channel()
            joining = asyncio.create_task(_join(layer, channel))
            try:
                while True:
                    try:
                        message = await layer.receive(channel)
                    except InvalidToken:
                        _log.error("a message on the channel layer is not from one of us (or its SECRET_KEY differs)")
                        continue
                    receive(message, hub, ear)
            finally:
                joining.cancel()
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.warning("the channel layer is away; clients catch up by asking", exc_info=True)
            await asyncio.sleep(RETRY_S)


async def _join(layer: Any, channel: str) -> None:
    """Joins again and again: on some layers a membership runs out, or goes with Redis' memory; others know it."""
    while True:
        try:
            await layer.group_add(GROUP, channel)
        except Exception as error:
            _log.warning("the channel layer is away: %s", error)
        await asyncio.sleep(BEAT_S)


async def beat() -> None:
    """Says now and then what this process told last, for as long as it is not cancelled."""
    while True:
        layer = _shared_layer()
        if layer is not None:
            await _hand_over(layer, {"n": _voice.last})
        await asyncio.sleep(BEAT_S)


async def _hand_over(layer: Any, content: dict[str, Any]) -> None:
    try:
        message = {"type": "relay", "from": _voice.name, **content}
        await asyncio.wait_for(layer.group_send(GROUP, message), SEND_LIMIT_S)
    except Exception as error:
        _log.warning("the channel layer did not take a message (%s); clients catch up by asking", error)


async def _group_send(layer: Any, parcels: Sequence[Parcel], ended: Sequence[UUID]) -> None:
    packed = _pack(parcels)
    gone = b"".join(session.bytes for session in ended)
    for start in range(0, max(1, len(packed)), MAX_ITEMS):
        part = packed[start : start + MAX_ITEMS]
        await _hand_over(layer, {"n": _voice.number(), "parcels": part, "ended": gone})


class Outbox:
    """What the sockets' own process has for the others: gathered while the layer takes what was before."""

    def __init__(self) -> None:
        self._waiting: deque[Parcel] = deque(maxlen=MAX_WAITING)
        self._wake = asyncio.Event()

    def put(self, parcels: Iterable[Parcel]) -> None:
        """Queues parcels; where the layer cannot keep up, the oldest are dropped, and clients ask."""
        for parcel in parcels:
            if len(self._waiting) == MAX_WAITING:
                _voice.number()
            self._waiting.append(parcel)
        self._wake.set()

    def lose(self) -> None:
        """Something was committed and cannot be told: the other processes notice a number that never comes."""
        _voice.number()

    async def run(self) -> None:
        """Sends for as long as it is not cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            layer = _shared_layer()
            if layer is None:
                self._waiting.clear()
                continue
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(MAX_ITEMS, len(self._waiting)))]
                await _group_send(layer, taken, ())


class _Courier:
    """What `publish` goes out by: a place for each that waits, and a thread with a loop for processes that have no
    sockets of their own (workers, commands)."""

    _beating: "Future[None] | None" = None

    def __init__(self) -> None:
        self.places = threading.BoundedSemaphore(MAX_PUBLISHING)
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="chat-courier", daemon=True).start()
                self._beating = asyncio.run_coroutine_threadsafe(beat(), self._loop)
                atexit.register(self._leave)
            return self._loop

    def _leave(self) -> None:
        """What was published goes out before the process ends, and nobody has to wonder about its silence."""
        layer = _shared_layer()
        if self._loop is None or self._beating is None or layer is None:
            return
        self._beating.cancel()
        leaving = asyncio.run_coroutine_threadsafe(_hand_over(layer, {"n": _voice.last, "bye": True}), self._loop)
        with contextlib.suppress(Exception):
            leaving.result(SEND_LIMIT_S)


_courier = _Courier()


def _begin_anew() -> None:
    """A forked process is another one: neither its parent's numbers nor its thread are its own."""
    global _voice, _courier
    _voice, _courier = _Voice(), _Courier()


os.register_at_fork(after_in_child=_begin_anew)


def publish(parcels: Sequence[Parcel], ended: Sequence[UUID] = ()) -> None:
    """Delivers here and to the other processes, from any thread, at once. The caller has committed.

    While the layer takes nothing, no more than MAX_PUBLISHING wait for it. A session's end that is not told is found
    by the other processes' own look at the database (see the engine).
    """
    deliver_here(parcels)
    if ended:
        end_here(ended)
    layer = _shared_layer()
    if layer is None:
        return
    places = _courier.places
    if not places.acquire(blocking=False):
        _voice.number()
        return
    running = hubs()
    loop = running[0].loop if running else _courier.loop()
    sending = _group_send(layer, list(parcels), list(ended))
    try:
        asyncio.run_coroutine_threadsafe(sending, loop).add_done_callback(lambda _: places.release())
    except RuntimeError:
        # The loop has closed meanwhile; with it went the sockets.
        sending.close()
        places.release()


def publish_on_commit(parcels: Sequence[Parcel]) -> None:
    """Publishes when the current transaction has committed; at once where there is none."""
    if parcels:
        transaction.on_commit(lambda: publish(parcels), robust=True)
