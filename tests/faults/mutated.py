"""A pytest plugin that takes one guard away: `-p tests.faults.mutated` with MUTANT=<name>, or MUTANT_OFF=<name> to do
only what that mutant needs beside it."""

import importlib.machinery
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import psycopg

from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.mutants.mutant import Change
from tests.support import database

CHOSEN = os.environ.get("MUTANT") or os.environ["MUTANT_OFF"]
ONLY_OFF = "MUTANT" not in os.environ


def _replaced(text: str, words: str, others: str) -> str:
    assert words in text, f"{words!r} is not there to be changed"
    return text.replace(words, others)


class _Loader(importlib.machinery.SourceFileLoader):
    changes: Sequence[tuple[str, str]] = ()

    def get_data(self, path: str) -> bytes:
        text = super().get_data(path).decode()
        for change in self.changes:
            text = _replaced(text, *change)
        return text.encode()

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        # Never from the cache, and never into it.
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Finder(MetaPathFinder):
    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = changes

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        its = [change for module, *change in self.changes if module == fullname]
        if not its:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec and spec.origin
        spec.loader = _Loader(fullname, spec.origin)
        spec.loader.changes = its
        return spec


def _alter(mutant: Mutant, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        for statement in filter(None, mutant.off.split(";")):
            owner.execute(statement)  # type: ignore[call-overload]
        if ONLY_OFF:
            return
        if mutant.sql:
            owner.execute(mutant.sql)  # type: ignore[call-overload]
        if mutant.function:
            name, words, others = mutant.function
            ((text,),) = owner.execute(
                "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", [name]
            ).fetchall()
            owner.execute(_replaced(text, words, others))


(_mutant,) = [mutant for mutant in MUTANTS if mutant.name == CHOSEN]
_changes = [*_mutant.off_modules, *([_mutant.module] if _mutant.module and not ONLY_OFF else [])]
assert not {module for module, *_ in _changes} & sys.modules.keys()
sys.meta_path.insert(0, _Finder(_changes))

_clone = database.clone


def _altered_clone(source: str) -> str:
    name = _clone(source)
    _alter(_mutant, database.server().owner_url(name))
    return name


database.clone = _altered_clone
