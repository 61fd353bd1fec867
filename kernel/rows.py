"""Rows that are read and written in every transaction that matters: the statement is put together once for each model.

The ORM puts it together anew each time, which took longer than PostgreSQL took to run it.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

import msgspec
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.base import ModelState
from django.db.models.fields import NOT_PROVIDED

from kernel import notes
from kernel.statements import Question, own, planned

Row = TypeVar("Row", bound=models.Model)


_AS_IT_IS = frozenset(
    {models.UUIDField, models.CharField, models.TextField, models.BigIntegerField, models.SmallIntegerField}
    | {models.PositiveSmallIntegerField, models.IntegerField, models.BooleanField}
    | {models.BinaryField, models.DateTimeField}
)


def _as_it_is(field: "models.Field[Any, Any]") -> bool:
    """Whether psycopg takes a value of this field as Django would give it; of times that are aware."""
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return False
    return type(field.target_field if isinstance(field, models.ForeignKey) else field) in _AS_IT_IS


def _plain_json(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.JSONField) and field.encoder is None and field.decoder is None


def _written(field: "models.Field[Any, Any]", row: models.Model) -> Any:
    """A value as psycopg takes it, where it does not take the row's."""
    if _plain_json(field):
        value = getattr(row, field.attname)
        return None if value is None else msgspec.json.encode(value).decode()
    return field.get_db_prep_save(field.pre_save(row, add=True), own())


def _read_json(value: str | None, *_: Any) -> Any:
    return None if value is None else msgspec.json.decode(value)


@lru_cache
def _insert(model: type[models.Model]) -> tuple[str, tuple[tuple[str, "models.Field[Any, Any] | None"], ...]]:
    fields = tuple(
        field
        for field in model._meta.local_concrete_fields
        if field.db_default is NOT_PROVIDED and not isinstance(field, models.AutoField)
    )
    database = own()
    quote = database.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    # Without a length: a cast to one cuts what is too long, where the column refuses it.
    values = ", ".join(f"%s::{str(field.db_type(database)).partition('(')[0]}" for field in fields)
    # Names of our own models alone.
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) SELECT {values} {notes.WHEN}", tuple(
        (field.attname, None if _as_it_is(field) else field) for field in fields
    )


@lru_cache
def _defaults(model: type[models.Model]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.attname, field.get_default) for field in model._meta.concrete_fields)


def _bare(model: type[Row], values: dict[str, Any], *, adding: bool) -> Row:
    # For a model without receivers of pre_init and post_init: setting field by field and telling nobody took longer
    # than reading.
    made = model.__new__(model)
    made._state = ModelState()
    made._state.adding, made._state.db = adding, None if adding else DEFAULT_DB_ALIAS
    made.__dict__.update(values)
    return made


def new(model: type[Row], **values: Any) -> Row:
    """A row that is not written yet, with the model's defaults. Foreign keys go by their ids (`payer_id`).

    Raises TypeError for what the model has not got.
    """
    made = {name: values.pop(name) if name in values else default() for name, default in _defaults(model)}
    if values:
        raise TypeError(f"{model.__name__} has no {', '.join(values)}")
    return _bare(model, made, adding=True)


def insert(row: models.Model, *, if_new: bool = False, when: str = "", name: str = "") -> None:
    """Writes a new row, as notes.write does. What the database fills in (a running number, the time) is not read back.

    `if_new`: unless a unique one like it stands there. Another transaction that is about to write the same is waited
    for. `when`: only if this condition of the caller's own holds. `name`: see notes.write.
    """
    statement, fields = _insert(type(row))
    if when:
        statement = statement.replace(notes.WHEN, f"WHERE {when}")
    values = [getattr(row, attribute) if field is None else _written(field, row) for attribute, field in fields]
    notes.write(statement + " ON CONFLICT DO NOTHING" * if_new, values, name=name)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@lru_cache
def _columns(model: type[models.Model]) -> tuple[str, list[str], list[tuple[int, Any, Any]]]:
    fields, database = model._meta.concrete_fields, own()
    quote = database.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in fields)
    converters = [
        (place, converter, field.get_col(model._meta.db_table))
        for place, field in enumerate(fields)
        for converter in ([_read_json] if _plain_json(field) else field.get_db_converters(database))
    ]
    return names, [field.attname for field in fields], converters


@lru_cache
def _select(model: type[models.Model]) -> str:
    table = own().ops.quote_name(model._meta.db_table)
    return f"SELECT {columns(model)} FROM {table}"  # noqa: S608 - names of our own models alone


def columns(model: type[models.Model]) -> str:
    """All columns of a model, for a statement whose answer `read` reads."""
    return _columns(model)[0]


def read(model: type[Row], found: Sequence[Any] | None) -> Row | None:
    """What PostgreSQL answered for all columns of a model, in their order, as a row of it."""
    if found is None:
        return None
    _, names, converters = _columns(model)
    row = list(found)
    if converters:
        database = own()
        for place, converter, column in converters:
            row[place] = converter(row[place], column, database)
    return _bare(model, dict(zip(names, row, strict=True)), adding=False)


def question(model: type[Row], where: str, values: Sequence[Any]) -> Question[Row | None]:
    """For the row that the condition names, whole. `where` is SQL of the caller's own, and may end in a lock."""
    return Question(f"{_select(model)} WHERE {where}", values, partial(read, model))


def every(model: type[Row], where: str, values: Sequence[Any]) -> list[Row]:
    """The rows that the condition names, whole. `where` is SQL of the caller's own, and may end in an order."""
    found = planned(f"{_select(model)} WHERE {where}", values)
    return [made for row in found if (made := read(model, row)) is not None]


def first(model: type[Row], where: str, values: Sequence[Any]) -> Row | None:
    """The row that the condition names, whole, or None. `where` is SQL of the caller's own, and may end in a lock."""
    asked = question(model, where, values)
    return asked.read(next(iter(planned(asked.statement, asked.values)), None))
