"""A past balance is exact whatever was closed since, and costs no more the longer the past."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from finance.ledger.closing import close_days
from finance.ledger.models import DayTurnover, Posting
from finance.ledger.past import balance_at
from kernel import clock
from kernel.clock import business_now
from tests.finance.ledger.conftest import Books
from tests.support.caller import Caller

SEED, DAYS = 20261124, 12


@pytest.fixture(autouse=True)
def _demo(settings: Any) -> None:
    settings.DEMO = True


def _added_up(account: Any, moment: datetime) -> int:
    found = Posting.objects.filter(account_id=account, at__lte=moment).aggregate(sum=Sum("amount_fen"))
    return int(found["sum"] or 0)


def test_what_a_balance_was_is_known_for_any_past_moment(books: Books) -> None:
    su, now = books.open("su"), business_now()
    for days, fen in ((30, 5_000), (20, -1_500), (10, 700)):
        books.post((su, fen), (books.bank(), -fen), at=now - timedelta(days=days))

    past = [balance_at(su, now - timedelta(days=days)) for days in (31, 30, 25, 15, 0)]

    assert past == [0, 5_000, 5_000, 3_500, 4_200]


def test_it_is_the_sum_of_all_that_was_posted_before_whatever_is_closed(books: Books) -> None:
    chance, su, lin, bank = random.Random(SEED), books.open("su", 1_000_000), books.open("lin"), books.bank()
    moments = [business_now()]
    for day in range(DAYS):
        for _ in range(4):
            fen = chance.randrange(1, 5_000)
            books.post((su, -fen), *((lin, fen) if chance.random() < 0.5 else (bank, fen),))
            moments.append(business_now())
        if day % 3 != 2:
            close_days()
        clock.advance(timedelta(hours=chance.randrange(5, 40)))
        moments.append(business_now())
    assert DayTurnover.objects.filter(account_id=su).exists()

    for account in (su, lin, bank):
        for moment in [*moments, *(one - timedelta(milliseconds=1) for one in moments)]:
            assert balance_at(account, moment) == _added_up(account, moment)


def test_history_that_is_brought_in_after_a_close_counts_too(books: Books) -> None:
    su, bank = books.open("su", 10_000), books.bank()
    clock.advance(timedelta(days=2))
    close_days()
    long_ago = business_now() - timedelta(days=100)
    books.post((su, 700), (bank, -700), at=long_ago)

    for account, then in ((su, 700), (bank, -700)):
        assert balance_at(account, long_ago + timedelta(seconds=1)) == then
        assert balance_at(account, business_now()) == _added_up(account, business_now())


def _postings_read(account: Any, moment: datetime) -> int:
    """How many rows of the postings the database touches for it."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        balance_at(account, moment)
    statement = asked.captured_queries[-1]["sql"]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {statement}")
        plan = cursor.fetchone()[0][0]["Plan"]
    return _rows_of(plan)


def _rows_of(node: dict[str, Any]) -> int:
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if node.get("Relation Name") == POSTINGS else 0
    return int(own * node.get("Actual Loops", 1)) + sum(_rows_of(child) for child in node.get("Plans", []))


POSTINGS = "ledger_posting"


def test_it_does_not_cost_more_the_longer_the_past(books: Books) -> None:
    su, bank = books.open("su", 1_000_000), books.bank()

    def a_day() -> int:
        for _ in range(20):
            books.post((su, -1), (bank, 1))
        clock.advance(timedelta(days=1))
        close_days()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        return max(_postings_read(account, business_now() - timedelta(hours=2)) for account in (su, bank))

    costs = [a_day() for _ in range(10)]

    assert max(costs[4:]) <= max(costs[:4])


def test_its_owner_asks_for_it_and_nobody_else_does(books: Books) -> None:
    su = books.open("su", 4_200)
    call, then = Caller(books.world.people["su"]), business_now().isoformat()
    path = f"/api/finance/accounts/{su}/balance"

    assert call.get(f"{path}?at={then.replace('+', '%2B')}").json()["balance_fen"] == 4_200
    assert call.get(f"{path}?at=2020-01-01T00:00:00Z").json()["balance_fen"] == 0
    assert Caller(books.world.people["lin"]).get(f"{path}?at=2020-01-01T00:00:00Z").status_code == 404


@pytest.mark.parametrize(
    "at", ["", "soon", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z", "２０２０-01-01T00:00:00Z", "1e30"]
)
def test_what_is_no_moment_of_the_past_is_refused(books: Books, at: str) -> None:
    su = books.open("su", 1)
    assert Caller(books.world.people["su"]).get(f"/api/finance/accounts/{su}/balance?at={at}").status_code == 400
