"""Rows that are read and written in every transaction that matters: the statement is put together once for each model.

The ORM puts it together anew each time, which took longer than PostgreSQL took to run it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.fields import NOT_PROVIDED

from kernel.statements import planned

Row = TypeVar("Row", bound=models.Model)


@lru_cache
def _insert(model: type[models.Model]) -> tuple[str, tuple["models.Field[Any, Any]", ...]]:
    fields = tuple(
        field
        for field in model._meta.local_concrete_fields
        if field.db_default is NOT_PROVIDED and not isinstance(field, models.AutoField)
    )
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    values = ", ".join(["%s"] * len(fields))
    # Names of our own models alone.
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({values})", fields  # noqa: S608


def _run(row: models.Model, ending: str) -> int:
    statement, fields = _insert(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with planned() as cursor:
        cursor.execute(statement + ending, values)
        row._state.adding, row._state.db = False, connection.alias
        return int(cursor.rowcount)


def insert(row: models.Model) -> None:
    """Writes a new row. What the database fills in (a running number, the time) is not read back."""
    _run(row, "")


def insert_if_new(row: models.Model) -> bool:
    """Writes a row unless a unique one like it stands there; answers whether it did.

    Another transaction that is about to write the same is waited for.
    """
    return bool(_run(row, " ON CONFLICT DO NOTHING"))


@lru_cache
def _select(model: type[models.Model]) -> tuple[str, list[str], list[tuple[int, Any, Any]]]:
    fields = model._meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    converters = [
        (place, converter, field.get_col(model._meta.db_table))
        for place, field in enumerate(fields)
        for converter in field.get_db_converters(connection)
    ]
    statement = f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE "  # noqa: S608
    return statement, [field.attname for field in fields], converters


def first(model: type[Row], where: str, values: Sequence[Any]) -> Row | None:
    """The row that the condition names, whole, or None. `where` is SQL of the caller's own, and may end in a lock."""
    statement, names, converters = _select(model)
    with planned() as cursor:
        cursor.execute(statement + where, values)
        found = cursor.fetchone()
    if found is None:
        return None
    row = list(found)
    for place, converter, column in converters:
        row[place] = converter(row[place], column, connection)
    return model.from_db(connection.alias, names, row)
