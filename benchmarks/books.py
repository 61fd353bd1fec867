"""Databases with accounts to post between, and the proof that no money was made or lost in them."""

import base64

import psycopg

from benchmarks.bed import Bed
from deploy.local import state
from deploy.local.install import PYTHON
from deploy.local.postgres import APP
from deploy.local.processes import Failed

SECRETS = ("SECRET_KEY", "BLIND_INDEX_KEY", "AUDIT_KEY", "PIN_PEPPER", "NETWORKS_SECRET")


def settings(bed: Bed, database: str) -> dict[str, str]:
    """A bank's installation, not a demonstration: nobody moves its date on. Everybody here speaks with PostgreSQL over
    its Unix socket, as `make run` does.
    """
    secret = {name: f"benchmark-{name.lower()}-{'0' * 40}" for name in SECRETS}
    key = base64.b64encode(b"\x02" * 32).decode()
    url = bed.cluster.url(APP, bed.app_password, database, on_socket=True)
    signing = str(state.receipt_key(bed.folder / "receipts.pem"))
    return {
        "DATABASE_URL": url,
        "DEMO": "0",
        "FIELD_KEYS": f"bench:{key}",
        "RECEIPT_KEY_FILE": signing,
        **secret,
    }


def environment(bed: Bed, database: str, **more: str) -> dict[str, str]:
    """What a process with one connection reads."""
    return bed.environment(database, **settings(bed, database) | {"DATABASE_POOL": "0"} | more)


def make(bed: Bed, database: str, accounts: int) -> None:
    """A database of the product's with so many customers' accounts with money, numbered in bench_account."""
    bed.product_database(database)
    bed.cluster.sql(
        f"CREATE TABLE bench_account (n int PRIMARY KEY, id uuid NOT NULL);\nGRANT ALL ON bench_account TO {APP};\n"
        "CREATE FUNCTION bench_id_of(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS"
        " $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;",
        database,
    )
    bed.run([PYTHON, "-m", "benchmarks.accounts", str(accounts)], environment(bed, database))


def settled(bed: Bed, database: str) -> None:
    """What was prepared is known to the planner, and on the disk before anything is measured."""
    bed.cluster.sql("VACUUM ANALYZE;", database)
    bed.cluster.sql("CHECKPOINT")


def number(bed: Bed, database: str, statement: str) -> int:
    """What a statement answers, asked by the superuser."""
    with psycopg.connect(bed.cluster.superuser_url(database)) as connection:
        row = connection.execute(statement).fetchone()  # type: ignore[arg-type]  # psycopg asks for a literal
        assert row
        return int(row[0] or 0)


def conserved(bed: Bed, database: str, sums: dict[str, int]) -> None:
    """What each statement must answer. Raises Failed."""
    for statement, expected in sums.items():
        found = number(bed, database, statement)
        if found != expected:
            raise Failed(f"money was not conserved: {statement} says {found}, not {expected}")


def hold(bed: Bed, database: str) -> None:
    """No fen made or lost in the product's books, and every rule of theirs holds. Raises Failed."""
    conserved(bed, database, {"SELECT coalesce(sum(amount_fen), 0) FROM ledger_posting": 0})
    bed.run([PYTHON, "manage.py", "verify_ledger"], environment(bed, database))
