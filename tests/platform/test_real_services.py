"""As a bank runs it: several server processes over one Redis; the units' commands, worker and beat apart."""

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from websockets.sync.client import ClientConnection, connect

from deploy.local import state
from deploy.local.install import PYTHON
from deploy.local.postgres import free_ports
from deploy.local.processes import tail
from tests.faults.people import sign_in
from tests.platform.test_house import GOOD
from tests.support import database, run
from tests.support.site import Site
from tests.support.units import unit_command

ANSWER_LIMIT_S = 20.0
START_LIMIT_S = 60.0


def frames(socket: ClientConnection, kind: str) -> dict[str, object]:
    """The next frame of that kind."""
    while True:
        for line in str(socket.recv(ANSWER_LIMIT_S)).split("\n"):
            frame: dict[str, object] = json.loads(line)
            if frame["type"] == kind:
                return frame


def ready(site: Site, port: int) -> object:
    """What the process on that port says of itself, once it listens."""
    until = time.monotonic() + START_LIMIT_S
    while True:
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{port}/readyz",
                headers={"Host": f"localhost:{site.app_port}"},
                timeout=ANSWER_LIMIT_S,
            )
            return answer.json()
        except httpx.ConnectError:
            assert time.monotonic() < until, tail(site.folder / "uvicorn.log")
            time.sleep(0.2)


def test_a_message_reaches_somebody_on_another_server_process(start_site: Callable[..., Site], redis_url: str) -> None:
    site = start_site(REDIS_URL=redis_url)
    (other_port,) = free_ports(1)
    run.spawn(
        [PYTHON, "-m", "uvicorn", "rongliao.asgi:application", "--port", str(other_port), "--lifespan", "off"],
        log=site.folder / "uvicorn.log",
        env=site.environment,
    )
    clients = {name: sign_in(site, name) for name in ("su", "lin")}
    cookies = {
        name: "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar) for name, client in clients.items()
    }
    opened = clients["su"].post("/api/chat/conversations", json={"person_id": str(site.world.people["lin"])})
    conversation = opened.json()["conversation"]["id"]

    assert ready(site, other_port) == {"ready": True, "checks": {"database": True, "layer": True, "worker": True}}

    def socket(name: str, port: int) -> ClientConnection:
        return connect(
            f"ws://localhost:{port}/ws/",
            origin=site.origin,  # type: ignore[arg-type]  # a NewType of the library
            additional_headers={"Cookie": cookies[name]},
        )

    with socket("su", site.app_port) as here, socket("lin", other_port) as there:
        assert frames(here, "ready")
        assert frames(there, "ready")
        sent = {"type": "send", "conversation_id": conversation, "client_id": "0190aaaa-0000-7000-8000-000000000001"}
        here.send(json.dumps({**sent, "text": "隔着进程"}))
        assert frames(here, "ack")["client_id"] == sent["client_id"]
        message = frames(there, "message")["message"]
        assert isinstance(message, dict)
        assert message["text"] == "隔着进程"


def test_the_units_commands_serve_an_empty_bank_with_worker_and_beat_apart(redis_url: str, tmp_path: Path) -> None:
    name = database.clone(database.MIGRATED)
    environment = {
        **database.environment(database.server(), name),
        **GOOD,
        "DEMO": "0",
        "REDIS_URL": redis_url,
        "VAR_DIR": str(tmp_path),
        "RECEIPT_KEY_FILE": str(state.receipt_key(tmp_path / "receipts.pem")),
    }
    (port,) = free_ports(1)
    started = [
        run.spawn(unit_command(unit, port, tmp_path), log=tmp_path / f"{unit}.log", env=environment)
        for unit in ("server", "worker", "beat")
    ]
    try:
        until = time.monotonic() + START_LIMIT_S
        said: object = None
        while said != {"ready": True, "checks": {"database": True, "layer": True, "worker": True}}:
            assert time.monotonic() < until, (said, *(tail(tmp_path / f"{unit}.log") for unit in ("server", "worker")))
            time.sleep(0.3)
            with contextlib.suppress(httpx.ConnectError):
                host = urlsplit(GOOD["APP_ORIGIN"]).netloc
                said = httpx.get(f"http://127.0.0.1:{port}/readyz", headers={"Host": host}, timeout=5).json()
    finally:
        for process in started:
            process.terminate()
            process.wait(ANSWER_LIMIT_S)
        database.drop(name)
