"""When PostgreSQL does not answer, or asks for another try: what is told to whoever was asking just then.

The one place that says which failures of a database are such. Every other one is an error of ours, and stays one.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ClassVar

import psycopg
from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error
from psycopg_pool import ConnectionPool

from kernel.errors import Refusal, language_of, refusal_response

_log = logging.getLogger(__name__)
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_GONE = ("08", "57P")
"""SQLSTATE classes: connection exceptions; shut down, crashed, starting."""
_NO_ROOM = "53300"
_ANOTHER_TRY = frozenset({"40P01", "40001"})
"""A deadlock that was broken by taking us back; a transaction that does not fit in with another's."""

_spoken: ContextVar[bool] = ContextVar("spoken", default=True)
"""Whether this request had a connection: without one nothing of it can have been done."""


class Unavailable(Refusal):
    code = "unavailable"
    status = 503
    zh = "服务暂时不可用,未做任何更改。请稍后再试。"
    en = "The service is not available at the moment. Nothing was changed; please try again shortly."
    retry_after_s: ClassVar[int | None] = 2


class OutcomeUnknown(Unavailable):
    """The connection was lost while something was being done: also a COMMIT may have been on its way."""

    code = "outcome_unknown"
    zh = "服务中断,这一步是否已完成还不清楚。请稍后查看结果,或原样再提交一次,同一笔不会重复执行。"
    en = (
        "The service was interrupted, and it is not known whether this was done. Look again in a moment, or send the"
        " very same again: it is not done twice."
    )


class Contended(Unavailable):
    """PostgreSQL took the transaction back, so that others' could go on."""

    code = "contended"
    zh = "同一时刻有其他操作在更改同样的内容,这一步没有完成。请再试一次。"
    en = "Others were changing the same at that moment, and this was not done. Please try again."
    retry_after_s: ClassVar[int | None] = 1


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came of."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_loss(error: BaseException) -> bool:
    if not isinstance(error, psycopg.OperationalError):
        return False
    state = error.sqlstate
    # Without a state it is psycopg that speaks: it could not connect, or the connection broke off.
    return state is None or state.startswith(_GONE) or state == _NO_ROOM


def _look_over_the_pool() -> None:
    """What broke one connection broke others as a rule: they are made anew, not handed out to a request each."""
    pool: ConnectionPool | None = getattr(connection, "pool", None)
    if pool is not None:
        pool.check()


def refusal_for(error: BaseException, method: str | None) -> Unavailable | None:
    """What to say to a request that ended in this error of the database; None for an error of ours."""
    if not isinstance(error, DatabaseError | InterfaceError | psycopg.Error):
        return None
    # What is done with a connection that was lost fails in its own words.
    if any(_is_loss(one) for one in _chain(error)):
        _log.warning("the database does not answer: %s", error)
        _look_over_the_pool()
        return OutcomeUnknown() if _spoken.get() and method not in _READS else Unavailable()
    state = next((one.sqlstate for one in _chain(error) if isinstance(one, psycopg.Error)), None)
    if state in _ANOTHER_TRY:
        _log.warning("a transaction was taken back: %s", error)
        return Contended()
    return None


def _speaks(**_: Any) -> None:
    _spoken.set(True)


connection_created.connect(_speaks, dispatch_uid="kernel.outage")


class OutageMiddleware:
    """Notes where a request begins: what it does with the database comes after this."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _spoken.set(connection.connection is not None)
        return self.get_response(request)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler of what nobody caught: in a middleware, or in a view that is no REST door."""
    error = sys.exception()
    refusal = refusal_for(error, request.method) if error is not None else None
    if refusal is None:
        return server_error(request)
    if request.path.startswith("/api/"):
        return refusal_response(refusal, request)
    words = refusal.message(language_of(request.headers.get("Accept-Language")))
    return HttpResponse(
        f"{words}\n",
        status=refusal.status,
        content_type="text/plain; charset=utf-8",
        headers={"Retry-After": str(refusal.retry_after_s)},
    )
