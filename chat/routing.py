"""The socket's entry."""

from channels.routing import URLRouter
from django.urls import path

from chat.consumers import socket


def socket_application() -> URLRouter:
    """The ASGI application of /ws/."""
    return URLRouter([path("ws/", socket)])  # type: ignore[arg-type]  # an ASGI application, not a view
