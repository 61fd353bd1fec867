"""Every door of the REST API: which there are (from the router), and who may come through (from the apps' tables).

A table is `ROUTES` in tests/<app>/routes.py: "GET contacts/<uuid:person_id>" (below /api/) → Route.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")
TABLES = ("accounts", "chat", "moments", "officials", "finance", "desk", "platform")
ANYONE, PERSON, BANK_SESSION = "anyone", "person", "bank session"


@dataclass(frozen=True)
class Route:
    """Who may come: ANYONE, PERSON (signed in), BANK_SESSION, or a tuple of staff roles.

    `theirs`: for each id in the path, SQL that finds one that belongs to somebody else; people are %(su)s and so on.
    `open_to_all`: why anybody signed in may name any id. `body`: what a well-formed write says.
    """

    who: str | tuple[str, ...]
    theirs: dict[str, str] = field(default_factory=dict)
    open_to_all: str = ""
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Door:
    """A method of a path, as the router has it."""

    method: str
    path: str
    bank: bool

    @property
    def name(self) -> str:
        """How a table names it."""
        return f"{self.method.upper()} {self.path}"


def _walk(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        else:
            yield route, entry.callback


def doors() -> list[Door]:
    """Every method of every path below /api/, on both origins."""
    found = []
    for conf, bank in ((settings.ROOT_URLCONF, False), (settings.BANK_URLCONF, True)):
        for route, view in _walk(get_resolver(conf).url_patterns):
            if not route.startswith("api/"):
                continue
            kind = getattr(view, "cls", None) or getattr(view, "view_class", None)
            methods = [method for method in METHODS if hasattr(kind, method)] if kind else ["get"]
            found += [Door(method, route.removeprefix("api/"), bank) for method in methods]
    return found


def table() -> dict[str, Route]:
    """The apps' tables as one. Raises ValueError where two list the same door."""
    listed: dict[str, Route] = {}
    for app in TABLES:
        routes: dict[str, Route] = import_module(f"tests.{app}.routes").ROUTES
        twice = listed.keys() & routes.keys()
        if twice:
            raise ValueError(f"listed twice: {sorted(twice)}")
        listed |= routes
    return listed
