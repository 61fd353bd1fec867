from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from kernel import audit, jobs, notes, rows
from kernel.ids import new_id
from kernel.models import AuditRow, OutboxRow, Picture

pytestmark = pytest.mark.django_db


def _noted() -> tuple[list[str], list[str]]:
    audited = list(AuditRow.objects.filter(subject="test").order_by("pk").values_list("action", flat=True))
    told = list(OutboxRow.objects.filter(topic__startswith="test.").order_by("pk").values_list("topic", flat=True))
    return audited, told


@pytest.mark.parametrize("count", [1, 3, notes.FEW, notes.FEW + 1, 40])
def test_what_is_gathered_goes_in_at_the_end_in_one_statement_and_in_order(count: int) -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as seen, notes.gathered():
        for number in range(count):
            audit.record(None, f"deed.{number}", "test", {"名": [number, None]})
            jobs.enqueue(f"test.{number}", {"n": number, "text": "\u2028\"'\\"})
        assert len(seen) == 0
    assert len([query for query in seen if "INSERT" in query["sql"]]) == 1
    assert _noted() == ([f"deed.{number}" for number in range(count)], [f"test.{number}" for number in range(count)])
    details = AuditRow.objects.filter(subject="test").order_by("pk").values_list("detail", flat=True)
    payloads = OutboxRow.objects.filter(topic__startswith="test.").order_by("pk").values_list("payload", flat=True)
    assert list(details) == [{"名": [number, None]} for number in range(count)]
    assert list(payloads) == [{"n": number, "text": "\u2028\"'\\"} for number in range(count)]
    audit.seal()
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


def _picture(name: str) -> Picture:
    return Picture(owner_id=new_id(), name=name, width=1, height=1, size_bytes=1, sha256=b"")


def _there() -> set[str]:
    return set(Picture.objects.filter(name__in=["first", "second"]).values_list("name", flat=True))


def test_a_row_and_what_depends_on_it_are_written_in_one_statement() -> None:
    with CaptureQueriesContext(connection) as seen, notes.gathered(on="kept") as written:
        rows.insert(_picture("first"), if_new=True, name="kept")
        rows.insert(_picture("second"))
        audit.record(None, "deed.1", "test")
    assert len(seen) == 1
    assert written.wrote
    assert _there() == {"first", "second"}
    assert _noted() == (["deed.1"], [])


def test_nothing_is_written_where_the_row_that_all_depends_on_stands_already() -> None:
    rows.insert(_picture("first"))
    with notes.gathered(on="kept") as written:
        rows.insert(_picture("first"), if_new=True, name="kept")
        rows.insert(_picture("second"))
        audit.record(None, "deed.1", "test")
    assert not written.wrote
    assert _there() == {"first"}
    assert _noted() == ([], [])


def test_a_text_that_is_too_long_for_its_column_is_refused_not_cut() -> None:
    with pytest.raises(DataError), transaction.atomic():
        rows.insert(_picture("x" * 65))
