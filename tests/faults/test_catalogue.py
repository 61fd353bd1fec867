"""Every guard that the database's catalogue knows of is attacked, alone, and with it gone the attack goes through.

One that is added without an attack fails here, and one that is named and is no longer there.
"""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from deploy.local.postgres import APP
from tests.faults import catalogue
from tests.faults.attacks import CHECKS, EXEMPT, MAY, ROWS, TRIGGERS, UNIQUE
from tests.faults.catalogue import Guard
from tests.faults.figures import LONG, note
from tests.faults.mutants import MUTANTS
from tests.support import database

REFUSED_RIGHT, REFUSED_CHECK, REFUSED_TWICE = "42501", "23514", "23505"


@pytest.fixture(scope="module")
def superuser() -> Iterator[psycopg.Connection[Any]]:
    """An insider with every right, in an empty database."""
    name, server = database.clone(database.MIGRATED), database.server()
    with psycopg.connect(server.url(server.superuser, name)) as connection:
        yield connection
    database.drop(name)


@pytest.fixture(scope="module")
def found(superuser: psycopg.Connection[Any]) -> set[Guard]:
    """All guards there are."""
    with catalogue.rolled_back(superuser) as cursor:
        return catalogue.guards(cursor)


@pytest.fixture
def cursor(superuser: psycopg.Connection[Any]) -> Iterator[catalogue.Cursor]:
    """Whatever is done with it is undone."""
    with catalogue.rolled_back(superuser) as found:
        yield found


def _named_in_mutants() -> set[str]:
    """The guards that a mutant takes away by a statement of its own."""
    words = "; ".join(mutant.sql for mutant in MUTANTS)
    return set(re.findall(r"DROP (?:TRIGGER|CONSTRAINT|INDEX) (\w+)", words))


def _counting_column(guard: Guard) -> str | None:
    """The column of a CHECK that Django made because the column counts."""
    found = re.fullmatch(rf"{guard.table}_(\w+)_check", guard.name)
    return found[1] if found and guard.kind == "check" else None


def _is_known(guard: Guard) -> bool:
    if guard.kind == "right":
        return guard.table in MAY
    if guard.kind == "unique" and guard.name == f"{guard.table}_pkey":
        return True
    return guard.name in {*CHECKS, *UNIQUE, *TRIGGERS, *EXEMPT, *_named_in_mutants()} or bool(_counting_column(guard))


def test_no_guard_is_without_an_attack_and_no_attack_without_its_guard(found: set[Guard]) -> None:
    unknown = sorted(guard for guard in found if not _is_known(guard))
    names = {guard.name for guard in found}
    gone = sorted({*CHECKS, *UNIQUE, *TRIGGERS, *EXEMPT, *_named_in_mutants()} - names)

    if LONG:
        note(safety_guards_in_catalogue=len(found), safety_guards_without_attack=len(unknown))
    assert not unknown, f"write an attack in tests/faults/attacks.py, or why there is none: {unknown}"
    assert not gone, f"named in tests/faults, but not in the database: {gone}"
    assert all(len(reason) > 20 for reason in EXEMPT.values())


def test_the_server_may_do_to_each_table_what_is_written_and_no_more(
    cursor: catalogue.Cursor, found: set[Guard]
) -> None:
    tables = catalogue.tables(cursor)
    lacking = {table: {guard.name for guard in found if guard[:2] == ("right", table)} for table in tables}
    seen = {}
    for table in tables:
        columns = [name for name, _, _ in cursor.execute(catalogue.COLUMNS, [table]).fetchall()]
        free = [column for column in columns if f"UPDATE {column}" not in lacking[table]]
        partly = f"UPDATE({', '.join(free)})" if free else ""
        words = ["UPDATE" if free == columns else partly, "" if "DELETE" in lacking[table] else "DELETE"]
        seen[table] = " ".join(filter(None, words))

    assert seen == MAY
    assert all("TRUNCATE" in lacking[table] for table in tables)


def _refused_alone(cursor: catalogue.Cursor, guard: Guard, code: str, attacks: tuple[str, ...]) -> None:
    """Each attack is refused by this guard and nothing else; without it each goes through."""
    for attack in attacks:
        said = catalogue.refusal(cursor, attack)
        assert said is not None, f"{guard.name} lets it through: {attack}"
        assert (said.sqlstate, said.constraint_name or guard.name) == (code, guard.name), attack
    catalogue.remove(cursor, guard)
    for attack in attacks:
        with cursor.connection.transaction(force_rollback=True):
            cursor.execute(attack)


