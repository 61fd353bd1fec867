"""The socket's entry."""

from channels.routing import URLRouter


def socket_application() -> URLRouter:
    """The ASGI application of /ws/."""
    return URLRouter([])
