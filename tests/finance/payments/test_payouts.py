"""Money to one's card at another bank; the clearing house delays, rejects, repeats, contradicts and vanishes."""

import subprocess
import sys
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from deploy.local.install import ROOT
from finance.ledger import queries as books
from finance.ledger.models import Account, Entry, Hold
from finance.networks import ports
from finance.networks.ports import Report
from finance.payments.actions import payouts
from finance.payments.models import ClearingBreak, Payout, Transfer
from kernel import clock, jobs
from kernel.models import OutboxRow
from tests.finance.payments.conftest import RICH, Shown, take_back


@pytest.fixture
def jiang(town, network):
    """jiang with a class III account, bound to the card, and 1,000 yuan in it."""
    town.account["jiang"] = town.open_class("jiang", "III").json()["account_id"]
    town.fund(town.account["jiang"], 1_000_00)
    jobs.drain()
    return town


def run_for(steps=1):
    """Lets the worker do what is due now, and then the next steps, each in its own time."""
    jobs.drain()
    for _ in range(steps):
        clock.advance(timedelta(minutes=11))
        jobs.drain()


def test_a_payout_is_held_sent_and_settled(jiang, network):
    body = {
        "id": str(uuid4()),
        "account_id": jiang.account["jiang"],
        "card_id": str(jiang.card("jiang")),
        "amount_fen": 300_00,
    }
    sheet = Shown(jiang["jiang"].post("/api/finance/payouts", body))
    assert sheet.lines["收款卡"].endswith("(本人,*一帆)")
    assert sheet.lines["手续费"] == "¥ 0.00"
    assert sheet.confirm().status_code == 200
    assert jiang.money("jiang") == (1_000_00, 300_00)
    assert jiang.payout("jiang", body["id"])["state"] == "accepted"
    jobs.drain()
    assert jiang.payout("jiang", body["id"])["state"] == "settled"
    assert jiang.money("jiang") == (700_00, 0)
    assert books.balance(books.internal("clearing-out")) == 300_00
    assert [row["amount_fen"] for row in network.payments()] == [300_00]
    assert jiang["jiang"].get("/api/finance/payouts").json()["items"][0]["state"] == "settled"


def test_a_settled_payout_that_was_taken_back_says_so_and_its_end_heard_again_is_harmless(jiang, network):
    network.order({"on": "transfer", "do": "repeat"})
    payout_id = jiang.pay_out("jiang", 300_00)
    run_for(2)
    take_back(jiang, Entry.objects.get(reference=payout_id).pk)
    jobs.drain()
    assert jiang.payout("jiang", payout_id)["state"] == "reversed"
    assert jiang.money("jiang") == (1_000_00, 0)
    with transaction.atomic():
        payouts.apply(payout=Payout.objects.select_for_update().get(pk=payout_id), report=Report(uuid4(), "ACSC"))
    assert jiang.payout("jiang", payout_id)["state"] == "reversed"
    assert not ClearingBreak.objects.exists()


def test_flows_with_the_bound_card_use_no_limit(jiang):
    jiang.fund(jiang.account["jiang"], 1_000_00)
    for _ in range(2):
        jiang.pay_out("jiang", 1_000_00)
    run_for()
    jiang.fund(jiang.account["jiang"], 2_000_00)
    jiang.pay_out("jiang", 2_000_00)
    run_for()
    assert set(Payout.objects.values_list("state", flat=True)) == {"settled"}


def test_a_rejection_gives_the_money_back_and_says_why(jiang, network):
    network.order({"on": "transfer", "do": "reject", "reason": "AC04"})
    payout_id = jiang.pay_out("jiang", 300_00)
    run_for()
    seen = jiang.payout("jiang", payout_id)
    assert (seen["state"], seen["reason"]) == ("returned", "对方银行说这张卡已销户")
    assert jiang.money("jiang") == (1_000_00, 0)


def test_an_answer_that_comes_twice_settles_once(jiang, network):
    network.order({"on": "transfer", "do": "repeat"})
    jiang.pay_out("jiang", 300_00)
    run_for(2)
    assert jiang.money("jiang") == (700_00, 0)
    assert books.balance(books.internal("clearing-out")) == 300_00
    assert not ClearingBreak.objects.exists()


