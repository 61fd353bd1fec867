"""The channel layer of the embedded run."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import InMemoryChannelLayer


class ThreadSafeInMemoryLayer(InMemoryChannelLayer):
    """Channels' in-memory layer, where a send from another thread's loop is run on the loop that receives.

    The stock layer keeps asyncio queues, which belong to one loop; the worker of the embedded run lives in a
    thread with a loop of its own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._home: asyncio.AbstractEventLoop | None = None

    async def new_channel(self, prefix: str = "specific.") -> str:
        """A new channel name; the loop that asks is the one that will receive."""
        self._home = asyncio.get_running_loop()
        return str(await super().new_channel(prefix))

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Puts a message on one channel."""
        await self._at_home(super().send, channel, message)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Puts a message on every channel of a group."""
        await self._at_home(super().group_send, group, message)

    async def _at_home(self, send: Callable[..., Awaitable[None]], *args: Any) -> None:
        home = self._home
        if home is None or home is asyncio.get_running_loop() or not home.is_running():
            await send(*args)
            return

        async def deliver() -> None:
            await send(*args)

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(deliver(), home))