@pytest.mark.parametrize("name", CHECKS)
def test_a_row_that_breaks_a_rule_is_refused_by_that_rule_alone(
    cursor: catalogue.Cursor, found: set[Guard], name: str
) -> None:
    (guard,) = [guard for guard in found if guard.name == name]
    catalogue.switch_others_off(cursor, guard)
    catalogue.put(cursor, guard.table, ROWS.get(guard.table, {}))

    _refused_alone(cursor, guard, REFUSED_CHECK, tuple(f"UPDATE {guard.table} SET {change}" for change in CHECKS[name]))


def test_what_counts_is_never_below_zero(
    superuser: psycopg.Connection[Any], cursor: catalogue.Cursor, found: set[Guard]
) -> None:
    counting = sorted(guard for guard in found if _counting_column(guard))
    assert len(counting) > 20
    for guard in counting:
        with superuser.transaction(force_rollback=True):
            catalogue.switch_others_off(cursor, guard)
            catalogue.put(cursor, guard.table, ROWS.get(guard.table, {}))
            attack = f"UPDATE {guard.table} SET {_counting_column(guard)} = -1"
            _refused_alone(cursor, guard, REFUSED_CHECK, (attack,))


def _refused_again(cursor: catalogue.Cursor, guard: Guard, row: dict[str, str]) -> None:
    catalogue.switch_others_off(cursor, guard)
    catalogue.put(cursor, guard.table, row)
    _refused_alone(cursor, guard, REFUSED_TWICE, (catalogue.again(cursor, guard.table),))


@pytest.mark.parametrize("name", UNIQUE)
def test_what_is_once_is_not_written_again(cursor: catalogue.Cursor, found: set[Guard], name: str) -> None:
    (guard,) = [guard for guard in found if guard.name == name]

    _refused_again(cursor, guard, ROWS.get(guard.table, {}) | UNIQUE[name])


def test_no_row_is_there_twice(superuser: psycopg.Connection[Any], cursor: catalogue.Cursor, found: set[Guard]) -> None:
    keys = sorted(guard for guard in found if guard.name == f"{guard.table}_pkey")
    assert {guard.table for guard in keys} == set(MAY)
    for guard in keys:
        with superuser.transaction(force_rollback=True):
            _refused_again(cursor, guard, ROWS.get(guard.table, {}))


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_trigger_stops_whoever_has_every_right(cursor: catalogue.Cursor, found: set[Guard], name: str) -> None:
    (guard,) = [guard for guard in found if guard.name == name]
    code, row, attacks = TRIGGERS[name]
    catalogue.switch_others_off(cursor, guard)
    catalogue.put(cursor, guard.table, ROWS.get(guard.table, {}) | row)
    column = cursor.execute(catalogue.COLUMNS, [guard.table]).fetchall()[0][0]

    tried = tuple(attack.format(table=guard.table, column=column) for attack in attacks)
    _refused_alone(cursor, guard, code, tried)


@pytest.mark.parametrize("table", MAY)
def test_the_server_is_refused_what_it_has_no_right_to(
    superuser: psycopg.Connection[Any], cursor: catalogue.Cursor, found: set[Guard], table: str
) -> None:
    lacking = sorted(guard for guard in found if guard[:2] == ("right", table))
    assert lacking
    for guard in lacking:
        what, _, column = guard.name.partition(" ")
        attack = {
            "UPDATE": f'UPDATE {table} SET "{column}" = DEFAULT WHERE false',
            "DELETE": f"DELETE FROM {table} WHERE false",
            "TRUNCATE": f"TRUNCATE {table}",
        }[what]
        with superuser.transaction(force_rollback=True):
            if what == "TRUNCATE":
                # A table that others refer to is not emptied by anybody.
                catalogue.switch_others_off(cursor, guard)
            else:
                cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(f"SET LOCAL ROLE {APP}")
            said = catalogue.refusal(cursor, attack)
            assert said is not None and said.sqlstate == REFUSED_RIGHT, (table, guard.name)
            cursor.execute("RESET ROLE")
            catalogue.remove(cursor, guard)
            cursor.execute(f"SET LOCAL ROLE {APP}")
            cursor.execute(attack)
