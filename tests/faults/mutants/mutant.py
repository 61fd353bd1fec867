"""A guard that is taken away, and the test that must notice."""

from dataclasses import dataclass

Change = tuple[str, str, str]


@dataclass(frozen=True)
class Mutant:
    """`change`: SQL; or (function of the database, words, other words); or (module, words, other words).

    `off` (SQL) and `off_modules` switch off what would cover for it.
    """

    name: str
    test: str
    sql: str = ""
    function: Change | None = None
    module: Change | None = None
    off: str = ""
    off_modules: tuple[Change, ...] = ()


def without(kind: str, table: str, name: str) -> str:
    """The SQL that takes a trigger or a constraint away."""
    if kind == "trigger":
        return f"DROP TRIGGER {name} ON {table}"
    return f"ALTER TABLE {table} DROP CONSTRAINT {name}"
