"""The whole product in one process: Daphne on both origins, and the worker and the beat in supervised threads.

A broker that only threads can share (memory://) needs no second process; what it forgets in a crash stands in the
outbox. With a broker of its own (BROKER_URL) the worker runs elsewhere and WORKER_INSIDE=0 says so.
"""

# Daphne installs Twisted's reactor, which must come before anything else imports it.
from deploy.local.newcomers import PacedServer  # isort: skip

import logging
import os
import threading
import time
from collections.abc import Callable

from celery import signals
from celery.beat import Service
from celery.worker import state as worker_state
from django.conf import settings

from deploy.local import parent
from rongliao.asgi import application
from rongliao.celery import app as celery_app

WORKER_THREADS = 2
WORKER_LIMIT_S = 30
WORKER_STOP_S = 5
BROKER_POLL_S = 0.05
RESTART_PAUSE_S = 1
MAX_FRAME_BYTES = 64 * 1024
BACKLOG = 2048
"""Connections that may wait to be accepted. Twisted's 50 overflow when clients come back together, and the system then
drops what they say, for seconds."""
HTTP_LIMIT_S = 60
"""The longest that one request may take."""
SILENCE_LIMIT_S = 10
"""The longest that a connection may stay silent before its request is complete."""
HANDSHAKE_LIMIT_S = 20
"""When thousands open their sockets at once, the last ones wait for their turn; Daphne's five seconds cut them off."""

_log = logging.getLogger("rongliao.serve")
_stopping = threading.Event()


def supervised(name: str, work: Callable[[], None]) -> threading.Thread:
    """A thread that starts its work again whenever that ends or fails, until the process stops."""

    def forever() -> None:
        while not _stopping.is_set():
            try:
                work()
            except BaseException:  # Celery ends its threads by SystemExit and kin
                if not _stopping.is_set():
                    _log.exception("%s failed", name)
            if not _stopping.wait(RESTART_PAUSE_S):
                _log.warning("%s is started again", name)

    thread = threading.Thread(target=forever, name=name, daemon=True)
    thread.start()
    return thread


def run_worker() -> None:
    """Celery's worker, without what only serves a fleet of them."""
    worker_state.should_stop = worker_state.should_terminate = None
    celery_app.WorkController(
        app=celery_app,
        hostname="embedded",
        pool="threads",
        concurrency=WORKER_THREADS,
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
    ).start()


def run_beat() -> None:
    """Celery's schedule, kept in memory: every entry is an interval, and a missed one is harmless."""
    Service(celery_app, max_interval=1, scheduler_cls="celery.beat:Scheduler").start(embedded_process=False)


def start_worker() -> threading.Thread:
    """Worker and beat; returns when the worker has done its first task, so that /readyz is true from the start."""
    celery_app.conf.broker_transport_options = {"polling_interval": BROKER_POLL_S}
    # A line for each of three tasks a second would bury everything else.
    logging.getLogger("celery").setLevel(logging.WARNING)
    celery_app.conf.worker_hijack_root_logger = False
    done = threading.Event()

    def first(sender: object = None, **_: object) -> None:
        if getattr(sender, "name", "") == "kernel.heartbeat":
            done.set()

    signals.task_success.connect(first)
    worker = supervised("worker", run_worker)
    celery_app.send_task("kernel.heartbeat")
    supervised("beat", run_beat)
    if not done.wait(WORKER_LIMIT_S):
        _log.error("the worker did nothing in %s s; /readyz says so too", WORKER_LIMIT_S)
    signals.task_success.disconnect(first)
    return worker


def endpoints() -> list[str]:
    """Both origins' ports on loopback; LISTEN names another address for a container."""
    address = os.environ.get("LISTEN", "127.0.0.1")
    ports = [origin.rpartition(":")[2] for origin in (settings.APP_ORIGIN, settings.BANK_ORIGIN)]
    return [f"tcp:port={port}:interface={address}:backlog={BACKLOG}" for port in ports]


def serving(server: PacedServer, began: float) -> None:
    """Called when the ports listen: Daphne makes its factory itself, with Twisted's minute of patience."""
    server.http_factory.timeOut = SILENCE_LIMIT_S
    _log.info("serving after %.1f s", time.monotonic() - began)


def main() -> None:
    parent.watch()
    began = time.monotonic()
    worker = start_worker() if os.environ.get("WORKER_INSIDE", "1") == "1" else None
    server: PacedServer = PacedServer(
        application,
        endpoints=endpoints(),
        http_timeout=HTTP_LIMIT_S,
        websocket_timeout=-1,
        websocket_handshake_timeout=HANDSHAKE_LIMIT_S,
        websocket_max_message_size=MAX_FRAME_BYTES,
        websocket_max_frame_size=MAX_FRAME_BYTES,
        application_close_timeout=5,
        server_name="",
        silence_limit_s=SILENCE_LIMIT_S,
        ready_callable=lambda: serving(server, began),
    )
    server.run()
    _stopping.set()
    if worker:
        worker_state.should_stop = 0
        worker.join(WORKER_STOP_S)
    # Threads of libraries must not hold the process; what they had not finished stands in the outbox.
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    main()
