"""Between processes: one coalesced message on the channel layer. It may be lost; clients see the gap and ask.

Publishing never raises: what is published was committed, and delivery is a hint.
"""

import asyncio
import contextlib
import logging
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

from chat.delivery.hub import Hub, Parcel, deliver_here, end_here, hubs

GROUP = "chat-hubs"
PROCESS = uuid.uuid4().bytes
MAX_ITEMS = 200
MAX_WAITING = 20_000
RETRY_S = 0.5
SEND_LIMIT_S = 2.0

_log = logging.getLogger(__name__)


def _shared_layer() -> Any | None:
    """The layer, if other processes are on it."""
    layer = get_channel_layer()
    return None if layer is None or isinstance(layer, InMemoryChannelLayer) else layer


def _pack(parcels: Sequence[Parcel]) -> list[list[Any]]:
    return [
        [b"".join(person.bytes for person in people), frame, b"" if skip is None else skip.bytes]
        for people, frame, skip in parcels
    ]


def _ids(raw: bytes) -> list[UUID]:
    return [UUID(bytes=raw[start : start + 16]) for start in range(0, len(raw), 16)]


def receive(message: dict[str, Any], hub: Hub) -> None:
    """Delivers what another process published."""
    if message.get("from") == PROCESS:
        return
    hub.deliver(
        [
            Parcel(_ids(people), frame, UUID(bytes=skip) if skip else None)
            for people, frame, skip in message.get("parcels", ())
        ]
    )
    hub.end_sessions(_ids(message.get("ended", b"")))


async def listen(hub: Hub) -> None:
    """Joins the layer and delivers what comes, for as long as it is not cancelled."""
    layer = _shared_layer()
    if layer is None:
        return
    while True:
        try:
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
            while True:
                receive(await layer.receive(channel), hub)
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.warning("the channel layer is away; clients catch up by asking", exc_info=True)
            await asyncio.sleep(RETRY_S)


async def _group_send(layer: Any, parcels: Sequence[Parcel], ended: Sequence[UUID]) -> None:
    packed = _pack(parcels)
    gone = b"".join(session.bytes for session in ended)
    try:
        for start in range(0, max(1, len(packed)), MAX_ITEMS):
            message = {"type": "relay", "from": PROCESS, "parcels": packed[start : start + MAX_ITEMS], "ended": gone}
            await asyncio.wait_for(layer.group_send(GROUP, message), SEND_LIMIT_S)
    except Exception:
        _log.warning("the channel layer did not take a message; clients catch up by asking", exc_info=True)


class Outbox:
    """What the sockets' own process has for the others: gathered while the layer takes what was before."""

    def __init__(self) -> None:
        self._waiting: deque[Parcel] = deque(maxlen=MAX_WAITING)
        self._wake = asyncio.Event()

    def put(self, parcels: Iterable[Parcel]) -> None:
        """Queues parcels; where the layer cannot keep up, the oldest are dropped, and clients ask."""
        self._waiting.extend(parcels)
        self._wake.set()

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
    """A thread with a loop, for processes that have no sockets of their own (workers, commands)."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="chat-courier", daemon=True).start()
            return self._loop


_courier = _Courier()


def publish(parcels: Sequence[Parcel], ended: Sequence[UUID] = ()) -> None:
    """Delivers here and to the other processes, from any thread, at once. The caller has committed."""
    deliver_here(parcels)
    if ended:
        end_here(ended)
    layer = _shared_layer()
    if layer is None:
        return
    running = hubs()
    loop = running[0].loop if running else _courier.loop()
    with contextlib.suppress(RuntimeError):
        asyncio.run_coroutine_threadsafe(_group_send(layer, list(parcels), list(ended)), loop)


def publish_on_commit(parcels: Sequence[Parcel]) -> None:
    """Publishes when the current transaction has committed; at once where there is none."""
    if parcels:
        transaction.on_commit(lambda: publish(parcels), robust=True)
