"""Who may write on the two sites: their own pages, and programs that carry no cookie."""

import pytest
from django.conf import settings

from rongliao.demo import World
from tests.support.caller import Caller

PATH = "/api/finance/pin"


@pytest.mark.parametrize("origin", [settings.BANK_ORIGIN, "null", "http://evil.example", settings.APP_ORIGIN + "0"])
def test_no_other_origin_writes_with_a_cookie(world: World, origin: str) -> None:
    answer = Caller(world.people["su"]).post(PATH, {}, Origin=origin)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_origin")


def test_a_cookie_without_an_origin_writes_nothing(world: World) -> None:
    caller = Caller(world.people["su"])

    answer = caller.client.post(PATH, {}, content_type="application/json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_origin")
