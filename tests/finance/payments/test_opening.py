"""Accounts that a bound card of another bank opens."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connections, transaction

from accounts import queries as people
from finance.ledger import actions as ledger
from finance.ledger.models import Account
from finance.payments.models import AccountBinding
from tests.support.caller import Caller


def test_a_bound_card_opens_one_class_ii_and_one_class_iii_account(town):
    choices = town["jiang"].get("/api/finance/accounts/openable").json()
    assert {item["account_class"]: item["ok"] for item in choices["items"]} == {"II": True, "III": True}
    for name, ceiling in (("II", None), ("III", 2_000_00)):
        opened = town.open_class("jiang", name)
        assert opened.status_code == 201
        account = Account.objects.get(pk=opened.json()["account_id"])
        assert (account.account_class, account.opened_remotely, account.ceiling_fen) == (name, True, ceiling)
        assert AccountBinding.objects.get(account=account).card_id == town.card("jiang")
        again = town.open_class("jiang", name)
        assert again.json()["account_id"] == opened.json()["account_id"]
    items = town["jiang"].get("/api/finance/accounts/openable").json()["items"]
    assert {item["code"] for item in items} == {"opened_already"}
    assert Account.objects.filter(owner=town.people["jiang"]).count() == 2


def test_an_account_that_was_closed_can_be_opened_again_as_often_as_one_likes(town):
    seen = []
    for _ in range(3):
        opened = town.open_class("jiang", "III")
        assert opened.status_code == 201, opened.content
        account_id = opened.json()["account_id"]
        assert town.open_class("jiang", "III").json()["account_id"] == account_id
        assert account_id not in seen
        account = Account.objects.get(pk=account_id)
        assert (account.status, AccountBinding.objects.get(account=account).card_id) == ("open", town.card("jiang"))
        with transaction.atomic():
            ledger.close_account(account_id=account.pk, actor_id=town.people["jiang"])
        seen.append(account_id)
    items = town["jiang"].get("/api/finance/accounts/openable").json()["items"]
    assert {item["account_class"]: item["ok"] for item in items} == {"II": True, "III": True}


def test_the_same_key_opens_once_and_answers_the_same_bytes(town):
    key = str(uuid4())
    first, again = town.open_class("jiang", "III", key), town.open_class("jiang", "III", key)
    assert first.content == again.content
    assert town.open_class("jiang", "II", key).status_code == 422


def test_without_a_proved_identity_and_a_card_nothing_opens_and_the_rule_is_named(town):
    choices = town["tao"].get("/api/finance/accounts/openable").json()
    assert choices["cards"] == []
    for item in choices["items"]:
        assert (item["ok"], item["code"]) == (False, "proof_needed")
        assert "银发〔2016〕302号" in item["reason"]
    foreign = {"card_id": str(town.card("jiang")), "account_class": "III"}
    answer = town["tao"].post("/api/finance/accounts/open", foreign, **{"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 404
    assert not Account.objects.filter(owner=town.people["tao"]).exists()


@pytest.mark.parametrize(
    "changed",
    [{"account_class": "I"}, {"account_class": "Ⅲ"}, {"account_class": 3}, {"card_id": "x"}, {"card_id": None}],
)
def test_a_class_that_cannot_be_opened_here_is_refused(town, changed):
    assert town.open_class("jiang", "III", **changed).status_code == 400
    assert not Account.objects.filter(owner=town.people["jiang"]).exists()


def test_a_key_is_required(town):
    body = {"account_class": "III", "card_id": str(town.card("jiang"))}
    assert town["jiang"].post("/api/finance/accounts/open", body).status_code == 400


def test_many_taps_at_once_open_one_account(busy_town):
    town = busy_town
    callers = [Caller(town.people["jiang"]) for _ in range(6)]
    body = {"account_class": "III", "card_id": str(people.bound_cards(town.people["jiang"])[0].id)}

    def tap(caller):
        try:
            return caller.post("/api/finance/accounts/open", body, **{"Idempotency-Key": str(uuid4())})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(tap, callers))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["account_id"] for answer in answers}) == 1
    assert AccountBinding.objects.count() == 1
