"""What the bank took back by four eyes says so to everybody who had been told that it arrived."""

from uuid import UUID

import pytest

from chat.models import Card
from finance.ledger.models import Entry
from finance.payments.jobs import entry_reversed
from finance.payments.models import Transfer
from kernel import jobs
from tests.finance.payments.conftest import RICH, Town, check_books, take_back


@pytest.fixture
def received(town: Town) -> str:
    """A transfer that lin has taken."""
    transfer_id = town.send("su", "lin", 500_00)
    assert town.accept("lin", transfer_id).status_code == 200
    jobs.drain()
    return transfer_id


def entry_of(reference: str) -> UUID:
    return Entry.objects.get(reference=reference, reverses__isnull=True).pk


def test_a_received_transfer_that_was_taken_back_says_so_on_its_card_and_to_both(town: Town, received: str) -> None:
    take_back(town, entry_of(received))
    jobs.drain()

    assert town.money("su") == town.money("lin") == (RICH, 0)
    card = Card.objects.get(kind="transfer", ref=received)
    assert (card.state, card.revision) == ("reversed", 3)
    for name in ("su", "lin"):
        seen = town[name].get(f"/api/finance/transfers/{received}").json()
        assert (seen["state"], seen["may_accept"], seen["may_return"]) == ("reversed", False, False)
        assert seen["reversed_at"] > seen["finished_at"]
        assert seen["own_account"]
    assert town.accept("lin", received).json()["error"]["code"] == "transfer_finished"
    assert town.give_back("lin", received).json()["error"]["code"] == "transfer_finished"
    check_books()


def test_the_list_of_conversations_says_it_too(town: Town, received: str) -> None:
    take_back(town, entry_of(received))
    jobs.drain()
    assert "[转账] 已冲正 ¥ 500.00" in town["su"].get("/api/chat/conversations").content.decode()


def test_hearing_of_it_twice_changes_nothing_more(town: Town, received: str) -> None:
    entry = entry_of(received)
    take_back(town, entry)
    jobs.drain()
    first = Transfer.objects.values().get(pk=received)
    entry_reversed({"entry_id": str(entry), "kind": "transfer", "reference": received})
    jobs.drain()
    assert Transfer.objects.values().get(pk=received) == first


def test_a_transfer_that_was_not_taken_back_stays_received(town: Town, received: str) -> None:
    other = town.send("su", "lin", 1_00)
    assert town.accept("lin", other).status_code == 200
    take_back(town, entry_of(other))
    jobs.drain()
    assert Transfer.objects.get(pk=received).state == "received"
    assert Card.objects.get(ref=received).state == "received"
