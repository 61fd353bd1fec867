"""What the database's catalogue says of the tables of money: triggers, CHECKs, unique indexes, and rights that the
server's role has not been given. And one guard at a time, all others of its table switched off.

An attack runs in a transaction of the superuser's that is rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from deploy.local.postgres import APP

APPS = ("ledger", "bank_session", "payments", "wealth", "services", "networks")
KERNEL = ("kernel_auditrow", "kernel_auditlink", "kernel_outboxrow", "kernel_storedanswer")
Cursor = psycopg.Cursor[Any]


class Guard(NamedTuple):
    """`kind`: `trigger`, `check`, `unique` (also a primary key or an exclusion) or `right`. The name of a right is what
    the role lacks: `DELETE`, `TRUNCATE`, `UPDATE <column>`.
    """

    kind: str
    table: str
    name: str


_TABLES = """
SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
AND (relname ~ %s OR relname = ANY (%s)) ORDER BY 1
"""
_GUARDS = """
SELECT 'trigger', c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND c.relname = ANY (%(tables)s)
UNION ALL
SELECT 'check', c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'c' AND k.convalidated AND c.relname = ANY (%(tables)s)
UNION ALL
SELECT 'unique', c.relname, x.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_class x ON x.oid = i.indexrelid
WHERE (i.indisunique OR i.indisexclusion) AND i.indisvalid AND c.relname = ANY (%(tables)s)
"""
_RIGHTS = """
SELECT 'right', c.relname, r.name FROM pg_class c CROSS JOIN (VALUES ('DELETE'), ('TRUNCATE')) AS r(name)
WHERE c.relname = ANY (%(tables)s) AND c.relnamespace = 'public'::regnamespace
AND NOT has_table_privilege(%(role)s, c.oid, r.name)
UNION ALL
SELECT 'right', c.relname, 'UPDATE ' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relname = ANY (%(tables)s) AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
AND NOT a.attisdropped AND NOT has_column_privilege(%(role)s, c.oid, a.attnum, 'UPDATE')
"""


def tables(cursor: Cursor) -> list[str]:
    """The tables of the finance apps, whoever made them, and the kernel's that money rests on."""
    cursor.execute(_TABLES, [f"^({'|'.join(APPS)})_", list(KERNEL)])
    return [name for (name,) in cursor.fetchall()]


def guards(cursor: Cursor) -> set[Guard]:
    """All there are."""
    asked = {"tables": tables(cursor), "role": APP}
    found = [cursor.execute(query, asked).fetchall() for query in (_GUARDS, _RIGHTS)]
    return {Guard(*row) for rows in found for row in rows}


COLUMNS = """
SELECT a.attname, t.typname, a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_ANY = {
    "uuid": "gen_random_uuid()",
    "int2": "1",
    "int4": "1",
    "int8": "1",
    "varchar": "'x'",
    "text": "'x'",
    "bool": "false",
    "timestamptz": "now()",
    "date": "current_date",
    "time": "'10:00'",
    "jsonb": "'{}'",
    "bytea": "'\\x00'",
}


def put(cursor: Cursor, table: str, values: dict[str, str]) -> None:
    """Puts a row there: `values` are SQL; what must have a value and is not named gets any."""
    cursor.execute(COLUMNS, [table])
    wanted = {name: _ANY[kind] for name, kind, needed in cursor.fetchall() if needed and name not in values}
    wanted |= values
    cursor.execute(f"INSERT INTO {table} ({_listed(wanted)}) VALUES ({', '.join(wanted.values())})")


def again(cursor: Cursor, table: str) -> str:
    """The statement that puts the table's rows there once more, as they are."""
    names = _listed(name for name, _, _ in cursor.execute(COLUMNS, [table]).fetchall())
    return f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {table}"


def _listed(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)


_OTHERS = """
SELECT format('ALTER TABLE %%I DROP CONSTRAINT IF EXISTS %%I CASCADE', c.relname, k.conname)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relname = %(table)s AND k.contype IN ('c', 'u', 'p', 'x', 'f') AND k.conname <> %(guard)s
UNION ALL
SELECT format('DROP INDEX IF EXISTS %%I', x.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_class x ON x.oid = i.indexrelid WHERE c.relname = %(table)s AND x.relname <> %(guard)s AND i.indisunique
AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
UNION ALL
SELECT format('DROP TRIGGER %%I ON %%I', t.tgname, c.relname) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relname = %(table)s AND NOT t.tgisinternal AND t.tgname <> %(guard)s
"""


def switch_others_off(cursor: Cursor, guard: Guard) -> None:
    """Leaves the table with this guard alone: no other CHECK, key, foreign key or trigger. Foreign keys to it go too
    where it is none of their keys.
    """
    cursor.execute(_OTHERS, {"table": guard.table, "guard": guard.name})
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)


def remove(cursor: Cursor, guard: Guard) -> None:
    """Takes it away."""
    table, name = sql.Identifier(guard.table), sql.Identifier(guard.name)
    if guard.kind == "trigger":
        cursor.execute(sql.SQL("DROP TRIGGER {} ON {}").format(name, table))
    elif guard.kind == "right":
        what, _, column = guard.name.partition(" ")
        of = sql.SQL("({})").format(sql.Identifier(column)) if column else sql.SQL("")
        cursor.execute(sql.SQL("GRANT {}{} ON {} TO {}").format(sql.SQL(what), of, table, sql.Identifier(APP)))
    else:
        cursor.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {} CASCADE").format(table, name))
        cursor.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(name))


@contextmanager
def rolled_back(connection: psycopg.Connection[Any]) -> Iterator[Cursor]:
    """A transaction that leaves nothing behind."""
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        yield cursor


def refusal(cursor: Cursor, statement: str) -> psycopg.errors.Diagnostic | None:
    """What the database says to that statement where it refuses it, or None. The transaction goes on as before it."""
    try:
        with cursor.connection.transaction():
            cursor.execute(statement)
    except psycopg.DatabaseError as error:
        return error.diag
    return None
