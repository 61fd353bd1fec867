"""Each guard of the database, attacked directly, past Python and past the other guards of the same thing."""

import uuid
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.finance.ledger.conftest import Books

Sql = psycopg.Connection[Any]
KEPT = ("ledger_entry", "ledger_posting")


# entry, place in it, account, fen, the legs that the posting believes in, its side
Row = tuple[uuid.UUID, int, uuid.UUID, int, int, int | None]


def _write(cursor: Any, entries: list[tuple[uuid.UUID, int]], postings: list[Row], key: str | None = None) -> None:
    """Entries (id, legs) and postings in one statement, past the ledger's functions."""
    values = ", ".join(["(%s::uuid, %s::smallint, %s::uuid, %s::bigint, %s::smallint, %s::bigint)"] * len(postings))
    cursor.execute(
        "WITH e AS (INSERT INTO public.ledger_entry (id, key, input_hash, kind, memo, at, value_date, legs)"
        " SELECT id, coalesce(%s, id::text), '\\x00', 'forged', '', now(), now(), legs"
        " FROM unnest(%s::uuid[], %s::smallint[]) AS n(id, legs))"
        " INSERT INTO public.ledger_posting (entry_id, leg, account_id, amount_fen, legs, seq, balance_after_fen, at)"
        f" SELECT entry, leg, account, fen, legs, seq, seq * 0, now()"
        f" FROM (VALUES {values}) AS p(entry, leg, account, fen, legs, seq)"
        " WHERE entry IS NOT NULL",
        [
            key,
            [entry for entry, _ in entries],
            [legs for _, legs in entries],
            *(value for row in postings for value in row),
        ],
    )


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_server_s_role_has_no_right_to_change_the_books(
    shared_books: Books, server_role: Sql, table: str, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        server_role.execute(statement.format(table))  # type: ignore[arg-type]  # psycopg asks for a literal


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_a_trigger_keeps_the_books_from_those_who_have_every_right(
    shared_books: Books, owner: Sql, table: str, statement: str
) -> None:
    shared_books.open("su", 100)

    with pytest.raises(psycopg.DatabaseError) as refused:
        owner.execute(statement.format(table))  # type: ignore[arg-type]  # psycopg asks for a literal

    assert refused.value.sqlstate == "RL000"


@pytest.mark.parametrize("table", ["ledger_account", "ledger_hold"])
def test_accounts_and_holds_are_not_removed(shared_books: Books, owner: Sql, server_role: Sql, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        server_role.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]  # psycopg asks for a literal
    with pytest.raises(psycopg.DatabaseError) as refused:
        owner.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]  # psycopg asks for a literal
    assert refused.value.sqlstate == "RL000"


def test_the_server_s_role_cannot_make_an_account_somebody_else_s(shared_books: Books, server_role: Sql) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        server_role.execute("UPDATE ledger_account SET owner_id = NULL")


@pytest.mark.parametrize(("first", "second"), [(500, -499), (500, 500)])
def test_an_entry_that_does_not_add_up_is_not_written(
    shared_books: Books, server_role: Sql, first: int, second: int
) -> None:
    one, other, entry = shared_books.bank(), shared_books.bank("settlement"), uuid.uuid4()

    with pytest.raises(psycopg.DatabaseError) as refused:
        _write(server_role, [(entry, 2)], [(entry, 1, one, first, 2, None), (entry, 2, other, second, 2, None)])

    assert refused.value.sqlstate == "RL008"


def test_an_entry_written_by_hand_that_adds_up_is_written(shared_books: Books, server_role: Sql) -> None:
    """So the tests beside this one fail for their own reason."""
    one, other, entry = shared_books.bank(), shared_books.bank("settlement"), uuid.uuid4()

    _write(server_role, [(entry, 2)], [(entry, 1, one, 5, 2, None), (entry, 2, other, -5, 2, None)])

    assert server_role.execute("SELECT count(*) FROM ledger_posting WHERE entry_id = %s", [entry]).fetchone() == (2,)


