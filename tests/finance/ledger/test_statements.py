"""A month of an account, to take away: whole, proved, and its owner's alone."""

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from finance.ledger import monthly, statement_files
from finance.ledger.actions import Leg, NewEntry
from finance.ledger.errors import StatementTooLong, StatementUnsound
from kernel.clock import BANK_ZONE, business_now
from tests.conftest import FreshDatabase
from tests.finance.ledger.conftest import Books, key
from tests.support.caller import Caller
from tests.support.paper import words_of


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


def put(books: Books, account: UUID, rows: list[tuple[str, int, str]], kind: str = "bill") -> None:
    books.batch(
        [
            NewEntry(
                key=key(),
                kind=kind,
                legs=[Leg(account, fen), Leg(books.bank(), -fen)],
                memo=memo,
                at=shanghai(at),
            )
            for at, fen, memo in rows
        ]
    )


@pytest.fixture
def account(books: Books) -> UUID:
    """September and October of 2026, with both edges of October."""
    found = books.open("su")
    put(
        books,
        found,
        [
            ("2026-09-30T23:59:59.999999", 100_000, "工资"),
            ("2026-10-01T00:00:00", 5_000, "退款"),
            ("2026-10-15T12:00:00", -20_050, "房租"),
            ("2026-10-31T23:59:59.999999", -1, "零头"),
            ("2026-11-01T00:00:00", 7, "利息"),
        ],
    )
    return found


def path(account: UUID, rest: str = "") -> str:
    return f"/api/finance/accounts/{account}/statements{rest}"


def rows_of(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content[3:].decode(), newline="")))


def test_a_month_leads_from_its_opening_balance_to_its_closing_one(books: Books, account: UUID) -> None:
    su = Caller(books.world.people["su"])
    found = su.get(path(account, "/2026-10")).json()
    assert (found["opening_fen"], found["in_fen"], found["out_fen"], found["closing_fen"], found["count"]) == (
        100_000,
        5_000,
        20_051,
        84_949,
        3,
    )
    assert found["complete"] is True
    assert su.get(path(account, "/2026-11")).json()["opening_fen"] == 84_949
    assert su.get(path(account, "/2026-09")).json()["opening_fen"] == 0


def test_the_csv_has_every_entry_with_the_balance_after_it(books: Books, account: UUID) -> None:
    answer = Caller(books.world.people["su"]).get(path(account, "/2026-10/csv?lang=zh"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].endswith('-2026-10.csv"') and answer["Cache-Control"] == "no-store"
    rows = rows_of(answer.content)
    assert rows[2][0] == "时间"
    assert rows[3][-1] == "1000.00"
    assert [(row[0], row[1], row[2], row[4], row[5]) for row in rows[4:7]] == [
        ("2026-10-01 00:00:00", "缴费", "退款", "50.00", "1050.00"),
        ("2026-10-15 12:00:00", "缴费", "房租", "-200.50", "849.50"),
        ("2026-10-31 23:59:59", "缴费", "零头", "-0.01", "849.49"),
    ]
    assert [row[4] or row[5] for row in rows[7:]] == ["50.00", "-200.51", "849.49"]


def test_the_pdf_says_the_same_in_both_languages(books: Books, account: UUID) -> None:
    su = Caller(books.world.people["su"])
    for language, words in (("zh", ("电子对账单", "房租", "期末余额")), ("en", ("Account statement", "Closing"))):
        answer = su.get(path(account, f"/2026-10/pdf?lang={language}"))
        assert answer["Content-Type"] == "application/pdf"
        text = words_of(answer.content)
        for word in (*words, "2026-10-15 12:00:00", "849.49", "1,000.00", "+50.00", "-200.50"):
            assert word in text, word


def test_the_pdf_says_whose_account_it_is_and_when_it_was_made(books: Books) -> None:
    account = books.open("su", name="储蓄卡")
    put(books, account, [("2026-10-03T10:00:00", 500, "转入")])
    today = f"{business_now().astimezone(BANK_ZONE):%Y-%m-%d}"
    su = Caller(books.world.people["su"])
    for language, words in (
        ("zh", ("户名", "储蓄卡 尾号", "出具时间")),
        ("en", ("Account holder", "Debit card", "Issued")),
    ):
        text = words_of(su.get(path(account, f"/2026-10/pdf?lang={language}")).content)
        for word in (*words, "*禾", today):
            assert word in text, word


def test_a_month_with_nothing_says_so(books: Books) -> None:
    account = books.open("su")
    put(books, account, [("2026-08-03T10:00:00", 500, "转入")])
    su = Caller(books.world.people["su"])
    found = su.get(path(account, "/2026-09")).json()
    assert (found["count"], found["opening_fen"], found["closing_fen"]) == (0, 500, 500)
    assert len(rows_of(su.get(path(account, "/2026-09/csv?lang=zh")).content)) == 7
    text = words_of(su.get(path(account, "/2026-09/pdf?lang=zh")).content)
    assert "本月没有收支" in text


def test_a_month_that_is_not_over_says_up_to_when(books: Books, account: UUID) -> None:
    su = Caller(books.world.people["su"])
    month = f"{business_now().astimezone(BANK_ZONE):%Y-%m}"
    found = su.get(path(account, f"/{month}")).json()
    assert found["complete"] is False
    assert "截至" in rows_of(su.get(path(account, f"/{month}/csv?lang=zh")).content)[2][0]


def test_months_are_listed_from_the_newest_to_the_first_in_pages(books: Books, account: UUID) -> None:
    su = Caller(books.world.people["su"])
    newest = f"{business_now().astimezone(BANK_ZONE):%Y-%m}"
    found: list[str] = []
    answer = su.get(path(account, "?limit=1")).json()
    while True:
        found += answer["items"]
        if not answer["next"]:
            break
        answer = su.get(path(account, f"?limit=1&before={answer['next']}")).json()
    assert found[0] == newest and found[-1] == "2026-09" and found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "1999-01", "2999-01", "2026-1", "x", "２０２６-10", "2026-10-01", "%00"]
)
def test_what_is_no_month_of_the_account_is_not_found(books: Books, account: UUID, month: str) -> None:
    su = Caller(books.world.people["su"])
    for ending in ("", "/pdf", "/csv"):
        assert su.get(path(account, f"/{month}{ending}")).status_code == 404, ending


