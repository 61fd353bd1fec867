"""Rows that are written in every transaction that matters: the statement is put together once for each model.

The ORM puts it together anew each time, which took longer than PostgreSQL took to run it.
"""

from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.fields import NOT_PROVIDED


@lru_cache
def _insert(model: type[models.Model]) -> tuple[str, tuple["models.Field[Any, Any]", ...]]:
    fields = tuple(
        field
        for field in model._meta.local_concrete_fields
        if field.db_default is NOT_PROVIDED and not isinstance(field, models.AutoField)
    )
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    values = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({values})", fields


def _run(row: models.Model, ending: str) -> int:
    statement, fields = _insert(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement + ending, values)
        row._state.adding, row._state.db = False, connection.alias
        return cursor.rowcount


def insert(row: models.Model) -> None:
    """Writes a new row. What the database fills in (a running number, the time) is not read back."""
    _run(row, "")


def insert_if_new(row: models.Model) -> bool:
    """Writes a row unless a unique one like it stands there; answers whether it did.

    Another transaction that is about to write the same is waited for.
    """
    return bool(_run(row, " ON CONFLICT DO NOTHING"))
