"""What the locks of transfers and payouts are for, shown with one client that holds and another that waits."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction

from finance.payments.actions import payouts, transfers
from finance.payments.errors import TransferFinished
from finance.payments.models import Payout, Transfer
from kernel.clock import business_now
from tests.finance.payments.conftest import RICH, Town, check_books
from tests.finance.payments.test_races import held
from tests.support.aside import Aside


def _accept(town: Town, transfer: Transfer) -> Transfer:
    return transfers.accept(transfer_id=transfer.pk, payee_id=town.people["lin"], account_id=town.account["lin"])


def test_a_transfer_that_is_being_returned_is_not_received(busy_town: Town) -> None:
    transfer = held(busy_town)

    with transaction.atomic():
        transfers.send_back(transfer_id=transfer.pk, payee_id=busy_town.people["lin"])
        other = Aside(lambda: _accept(busy_town, transfer))
        assert other.waits()
    with pytest.raises(TransferFinished):
        other.result()

    assert (busy_town.money("su"), busy_town.money("lin")) == ((RICH, 0), (RICH, 0))
    check_books()


def test_a_transfer_that_is_being_received_does_not_expire(busy_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    transfer = held(busy_town)

    with transaction.atomic():
        _accept(busy_town, transfer)
        monkeypatch.setattr(transfers, "business_now", lambda: business_now() + timedelta(hours=25))
        other = Aside(lambda: transfers.expire(transfer_id=transfer.pk))
        assert other.waits()
    other.result()

    assert Transfer.objects.get(pk=transfer.pk).state == "received"
    assert busy_town.money("lin") == (RICH + 100, 0)


def test_a_step_of_a_payout_that_is_being_done_is_not_done_again(busy_town: Town) -> None:
    opened = busy_town.open_class("jiang", "III").json()["account_id"]
    busy_town.fund(opened, 1_000)
    busy_town.account["jiang"] = uuid.UUID(opened)
    payout_id = busy_town.pay_out("jiang", 500)

    with transaction.atomic():
        payout = Payout.objects.select_for_update().get(pk=payout_id)
        payout.steps = 5
        payout.save(update_fields=["steps"])
        other = Aside(lambda: payouts.step(payout_id=payout.pk, number=0))
        assert other.waits()
    other.result()

    assert Payout.objects.get(pk=payout_id).steps == 5
