"""What somebody else is told in the very middle of a request, by force and not by luck."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection

LIMIT_S = 10


@contextmanager
def midway(statement: str, ask: Callable[[], Any]) -> Iterator[list[Any]]:
    """Just before this thread's connection runs a statement with these words in it, for the first time, another thread
    does `ask`; its answer is then in the list.

    Raises TimeoutError, in the request that is in the middle, where `ask` waits for what that request holds.
    """
    answers: list[Any] = []
    asked = False

    def at_work() -> Any:
        try:
            return ask()
        finally:
            connection.close()

    def stopped(execute: Callable[..., Any], sql: str, *call: Any) -> Any:
        nonlocal asked
        if statement in sql and not asked:
            asked = True
            answers.append(other.submit(at_work).result(LIMIT_S))
        return execute(sql, *call)

    with ThreadPoolExecutor(1) as other, connection.execute_wrapper(stopped):
        yield answers