def test_a_payout_that_takes_its_time_is_asked_after_until_it_settles(jiang, network):
    network.order({"on": "transfer", "do": "pending", "seconds": 1.0})
    payout_id = jiang.pay_out("jiang", 300_00)
    jobs.drain()
    assert jiang.payout("jiang", payout_id)["state"] == "sent"
    assert jiang.money("jiang") == (1_000_00, 300_00)
    time.sleep(1.05)
    run_for()
    assert jiang.payout("jiang", payout_id)["state"] == "settled"
    assert len(network.payments()) == 1


@pytest.mark.parametrize("trouble", ["lose", "vanish", "delay"])
def test_a_request_or_an_answer_that_is_lost_ends_settled_once(jiang, network, trouble):
    network.order({"on": "transfer", "do": trouble, "times": 1, "seconds": 5.5})
    payout_id = jiang.pay_out("jiang", 300_00)
    jobs.drain()
    assert jiang.payout("jiang", payout_id)["state"] == "accepted"
    assert jiang.money("jiang") == (1_000_00, 300_00)
    run_for()
    assert jiang.payout("jiang", payout_id)["state"] == "settled"
    assert jiang.money("jiang") == (700_00, 0)
    assert len(network.payments()) == 1


def test_a_network_that_is_gone_opens_a_break_and_its_return_closes_it(jiang, network):
    network.kill()
    payout_id = jiang.pay_out("jiang", 300_00)
    run_for(payouts.DOUBT_AFTER_STEPS)
    seen = jiang.payout("jiang", payout_id)
    assert (seen["state"], seen["in_doubt"]) == ("accepted", True)
    (row,) = jiang["fang"].get("/api/finance/clearing-breaks").json()["items"]
    assert (row["payout_id"], row["kind"]) == (payout_id, "no_answer")
    assert jiang["jiang"].get("/api/finance/clearing-breaks").status_code == 403
    assert jiang.money("jiang") == (1_000_00, 300_00)
    network.start()
    run_for()
    assert jiang.payout("jiang", payout_id)["state"] == "settled"
    assert jiang["fang"].get("/api/finance/clearing-breaks").json()["items"] == []
    assert len(network.payments()) == 1


class Broken:
    """A clearing adapter with a fault that nobody foresaw."""

    def send(self, payment):
        raise RuntimeError("boom")

    def ask(self, end_to_end_id):
        raise RuntimeError("boom")


def test_a_step_that_fails_for_good_opens_a_break_which_operations_have_tried_again(jiang, network):
    sound = ports.clearing.get()
    ports.clearing.fill(Broken())
    try:
        payout_id = jiang.pay_out("jiang", 300_00)
        for _ in range(jobs.MAX_ATTEMPTS):
            jobs.drain()
            clock.advance(jobs.MAX_PAUSE)
        seen = jiang.payout("jiang", payout_id)
    finally:
        ports.clearing.fill(sound)
    assert (seen["state"], seen["in_doubt"]) == ("accepted", True)
    assert jiang.money("jiang") == (1_000_00, 300_00)
    (row,) = jiang["qin"].get("/api/finance/clearing-breaks").json()["items"]
    assert (row["payout_id"], row["kind"], row["detail"]) == (payout_id, "stuck", "RuntimeError")
    run_for(3)
    assert jiang.payout("jiang", payout_id)["state"] == "accepted"
    path = f"/api/finance/clearing-breaks/{row['id']}/retry"
    assert jiang["jiang"].post(path, {}).status_code == 403
    assert [jiang["qin"].post(path, {}).status_code for _ in range(2)] == [200, 409]
    run_for()
    assert jiang.payout("jiang", payout_id)["state"] == "settled"
    assert jiang["qin"].get("/api/finance/clearing-breaks").json()["items"] == []
    assert (len(network.payments()), jiang.money("jiang")) == (1, (700_00, 0))