@pytest.mark.parametrize("legs", [(), (5,), (5, -5)])
def test_an_entry_that_lacks_a_leg_is_not_written(shared_books: Books, server_role: Sql, legs: tuple[int, ...]) -> None:
    entry, nothing = uuid.uuid4(), (None, 1, None, 1, 1, None)
    rows = [(entry, place, shared_books.bank(), fen, 3, None) for place, fen in enumerate(legs, start=1)]

    with pytest.raises(psycopg.DatabaseError) as refused:
        _write(server_role, [(entry, 3)], rows or [nothing])  # type: ignore[list-item]

    assert refused.value.sqlstate == "RL008"


def test_an_entry_is_not_left_empty_for_later(shared_books: Books, server_role: Sql) -> None:
    """Its postings come in its own statement: nobody fills an entry that others may have looked at."""
    with pytest.raises(psycopg.DatabaseError) as refused, server_role.transaction():
        server_role.execute(
            "INSERT INTO ledger_entry (id, key, input_hash, kind, memo, at, value_date, legs)"
            " VALUES (gen_random_uuid(), gen_random_uuid()::text, '\\x00', 'forged', '', now(), now(), 2)"
        )

    assert refused.value.sqlstate == "RL008"


def test_a_full_entry_has_no_room_for_another_posting(shared_books: Books, server_role: Sql) -> None:
    one, other = shared_books.bank(), shared_books.bank("settlement")
    entry = shared_books.post((one, -5), (other, 5)).entry_id

    with pytest.raises(errors.UniqueViolation):
        _write(server_role, [], [(entry, 1, one, 5, 2, None), (entry, 2, other, -5, 2, None)])
    with pytest.raises(errors.CheckViolation):
        _write(server_role, [], [(entry, 3, one, 5, 2, None), (entry, 4, other, -5, 2, None)])
    for row in ((entry, 3, one, 5, 3, None), (entry, 2, one, 5, 2, None)):
        with pytest.raises(psycopg.DatabaseError) as refused:
            _write(server_role, [], [row])
        assert refused.value.sqlstate in {"RL008", "23505"}
    with pytest.raises(psycopg.DatabaseError) as refused:
        _write(server_role, [], [(entry, 3, one, 5, 4, None), (entry, 4, other, -5, 4, None)])
    assert refused.value.sqlstate == "RL008"


def test_a_posting_believes_what_its_entry_says(shared_books: Books, server_role: Sql) -> None:
    one, other, entry = shared_books.bank(), shared_books.bank("settlement"), uuid.uuid4()

    with pytest.raises(psycopg.DatabaseError) as refused:
        _write(server_role, [(entry, 2)], [(entry, 1, one, 5, 3, None), (entry, 3, other, -5, 3, None)])

    assert refused.value.sqlstate == "RL008"


def test_an_entry_has_one_reversal(shared_books: Books, server_role: Sql) -> None:
    one, other = shared_books.bank(), shared_books.bank("settlement")
    entry = shared_books.post((one, -5), (other, 5)).entry_id
    reverse = (
        "SELECT ledger_post_two(gen_random_uuid(), gen_random_uuid()::text, '\\x00', 'reversal', '', NULL, NULL, now(),"
        " current_date, %s, %s, %s, 5)"
    )

    server_role.execute(reverse, [entry, other, one])
    with pytest.raises(errors.UniqueViolation):
        server_role.execute(reverse, [entry, other, one])


def test_an_entry_reverses_one_that_there_is(shared_books: Books, server_role: Sql) -> None:
    with pytest.raises(errors.ForeignKeyViolation):
        server_role.execute(
            "SELECT ledger_post_two(gen_random_uuid(), gen_random_uuid()::text, '\\x00', 'reversal', '', NULL, NULL,"
            " now(), current_date, gen_random_uuid(), %s, %s, 5)",
            [shared_books.bank(), shared_books.bank("settlement")],
        )


