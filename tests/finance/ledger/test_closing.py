"""The end of the day: every posting is in one close, and a day opens where the day before closed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from finance.ledger.closing import close_day
from finance.ledger.models import DayClose
from kernel import clock
from tests.finance.ledger.conftest import Books


@pytest.fixture(autouse=True)
def _demo(settings) -> None:
    settings.DEMO = True


def _lines(close: DayClose) -> dict[str, tuple[int, int, int, int]]:
    return {
        line.group: (line.opening_fen, line.debit_fen, line.credit_fen, line.closing_fen) for line in close.lines.all()
    }


def test_a_day_is_closed_once_with_a_trial_balance_and_the_next_opens_where_it_closed(books: Books) -> None:
    su, lin = books.open("su", 1_000), books.open("jiang", account_class="III", ceiling_fen=200_000)
    books.post((su, -300), (lin, 300))
    first = close_day()
    assert first is not None and first.day == clock.business_date() - timedelta(days=1)
    assert close_day() is None
    assert _lines(first) == {
        "demo-opening": (0, 1_000, 0, -1_000),
        "customers-I": (0, 300, 1_000, 700),
        "customers-III": (0, 0, 300, 300),
    }

    books.post((lin, -50), (books.bank("settlement"), 50))
    clock.advance(timedelta(days=1))
    second = close_day()

    assert second is not None and second.balances and second.since == first.upto
    assert _lines(second) == {
        "demo-opening": (-1_000, 0, 0, -1_000),
        "customers-I": (700, 0, 0, 700),
        "customers-III": (300, 50, 0, 250),
        "settlement": (0, 0, 50, 50),
    }


def test_the_command_prints_the_trial_balance(books: Books) -> None:
    books.open("su", 123_456)
    said = StringIO()
    call_command("close_day", stdout=said)
    assert "1,234.56" in said.getvalue() and "customers-I" in said.getvalue()


def test_a_close_is_not_changed_afterwards(books: Books) -> None:
    books.open("su", 100)
    close = close_day()
    assert close is not None
    with pytest.raises(DatabaseError), transaction.atomic():
        close.lines.update(closing_fen=0)
    with pytest.raises(DatabaseError), transaction.atomic():
        DayClose.objects.filter(pk=close.pk).update(upto=0)