def test_a_transfer_that_cannot_be_given_back_opens_a_break_too(jiang):
    transfer_id = jiang.send("su", "lin")
    row = OutboxRow.objects.get(topic="payments.transfer_expiry", payload={"transfer_id": transfer_id})
    OutboxRow.objects.filter(pk=row.pk).update(attempts=jobs.MAX_ATTEMPTS - 1)
    Transfer.objects.filter(pk=transfer_id).update(hold_id=uuid4())
    clock.advance(timedelta(hours=25))
    jobs.drain()
    (found,) = jiang["fang"].get("/api/finance/clearing-breaks").json()["items"]
    assert (found["transfer_id"], found["kind"], found["amount_fen"]) == (transfer_id, "stuck", 100_00)
    Transfer.objects.filter(pk=transfer_id).update(hold_id=Hold.objects.get(reference=transfer_id).pk)
    assert jiang["fang"].post(f"/api/finance/clearing-breaks/{found['id']}/retry", {}).status_code == 200
    jobs.drain()
    assert jiang["fang"].get("/api/finance/clearing-breaks").json()["items"] == []
    assert jiang.money("su") == (RICH, 0)


def test_a_network_that_contradicts_itself_moves_nothing_twice_and_opens_a_break(jiang, network):
    network.order({"on": "transfer", "do": "contradict"})
    payout_id = jiang.pay_out("jiang", 300_00)
    run_for(2)
    assert jiang.payout("jiang", payout_id)["state"] == "settled"
    assert jiang.money("jiang") == (700_00, 0)
    assert list(ClearingBreak.objects.values_list("kind", flat=True)) == ["contradiction"]


def test_a_step_that_comes_twice_or_late_does_nothing(jiang, network):
    payout_id = jiang.pay_out("jiang", 300_00)
    jobs.drain()
    for number in (0, 0, 1, 7):
        payouts.step(payout_id=payout_id, number=number)
    assert Payout.objects.get(pk=payout_id).steps == 1, "the network was not spoken to again"
    assert jiang.money("jiang") == (700_00, 0)
    assert len(network.payments()) == 1


def test_a_step_of_a_payout_in_doubt_that_comes_twice_does_not_speak_again(jiang, network):
    network.stop()
    payout_id = jiang.pay_out("jiang", 300_00)
    jobs.drain()
    waiting = Payout.objects.get(pk=payout_id)
    assert (waiting.steps, waiting.finished_at) == (1, None)
    for number in (0, 0, 7):
        payouts.step(payout_id=payout_id, number=number)
    assert Payout.objects.get(pk=payout_id).steps == 1, "the network was not spoken to again"


def test_confirming_twice_pays_once(jiang, network):
    body = {
        "id": str(uuid4()),
        "account_id": jiang.account["jiang"],
        "card_id": str(jiang.card("jiang")),
        "amount_fen": 300_00,
    }
    sheet = Shown(jiang["jiang"].post("/api/finance/payouts", body))
    assert {sheet.confirm().status_code, sheet.confirm().status_code} == {200}
    run_for(2)
    assert jiang.money("jiang") == (700_00, 0)
    assert len(network.payments()) == 1


def test_other_peoples_accounts_cards_and_payouts_are_not_found(jiang):
    payout_id = jiang.pay_out("jiang", 1_00)
    assert jiang["su"].get(f"/api/finance/payouts/{payout_id}").status_code == 404
    assert jiang["su"].get("/api/finance/payouts").json()["items"] == []
    good = {
        "id": str(uuid4()),
        "account_id": jiang.account["jiang"],
        "card_id": str(jiang.card("jiang")),
        "amount_fen": 1,
    }
    for name, changed in (
        ("su", {}),
        ("su", {"account_id": str(jiang.account["su"])}),
        ("jiang", {"account_id": str(jiang.account["su"])}),
        ("jiang", {"card_id": str(uuid4())}),
    ):
        answer = jiang[name].post("/api/finance/payouts", {**good, **changed, "id": str(uuid4())})
        assert answer.status_code == 404, (name, changed)


def test_a_class_iii_account_pays_out_to_the_card_it_is_bound_to_alone(jiang):
    unbound = jiang.open("jiang", "III", remotely=True)
    jiang.fund(unbound, 100)
    body = {
        "id": str(uuid4()),
        "account_id": str(unbound),
        "card_id": str(jiang.card("jiang")),
        "amount_fen": 100,
    }
    assert jiang["jiang"].post("/api/finance/payouts", body).json()["error"]["code"] == "card_not_bound"


