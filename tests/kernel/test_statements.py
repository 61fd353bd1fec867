import datetime
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, connections, transaction
from django.db.models import TextChoices
from django.test.utils import CaptureQueriesContext
from psycopg.types.json import Jsonb

from kernel.prepared import MAX_KEPT, MAX_TYPES
from kernel.statements import Question, ask, own, planned
from tests.conftest import FreshDatabase

OFTEN = 8
"""Runs after which psycopg has had PostgreSQL prepare a statement."""


class Colour(TextChoices):
    RED = "red"


@pytest.fixture
def notebook(fresh_database: FreshDatabase) -> Iterator[str]:
    """A table that a statement can be planned for and that can change under it."""
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE notebook (id bigint PRIMARY KEY, text text)")
        owner.execute("GRANT ALL ON notebook TO PUBLIC")
        owner.execute("INSERT INTO notebook VALUES (1, 'one')")
    yield fresh_database.owner_url


def _change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(statement)


def _prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cast", "value"),
    [
        ("uuid", UUID(int=7)),
        ("timestamptz", datetime.datetime(2026, 12, 1, 8, 30, 0, 5, tzinfo=datetime.UTC)),
        ("date", datetime.date(2026, 12, 1)),
        ("text[]", ["a", "二", None]),
        ("uuid[]", [UUID(int=1), UUID(int=2)]),
        ("bytea", b"\x00\xff"),
        ("boolean", True),
        ("bigint", 2**40),
        ("text", Colour.RED),
        ("text", None),
    ],
)
def test_a_value_comes_back_as_it_was_told_each_time(cast: str, value: Any) -> None:
    for _ in range(OFTEN):
        assert planned(f"SELECT %s::{cast}", [value]) == [(value,)]


@pytest.mark.django_db
def test_a_json_value_is_told_as_such() -> None:
    for _ in range(OFTEN):
        assert planned("SELECT %s -> 'a' ->> 1", [Jsonb({"a": [None, "二"]})]) == [("二",)]


@pytest.mark.django_db
def test_a_statement_is_prepared_once_and_then_run_with_values_of_other_types() -> None:
    before = _prepared()
    for _ in range(OFTEN):
        assert planned("SELECT %s::bigint + 1", [1]) == [(2,)]
    assert _prepared() == before + 1
    for _ in range(OFTEN):
        for value, answer in ((None, None), (2**20, 2**20 + 1), (2**40, 2**40 + 1), ("7", 8), (1, 2)):
            assert planned("SELECT %s::bigint + 1", [value]) == [(answer,)]


@pytest.mark.django_db
def test_a_statement_that_answers_nothing_answers_no_rows() -> None:
    for _ in range(OFTEN):
        assert planned("UPDATE kernel_outboxrow SET attempts = 0 WHERE id = %s", [0]) == []
        assert planned("SELECT id FROM kernel_outboxrow WHERE id = %s", [0]) == []


@pytest.mark.django_db
def test_every_run_is_told_to_who_listens_to_the_connection() -> None:
    heard: list[str] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        heard.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen), CaptureQueriesContext(connection) as seen:
        for _ in range(OFTEN):
            planned("SELECT %s::int", [1])
    assert heard == ["SELECT %s::int"] * OFTEN
    assert len(seen) == OFTEN


