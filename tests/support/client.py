"""A client that keeps the whole contract and says what it was shown, many at once in one loop, for faults and races.

The command-line client (chat.client) is one device of one person with a file; this one keeps everything in memory,
connects to a named server process, and can be cut.
"""

import asyncio
import contextlib
import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

Frame = dict[str, Any]
Listener = Callable[[Frame], None]

SESSION_COOKIE = "rl_session"
HTTP_LIMIT_S = 20.0
OPEN_LIMIT_S = 10.0
GAP_PATIENCE_S = 0.3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
SIGNED_OUT = frozenset({4001, 4401, 4403})
"""Codes after which coming back makes no sense without signing in anew."""


class Refused(Exception):
    """The server said no, and why."""

    def __init__(self, error: Frame) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = str(error.get("code"))
        self.error = error


@dataclass
class Conversation:
    """What the client has of a conversation: all its messages up to `version`, or since the last reset."""

    id: str
    version: int = 0
    item: Frame = field(default_factory=dict)
    messages: dict[int, Frame] = field(default_factory=dict)
    early: dict[int, Frame] = field(default_factory=dict)
    """Pushed messages whose predecessors have not come, by version."""

    def apply(self, message: Frame) -> bool:
        """Takes a message, unless this version or a newer one is known."""
        known = self.messages.get(message["seq"])
        if known is not None and known["version"] >= message["version"]:
            return False
        self.messages[message["seq"]] = message
        return True

    def pushed(self, message: Frame) -> list[Frame]:
        """Takes a push; answers what can be shown now, in order."""
        if message["version"] > self.version:
            self.early[message["version"]] = message
        return self.following()

    def following(self) -> list[Frame]:
        """Those pushes whose turn has come."""
        self.early = {version: message for version, message in self.early.items() if version > self.version}
        shown = []
        while (following := self.early.pop(self.version + 1, None)) is not None:
            self.version += 1
            if self.apply(following):
                shown.append(following)
        return shown


@dataclass
class _Waiting:
    conversation_id: str
    text: str
    acked: "asyncio.Future[Frame]"


