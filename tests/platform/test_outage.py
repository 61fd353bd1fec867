"""A real server whose PostgreSQL is gone for a while: what every kind of caller hears, and how soon it is over."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import psycopg
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.faults.people import sign_in
from tests.faults.test_kill import conversation_of
from tests.platform.test_real_services import frames
from tests.support.site import Site
from tests.support.wire import Wire

BACK_LIMIT_S = 5.0


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as made:
        yield made


def _refused(answer: httpx.Response, code: str, words: str) -> None:
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True), answer.text
    assert answer.headers["Content-Type"] == "application/json", answer.text
    error = answer.json()["error"]
    assert (error["code"], words in error["message"]) == (code, True), error


def test_a_server_without_its_database_says_so_to_everybody_and_is_soon_back(
    start_site: Callable[..., Site], wire: Wire
) -> None:
    site = start_site()
    site.environment["DATABASE_URL"] = wire.url(site.database_name)
    site.restart()
    su = sign_in(site, "su")
    bank = httpx.Client(base_url=site.bank_origin, headers={"Origin": site.bank_origin}, timeout=20)
    conversation = str(conversation_of(site, "su", "lin"))
    cookie = "; ".join(f"{one.name}={one.value}" for one in su.cookies.jar)
    said = {"type": "send", "conversation_id": conversation, "client_id": str(uuid4()), "text": "在吗"}
    english = {"Accept-Language": "en"}
    asks: list[Callable[[], httpx.Response]] = [
        lambda: su.get("/api/me"),
        lambda: su.get("/api/me", headers=english),
        lambda: su.post("/api/session", json={"phone": "13800000002", "password": "rongliao123"}),
        lambda: bank.post("/api/bank/sessions", json={"handoff": "no such"}),
    ]
    with connect(
        f"ws://localhost:{site.app_port}/ws/",
        origin=Origin(site.origin),
        additional_headers={"Cookie": cookie},
    ) as socket:
        assert frames(socket, "ready")
        wire.fall()
        socket.send(json.dumps(said))
        with ThreadPoolExecutor(len(asks) + 2) as pool:
            answers = [pool.submit(ask) for ask in asks]
            page, health = pool.submit(su.get, "/admin/"), pool.submit(su.get, "/readyz")
            for asked, words in zip(answers, ("未做任何更改", "Nothing was changed", "", ""), strict=True):
                refused = asked.result()
                # Where a connection stood open when it broke, a write's outcome is not known to the server.
                code = refused.json()["error"]["code"]
                assert code in ({"unavailable"} if words else {"unavailable", "outcome_unknown"})
                _refused(refused, code, words)
            assert (page.result().status_code, page.result().headers["Content-Type"]) == (
                503,
                "text/plain; charset=utf-8",
            )
            assert (health.result().status_code, health.result().json()["checks"]["database"]) == (503, False)
        assert su.get("/healthz").status_code == su.get("/").status_code == 200
        # Nobody was told that it is written; the sender keeps it and says it again.
        failure = frames(socket, "error")
        assert (failure["code"], failure["client_id"], failure["retry"]) == ("unconfirmed", said["client_id"], True)

        wire.rise()
        began = time.monotonic()
        while (answer := su.get("/api/me")).status_code != 200:
            _refused(answer, "unavailable", "未做任何更改")
            assert time.monotonic() - began < BACK_LIMIT_S
        assert time.monotonic() - began < BACK_LIMIT_S
        socket.send(json.dumps(said))
        assert frames(socket, "ack")["client_id"] == said["client_id"]
    with psycopg.connect(site.database_url) as database:
        row = database.execute("SELECT count(*) FROM chat_message WHERE client_id = %s", [said["client_id"]]).fetchone()
    assert row == (1,)
