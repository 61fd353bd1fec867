from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finance.ledger.api import NUMBERS_PER_MINUTE
from finance.ledger.models import Account
from kernel.models import AuditRow
from tests.finance.ledger.conftest import Books
from tests.support.caller import Caller

BASE = "/api/finance/accounts"


@pytest.fixture
def call(books: Books) -> Callable[[str], Caller]:
    return lambda name: Caller(books.world.people[name])


def test_a_person_sees_their_own_accounts_and_what_is_available(books: Books, call: Any) -> None:
    su = books.open("su", 10_000)
    books.hold(su, 1_500)
    books.open("lin", 1)

    found = call("su").get(BASE).json()

    (account,) = [item for item in found["items"] if item["id"] == str(su)]
    assert (account["balance_fen"], account["held_fen"], account["available_fen"]) == (10_000, 1_500, 8_500)
    assert "number" not in account and len(account["tail"]) == 4
    assert len(found["items"]) == 1


def test_an_account_is_called_in_the_reader_s_language_if_its_name_has_another(books: Books, call: Any) -> None:
    known, made_up = books.open("su", name="储蓄卡"), books.open("su", name="金卡工资户")
    for language, names in (("zh-CN", ("储蓄卡", "金卡工资户")), ("en", ("Debit card", "金卡工资户"))):
        said = {"Accept-Language": language}
        found = {item["id"]: item["name"] for item in call("su").get(BASE, **said).json()["items"]}
        assert (found[str(known)], found[str(made_up)]) == names
        assert call("su").get(f"{BASE}/{known}", **said).json()["name"] == names[0]


def test_somebody_else_s_account_does_not_exist(books: Books, call: Any) -> None:
    su, stranger = books.open("su", 10_000), call("lin")

    for path in (f"{BASE}/{su}", f"{BASE}/{su}/entries", f"{BASE}/{uuid4()}", f"{BASE}/{books.bank()}/entries"):
        assert stranger.get(path).status_code == 404
    assert Caller(None).get(BASE).status_code == 401


def test_the_owner_alone_is_shown_the_whole_number_and_each_look_is_audited(books: Books, call: Any) -> None:
    su = books.open("su", 10_000)
    owner = call("su")

    shown = owner.get(f"{BASE}/{su}/number")

    assert shown.json() == {"number": str(Account.objects.get(pk=su).number)}
    assert shown.json()["number"].endswith(owner.get(f"{BASE}/{su}").json()["tail"])
    assert "no-store" in shown.headers["Cache-Control"]
    assert call("lin").get(f"{BASE}/{su}/number").status_code == 404
    assert owner.get(f"{BASE}/{books.bank()}/number").status_code == 404
    (row,) = AuditRow.objects.filter(action="ledger.number_read")
    assert (row.actor_id, row.subject) == (owner.id, f"account:{su}")
    assert shown.json()["number"] not in str(row.detail)


def test_numbers_are_shown_so_many_times_a_minute(books: Books, call: Any) -> None:
    su, owner = books.open("su", 10_000), call("su")
    answers = [owner.get(f"{BASE}/{su}/number").status_code for _ in range(NUMBERS_PER_MINUTE + 1)]
    assert answers == [200] * NUMBERS_PER_MINUTE + [429]
    assert AuditRow.objects.filter(action="ledger.number_read").count() == NUMBERS_PER_MINUTE


def test_entries_are_paged_newest_first_without_a_gap(books: Books, call: Any) -> None:
    su, caller = books.open("su", 10_000), call("su")
    for fen in range(1, 8):
        books.post((su, -fen), (books.bank(), fen))

    seen, before = [], ""
    while True:
        page = caller.get(f"{BASE}/{su}/entries?limit=3{before}").json()
        seen += [line["amount_fen"] for line in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"

    assert seen == [-7, -6, -5, -4, -3, -2, -1, 10_000]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=３", "before=x", "before=1", "before=1.2.3", "before=-1.1"]
)
def test_a_bad_page_is_refused(books: Books, call: Any, query: str) -> None:
    assert call("su").get(f"{BASE}/{books.open('su')}/entries?{query}").status_code == 400


def test_the_other_side_is_a_masked_name_and_never_a_number(books: Books, call: Any) -> None:
    su, lin = books.open("su", 10_000), books.open("lin")
    books.post((su, -500), (lin, 500))
    number = str(books.row(lin).number)

    answer = call("su").get(f"{BASE}/{su}/entries")

    first, opening = answer.json()["items"]
    assert first["counterpart"] == "*晓舟" and opening["counterpart"] is None
    assert number not in answer.content.decode() and books.row(lin).tail not in answer.content.decode()


def test_a_page_costs_the_same_number_of_statements_however_long(books: Books, call: Any) -> None:
    su, caller = books.open("su", 10_000), call("su")
    others = [books.open(name) for name in ("lin", "xu", "he", "bai")]

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert caller.get(f"{BASE}/{su}/entries?limit=100").status_code == 200
        return len(queries)

    books.post((su, -1), (others[0], 1))
    few = cost()
    for other in others * 3:
        books.post((su, -1), (other, 1))

    assert cost() == few
