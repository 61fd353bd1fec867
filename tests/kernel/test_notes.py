from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from kernel import audit, jobs, notes
from kernel.models import AuditRow, OutboxRow

pytestmark = pytest.mark.django_db


def _noted() -> tuple[list[str], list[str]]:
    audited = list(AuditRow.objects.filter(subject="test").order_by("pk").values_list("action", flat=True))
    told = list(OutboxRow.objects.filter(topic__startswith="test.").order_by("pk").values_list("topic", flat=True))
    return audited, told


def test_what_is_gathered_goes_in_at_the_end_in_one_statement_and_in_order() -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as seen, notes.gathered():
        for number in "123":
            audit.record(None, f"deed.{number}", "test")
            jobs.enqueue(f"test.{number}", {})
        assert len(seen) == 0
    assert len([query for query in seen if "INSERT" in query["sql"]]) == 1
    assert _noted() == (["deed.1", "deed.2", "deed.3"], ["test.1", "test.2", "test.3"])
    assert audit.verify()[1] is None


def test_what_was_noted_before_a_refusal_is_not_written() -> None:
    with pytest.raises(OSError), transaction.atomic(), notes.gathered():
        audit.record(None, "deed.1", "test")
        raise OSError
    with transaction.atomic():
        audit.record(None, "deed.2", "test")
    assert _noted() == (["deed.2"], [])


def test_what_is_noted_in_a_savepoint_shares_its_fate() -> None:
    with transaction.atomic(), notes.gathered():
        jobs.enqueue("test.1", {})
        with pytest.raises(OSError), transaction.atomic():
            audit.record(None, "deed.lost", "test")
            jobs.enqueue("test.lost", {})
            raise OSError
        audit.record(None, "deed.1", "test")
    assert _noted() == (["deed.1"], ["test.1"])


def test_a_key_that_is_gathered_twice_is_enqueued_once() -> None:
    with transaction.atomic(), notes.gathered():
        jobs.enqueue("test.1", {"n": 1}, key="k")
        jobs.enqueue("test.1", {"n": 2}, key="k")
    rows: Any = OutboxRow.objects.filter(topic="test.1").values_list("payload", flat=True)
    assert list(rows) == [{"n": 1}]
