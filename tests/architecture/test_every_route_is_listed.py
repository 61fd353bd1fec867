"""The stranger matrix: every door of the API × nobody, a stranger, the wrong role × somebody else's object."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Person
from rongliao.demo import World
from tests.architecture.router import ANYONE, BANK_SESSION, Door, Route, doors, table
from tests.conftest import _fresh
from tests.support import database
from tests.support.signing import sign_in

PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
PATTERN = re.compile(r"^\^(.*)\(\?P<\w+>.*\)\$$")
EXAMPLES = {"slug": "alerts", "str": "x", "int": "1"}
REFUSED = {400, 401, 403, 404, 405, 409, 415, 422}


@dataclass(frozen=True)
class Matrix:
    """The whole demo world, which no test here changes."""

    world: World
    clients: dict[tuple[str | None, bool], Client] = field(default_factory=dict)

    def client(self, door: Door, name: str | None) -> Client:
        """A program in that person's hand; None is a visitor."""
        key = name, door.bank
        if key not in self.clients:
            host = settings.BANK_NETLOC if door.bank else settings.APP_NETLOC
            self.clients[key] = Client(headers={"host": host}, raise_request_exception=False)
            if name is not None:
                sign_in(self.clients[key], Person.objects.get(pk=self.world.people[name]))
        return self.clients[key]

    def call(self, door: Door, route: Route, name: str | None, ids: dict[str, str]) -> int:
        path = PATTERN.sub(r"\g<1>621700", door.path)
        for kind, parameter in PARAMETER.findall(path):
            value = ids.get(parameter) or (str(uuid4()) if kind == "uuid" else EXAMPLES[kind or "str"])
            path = re.sub(rf"<(?:\w+:)?{parameter}>", value, path, count=1)
        origin = settings.BANK_ORIGIN if door.bank else settings.APP_ORIGIN
        answer = self.client(door, name).generic(
            door.method.upper(),
            f"/api/{path}",
            json.dumps(route.body).encode() if door.method != "get" else b"",
            content_type="application/json",
            headers={"origin": origin, "idempotency-key": str(uuid4())},
        )
        return int(answer.status_code)

    def theirs(self, route: Route) -> dict[str, str]:
        """Somebody else's ids for a path."""
        found = {}
        with connection.cursor() as cursor:
            for parameter, query in route.theirs.items():
                cursor.execute(query, {name: str(person) for name, person in self.world.people.items()})
                row = cursor.fetchone()
                assert row is not None, f"the demo world has nothing for: {query}"
                found[parameter] = str(row[0])
        return found


@pytest.fixture(scope="module")
def matrix(django_db_blocker: DjangoDbBlocker, django_db_setup: None) -> Iterator[Matrix]:
    for found in _fresh(django_db_blocker, database.DEMO):
        matrix = Matrix(found.world)
        # Whose things are asked for has signed in before: what a sign-in makes (a device) is hers in any order.
        matrix.client(DOORS[0], "su")
        yield matrix


LISTED = table()
DOORS = doors()
KNOWN = [(door, LISTED[door.name]) for door in DOORS if door.name in LISTED]
GUARDED = [pair for pair in KNOWN if pair[1].who not in (ANYONE, BANK_SESSION)]
names = [door.name for door, _ in GUARDED]


def test_every_route_is_listed_and_every_listing_has_its_route() -> None:
    """A door that no table names fails the build: say in tests/<app>/routes.py who may come through."""
    routed = {door.name for door in DOORS}
    assert sorted(routed - LISTED.keys()) == []
    assert sorted(LISTED.keys() - routed) == []


def test_every_id_in_a_path_is_somebodys_or_says_why_not() -> None:
    silent = [
        door.name
        for door, route in GUARDED
        if any(kind == "uuid" for kind, _ in PARAMETER.findall(door.path))
        and not route.theirs
        and not route.open_to_all
        and not isinstance(route.who, tuple)
    ]
    assert silent == []


@pytest.mark.parametrize(("door", "route"), GUARDED, ids=names)
def test_nobody_comes_in_without_a_session(matrix: Matrix, door: Door, route: Route) -> None:
    assert matrix.call(door, route, None, {}) == 401


BANK = [pair for pair in KNOWN if pair[1].who == BANK_SESSION]


@pytest.mark.parametrize(("door", "route"), BANK, ids=[door.name for door, _ in BANK])
def test_a_chat_session_is_no_bank_session(matrix: Matrix, door: Door, route: Route) -> None:
    assert matrix.call(door, route, "su", {}) in {401, 403}


ROLES = [pair for pair in GUARDED if isinstance(pair[1].who, tuple)]


@pytest.mark.parametrize(("door", "route"), ROLES, ids=[door.name for door, _ in ROLES])
def test_a_customer_does_not_come_through_a_door_of_the_staff(matrix: Matrix, door: Door, route: Route) -> None:
    assert matrix.call(door, route, "bai", matrix.theirs(route)) in {403, 404}


HOLDERS = {
    "advisor": "zhou",
    "agent": "song",
    "operator": "fang",
    "checker": "qin",
    "product": "fang",
    "compliance": "liang",
    "official_operator": "fang",
}


@pytest.mark.parametrize(("door", "route"), ROLES, ids=[door.name for door, _ in ROLES])
def test_staff_with_another_role_does_not_come_through_either(matrix: Matrix, door: Door, route: Route) -> None:
    allowed = {HOLDERS[role] for role in route.who}
    for name in sorted({*HOLDERS.values()} - allowed):
        assert matrix.call(door, route, name, matrix.theirs(route)) in {403, 404}, name


OWNED = [pair for pair in GUARDED if pair[1].theirs and not isinstance(pair[1].who, tuple)]


@pytest.mark.parametrize(("door", "route"), OWNED, ids=[door.name for door, _ in OWNED])
def test_somebody_elses_object_does_not_exist(matrix: Matrix, door: Door, route: Route) -> None:
    """A write may be refused for its shape before anybody looks; a read may not answer anything but 404."""
    ids = matrix.theirs(route)
    for stranger in ("bai", "xu"):
        status = matrix.call(door, route, stranger, ids)
        assert status in ({404} if door.method in {"get", "delete"} or route.body else REFUSED), stranger
