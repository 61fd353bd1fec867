"""No executed statement stays without its receipt, whatever became of its outbox row."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from finance.bank_session import receipt_sweep, receipts, tasks
from finance.bank_session.models import Confirmation, Receipt, ReceiptSweep
from kernel import jobs
from kernel.clock import now
from kernel.ids import first_at, new_id
from kernel.models import OutboxRow
from tests.finance.bank_session.conftest import Bench
from tests.finance.bank_session.test_receipts import confirmed, fetched
from tests.finance.bank_session.test_sm2 import installed, pair


@pytest.fixture(autouse=True)
def at_once_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is confirmed here counts as older than what the outbox takes care of."""
    monkeypatch.setattr(receipt_sweep, "OUTBOX_S", -1)


def said() -> tuple[list[str], str]:
    """The alarms that machines are told, and the figures."""
    host = {"Host": site.APP_NETLOC}
    alarms = Client().get("/readyz", headers=host).json().get("alarms", [])
    return alarms, Client().get("/metrics", headers=host).content.decode()


def given_up() -> None:
    """The worker has tried the rows as often as it does."""
    OutboxRow.objects.filter(done_at=None).update(attempts=jobs.MAX_ATTEMPTS - 1)
    jobs.drain()
    assert OutboxRow.objects.filter(topic="bank_session.confirmed#1").exclude(failed_at=None).exists()


def test_receipts_that_a_certificate_out_of_its_time_kept_back_are_signed_once_there_is_another(
    bench: Bench, settings: Any, tmp_path: Path
) -> None:
    installed(tmp_path, settings, pair(begins=timedelta(days=-9), ends=timedelta(days=-1)))
    intents = [confirmed(bench) for _ in range(2)]
    given_up()

    tasks.sweep_receipts()

    alarms, figures = said()
    assert alarms == ["receipts"] and "rongliao_receipts_missing 2.0" in figures and not Receipt.objects.exists()

    (tmp_path / "renewed").mkdir()
    installed(tmp_path / "renewed", settings, pair())
    for _ in range(2):
        tasks.sweep_receipts()
    alarms, figures = said()
    assert alarms == [] and "rongliao_receipts_missing 0.0" in figures
    assert Receipt.objects.count() == 2 == len({fetched(bench, intent).content for intent in intents})


def test_one_that_cannot_be_signed_keeps_no_other_back_and_is_not_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    intents = [confirmed(bench) for _ in range(3)]
    issue = receipts.issue

    def broken_for_one(intent_id: uuid.UUID) -> Any:
        if str(intent_id) == intents[1]:
            raise ValueError("no such letter")
        return issue(intent_id)

    monkeypatch.setattr(receipts, "issue", broken_for_one)
    noted = [receipt_sweep.sweep() for _ in range(2)]
    first, stuck, _ = Confirmation.objects.order_by("pk")
    assert [(one.through, one.missing) for one in noted] == [(first.pk, 1)] * 2
    assert Receipt.objects.count() == 2 and str(stuck.intent_id) == intents[1]

    monkeypatch.setattr(receipts, "issue", issue)
    assert receipt_sweep.sweep().missing == 0 and Receipt.objects.count() == 3


def test_a_run_is_bounded_goes_on_where_it_stopped_and_leaves_the_young_to_the_outbox(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        confirmed(bench)
    monkeypatch.setattr(receipt_sweep, "PAGE", 1)
    monkeypatch.setattr(receipt_sweep, "PAGES", 2)
    receipt_sweep.sweep()
    assert Receipt.objects.count() == 2
    monkeypatch.setattr(receipt_sweep, "OUTBOX_S", 300)
    receipt_sweep.sweep()
    assert Receipt.objects.count() == 2
    monkeypatch.setattr(receipt_sweep, "OUTBOX_S", -1)
    receipt_sweep.sweep()
    assert Receipt.objects.count() == 3 and ReceiptSweep.objects.count() == 1


def test_a_signer_that_is_out_of_order_is_not_asked_for_ever(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    installed(tmp_path, settings, pair(begins=timedelta(days=-9), ends=timedelta(days=-1)))
    for _ in range(3):
        confirmed(bench)
    monkeypatch.setattr(receipt_sweep, "MAX_FAILED", 2)
    assert receipt_sweep.sweep().missing == 2


def test_ids_of_earlier_and_of_later_are_told_apart_by_their_time() -> None:
    moment = now()
    assert first_at(moment - timedelta(seconds=1)) < new_id() < first_at(moment + timedelta(seconds=9))
