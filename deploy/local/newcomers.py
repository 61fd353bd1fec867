"""How Daphne lets newcomers in: one connection in a turn of the loop, and each heard when its turn comes.

Twisted accepts a hundred connections and more in one turn and hears what all of them say in the next, so that
everybody else waits for as long as a crowd takes.
"""

import asyncio
from typing import Any, cast

from daphne.server import Server
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.tcp import Connection, Port
from twisted.python.failure import Failure

from rongliao.turnstile import turnstile_for


class Newcomer(Protocol):
    """A connection until its turn has come: then the server's own protocol takes its place."""

    def __init__(self, door: "Door") -> None:
        self._door = door
        self._gone = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Begins to wait for the first word."""
        limit_s = self._door.silence_limit_s
        self._late = asyncio.get_running_loop().call_later(limit_s, self._line.abortConnection)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """What is said first waits; more of it stays in the system's buffer."""
        self._late.cancel()
        self._line.pauseProducing()
        turnstile_for(asyncio.get_running_loop(), data).enter(lambda: self._hear(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Whoever left is not heard."""
        self._late.cancel()
        self._gone = True

    @property
    def _line(self) -> Connection:
        return cast(Connection, self.transport)

    def _hear(self, data: bytes) -> bool:
        """Whether it is a socket now: Daphne puts another protocol in the place of the one that it was given."""
        line = self._line
        protocol = self._door.inside.buildProtocol(line.getPeer())
        if self._gone or protocol is None:
            line.abortConnection()
            return False
        line.protocol = protocol
        line.resumeProducing()
        protocol.makeConnection(line)
        protocol.dataReceived(data)
        return line.protocol is not protocol


class Door(Factory[Newcomer]):
    """Stands before the server's factory at a listening port."""

    noisy = False

    def __init__(self, port: Port, silence_limit_s: float) -> None:
        self._port = port
        self.inside = cast(Factory[Any], port.factory)
        self.silence_limit_s = silence_limit_s
        port.numberAccepts = 1
        port.factory = cast(Any, self)

    def buildProtocol(self, addr: IAddress | None) -> Newcomer:  # noqa: N802 - Twisted's name
        """The next newcomer."""
        # A port that has used up its number raises it by twenty; one that finds another number than that keeps to
        # what it has accepted: one.
        self._port.numberAccepts = 0
        return Newcomer(self)

    def doStop(self) -> None:  # noqa: N802 - Twisted's name
        """The port began with the server's factory and ends with it."""
        self.inside.doStop()


class PacedServer(Server):
    """Daphne, at whose ports newcomers come one at a time."""

    def __init__(self, *args: Any, silence_limit_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._silence_limit_s = silence_limit_s

    def listen_success(self, port: Port) -> None:
        """Called for each port that listens."""
        super().listen_success(port)
        Door(port, self._silence_limit_s)
