from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, transaction

from kernel import jobs, tasks
from kernel.clock import business_now
from kernel.models import Heartbeat, OutboxRow

seen: list[int] = []


@pytest.fixture(autouse=True)
def topics() -> Iterator[None]:
    seen.clear()

    def note(payload: jobs.Payload) -> None:
        seen.append(payload["n"])

    def refuse(payload: jobs.Payload) -> None:
        OutboxRow.objects.create(topic="test.half", payload={}, run_at=business_now() + timedelta(days=9))
        raise OSError("the other side is away")

    jobs._consumers.update({"test.note": [note], "test.refuse": [refuse], "test.both": [note, note]})
    yield
    for topic in ("test.note", "test.refuse", "test.both"):
        jobs._consumers.pop(topic)


@pytest.mark.django_db
def test_a_row_is_run_once_and_kept_as_done() -> None:
    with transaction.atomic():
        jobs.enqueue("test.note", {"n": 1})
    assert (jobs.drain(), jobs.drain(), seen) == (1, 0, [1])


@pytest.mark.django_db
def test_a_worker_that_is_busy_for_long_lives_and_lets_other_tasks_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "DRAIN_S", 0.05)
    monkeypatch.setitem(jobs._consumers, "test.note", [lambda payload: sleep(0.02)])
    with transaction.atomic():
        for number in range(20):
            jobs.enqueue("test.note", {"n": number})
    Heartbeat.objects.filter(role="worker").delete()

    tasks.drain()

    left = OutboxRow.objects.filter(topic="test.note", done_at=None).count()
    assert 10 < left < 20 and Heartbeat.objects.filter(role="worker").exists()
    assert jobs.drain() == left


@pytest.mark.django_db
def test_the_same_key_is_enqueued_once_even_after_it_was_done() -> None:
    with transaction.atomic():
        jobs.enqueue("test.note", {"n": 1}, key="k")
        jobs.enqueue("test.note", {"n": 2}, key="k")
    jobs.drain()
    with transaction.atomic():
        jobs.enqueue("test.note", {"n": 3}, key="k")
    assert (jobs.drain(), seen) == (0, [1])


@pytest.mark.django_db
def test_each_consumer_of_a_topic_has_its_own_row() -> None:
    with transaction.atomic():
        jobs.enqueue("test.both", {"n": 4}, key="k")
    assert (jobs.drain(), seen) == (2, [4, 4])


@pytest.mark.django_db
def test_a_failure_leaves_nothing_half_done_and_is_tried_again_later() -> None:
    with transaction.atomic():
        jobs.enqueue("test.refuse", {})
    assert jobs.drain() == 0
    row = OutboxRow.objects.get(topic="test.refuse")
    assert (row.attempts, row.last_error, row.done_at) == (1, "OSError", None)
    assert row.run_at > business_now()
    assert not OutboxRow.objects.filter(topic="test.half").exists()


@pytest.mark.django_db
def test_a_row_that_never_succeeds_is_set_aside() -> None:
    with transaction.atomic():
        jobs.enqueue("test.refuse", {})
    for _ in range(jobs.MAX_ATTEMPTS):
        OutboxRow.objects.filter(topic="test.refuse").update(run_at=business_now())
        jobs.drain()
    row = OutboxRow.objects.get(topic="test.refuse")
    assert (row.attempts, row.failed_at is not None) == (jobs.MAX_ATTEMPTS, True)


@pytest.mark.django_db
def test_what_is_due_later_waits() -> None:
    with transaction.atomic():
        jobs.enqueue("test.note", {"n": 1}, run_at=business_now() + timedelta(minutes=1))
    assert (jobs.drain(), seen) == (0, [])


@pytest.mark.django_db
def test_a_row_rolled_back_with_its_fact_never_runs() -> None:
    with pytest.raises(ValueError, match="no"), transaction.atomic():
        jobs.enqueue("test.note", {"n": 1})
        raise ValueError("no")
    assert (jobs.drain(), seen) == (0, [])


def test_four_workers_run_each_row_once(fresh_database: object) -> None:
    with transaction.atomic():
        for number in range(200):
            jobs.enqueue("test.note", {"n": number})
    start = Barrier(4)

    def work() -> None:
        start.wait()
        while jobs.drain():
            pass
        connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(200))


def test_wake_ups_that_come_together_are_few_and_the_last_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, heard = 0, []

    def send(name: str, **_: Any) -> None:
        heard.append(asked)
        sleep(0.01)

    monkeypatch.setattr(jobs.current_app, "send_task", send)
    waker = jobs._Waker()
    for _ in range(200):
        asked += 1
        waker.wake()
        sleep(0.001)
    until = monotonic() + 10
    while heard[-1:] != [200] and monotonic() < until:
        sleep(0.01)

    assert heard[-1] == 200 and len(heard) < 50


@pytest.mark.django_db
def test_a_transaction_wakes_the_worker_once_also_after_one_that_was_rolled_back(
    settings: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    settings.TESTING = False
    woken: list[str] = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, **_: woken.append(name))
    with pytest.raises(ValueError, match="no"), django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        jobs.enqueue("test.note", {"n": 1})
        raise ValueError("no")
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        jobs.enqueue("test.note", {"n": 1})
        jobs.enqueue("test.note", {"n": 2})
    until = monotonic() + 10
    while not woken and monotonic() < until:
        sleep(0.01)
    sleep(3 * jobs._Waker.PAUSE_S)
    assert woken == ["kernel.drain"]