def test_a_posting_needs_an_entry_and_an_account_and_stands_on_the_account_s_side(
    shared_books: Books, server_role: Sql
) -> None:
    bank, su, entry, unknown = shared_books.bank(), shared_books.open("su", 100), uuid.uuid4(), uuid.uuid4()
    forged: list[tuple[list[tuple[uuid.UUID, int]], list[Row]]] = [
        ([], [(unknown, 1, bank, 5, 2, None), (unknown, 2, shared_books.bank("settlement"), -5, 2, None)]),
        ([(entry, 2)], [(entry, 1, unknown, 5, 2, None), (entry, 2, bank, -5, 2, None)]),
        ([(entry, 2)], [(entry, 1, unknown, 5, 2, 1), (entry, 2, bank, -5, 2, None)]),
        ([(entry, 2)], [(entry, 1, su, 5, 2, None), (entry, 2, bank, -5, 2, None)]),
        ([(entry, 2)], [(entry, 1, bank, 5, 2, 1), (entry, 2, shared_books.bank("settlement"), -5, 2, None)]),
    ]
    for entries, postings in forged:
        with pytest.raises(psycopg.DatabaseError) as refused:
            _write(server_role, entries, postings)
        assert refused.value.sqlstate == "RL008", postings


@pytest.mark.parametrize(
    "change",
    [
        "id = gen_random_uuid()",
        "type = 'internal'",
        "code = 'mine'",
        "owner_id = NULL",
        "number = NULL",
        "nature = 'asset'",
    ],
)
def test_an_account_stays_what_it_is(shared_books: Books, owner: Sql, server_role: Sql, change: str) -> None:
    su = shared_books.open("su", 100)

    with pytest.raises(errors.InsufficientPrivilege):
        server_role.execute(f"UPDATE ledger_account SET {change} WHERE id = %s", [su])  # type: ignore[arg-type]  # psycopg asks for a literal
    with pytest.raises(psycopg.DatabaseError) as refused:
        owner.execute(f"UPDATE ledger_account SET {change} WHERE id = %s", [su])  # type: ignore[arg-type]  # psycopg asks for a literal
    assert refused.value.sqlstate in {"RL000", "23514"}


OPEN = (
    "INSERT INTO ledger_account (id, type, nature, code, name, key, input_hash, opened_at, status, tail, balance_fen,"
    " held_fen, posted_count, opened_remotely) VALUES (gen_random_uuid(), 'internal', %s, %s, '', %s, '', now(),"
    " 'open', '', 0, 0, 0, false)"
)


def test_an_account_of_the_bank_has_a_nature_that_accounting_knows_and_a_customer_s_is_a_liability(
    shared_books: Books, server_role: Sql
) -> None:
    for nature in ("asset", "liability", "equity", "income", "expense"):
        server_role.execute(OPEN, [nature, f"test-{nature}", f"test-{nature}"])
    with pytest.raises(errors.CheckViolation):
        server_role.execute(OPEN, ["money", "test-money", "test-money"])
    with pytest.raises(psycopg.DatabaseError):
        server_role.execute("UPDATE ledger_account SET nature = 'income' WHERE code = 'test-asset'")
    su = shared_books.row(shared_books.open("su"))
    assert su.nature == "liability"


@pytest.mark.parametrize("column", ["balance_fen = 1", "posted_count = 1", "held_fen = 1", "ceiling_fen = 1"])
def test_the_bank_s_own_accounts_keep_nothing_in_their_row(shared_books: Books, server_role: Sql, column: str) -> None:
    with pytest.raises(errors.CheckViolation):
        server_role.execute(f"UPDATE ledger_account SET {column} WHERE code = 'settlement'")  # type: ignore[arg-type]  # psycopg asks for a literal


