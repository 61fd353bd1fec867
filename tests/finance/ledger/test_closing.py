"""A day of the bank's calendar is closed at its midnight, once, with a trial balance that agrees with the past."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from io import StringIO
from threading import Event
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from finance.ledger import tasks
from finance.ledger.closing import CLOSE_AFTER, close_days, midnight
from finance.ledger.models import Account, DayClose, Posting
from finance.ledger.past import balance_at
from kernel import clock
from kernel.clock import BANK_ZONE, business_date, business_now
from tests.conftest import FreshDatabase
from tests.finance.ledger.conftest import Books
from tests.support.caller import Caller

# As a close was before there were cuts: what is posted, though it was booked on the day after.
UNCUT = """
WITH c AS (
    INSERT INTO ledger_dayclose (day, at, since, upto, balances)
    SELECT %(before)s, now(), 0, max(id), true FROM ledger_posting
), l AS (
    INSERT INTO ledger_trialline (close_id, "group", opening_fen, debit_fen, credit_fen, closing_fen)
    VALUES (%(before)s, 'customers-I', 0, 300, 1000, 700), (%(before)s, 'demo-opening', 0, 1000, 300, -700)
)
INSERT INTO ledger_dayturnover (close_id, account_id, day, amount_fen, postings)
SELECT %(before)s, account_id, %(day)s, sum(amount_fen), count(*) FROM ledger_posting GROUP BY 2
"""
JUST_BEFORE = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _demo(settings: Any) -> None:
    settings.DEMO = True


def _go_to(hour: int, days: int = 1) -> date:
    """Moves the bank's time to that hour, so many days on; answers its day."""
    then = datetime.combine(business_date() + timedelta(days=days), time(hour), BANK_ZONE)
    clock.advance(then - business_now())
    return business_date()


def _lines(close: DayClose) -> dict[str, tuple[int, int, int, int]]:
    return {
        line.group: (line.opening_fen, line.debit_fen, line.credit_fen, line.closing_fen) for line in close.lines.all()
    }


def _had(close: DayClose) -> dict[str, int]:
    """What the accounts of each group had at the close's midnight, by the past balances."""
    had: dict[str, int] = {}
    for account in Account.objects.all():
        group = account.code or f"customers-{account.account_class}"
        end = midnight(close.day + timedelta(days=1)) - JUST_BEFORE
        had[group] = had.get(group, 0) + balance_at(account.pk, end)
    return {group: fen for group, fen in had.items() if fen}


def _closed_at(close: DayClose) -> dict[str, int]:
    return {group: line[3] for group, line in _lines(close).items() if line[3]}


def test_a_day_is_closed_once_with_a_trial_balance_and_the_next_opens_where_it_closed(books: Books) -> None:
    today = _go_to(10)
    su, jiang = books.open("su", 1_000), books.open("jiang", account_class="III", ceiling_fen=200_000)
    books.post((su, -300), (jiang, 300))
    _go_to(6)
    *_, first = close_days()
    assert first.day == today and first.balances
    assert close_days() == []
    assert _lines(first) == {
        "demo-opening": (0, 1_000, 0, -1_000),
        "customers-I": (0, 300, 1_000, 700),
        "customers-III": (0, 0, 300, 300),
    }

    books.post((jiang, -50), (books.bank("settlement"), 50))
    _go_to(6)
    (second,) = close_days()

    assert second.balances and second.day == today + timedelta(days=1)
    assert _lines(second) == {
        "demo-opening": (-1_000, 0, 0, -1_000),
        "customers-I": (700, 0, 0, 700),
        "customers-III": (300, 50, 0, 250),
        "settlement": (0, 0, 50, 50),
    }


def test_what_is_posted_before_the_close_runs_is_in_the_day_of_its_booking(books: Books) -> None:
    today = _go_to(10)
    su = books.open("su", 1_000)
    _go_to(1)
    books.post((su, -300), (books.bank(), 300))

    *_, first = close_days()
    _go_to(1)
    (second,) = close_days()

    assert first.day == today and _lines(first)["customers-I"] == (0, 0, 1_000, 1_000)
    assert _lines(second)["customers-I"] == (1_000, 300, 0, 700)
    assert second.late == 0 and second.since < first.upto
    for close in (first, second):
        assert _closed_at(close) == _had(close)


def test_each_missed_day_is_closed_by_itself(books: Books) -> None:
    first_day = _go_to(10)
    su, bank = books.open("su", 1_000), books.bank()
    for fen in (1, 20, 300):
        _go_to(10)
        books.post((su, -fen), (bank, fen))
    _go_to(1)
    books.post((su, -400), (bank, 400))

    closed = [close for close in close_days() if close.day >= first_day]

    assert [close.day for close in closed] == [first_day + timedelta(days=days) for days in range(4)]
    assert [_lines(close)["customers-I"][1] for close in closed] == [0, 1, 20, 300]
    assert [_lines(close)["customers-I"][3] for close in closed] == [1_000, 999, 979, 679]
    for close in closed:
        assert close.balances and _closed_at(close) == _had(close)


def test_what_comes_late_for_a_closed_day_is_in_the_next_close_and_counted(books: Books) -> None:
    _go_to(10)
    su, bank = books.open("su", 1_000), books.bank()
    _go_to(1)
    *_, first = close_days()
    books.post((su, -30), (bank, 30), at=midnight(business_date()) - timedelta(minutes=1))
    books.post((su, -5), (bank, 5))

    _go_to(1)
    (second,) = close_days()

    assert (first.late, second.late) == (0, 2)
    assert _lines(second)["customers-I"] == (1_000, 35, 0, 965)
    assert _closed_at(second) == _had(second)
    assert _had(first)["customers-I"] == 970


