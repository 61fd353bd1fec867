"""Several hands at once on one transfer or one limit, with real commits: exact numbers of wins and losses."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import cycle

import pytest
from django.db import connections, transaction

from finance.ledger.models import Account, Entry, Hold
from finance.payments import limits
from finance.payments.actions import transfers
from finance.payments.errors import RuleRefused
from finance.payments.models import LimitCounter, Transfer
from kernel import jobs
from kernel.clock import business_now
from kernel.ids import new_id
from tests.finance.payments.conftest import RICH, check_books
from tests.support.caller import Caller
from tests.support.midway import midway

HANDS = 6


def at_once(*tasks):
    """Runs the tasks at the same time, each with a database connection of its own; answers what they returned."""

    def run(task):
        try:
            return task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(run, task) for task in tasks]]


def code_of(answer):
    """The code of a refusal; empty for success."""
    return "" if answer.status_code == 200 else answer.json()["error"]["code"]


def held(town, fen=100):
    """A confirmed transfer from su to lin, made where the sheet is not what is tested."""
    order = transfers.Order(town.talk("su", "lin"), town.people["lin"], fen, town.account["su"], "")
    with transaction.atomic():
        return transfers.confirm(transfer_id=new_id(), payer_id=town.people["su"], order=order)


def test_two_taps_on_receive_credit_once(busy_town):
    town = busy_town
    transfer_id = str(held(town).pk)
    callers = [Caller(town.people["lin"]) for _ in range(HANDS)]
    body = {"account_id": str(town.account["lin"])}
    path = f"/api/finance/transfers/{transfer_id}/accept"
    taps = [lambda c=caller: c.post(path, body, **{"Idempotency-Key": str(new_id())}) for caller in callers]
    answers = at_once(*taps)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * (HANDS - 1)
    # The transfer's own lock decides; the ledger's hold, which would refuse too, is not reached.
    assert {code_of(answer) for answer in answers} == {"", "transfer_finished"}
    assert town.money("lin") == (RICH + 100, 0)
    assert Entry.objects.filter(reference=transfer_id).count() == 1


def test_the_same_tap_many_times_at_once_is_one_tap(busy_town):
    town = busy_town
    transfer_id, key = str(held(town).pk), str(new_id())
    callers = [Caller(town.people["lin"]) for _ in range(HANDS)]
    body = {"account_id": str(town.account["lin"])}
    path = f"/api/finance/transfers/{transfer_id}/accept"
    answers = at_once(*[lambda c=caller: c.post(path, body, **{"Idempotency-Key": key}) for caller in callers])
    good = {answer.content for answer in answers if answer.status_code == 200}
    assert len(good) == 1
    assert {code_of(answer) for answer in answers} in ({""}, {"", "in_flight"})
    assert town.money("lin") == (RICH + 100, 0)


@pytest.mark.parametrize("door", ["accept", "return"])
def test_the_same_tap_while_the_first_is_at_work_is_told_so_and_then_gets_the_same_bytes(busy_town, door):
    town = busy_town
    transfer_id, key = str(held(town).pk), str(new_id())
    body = {"account_id": str(town.account["lin"])} if door == "accept" else {}
    one, other, stranger = (Caller(town.people[name]) for name in ("lin", "lin", "su"))

    def tap(caller, **changed):
        path = f"/api/finance/transfers/{transfer_id}/{door}"
        return caller.post(path, {**body, **changed}, **{"Idempotency-Key": key})

    with midway('INSERT INTO "kernel_storedanswer"', lambda: tap(other)) as meanwhile:
        first = tap(one)

    assert (first.status_code, meanwhile[0].status_code, code_of(meanwhile[0])) == (200, 409, "in_flight")
    assert tap(other).content == first.content
    reused = tap(one, account_id=str(new_id()))
    assert (reused.status_code, code_of(reused)) == (422, "key_reused")
    # Somebody else's key is another key: the payer is told what anybody's fresh tap would be told.
    assert code_of(tap(stranger)) == "own_transfer"
    assert town.money("lin") == (RICH + (100 if door == "accept" else 0), 0)
    check_books()


def test_receiving_against_returning_has_one_winner(busy_town):
    town = busy_town
    for _ in range(10):
        transfer = held(town)
        one, other = Caller(town.people["lin"]), Caller(town.people["lin"])
        answers = at_once(
            lambda t=transfer, c=one: c.post(
                f"/api/finance/transfers/{t.pk}/accept",
                {"account_id": str(town.account["lin"])},
                **{"Idempotency-Key": str(new_id())},
            ),
            lambda t=transfer, c=other: c.post(
                f"/api/finance/transfers/{t.pk}/return", {}, **{"Idempotency-Key": str(new_id())}
            ),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert {code_of(answer) for answer in answers} == {"", "transfer_finished"}
        transfer.refresh_from_db()
        assert transfer.state == ("received" if answers[0].status_code == 200 else "returned")
    received = Transfer.objects.filter(state="received").count()
    assert town.money("su") == (RICH - 100 * received, 0)
    assert town.money("lin") == (RICH + 100 * received, 0)
    check_books()


def test_acceptance_against_expiry_around_24_hours_has_one_end_each(busy_town, monkeypatch):
    race_at_the_edge(busy_town, monkeypatch, rounds=40)


def race_at_the_edge(town, monkeypatch, rounds):
    """So many transfers are received and expire at once, a millisecond before or after their time is over.

    In turns every look at the clock of a round falls before the edge, after it, or anywhere within a millisecond of it:
    the first two have a known winner, and in the others the looks of one round fall on both sides.
    """
    draw = random.Random(24)
    present = business_now()
    monkeypatch.setattr("kernel.clock.now", lambda: present)
    made = [held(town) for _ in range(rounds)]
    lin = Caller(town.people["lin"])
    edge = present + transfers.LIFE
    accepted = 0
    for transfer, sides in zip(made, cycle([(-1000, -1), (-1000, 1000), (0, 1000), (-1000, 1000)])):
        monkeypatch.setattr("kernel.clock.now", lambda s=sides: edge + timedelta(microseconds=draw.randint(*s)))
        answer, _ = at_once(
            lambda t=transfer: lin.post(
                f"/api/finance/transfers/{t.pk}/accept",
                {"account_id": str(town.account["lin"])},
                **{"Idempotency-Key": str(new_id())},
            ),
            lambda t=transfer: transfers.expire(transfer_id=t.pk),
        )
        accepted += answer.status_code == 200
        assert code_of(answer) in {"", "transfer_finished", "transfer_expired"}
        if sides != (-1000, 1000):
            assert (answer.status_code == 200) == (sides[1] < 0)
    monkeypatch.setattr("kernel.clock.now", lambda: edge + timedelta(seconds=1))
    for transfer in made:
        transfers.expire(transfer_id=transfer.pk)
    states = list(Transfer.objects.values_list("state", flat=True))
    assert states.count("received") == accepted
    assert states.count("expired") == rounds - accepted
    assert 0 < accepted < rounds
    assert town.money("su") == (RICH - 100 * accepted, 0)
    assert town.money("lin") == (RICH + 100 * accepted, 0)
    assert Hold.objects.filter(state="open").count() == 0
    check_books()


def test_a_days_limit_is_exact_with_many_hands_on_it(busy_town):
    town = busy_town
    account = Account.objects.get(pk=town.open("su", "II"))
    limit, share, hands = 10_000_00, 900_00, 24

    def use(number):
        def run():
            try:
                with transaction.atomic():
                    limits.claim(
                        key=f"hand:{number}", account=account, direction="out", counterpart="other", amount_fen=share
                    )
                return 1
            except RuleRefused:
                return 0

        return run

    wins = sum(at_once(*[use(number) for number in range(hands)]))
    assert wins == limit // share
    assert set(LimitCounter.objects.values_list("used_fen", flat=True)) == {wins * share}


def test_giving_a_limit_back_many_times_at_once_gives_it_back_once(busy_town):
    town = busy_town
    transfer = held(town, 500)
    before = held(town, 700)
    assert set(LimitCounter.objects.values_list("used_fen", flat=True)) == {1200}

    def back():
        with transaction.atomic():
            limits.give_back(key=f"transfer:{transfer.pk}:out")

    at_once(*[back] * HANDS)
    assert set(LimitCounter.objects.values_list("used_fen", flat=True)) == {before.amount_fen}


def test_several_workers_expire_everything_once(busy_town, monkeypatch):
    town = busy_town
    for _ in range(12):
        held(town)
    later = business_now() + transfers.LIFE + timedelta(seconds=1)
    monkeypatch.setattr("kernel.clock.now", lambda: later)
    at_once(*[jobs.drain] * 4)
    assert set(Transfer.objects.values_list("state", flat=True)) == {"expired"}
    assert town.money("su") == (RICH, 0)
    assert set(LimitCounter.objects.values_list("used_fen", flat=True)) == {0}
    check_books()
