"""The wire between the product and its PostgreSQL, which can be cut: everywhere, or at a word that goes over it."""

import contextlib
import socket
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.support import database, run

CHUNK = 65536
COMMIT = b"COMMIT\0"


@dataclass
class Cut:
    """At `word`, once `after` has gone over the same connection. `arrives`: PostgreSQL still hears it, and does it."""

    word: bytes
    after: bytes
    arrives: bool
    done: bool = False


class Wire:
    """A Unix socket before the run's PostgreSQL. What comes while it is `down` is refused."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="w-", dir=run.folder()))
        self._server = urlsplit(database.server().app_url("any"))
        self._listener = self._listening()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self.cut: Cut | None = None

    def url(self, name: str) -> str:
        """The server's role's way to a database, over this wire."""
        role = f"{self._server.username}:{self._server.password}"
        return f"postgresql://{role}@/{name}?host={self.folder}"

    def fall(self) -> None:
        """Nobody listens any more, and every connection breaks."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink()
        with self._guard:
            for one in self._open:
                _end(one)

    def rise(self) -> None:
        """As it was."""
        self._listener = self._listening()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path.exists():
            self.fall()

    @property
    def _path(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    def _listening(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = self._reach()
            with self._guard:
                self._open |= {near, far}
            for work in (self._forth, self._back):
                threading.Thread(target=work, args=(near, far), daemon=True).start()

    def _reach(self) -> socket.socket:
        query = parse_qs(self._server.query)
        if self._server.hostname:
            return socket.create_connection((self._server.hostname, self._server.port or 5432))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}")
        return far

    def _forth(self, near: socket.socket, far: socket.socket) -> None:
        """What the product says."""
        armed = False
        with contextlib.suppress(OSError):
            while said := near.recv(CHUNK):
                cut = self.cut
                armed = armed or (cut is not None and cut.after in said)
                if cut is not None and armed and not cut.done and cut.word in said:
                    cut.done = True
                    near.shutdown(socket.SHUT_WR)
                    if cut.arrives:
                        # The answer has nobody to go to; it is waited for, so that what was asked for is done.
                        far.sendall(said)
                        continue
                    break
                far.sendall(said)
        self._let_go(near, far)

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        """What PostgreSQL says."""
        with contextlib.suppress(OSError):
            while said := far.recv(CHUNK):
                near.sendall(said)
        self._let_go(near, far)

    def _let_go(self, *ends: socket.socket) -> None:
        with self._guard:
            self._open -= set(ends)
        for one in ends:
            _end(one)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