@pytest.mark.django_db
def test_a_statement_may_be_run_while_the_same_is_running() -> None:
    def nested(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if params == [1]:
            assert planned("SELECT %s::int", [2]) == [(2,)]
        return answer

    planned("SELECT %s::int", [0])
    with connection.execute_wrapper(nested):
        assert planned("SELECT %s::int", [1]) == [(1,)]


@pytest.mark.django_db
def test_an_error_amid_a_transaction_says_what_is_wrong_and_is_over_with_its_savepoint() -> None:
    with transaction.atomic():
        for _ in range(OFTEN):
            assert planned("SELECT 10 / %s::int", [5]) == [(2,)]
        with pytest.raises(DataError) as caught, transaction.atomic():
            planned("SELECT 10 / %s::int", [0])
        cause: Any = caught.value.__cause__
        assert cause.diag.sqlstate == "22012"
        for _ in range(OFTEN):
            assert planned("SELECT 10 / %s::int", [5]) == [(2,)]


@pytest.mark.parametrize("forgetting", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_a_plan_that_the_connection_has_forgotten_is_made_anew(notebook: str, forgetting: str) -> None:
    for _ in range(OFTEN):
        planned("SELECT text FROM notebook WHERE id = %s", [1])
    with connection.cursor() as cursor:
        cursor.execute(forgetting)
    for _ in range(OFTEN):
        assert planned("SELECT text FROM notebook WHERE id = %s", [1]) == [("one",)]


def test_a_table_that_changes_under_a_plan_is_read_as_it_stands(notebook: str) -> None:
    for _ in range(OFTEN):
        assert planned("SELECT text FROM notebook WHERE id = %s", [1]) == [("one",)]
    _change(notebook, "ALTER TABLE notebook ADD COLUMN more text; CREATE INDEX ON notebook (text)")
    assert planned("SELECT text FROM notebook WHERE id = %s", [1]) == [("one",)]
    _change(notebook, "DROP TABLE notebook; CREATE TABLE notebook AS SELECT 1::bigint AS id, 'other' AS text")
    _change(notebook, "GRANT ALL ON notebook TO PUBLIC")
    assert planned("SELECT text FROM notebook WHERE id = %s", [1]) == [("other",)]


def test_a_transaction_that_is_rolled_back_leaves_nothing_and_the_next_works(notebook: str) -> None:
    insert = "INSERT INTO notebook VALUES (%s, %s)"
    for number in range(2, 2 + OFTEN):
        planned(insert, [number, "more"])
    with pytest.raises(IntegrityError), transaction.atomic():
        planned(insert, [100, "lost"])
        planned(insert, [1, "again"])
    assert planned("SELECT count(*) FROM notebook WHERE id >= %s", [100]) == [(0,)]
    with transaction.atomic():
        planned(insert, [100, "kept"])
    assert planned("SELECT count(*) FROM notebook WHERE id >= %s", [100]) == [(1,)]


def test_a_broken_connection_is_an_operational_error_and_the_next_one_works(fresh_database: FreshDatabase) -> None:
    for _ in range(OFTEN):
        [(process,)] = planned("SELECT pg_backend_pid() WHERE %s::bool", [True])
    _change(fresh_database.url, f"SELECT pg_terminate_backend({process}, 5000)")
    with pytest.raises(OperationalError):
        planned("SELECT pg_backend_pid() WHERE %s::bool", [True])
    connection.close()
    for _ in range(OFTEN):
        assert planned("SELECT pg_backend_pid() WHERE %s::bool", [True]) != [(process,)]


def test_a_statement_that_takes_too_long_is_cancelled_by_the_server(fresh_database: FreshDatabase) -> None:
    for _ in range(OFTEN):
        planned("SELECT true FROM pg_sleep(%s)", [0.0])
    with pytest.raises(OperationalError) as caught, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '20ms'")
        planned("SELECT true FROM pg_sleep(%s)", [60.0])
    assert isinstance(caught.value.__cause__, psycopg.errors.QueryCanceled)
    assert planned("SELECT true FROM pg_sleep(%s)", [0.0]) == [(True,)]


def test_threads_run_the_same_statement_on_their_own_connections(fresh_database: FreshDatabase) -> None:
    def runs(name: str) -> set[tuple[int, str]]:
        try:
            return {tuple(planned("SELECT pg_backend_pid(), %s::text", [name])[0]) for _ in range(50)}
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(runs, ["one", "other"])
    assert {name for _, name in one} == {"one"} and {name for _, name in other} == {"other"}
    assert len({process for process, _ in one | other}) == 2


@pytest.mark.django_db
def test_a_connection_keeps_no_more_statements_than_it_says_here_and_in_the_server() -> None:
    for number in range(MAX_KEPT + 20):
        for _ in range(OFTEN):
            assert planned(f"SELECT %s::int + {number}", [1]) == [(number + 1,)]
    assert len(vars(own().connection)["statements"]) == _prepared() == MAX_KEPT


@pytest.mark.django_db
def test_a_statement_is_kept_for_some_types_of_values_and_no_more() -> None:
    before = _prepared()
    for one in (None, 1, 2**20, 2**40):
        for two in (None, 1, 2**20, 2**40):
            for three in (1, 2**20, 2**40):
                for _ in range(3):
                    values = [one, two, three]
                    assert planned("SELECT %s::bigint, %s::bigint, %s::bigint", values) == [tuple(values)]
    assert 1 <= _prepared() - before <= MAX_TYPES


@pytest.mark.django_db
def test_questions_are_asked_with_one_statement_and_answered_each() -> None:
    def asked(number: int) -> tuple[Question[Any], Question[Any]]:
        found = Question("SELECT %s::int, %s::text", [number, "x"], lambda row: row and tuple(row))
        missing = Question("SELECT %s::uuid WHERE false", [uuid4()], lambda row: row)
        return found, missing

    for number in range(OFTEN):
        found, missing = asked(number)
        with CaptureQueriesContext(connection) as seen:
            answers = ask(found, missing)
        assert (answers.to(found), answers.to(missing), len(seen)) == ((number, "x"), None, 1)
