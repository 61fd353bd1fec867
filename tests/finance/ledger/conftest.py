"""Accounts of the demo world's people, with money, and the ways at them."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from finance.ledger import actions, queries
from finance.ledger.actions import Leg
from finance.ledger.models import Account
from kernel.errors import Refusal
from rongliao.demo import World
from tests.conftest import FreshDatabase, _fresh
from tests.support import database


def key() -> str:
    return str(uuid.uuid4())


@dataclass
class Books:
    """What tests do to the ledger: each call in a transaction of its own."""

    world: World

    def open(self, who: str = "su", fen: int = 0, **more: Any) -> UUID:
        """A customer's account with money in it."""
        with transaction.atomic():
            account = actions.open_account(
                **{
                    "owner_id": self.world.people[who],
                    "account_type": "customer",
                    "account_class": "I",
                    "name": "储蓄卡",
                    "key": key(),
                    **more,
                }
            )
            if fen:
                self.post((self.bank(), -fen), (account.pk, fen), kind="opening")
        return account.pk

    def bank(self, code: str = "demo-opening") -> UUID:
        return queries.internal(code).pk

    def post(self, *legs: tuple[UUID, int], **more: Any) -> actions.EntryResult:
        with transaction.atomic():
            return actions.post(
                **{"key": key(), "kind": "transfer", "memo": "转账", "legs": [Leg(*leg) for leg in legs], **more}
            )

    def batch(self, entries: list[actions.NewEntry]) -> list[actions.EntryResult]:
        with transaction.atomic():
            return actions.post_batch(entries)

    def hold(self, account: UUID, fen: int, **more: Any) -> actions.HoldResult:
        with transaction.atomic():
            return actions.place_hold(
                **{
                    "key": key(),
                    "account_id": account,
                    "amount_fen": fen,
                    "kind": "transfer",
                    "memo": "转账",
                    **more,
                }
            )

    def capture(self, hold: UUID, *legs: tuple[UUID, int], **more: Any) -> actions.EntryResult:
        with transaction.atomic():
            return actions.capture_hold(
                **{"key": key(), "hold_id": hold, "legs_to": legs, "kind": "transfer", "memo": "转账", **more}
            )

    def release(self, hold: UUID, **more: Any) -> actions.HoldResult:
        with transaction.atomic():
            return actions.release_hold(**{"key": key(), "hold_id": hold, "memo": "退回", **more})

    def expire(self, hold: UUID, **more: Any) -> actions.HoldResult:
        with transaction.atomic():
            return actions.expire_hold(**{"key": key(), "hold_id": hold, "memo": "到期", **more})

    def reverse(self, entry: UUID, **more: Any) -> actions.EntryResult:
        with transaction.atomic():
            return actions.reverse(**{"key": key(), "entry_id": entry, "memo": "冲正", **more})

    def row(self, account: UUID) -> Account:
        return queries.account(account)

    def balance(self, account: UUID) -> int:
        return queries.balance(queries.account(account))


@pytest.fixture
def books(world: World) -> Books:
    """In the test's own transaction."""
    return Books(world)


@pytest.fixture
def real_books(fresh_database: FreshDatabase) -> Books:
    """With real commits, for threads and for what the database does at a commit."""
    return Books(fresh_database.world)


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Runs `work(index)` in so many threads that start together; answers results, refusals as themselves."""
    gate = Barrier(count)

    def run(index: int) -> Any:
        try:
            gate.wait(timeout=20)
            return work(index)
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture(scope="module")
def shared_database(django_db_blocker: DjangoDbBlocker) -> Iterator[FreshDatabase]:
    """One database for a module whose tests leave nothing behind that another would mind."""
    yield from _fresh(django_db_blocker, database.PEOPLE)


@pytest.fixture
def shared_books(shared_database: FreshDatabase) -> Books:
    """With real commits, in the module's database."""
    return Books(shared_database.world)


@pytest.fixture
def server_role(shared_database: FreshDatabase) -> Iterator[psycopg.Connection[Any]]:
    """SQL as the server's role, past all Python."""
    with psycopg.connect(shared_database.url, autocommit=True) as found:
        yield found


@pytest.fixture
def owner(shared_database: FreshDatabase) -> Iterator[psycopg.Connection[Any]]:
    """SQL as the owner of the tables: an insider."""
    with psycopg.connect(shared_database.owner_url, autocommit=True) as found:
        yield found
