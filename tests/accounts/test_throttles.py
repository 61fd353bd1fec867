from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts import throttles
from kernel.errors import TooMany

pytestmark = pytest.mark.django_db


def test_a_light_count_inside_a_transaction_leaves_it_waiting_for_the_disk() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = 'on'")
        throttles.hit("test", "su", limit=1, window=timedelta(minutes=1), light=True)
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


def test_a_light_count_counts() -> None:
    for _ in range(3):
        throttles.hit("test", "su", limit=3, window=timedelta(minutes=1), light=True)
    with pytest.raises(TooMany):
        throttles.hit("test", "su", limit=3, window=timedelta(minutes=1), light=True)
