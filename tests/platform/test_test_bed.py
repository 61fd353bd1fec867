"""The ground that the other tests stand on."""

import http.client
import json
import threading

import psycopg
import pytest
import redis
from django.db import InternalError, ProgrammingError, connection, transaction

from kernel.models import OutboxRow
from tests.conftest import FreshDatabase
from tests.support.site import Site


@pytest.mark.django_db
def test_tests_connect_as_the_servers_role_which_is_no_superuser_and_passes_no_row_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("rongliao_app", False, False)


@pytest.mark.django_db
def test_the_servers_role_can_neither_alter_nor_empty_a_table() -> None:
    for statement in ("TRUNCATE kernel_outboxrow", "ALTER TABLE kernel_outboxrow ADD x int", "CREATE TABLE x ()"):
        with pytest.raises((ProgrammingError, InternalError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_fresh_database_shows_commits_to_threads_and_other_connections(fresh_database: FreshDatabase) -> None:
    def write() -> None:
        OutboxRow.objects.create(topic="t", payload={}, run_at="2026-01-01T00:00:00Z")
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert OutboxRow.objects.filter(topic="t").count() == 1
    with psycopg.connect(fresh_database.url) as other:
        assert other.execute("SELECT count(*) FROM kernel_outboxrow WHERE topic = 't'").fetchone() == (1,)


@pytest.mark.django_db
def test_what_another_test_committed_to_its_fresh_database_is_not_here() -> None:
    assert not OutboxRow.objects.filter(topic="t").exists()


def test_redis_is_real_and_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("a", 1)
        assert client.get("a") == b"1"


def get(site: Site, path: str) -> tuple[int, bytes]:
    caller = http.client.HTTPConnection("127.0.0.1", site.app_port, timeout=10)
    caller.request("GET", path, headers={"Host": f"localhost:{site.app_port}"})
    answer = caller.getresponse()
    return answer.status, answer.read()


def test_a_site_is_ready_from_its_first_answer_and_again_after_kill_9(site: Site) -> None:
    status, body = get(site, "/readyz")
    assert (status, json.loads(body)["checks"]) == (200, {"database": True, "layer": True, "worker": True})
    site.kill9()
    with pytest.raises(OSError, match="refused"):
        get(site, "/healthz")
    site.restart()
    assert get(site, "/readyz")[0] == 200
