"""A key that is at work: whoever repeats it meanwhile is told so at once, and nothing is done twice."""

import uuid

from django.db import connection, transaction

from finance.ledger.models import Entry
from finance.payments.models import Transfer
from kernel.models import StoredAnswer
from tests.finance.payments.conftest import RICH, Town, busy_town
from tests.finance.payments.test_races import held
from tests.support.aside import Aside

__all__ = ["busy_town"]


def test_a_repeat_while_the_first_is_at_work_is_in_flight(busy_town: Town) -> None:
    transfer, key = held(busy_town), str(uuid.uuid4())
    lin = busy_town["lin"]

    with transaction.atomic():
        Transfer.objects.select_for_update().get(pk=transfer.pk)
        first = Aside(lambda: busy_town.accept("lin", str(transfer.pk), key=key))
        assert first.waits()

        def repeat() -> object:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return busy_town.accept("lin", str(transfer.pk), key=key)

        again = Aside(repeat).result()
    done = first.result()

    assert (again.status_code, again.json()["error"]["code"]) == (409, "in_flight")
    assert done.status_code == 200 and busy_town.money("lin") == (RICH + 100, 0)
    assert Entry.objects.filter(reference=transfer.pk).count() == 1
    assert StoredAnswer.objects.filter(person_id=lin.id, key=key).count() == 1