@pytest.mark.parametrize(
    "change",
    ["balance_fen = held_fen - 1", "held_fen = balance_fen + 1", "held_fen = -1", "ceiling_fen = balance_fen - 1"],
)
def test_no_account_is_set_below_what_is_held_or_above_its_ceiling(
    shared_books: Books, server_role: Sql, change: str
) -> None:
    su = shared_books.open("su", 100)
    shared_books.hold(su, 40)

    with pytest.raises(errors.CheckViolation):
        server_role.execute(f"UPDATE ledger_account SET {change} WHERE id = %s", [su])  # type: ignore[arg-type]  # psycopg asks for a literal


def test_a_key_stands_for_one_entry_and_one_hold(shared_books: Books, server_role: Sql) -> None:
    su = shared_books.open("su", 100)
    shared_books.hold(su, 1, key=(twice := str(uuid.uuid4())))
    known, entry = str(uuid.uuid4()), uuid.uuid4()
    one, other = shared_books.bank(), shared_books.bank("settlement")
    shared_books.post((one, -5), (other, 5), key=known)
    with pytest.raises(errors.UniqueViolation):
        _write(server_role, [(entry, 2)], [(entry, 1, one, 5, 2, None), (entry, 2, other, -5, 2, None)], known)
    with pytest.raises(errors.UniqueViolation):
        server_role.execute(
            "INSERT INTO ledger_hold (id, key, input_hash, account_id, amount_fen, kind, memo, placed_at, state,"
            " closed_memo) VALUES (gen_random_uuid(), %s, '\\x00', %s, 1, 'x', '', now(), 'open', '')",
            [twice, su],
        )


def test_a_hold_that_has_ended_does_not_open_again(shared_books: Books, server_role: Sql) -> None:
    hold = shared_books.hold(shared_books.open("su", 100), 40).hold_id
    shared_books.release(hold)

    for state in ("open", "expired"):
        with pytest.raises(psycopg.DatabaseError) as refused:
            server_role.execute(
                "UPDATE ledger_hold SET state = %s, closed_at = NULL, closed_key = NULL WHERE id = %s", [state, hold]
            )
        assert refused.value.sqlstate == "RL005"


def test_what_a_hold_says_is_not_changed_by_anybody(shared_books: Books, owner: Sql, server_role: Sql) -> None:
    hold = shared_books.hold(shared_books.open("su", 100), 40).hold_id
    change = "UPDATE ledger_hold SET amount_fen = 1, state = 'released', closed_at = now(), closed_key = id::text"

    with pytest.raises(errors.InsufficientPrivilege):
        server_role.execute(f"{change} WHERE id = %s", [hold])  # type: ignore[arg-type]  # psycopg asks for a literal
    with pytest.raises(psycopg.DatabaseError) as refused:
        owner.execute(f"{change} WHERE id = %s", [hold])  # type: ignore[arg-type]  # psycopg asks for a literal
    assert refused.value.sqlstate == "RL000"


def test_a_session_s_own_table_does_not_stand_in_for_the_books(shared_books: Books, server_role: Sql) -> None:
    """The guards name their schema: a temporary table of the same name fools neither trigger nor function."""
    one, other, entry = shared_books.bank(), shared_books.bank("settlement"), uuid.uuid4()
    server_role.execute("CREATE TEMP TABLE ledger_posting (entry_id uuid, amount_fen bigint)")
    server_role.execute("CREATE TEMP TABLE added AS SELECT * FROM public.ledger_posting LIMIT 0")
    server_role.execute("INSERT INTO pg_temp.ledger_posting VALUES (%s, 5), (%s, -5)", [entry, entry])

    with pytest.raises(psycopg.DatabaseError) as refused:
        _write(server_role, [(entry, 2)], [(entry, 1, one, 5, 2, None), (entry, 2, other, -4, 2, None)])

    assert refused.value.sqlstate == "RL008"
