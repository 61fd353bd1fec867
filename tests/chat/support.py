"""People at their sockets and at the HTTP door, for tests of chat."""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, TypeVar
from uuid import UUID

from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.http import HttpRequest
from django.test import Client as HttpClient

from accounts.actions.sessions import DeviceClaim, open_session
from accounts.models import Person
from chat.delivery.engine import in_thread
from chat.routing import socket_application

Result = TypeVar("Result")
WAIT_S = 5.0


def session_key(person_id: UUID) -> str:
    """A new sign-in of the person on a new device; the cookie's value."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    open_session(request, Person.objects.get(pk=person_id), DeviceClaim(client_id=uuid.uuid4(), name="test"))
    return str(request.session.session_key)


def http(person_id: UUID | None) -> HttpClient:
    """The HTTP door, signed in as the person."""
    client = HttpClient(
        headers={"origin": settings.APP_ORIGIN, "host": settings.APP_NETLOC}, raise_request_exception=False
    )
    if person_id is not None:
        client.cookies[settings.SESSION_COOKIE_NAME] = session_key(person_id)
    return client


def post(client: HttpClient, path: str, body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


async def database(function: Callable[[], Result]) -> Result:
    """Synchronous work, from a test that runs on a loop."""
    return await in_thread(function)


class Phone:
    """A socket in somebody's hand."""

    def __init__(self, cookie: str | None, *, origin: str | None = settings.APP_ORIGIN) -> None:
        headers = [(b"host", settings.APP_NETLOC.encode())]
        if cookie is not None:
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        self.wire = WebsocketCommunicator(socket_application(), "/ws/", headers=headers)
        self.waiting: list[dict[str, Any]] = []

    async def open(self) -> "Phone":
        accepted, code = await self.wire.connect(timeout=WAIT_S)
        assert accepted, code
        assert (await self.next())["type"] == "ready"
        return self

    async def raw(self, text: str) -> None:
        await self.wire.send_to(text_data=text)

    async def send(self, **frame: Any) -> None:
        await self.raw(json.dumps(frame, default=str))

    async def say(self, conversation: UUID, text: str, client_id: UUID | None = None) -> UUID:
        client_id = client_id or uuid.uuid4()
        await self.send(type="send", conversation_id=conversation, client_id=client_id, text=text)
        return client_id

    async def next(self, timeout: float = WAIT_S) -> dict[str, Any]:
        """The next frame that is no probe."""
        while True:
            while not self.waiting:
                text = await self.wire.receive_from(timeout=timeout)
                self.waiting.extend(json.loads(line) for line in text.split("\n"))
            frame = self.waiting.pop(0)
            if frame["type"] != "probe":
                return frame
            await self.send(type="probed", n=frame["n"])

    async def expect(self, *kinds: str) -> dict[str, Any]:
        """The next frame, which must be one of these kinds."""
        frame = await self.next()
        assert frame["type"] in kinds, frame
        return frame

    async def until(self, kind: str) -> dict[str, Any]:
        """The next frame of this kind; others are passed over."""
        while True:
            frame = await self.next()
            if frame["type"] == kind:
                return frame

    async def hears_nothing(self, seconds: float = 0.2) -> bool:
        return not self.waiting and await self.wire.receive_nothing(timeout=seconds, interval=0.02)

    async def closed(self, timeout: float = WAIT_S) -> int:
        """Waits for the server to close; its code."""
        while True:
            event = await self.wire.receive_output(timeout)
            if event["type"] == "websocket.close":
                return int(event["code"])

    async def leave(self) -> None:
        await self.wire.disconnect()


async def gather(*things: Any) -> list[Any]:
    return list(await asyncio.gather(*things))


def texts(messages: Iterable[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]
