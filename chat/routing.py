"""The socket's entry."""

from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from chat.consumers import socket


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Whoever asks for a socket at another address is refused; without this, each would be an error of ours."""
    await receive()
    await send({"type": "websocket.close"})


def socket_application() -> URLRouter:
    """The ASGI application of /ws/."""
    return URLRouter([path("ws/", socket), re_path("", nowhere)])  # type: ignore[arg-type]  # ASGI applications, not views
