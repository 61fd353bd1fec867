"""Django's ASGI handler, where a request is one call in one thread.

All middleware and views of the house are synchronous. Django's own handler takes such a request to and fro between the
loop and a thread that it starts for it and ends with it; and as many requests as come at once run at once, each of
which the loop, and with it every socket, competes with for the interpreter.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.urls import set_script_prefix

Scope = dict[str, Any]


async def _said(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class OneThreadHandler(ASGIHandler):
    """Serves HTTP with `settings.REQUEST_THREADS` threads, which stay; further requests wait for their turn."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(settings.REQUEST_THREADS, thread_name_prefix="request")

    def load_middleware(self, is_async: bool = False) -> None:
        """The synchronous chain, whatever the server is."""
        super().load_middleware(is_async=False)

    async def handle(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Takes the body, has the request answered, and sends what it came to, also where the client has gone: what
        was done is done.
        """
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._threads, copy_context().run, self._answered, scope, body)
            await self.send_response(response, send)

    def _answered(self, scope: Scope, body: Any) -> Any:
        """The response, complete, with everything that it held given back: its connection serves the next."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refused = self.create_request(scope, body)
        response: Any = refused if request is None else self.get_response(request)
        response._handler_class = self.__class__  # what request_finished is told
        if response.streaming:
            response.streaming_content = _said(list(response.streaming_content))
        response.close()
        return response