def test_the_task_waits_a_little_after_midnight(books: Books) -> None:
    today = _go_to(10)
    books.open("su", 1_000)
    clock.advance(midnight(today + timedelta(days=1)) + CLOSE_AFTER / 2 - business_now())
    tasks.close_day()
    assert not DayClose.objects.filter(day=today).exists()

    clock.advance(CLOSE_AFTER)
    tasks.close_day()

    assert DayClose.objects.filter(day=today).exists()


def test_a_close_without_a_cut_has_all_that_was_posted_and_the_next_goes_on_from_there(
    real_books: Books, fresh_database: FreshDatabase
) -> None:
    _go_to(10)
    su, bank = real_books.open("su", 1_000), real_books.bank()
    real_books.post((su, -300), (bank, 300))
    day = business_date()
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as owner:
        owner.execute(UNCUT, {"before": day - timedelta(days=1), "day": day})
    real_books.post((su, -20), (bank, 20))
    assert [balance_at(account, business_now()) for account in (su, bank)] == [680, -680]
    _go_to(1)
    real_books.post((su, -1), (bank, 1))
    assert [balance_at(account, business_now()) for account in (su, bank)] == [679, -679]

    (close,) = close_days()

    assert close.day == day and close.balances and close.late == 0
    assert _lines(close) == {"customers-I": (700, 20, 0, 680), "demo-opening": (-700, 0, 20, -680)}
    assert [balance_at(account, business_now()) for account in (su, bank)] == [679, -679]
    assert _closed_at(close) == _had(close)


def test_postings_at_work_while_the_day_is_closed_are_in_one_close_each(
    real_books: Books, fresh_database: FreshDatabase
) -> None:
    del fresh_database
    end = midnight(_go_to(10) + timedelta(days=1))
    accounts, bank, stop = [real_books.open("su", 100_000), real_books.open("lin", 100_000)], real_books.bank(), Event()
    clock.advance(end - timedelta(seconds=1) - business_now())

    def post(place: int) -> int:
        done = 0
        try:
            while not stop.is_set():
                one, other = (accounts[place % 2], bank) if place < 2 else (accounts[0], accounts[1])
                real_books.post((one, -1), (other, 1))
                done += 1
            return done
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        posting = [pool.submit(post, place) for place in range(3)]
        try:
            while Posting.objects.filter(at__gte=end).count() < 50 or not close_days():
                assert not any(one.done() for one in posting)
        finally:
            stop.set()
        assert sum(done.result(timeout=30) for done in posting) > 50
    first = DayClose.objects.order_by("-day")[0]
    assert Posting.objects.filter(at__gte=end, pk__lte=first.upto).exists() and first.cut == end
    assert first.balances and first.late == 0
    assert _closed_at(first) == _had(first)

    _go_to(6)
    (second,) = close_days()
    assert second.balances and _closed_at(second) == _had(second)
    assert _closed_at(second) == {
        "customers-I": sum(real_books.balance(account) for account in accounts),
        "demo-opening": real_books.balance(bank),
    }


def test_a_close_that_is_killed_is_done_again_whole(real_books: Books, fresh_database: FreshDatabase) -> None:
    today = _go_to(10)
    real_books.open("su", 1_000)
    _go_to(6)

    def close() -> Any:
        try:
            return close_days()
        except DatabaseError as killed:
            return killed
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, psycopg.connect(fresh_database.owner_url) as owner:
        owner.execute("LOCK ledger_trialline IN ACCESS EXCLUSIVE MODE")
        closing = pool.submit(close)
        waits = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'ledger_trialline'::regclass"
        while (found := owner.execute(waits).fetchone()) is None:
            assert not closing.done()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [found[0]])
        assert isinstance(closing.result(timeout=20), DatabaseError)
        owner.rollback()
    assert not DayClose.objects.filter(day=today).exists()

    *_, again = close_days()

    assert again.day == today and again.balances and _closed_at(again) == _had(again)


def test_the_command_prints_the_trial_balance(books: Books) -> None:
    _go_to(10)
    books.open("su", 123_456)
    _go_to(6)
    said = StringIO()
    call_command("close_day", stdout=said)
    assert "1,234.56" in said.getvalue() and "customers-I" in said.getvalue()


def test_a_close_is_not_changed_afterwards(books: Books) -> None:
    _go_to(10)
    books.open("su", 100)
    _go_to(6)
    *_, close = close_days()
    with pytest.raises(DatabaseError), transaction.atomic():
        close.lines.update(closing_fen=0)
    with pytest.raises(DatabaseError), transaction.atomic():
        DayClose.objects.filter(pk=close.pk).update(upto=0)


def test_the_trial_balance_is_told_by_nature_with_its_totals(books: Books) -> None:
    today = _go_to(10)
    su = books.open("su", 1_000)
    books.post((su, -300), (books.bank("clearing-out"), 300))
    books.post((books.bank("clearing-in"), -40), (su, 40))
    _go_to(6)
    close_days()

    told = Caller(books.world.people["fang"]).get(f"/api/finance/operations/day-closes/{today}").json()

    assert {line["group"]: line["nature"] for line in told["items"]} == {
        "clearing-in": "asset",
        "clearing-out": "liability",
        "customers-I": "liability",
        "demo-opening": "equity",
    }
    assert told["natures"] == [
        {"nature": "asset", "opening_fen": 0, "debit_fen": 40, "credit_fen": 0, "closing_fen": -40},
        {"nature": "liability", "opening_fen": 0, "debit_fen": 300, "credit_fen": 1_340, "closing_fen": 1_040},
        {"nature": "equity", "opening_fen": 0, "debit_fen": 1_000, "credit_fen": 0, "closing_fen": -1_000},
    ]
    assert (told["closing_debit_fen"], told["closing_credit_fen"]) == (1_040, 1_040)
