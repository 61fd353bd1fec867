from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Person
from rongliao.demo import World
from tests.support.signing import sign_in

As = Callable[[str], Client]


@pytest.fixture
def signed_in(world: World) -> As:
    """`signed_in("su")`: a client with the session of that person of the demo world."""

    def client(name: str) -> Client:
        it = Client(headers={"host": settings.APP_NETLOC, "origin": settings.APP_ORIGIN})
        sign_in(it, Person.objects.get(pk=world.people[name]))
        return it

    return client


def post(client: Client, path: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


def case_id_of(answer: Any) -> UUID:
    return UUID(answer.json()["case"]["id"])
