"""Another client of the database, which is seen to wait: what a lock does is shown without luck."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any

import psycopg
from django.db import connection

from tests.support import database

GLANCE_S = 0.01


class Aside:
    """Does work in a thread of its own with a connection of its own, from now on."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._pid = 0
        self._connected = Event()
        pool = ThreadPoolExecutor(1)
        self._done: Future[Any] = pool.submit(self._run)
        pool.shutdown(wait=False)

    def _run(self) -> Any:
        try:
            connection.ensure_connection()
            self._pid = connection.connection.info.backend_pid
            self._connected.set()
            return self._work()
        finally:
            self._connected.set()
            connection.close()

    def waits(self) -> bool:
        """Whether it comes to wait for a lock; False once it is over without having waited."""
        server = database.server()
        assert self._connected.wait(20)
        with psycopg.connect(server.url(server.superuser, "postgres"), autocommit=True) as watcher:
            while not self._done.done():
                ((waiting,),) = watcher.execute(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)", [self._pid]
                ).fetchall()
                if waiting:
                    return True
                wait([self._done], timeout=GLANCE_S)
        return False

    def result(self) -> Any:
        """What the work answered or raised, when it is over."""
        return self._done.result(timeout=30)
