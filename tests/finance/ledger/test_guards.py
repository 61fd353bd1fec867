"""Each guard of the database, attacked directly, past Python and past the other guards of the same thing."""

import uuid
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.finance.ledger.conftest import Books

Sql = psycopg.Connection[Any]
KEPT = ("ledger_entry", "ledger_posting")


def _entry(cursor: Any, legs: int = 2) -> uuid.UUID:
    entry = uuid.uuid4()
    cursor.execute(
        "INSERT INTO ledger_entry (id, key, input_hash, kind, memo, at, value_date, legs)"
        " VALUES (%s, %s, '\\x00', 'forged', '', now(), now(), %s)",
        [entry, str(entry), legs],
    )
    return entry


def _posting(cursor: Any, entry: uuid.UUID, account: uuid.UUID, fen: int, leg: int, *, legs: int = 2) -> None:
    cursor.execute(
        "INSERT INTO ledger_posting (entry_id, legs, leg, account_id, amount_fen, at)"
        " VALUES (%s, %s, %s, %s, %s, now())",
        [entry, legs, leg, account, fen],
    )


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_server_s_role_has_no_right_to_change_the_books(
    shared_books: Books, server_role: Sql, table: str, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        server_role.execute(statement.format(table))  # type: ignore[arg-type]


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_a_trigger_keeps_the_books_from_those_who_have_every_right(
    shared_books: Books, owner: Sql, table: str, statement: str
) -> None:
    shared_books.open("su", 100)

    with pytest.raises(psycopg.DatabaseError) as refused:
        owner.execute(statement.format(table))  # type: ignore[arg-type]

    assert refused.value.sqlstate == "RL000"


@pytest.mark.parametrize("table", ["ledger_account", "ledger_hold"])
def test_accounts_and_holds_are_not_removed(shared_books: Books, owner: Sql, server_role: Sql, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        server_role.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
    with pytest.raises(psycopg.DatabaseError) as refused:
        owner.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
    assert refused.value.sqlstate == "RL000"


def test_the_server_s_role_cannot_make_an_account_somebody_else_s(shared_books: Books, server_role: Sql) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        server_role.execute("UPDATE ledger_account SET owner_id = NULL")


@pytest.mark.parametrize(("first", "second"), [(500, -499), (500, 500)])
def test_an_entry_that_does_not_add_up_does_not_commit(
    shared_books: Books, server_role: Sql, first: int, second: int
) -> None:
    one, other = shared_books.bank(), shared_books.bank("settlement")

    with pytest.raises(psycopg.DatabaseError) as refused, server_role.transaction():
        entry = _entry(server_role)
        _posting(server_role, entry, one, first, 1)
        _posting(server_role, entry, other, second, 2)

    assert refused.value.sqlstate == "RL008"


@pytest.mark.parametrize("filled", [0, 1])
def test_an_entry_that_lacks_a_leg_does_not_commit(shared_books: Books, server_role: Sql, filled: int) -> None:
    with pytest.raises(psycopg.DatabaseError) as refused, server_role.transaction():
        entry = _entry(server_role)
        for leg in range(filled):
            _posting(server_role, entry, shared_books.bank(), 5, leg + 1)

    assert refused.value.sqlstate == "RL008"


def test_a_full_entry_has_no_room_for_another_posting(shared_books: Books, server_role: Sql) -> None:
    one, other = shared_books.bank(), shared_books.bank("settlement")
    entry = shared_books.post((one, -5), (other, 5)).entry_id

    with pytest.raises(errors.UniqueViolation):
        _posting(server_role, entry, one, 5, 2)
    with pytest.raises(errors.CheckViolation):
        _posting(server_role, entry, one, 5, 3)
    with pytest.raises(errors.ForeignKeyViolation):
        _posting(server_role, entry, one, 5, 3, legs=3)


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
        server_role.execute(f"UPDATE ledger_account SET {change} WHERE id = %s", [su])  # type: ignore[arg-type]


def test_a_key_stands_for_one_entry_and_one_hold(shared_books: Books, server_role: Sql) -> None:
    su = shared_books.open("su", 100)
    shared_books.hold(su, 1, key=(twice := str(uuid.uuid4())))
    with pytest.raises(errors.UniqueViolation), server_role.transaction():
        first = _entry(server_role)
        server_role.execute(
            "INSERT INTO ledger_entry (id, key, input_hash, kind, memo, at, value_date, legs)"
            " VALUES (gen_random_uuid(), %s, '\\x00', 'x', '', now(), now(), 2)",
            [str(first)],
        )
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
        server_role.execute(f"{change} WHERE id = %s", [hold])  # type: ignore[arg-type]
    with pytest.raises(psycopg.DatabaseError) as refused:
        owner.execute(f"{change} WHERE id = %s", [hold])  # type: ignore[arg-type]
    assert refused.value.sqlstate == "RL000"


def test_a_session_s_own_table_does_not_stand_in_for_the_books(shared_books: Books, server_role: Sql) -> None:
    """The guards name their schema: a temporary table of the same name fools neither trigger nor function."""
    server_role.execute("CREATE TEMP TABLE ledger_posting (entry_id uuid, amount_fen bigint)")

    with pytest.raises(psycopg.DatabaseError) as refused, server_role.transaction():
        entry = _entry(server_role)
        server_role.execute("INSERT INTO ledger_posting VALUES (%s, 5), (%s, -5)", [entry, entry])

    assert refused.value.sqlstate == "RL008"
