"""Servers that start sooner: forked from a process that has imported the libraries which every one of them imports.

Nothing of the product is loaded before the fork: it reads its settings from the environment when it is.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

from tests.support import run

# Only what neither reads Django's settings nor makes an event loop or a thread when it is imported.
LIBRARIES = [
    "argon2",
    "asgiref.server",
    "autobahn.twisted.websocket",
    "celery.beat",
    "celery.worker",
    "channels.db",
    "channels.routing",
    "chinese_calendar",
    "cryptography.x509",
    "django.contrib.admin",
    "django.contrib.auth.hashers",
    "django.core.handlers.asgi",
    "django.db.backends.postgresql.base",
    "django.db.models",
    "gmssl_pyx",
    "httpx",
    "inflection",
    "jsonschema",
    "kombu",
    "msgspec",
    "PIL.Image",
    "psycopg",
    "psycopg.types.range",
    "psycopg_pool",
    "pyasn1_modules.rfc5652",
    "pyasn1_modules.rfc5958",
    "pypinyin",
    "pywebpush",
    "reportlab.pdfgen.canvas",
    "rich",
    "segno",
    "stdnum.cn",
    "structlog",
    "twisted.web.http",
    "uritemplate",
    "uuid_utils",
    "webauthn",
    "whitenoise.base",
    "yaml",
    "tests.support.settled",
]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(LIBRARIES)


class Forked:
    """What a site needs of a process, as subprocess.Popen has it."""

    def __init__(self, module: str, *, log: Path, env: dict[str, str]) -> None:
        self._process = _context.Process(target=_become, args=(module, str(log), env))
        self._process.start()
        assert self._process.pid
        self.pid: int = self._process.pid
        run.register(self.pid)

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.exitcode

    def terminate(self) -> None:
        """Asks it to end."""
        self._process.terminate()

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self._process.exitcode


def _become(module: str, log: str, env: dict[str, str]) -> None:
    """What `python -m module` would be, in a session of its own, with that log and environment."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(run.ROOT)
    sys.argv = [module]
    sys.modules.pop("__mp_main__", None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