class Client:
    """One device of one person."""

    def __init__(
        self,
        origin: str,
        *,
        address: tuple[str, int] | None = None,
        cookie: str | None = None,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        """`address`: the server process to speak with, where the origin is a proxy's. `cookie`: an open session's."""
        self.origin = origin.rstrip("/")
        self._address: dict[str, Any] = {"host": address[0], "port": address[1]} if address else {}
        base = f"http://{address[0]}:{address[1]}" if address else self.origin
        headers = {"Origin": self.origin, "Host": urlsplit(self.origin).netloc}
        self.http = httpx.AsyncClient(base_url=base, headers=headers, timeout=HTTP_LIMIT_S, trust_env=False)
        if cookie:
            self.http.headers["Cookie"] = f"{SESSION_COOKIE}={cookie}"
        self.person_id: str | None = None
        self.conversations: dict[str, Conversation] = {}
        self.on_message: Listener = lambda message: None
        """Called with every new message and every new version of one, in the order of the conversation."""
        self.on_frame: Listener = lambda frame: None
        """Called with every other frame: read, typing, conversation, hint."""
        self.on_reset: Callable[[str], None] = lambda conversation_id: None
        """Called before the newest page of a conversation whose older messages are no longer known to be right."""
        self.on_synced: Callable[[float], None] = lambda since: None
        """Called when the client has everything again, with the moment (time.monotonic) when it lost its socket."""
        self.closed_with: int | None = None
        self._longest_pause_s = longest_pause_s
        self._lost_at: float | None = None
        self._waiting: dict[str, _Waiting] = {}
        self._socket: ClientConnection | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._catching: asyncio.Task[None] | None = None
        self._told = False
        self._ready = asyncio.Event()
        self._sync_lock = asyncio.Lock()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    # HTTP

    async def request(self, method: str, path: str, body: Frame | None = None) -> Frame:
        """One request below /api/. Raises Refused, httpx.HTTPError."""
        answer = await self.http.request(method, f"/api/{path}", json=body)
        content: Frame = answer.json() if answer.content else {}
        if answer.status_code >= 400:
            raise Refused(content.get("error", {"code": str(answer.status_code)}))
        return content

    async def sign_in(self, phone: str, password: str) -> None:
        """Opens a session on this device. Raises Refused."""
        await self.request("POST", "session", {"phone": phone, "password": password, "device_name": "test"})

    async def page(self, conversation_id: str, *, before: int | None = None, limit: int = 50) -> list[Frame]:
        """Older messages, newest first."""
        query = f"limit={limit}" + (f"&before={before}" if before else "")
        items: list[Frame] = (await self.request("GET", f"chat/conversations/{conversation_id}/messages?{query}"))[
            "items"
        ]
        return items

    async def sync(self) -> None:
        """From what the client has to the present, in as many requests as the server says."""
        async with self._sync_lock:
            more, after = True, None
            while more:
                have = {id_: known.version for id_, known in self.conversations.items()}
                answer = await self.request("POST", "chat/sync", {"have": have, "after": after})
                self._take(answer)
                more, after = answer["more"], answer["next"]

    def _take(self, answer: Frame) -> None:
        for id_ in answer["gone"]:
            self.conversations.pop(id_, None)
        changes = {change["conversation_id"]: change for change in answer["changes"]}
        for item in answer["conversations"]:
            known = self.conversations.get(item["id"])
            if known is None:
                # New to this device: it begins with the newest message; older ones are read as pages.
                known = self.conversations[item["id"]] = Conversation(item["id"], item["version"])
                self._show(known, [item["last"]] if item["last"] else [])
            known.item = item
            change = changes.get(item["id"])
            if change is not None:
                if change["reset"]:
                    known.messages.clear()
                    self.on_reset(known.id)
                fresh = [
                    message for message in change["messages"] if change["reset"] or message["version"] > known.version
                ]
                known.version = change["upto"] if change["reset"] else max(known.version, change["upto"])
                self._show(known, fresh)
        for known in self.conversations.values():
            for message in known.following() if known.early else ():
                self.on_message(message)

    def _show(self, known: Conversation, messages: list[Frame]) -> None:
        for message in messages:
            if known.apply(message):
                self.on_message(message)

    # The socket

    async def open(self) -> None:
        """Connects and stays connected, with growing pauses where the server is away. Returns after the first sync."""
        self._lost_at = time.monotonic()
        self._keeping = asyncio.create_task(self._keep())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._keeping, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._keeping.done():
            self._keeping.result()

    async def send(self, conversation_id: str, text: str, client_id: str | None = None) -> Frame:
        """Says something; returns the acknowledgement: it is committed then. Raises Refused."""
        client_id = client_id or str(uuid.uuid4())
        waiting = _Waiting(conversation_id, text, asyncio.get_running_loop().create_future())
        self._waiting[client_id] = waiting
        if self._socket is not None and self._ready.is_set():
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(self._frame(client_id, waiting))
        return await waiting.acked

    async def read(self, conversation_id: str, seq: int) -> None:
        """Marks everything up to `seq` as read."""
        if self._socket is not None:
            await self._socket.send(json.dumps({"type": "read", "conversation_id": conversation_id, "seq": seq}))

    def cut(self) -> None:
        """Drops the connection as a bad network would; the client comes back by itself."""
        if self._socket is not None:
            self._lost()
            self._socket.transport.abort()

    def _lost(self) -> None:
        self._lost_at = self._lost_at or time.monotonic()

    async def close(self) -> None:
        """Leaves."""
        for task in (self._keeping, self._catching):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
        await self.http.aclose()

    @staticmethod
    def _frame(client_id: str, waiting: _Waiting) -> str:
        return json.dumps(
            {
                "type": "send",
                "conversation_id": waiting.conversation_id,
                "client_id": client_id,
                "text": waiting.text,
            }
        )

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                jar = "; ".join(f"{one.name}={one.value}" for one in self.http.cookies.jar)
                async with connect(
                    f"{self.origin.replace('http', 'ws', 1)}/ws/",
                    origin=self.origin,  # type: ignore[arg-type]  # a NewType of the library
                    additional_headers={"Cookie": jar or self.http.headers.get("Cookie", "")},
                    open_timeout=OPEN_LIMIT_S,
                    compression=None,
                    max_size=None,
                    proxy=None,
                    **self._address,
                ) as socket:
                    await self._talk(socket)
                    pause = FIRST_PAUSE_S
            except (OSError, WebSocketException, httpx.HTTPError, Refused) as error:
                if isinstance(error, Refused) and error.code in {"sign_in_needed", "not_allowed"}:
                    raise
                if isinstance(error, InvalidStatus):
                    # Refused before it opened: is the session over? This raises then.
                    with contextlib.suppress(httpx.HTTPError):
                        await self.request("GET", "me")
                if isinstance(error, ConnectionClosed) and error.rcvd is not None:
                    self.closed_with = error.rcvd.code
                    if error.rcvd.code in SIGNED_OUT:
                        raise
            finally:
                self._lost()
                self._socket = None
                self._ready.clear()
            # Spread, so that many clients do not come back in one moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, self._longest_pause_s)

    async def _talk(self, socket: ClientConnection) -> None:
        self._socket = socket
        starting: asyncio.Task[None] | None = None
        try:
            async for text in socket:
                for line in str(text).split("\n"):
                    frame = json.loads(line)
                    if frame["type"] == "ready":
                        self.person_id = frame["person_id"]
                        starting = asyncio.create_task(self._start(socket))
                    elif frame["type"] == "probe":
                        await socket.send(json.dumps({"type": "probed", "n": frame["n"]}))
                    else:
                        self._hear(frame)
        finally:
            if starting is not None:
                starting.cancel()

    async def _start(self, socket: ClientConnection) -> None:
        try:
            await self.sync()
            # In the order in which they were written; those that the server has are acknowledged again.
            for client_id, waiting in list(self._waiting.items()):
                await socket.send(self._frame(client_id, waiting))
        except (ConnectionClosed, httpx.HTTPError, Refused):
            await socket.close()
            return
        self._ready.set()
        since, self._lost_at = self._lost_at, None
        if since is not None:
            self.on_synced(since)

    def _hear(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "message":
            self._pushed(frame["message"])
        elif kind == "ack":
            waiting = self._waiting.pop(frame["client_id"], None)
            if waiting is not None:
                self._pushed(_own(frame, self.person_id, waiting.text))
                if not waiting.acked.done():
                    waiting.acked.set_result(frame)
        elif kind == "error" and frame.get("client_id") in self._waiting:
            if frame["retry"]:
                self.cut()  # and come back: what is not acknowledged goes out again, in order
                return
            waiting = self._waiting.pop(frame["client_id"])
            if not waiting.acked.done():
                waiting.acked.set_exception(Refused(frame))
        else:
            if kind in {"conversation", "behind"}:
                self._catch_up(0.0)
            self.on_frame(frame)

    def _pushed(self, message: Frame) -> None:
        known = self.conversations.get(message["conversation_id"])
        if known is None:
            self._catch_up(0.0)
            return
        for shown in known.pushed(message):
            self.on_message(shown)
        if known.early:
            self._catch_up(GAP_PATIENCE_S)

    def _catch_up(self, after_s: float) -> None:
        # What is told while an answer is on its way may be younger than that answer: it is asked for once more.
        self._told = self._told or not after_s
        if self._catching is None or self._catching.done():
            self._catching = asyncio.create_task(self._catch(after_s))

    async def _catch(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        wanted = self._told or any(known.early for known in self.conversations.values())
        with contextlib.suppress(httpx.HTTPError, Refused):
            while wanted:
                self._told = False
                await self.sync()
                wanted = self._told


def _own(ack: Frame, person_id: str | None, text: str) -> Frame:
    """One's own message, as the acknowledgement says it stands in the log."""
    return {
        **{name: ack[name] for name in ("id", "conversation_id", "seq", "version", "client_id", "at", "warning")},
        "sender_id": person_id,
        "kind": "text",
        "text": text,
        "recalled": False,
    }
