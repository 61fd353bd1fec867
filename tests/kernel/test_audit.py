import json
import time
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from kernel import audit
from kernel.models import AuditLink, AuditRow
from tests.conftest import FreshDatabase as Database
from tests.support.database import server

PATIENCE_S = 5


def as_owner(database: Database, statements: str) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(statements)


def other_database() -> str:
    """Another database of the same server."""
    return server().url(server().superuser, "postgres")


def seal_all(head: Path | None = None) -> None:
    """Seals until nothing is left."""
    until = time.monotonic() + PATIENCE_S
    while AuditRow.objects.filter(link=None).exists():
        assert time.monotonic() < until, "rows are left unsealed"
        audit.seal_and_publish(head) if head else audit.seal()
        time.sleep(0.02)


@pytest.fixture
def chain(fresh_database: Database, tmp_path: Path) -> Path:
    head = tmp_path / "head.jsonl"
    for number in range(5):
        audit.record(None, "test.deed", f"thing:{number}", {"n": number})
        seal_all(head)
    return head


def test_what_was_recorded_is_linked_in_order(chain: Path) -> None:
    rows, found = audit.verify(chain)
    assert (rows >= 5, found) == (True, None)
    assert [row["position"] for row in map(json.loads, chain.read_text().splitlines())] == sorted(
        AuditLink.objects.values_list("position", flat=True)
    )[-5:]


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE kernel_auditrow SET detail = '{\"n\": 99}' WHERE subject = 'thing:2'",
        "UPDATE kernel_auditrow SET subject = 'thing:9' WHERE subject = 'thing:2'",
        "UPDATE kernel_auditrow SET at = at - interval '1 hour' WHERE subject = 'thing:2'",
        "DELETE FROM kernel_auditlink WHERE position = (SELECT max(position) - 1 FROM kernel_auditlink)",
        "DELETE FROM kernel_auditlink WHERE position = (SELECT max(position) FROM kernel_auditlink)",
        "UPDATE kernel_auditlink SET digest = sha256(digest) WHERE position = (SELECT max(position) FROM kernel_auditlink)",  # noqa: E501
    ],
)
def test_an_insider_with_the_owners_rights_is_found_out(chain: Path, fresh_database: Database, attack: str) -> None:
    as_owner(fresh_database, attack)
    assert audit.verify(chain)[1] is not None


def test_two_rows_that_changed_places_are_found_out(chain: Path, fresh_database: Database) -> None:
    first, second = AuditLink.objects.order_by("-position")[:2]
    as_owner(
        fresh_database,
        f"DELETE FROM kernel_auditlink WHERE position IN ({first.position}, {second.position});"
        f"INSERT INTO kernel_auditlink (position, row_id, digest) VALUES"
        f" ({first.position}, {second.row_id}, '\\x{bytes(first.digest).hex()}'),"
        f" ({second.position}, {first.row_id}, '\\x{bytes(second.digest).hex()}')",
    )
    assert audit.verify(chain)[1] is not None


@pytest.mark.parametrize("table", ["kernel_auditrow", "kernel_auditlink"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET position = 1", "TRUNCATE {}"])
@pytest.mark.django_db
def test_the_servers_role_cannot_change_the_chain(table: str, verb: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb.format(table).replace("position", "id" if table.endswith("row") else "position"))


def test_a_row_of_a_transaction_still_running_is_linked_after_it_ends(fresh_database: Database) -> None:
    recorded, finish = Event(), Event()

    def slow() -> None:
        with transaction.atomic():
            audit.record(None, "test.slow", "slow", {})
            recorded.set()
            finish.wait(10)
        connection.close()

    thread = Thread(target=slow)
    thread.start()
    recorded.wait(10)
    audit.record(None, "test.quick", "quick", {})
    audit.seal()
    assert not AuditLink.objects.filter(row__subject__in=["slow", "quick"]).exists()
    finish.set()
    thread.join()
    seal_all()
    linked = AuditLink.objects.filter(row__subject__in=["slow", "quick"]).order_by("position")
    assert [link.row.subject for link in linked] == ["slow", "quick"]
    assert AuditRow.objects.filter(link=None).count() == 0


def test_a_transaction_of_another_database_holds_nobody_back(fresh_database: Database) -> None:
    with psycopg.connect(other_database()) as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        audit.record(None, "test.quick", "quick", {})
        audit.seal()
        assert AuditLink.objects.filter(row__subject="quick").exists()


def test_a_row_that_was_recorded_late_in_an_old_transaction_is_never_skipped(fresh_database: Database) -> None:
    """The transaction is older than others that are sealed meanwhile, and writes its row after they have."""
    with psycopg.connect(fresh_database.url) as old:
        old.execute("SELECT pg_current_xact_id()")
        with psycopg.connect(other_database()) as elsewhere:
            elsewhere.execute("SELECT pg_current_xact_id()")
            audit.record(None, "test.deed", "between", {})
            audit.seal()
            assert not AuditLink.objects.filter(row__subject="between").exists()
            old.execute(
                "INSERT INTO kernel_auditrow (action, subject, detail, mac) "
                "SELECT action, 'late', detail, mac FROM kernel_auditrow WHERE subject = 'between'"
            )
            audit.seal()
            assert not AuditLink.objects.filter(row__subject__in=["between", "late"]).exists()
            old.commit()
            audit.seal()
    linked = AuditLink.objects.filter(row__subject__in=["between", "late"]).order_by("position")
    assert [link.row.subject for link in linked] == ["between", "late"]


def test_a_transaction_that_is_rolled_back_does_not_stop_the_chain(fresh_database: Database) -> None:
    with psycopg.connect(fresh_database.url) as given_up:
        given_up.execute("SELECT pg_current_xact_id()")
        audit.record(None, "test.deed", "after", {})
        given_up.rollback()
    seal_all()
    assert AuditLink.objects.filter(row__subject="after").exists()