@pytest.mark.parametrize("amount", ["0", "-1", "0.5", "1e30", "true", '"100"', "9223372036854775808"])
def test_an_amount_that_is_none_is_refused(jiang, amount):
    body = (
        f'{{"id":"{uuid4()}","account_id":"{jiang.account["jiang"]}",'
        f'"card_id":"{jiang.card("jiang")}","amount_fen":{amount}}}'
    )
    assert jiang["jiang"].post("/api/finance/payouts", body.encode()).status_code == 400
    assert jiang.money("jiang") == (1_000_00, 0)


def test_payouts_are_paged(jiang, network):
    made = [jiang.pay_out("jiang", 1_00) for _ in range(5)]
    first = jiang["jiang"].get("/api/finance/payouts?limit=2").json()
    second = jiang["jiang"].get(f"/api/finance/payouts?limit=2&before={first['next']}").json()
    shown = [item["id"] for item in first["items"] + second["items"]]
    assert len(set(shown)) == 4 and set(shown) <= set(made)
    assert jiang["jiang"].get("/api/finance/payouts?before=x").status_code == 400


DRAIN = "import django; django.setup(); from kernel import jobs; jobs.drain()"


def test_a_worker_that_is_killed_in_the_middle_of_a_payout_has_paid_once(busy_town, network, fresh_database):
    town = busy_town
    town.account["jiang"] = town.open_class("jiang", "III").json()["account_id"]
    town.fund(town.account["jiang"], 1_000_00)
    jobs.drain()
    payout_id = town.pay_out("jiang", 300_00)
    network.order({"on": "transfer", "do": "delay", "times": 1, "seconds": 4})
    environment = {**fresh_database.environment, **network.environment}
    worker = subprocess.Popen([sys.executable, "-c", DRAIN], cwd=ROOT, env=environment)
    until = time.monotonic() + 90
    while not network.payments():
        assert time.monotonic() < until and worker.poll() is None
        time.sleep(0.05)
    worker.kill()
    worker.wait()
    assert Payout.objects.get(pk=payout_id).state == "accepted"
    assert OutboxRow.objects.filter(topic=payouts.STEP_TOPIC, done_at__isnull=True).count() == 1
    # PostgreSQL notices the dead worker when it next speaks to it; then its locks are free.
    until = time.monotonic() + 90
    while Payout.objects.get(pk=payout_id).finished_at is None:
        assert time.monotonic() < until
        jobs.drain()
        time.sleep(0.1)
    assert Payout.objects.get(pk=payout_id).state == "settled"
    assert town.money("jiang") == (700_00, 0)
    assert books.balance(books.internal("clearing-out")) == 300_00
    assert len(network.payments()) == 1
    assert Account.objects.get(pk=town.account["su"]).balance_fen == RICH


def test_a_card_is_kept_while_money_is_on_its_way_to_it_or_an_account_hangs_on_it(town, network):
    card = f"/api/cards/{town.card('jiang')}"
    town.account["jiang"] = town.open("jiang", "I")
    town.fund(town.account["jiang"], 1_000_00)
    network.kill()
    payout_id = town.pay_out("jiang", 300_00)
    jobs.drain()
    assert town["jiang"].delete(card).json()["error"]["code"] == "card_pays_out"
    network.start()
    run_for()
    assert town.payout("jiang", payout_id)["state"] == "settled"
    assert town["lin"].delete(card).status_code == 404
    assert [town["jiang"].delete(card).status_code for _ in range(2)] == [204, 404]
    assert town["jiang"].get("/api/cards").json()["items"] == []
    assert town["jiang"].get("/api/finance/payouts").json()["items"][0]["state"] == "settled"


def test_a_card_that_an_open_account_is_bound_to_stays(jiang):
    refused = jiang["jiang"].delete(f"/api/cards/{jiang.card('jiang')}").json()["error"]
    assert (refused["code"], refused["params"]["tail"]) == (
        "card_holds_account",
        Account.objects.get(pk=jiang.account["jiang"]).tail,
    )
    assert len(jiang["jiang"].get("/api/cards").json()["items"]) == 1