def test_bad_words_beside_the_month_are_refused(books: Books, account: UUID) -> None:
    su = Caller(books.world.people["su"])
    for query in ("/2026-10/csv?lang=fr", "/2026-10/pdf?lang=", "?before=x", "?limit=0"):
        assert su.get(path(account, query)).status_code == 400, query


def test_nobody_but_the_owner_sees_that_it_is_there(books: Books, account: UUID) -> None:
    for caller in (Caller(books.world.people["lin"]), Caller(books.world.people["fang"])):
        for rest in ("", "/2026-10", "/2026-10/pdf", "/2026-10/csv"):
            assert caller.get(path(account, rest)).status_code == 404
            assert caller.get(path(uuid.uuid4(), rest)).status_code == 404
    assert Caller(None).get(path(account, "/2026-10/csv")).status_code == 401


def test_no_cell_is_a_formula(books: Books) -> None:
    account = books.open("su", name="=HYPERLINK(1)")
    memos = ["=1+1", "+86", "-2", "@SUM(A1)", " =1", '=cmd|"/c calc"!A0', "＝1", "－2", "普通", 'a,"b"']
    put(books, account, [("2026-10-02T08:00:00", 100, memo) for memo in memos], kind="=KIND")
    rows = rows_of(Caller(books.world.people["su"]).get(path(account, "/2026-10/csv?lang=zh")).content)
    entries = rows[4:-3]
    assert [row[2] for row in entries] == [f"'{memo}" for memo in memos[:8]] + memos[8:]
    assert {row[1] for row in entries} == {"'=KIND"}
    for row in rows:
        for text in row:
            assert not text.lstrip(" ").startswith(("=", "+", "@")), row


def test_books_that_do_not_add_up_give_no_statement(
    books: Books, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    su = Caller(books.world.people["su"])
    real = monthly._postings

    def short(of: Any) -> Any:
        found = list(real(of))
        return iter(found[:-1])

    monkeypatch.setattr(monthly, "_postings", short)
    for ending in ("pdf", "csv"):
        refused = su.get(path(account, f"/2026-10/{ending}"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "statement_unsound")


def test_a_balance_that_does_not_match_its_postings_gives_no_statement(
    shared_books: Books, shared_database: FreshDatabase
) -> None:
    account = shared_books.open("su", 500)
    with psycopg.connect(shared_database.owner_url, autocommit=True) as owner:
        owner.execute("UPDATE ledger_account SET balance_fen = balance_fen + 1 WHERE id = %s", [account])
        try:
            with pytest.raises(StatementUnsound):
                monthly.statement(shared_books.row(account), monthly.Month.of(business_now()))
        finally:
            owner.execute("UPDATE ledger_account SET balance_fen = balance_fen - 1 WHERE id = %s", [account])


def test_what_is_posted_while_it_is_read_is_not_in_it(books: Books) -> None:
    account = books.open("su", 500)
    found = monthly.statement(books.row(account), monthly.Month.of(business_now()))
    books.post((books.bank(), -100), (account, 100))
    assert [entry.balance_fen for entry in monthly.entries(found)] == [500]
    assert found.closing_fen == 500


def test_ten_thousand_entries_are_all_there_and_more_than_fit_on_paper_are_refused(
    real_books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = real_books.open("su")
    bank = real_books.bank()
    since = shanghai("2026-10-01T00:00:00")
    for start in range(0, 10_000, 1_000):
        real_books.batch(
            [
                NewEntry(key(), "bill", [Leg(account, 100), Leg(bank, -100)], "午餐", at=since + timedelta(seconds=one))
                for one in range(start, start + 1_000)
            ]
        )
    found = monthly.statement(real_books.row(account), monthly.Month(2026, 10))
    assert found.count == 10_000
    assert len(rows_of(statement_files.as_csv(found, "zh"))) == 10_000 + 7
    assert statement_files.as_pdf(found, "zh").startswith(b"%PDF-")
    monkeypatch.setattr(statement_files, "MOST_ON_PAPER", 9_999)
    with pytest.raises(StatementTooLong):
        statement_files.as_pdf(found, "zh")
