"""How the server treats those who come together: one after the other, with room for everybody else between them."""

import asyncio
import json
import subprocess
from typing import Any

import pytest
import uvicorn

from deploy.checks import DEMO
from deploy.local.install import PYTHON, ROOT
from deploy.local.postgres import free_ports
from rongliao import turnstile
from rongliao.http import PunctualProtocol, PunctualSocket


async def heard(count: int, *, sockets: bool) -> float:
    """So many who come at once: the seconds until all were heard. Between two of them the loop turns for others."""
    loop = asyncio.get_running_loop()
    gate = turnstile.Turnstile(loop)
    done = asyncio.Event()
    left, turns = count, 0

    def hear() -> bool:
        nonlocal left
        left -= 1
        if not left:
            done.set()
        return sockets

    async def others() -> None:
        nonlocal turns
        while not done.is_set():
            await asyncio.sleep(0)
            turns += 1

    talking = asyncio.create_task(others())
    began = loop.time()
    for _ in range(count):
        gate.enter(hear)
    await done.wait()
    took = loop.time() - began
    await talking
    assert turns >= count
    return took


async def test_who_opens_sockets_at_once_is_heard_with_pauses_and_requests_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turnstile, "PACE_S", 0.02)
    assert await heard(20, sockets=True) >= 19 * 0.02
    monkeypatch.setattr(turnstile, "PACE_S", 60.0)
    assert await heard(20, sockets=False) < 30


@pytest.mark.parametrize("asked", [b"Upgrade: WebSocket", b"upgrade:websocket", b"Upgrade:\t websocket"])
async def test_a_crowd_of_sockets_keeps_no_request_waiting(monkeypatch: pytest.MonkeyPatch, asked: bytes) -> None:
    monkeypatch.setattr(turnstile, "PACE_S", 60.0)
    loop = asyncio.get_running_loop()
    heard_of: list[str] = []
    answered = asyncio.Event()

    def hear(who: str) -> bool:
        heard_of.append(who)
        if who == "request":
            answered.set()
        return who == "socket"

    for _ in range(5):
        turnstile.turnstile_for(loop, b"GET /ws/ HTTP/1.1\r\n" + asked + b"\r\n").enter(lambda: hear("socket"))
    turnstile.turnstile_for(loop, b"POST /api/ HTTP/1.1\r\n").enter(lambda: hear("request"))
    await asyncio.wait_for(answered.wait(), 5)
    assert heard_of == ["socket", "request"]


async def test_who_asks_for_a_socket_in_pieces_keeps_no_request_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,), loop = free_ports(1), asyncio.get_running_loop()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await receive()
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def knocks(*pieces: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        leaving.append(writer)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.05)
        return reader

    config = uvicorn.Config(application, port=port, http=PunctualProtocol, ws=PunctualSocket, lifespan="off")
    server, leaving = uvicorn.Server(config), list[asyncio.StreamWriter]()
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        monkeypatch.setattr(turnstile, "PACE_S", 0.5)
        turnstile.turnstile_for(loop, b"").enter(lambda: True)
        await asyncio.sleep(0.01)
        monkeypatch.setattr(turnstile, "PACE_S", 60.0)
        opening = (
            b"ET /ws/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        socket = await knocks(b"G", opening)
        request = await knocks(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in await asyncio.wait_for(request.readline(), 5)
        assert b" 101 " in await asyncio.wait_for(socket.readline(), 5)
    finally:
        for writer in leaving:
            writer.close()
        server.should_exit = True
        await asyncio.wait_for(serving, 20)


GROWS = """
import gc, sys, django
if sys.argv[1] == "server":
    import rongliao.asgi
    assert gc.get_freeze_count() > 100_000 and gc.isenabled()
else:
    django.setup()
whole = []
gc.callbacks.append(lambda phase, info: whole.append(1) if phase == "start" and info["generation"] == 2 else None)
kept = [[{}, []] for _ in range(500_000)]
print(len(whole))
"""


def test_a_server_does_not_look_through_all_it_has_while_thousands_come() -> None:
    found = {}
    for what in ("server", "anything else"):
        done = subprocess.run(
            [str(PYTHON), "-c", GROWS, what], cwd=ROOT, env=DEMO, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found[what] = int(done.stdout)
    assert found["server"] == 0
    assert found["anything else"] > 0, "without it Python would"


CROWD = """
import asyncio, json, socket, sys, threading, time
from deploy.local.newcomers import PacedServer
from rongliao import turnstile
from twisted.internet import reactor

turnstile.PACE_S = 0.02
port, silence_limit_s = int(sys.argv[1]), 0.5
came, found = [], {}
head = "GET {} HTTP/1.1\\r\\nHost: localhost\\r\\n{}\\r\\n"
upgrade = "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: {}\\r\\n"
opening = head.format("/ws/", upgrade.format("x" * 22 + "==")).encode()

async def application(scope, receive, send):
    if scope["type"] == "websocket":
        came.append(time.monotonic())
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
    else:
        event = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode() + event["body"]})

def connected(said=b""):
    one = socket.create_connection(("127.0.0.1", port), 5)
    one.sendall(said)
    return one

def crowd():
    silent = connected()
    left = connected(opening[:20])
    left.close()
    began = time.monotonic()
    sockets = [connected(opening) for _ in range(20)]
    asked = connected(head.format("/", "").encode())
    found["request_first"] = b" 200 " in asked.recv(400) and len(came) < 20
    found["opened"] = sum(b" 101 " in one.recv(400) for one in sockets)
    found["between_s"] = min(b - a for a, b in zip(came, came[1:]))
    split = connected(b"POST /in HTTP/1.1\\r\\nContent-")
    time.sleep(0.1)
    split.sendall(b"Length: 7\\r\\n\\r\\n-two")
    time.sleep(0.1)
    split.sendall(b"-p.")
    answer = b""
    while b"/in-two-p." not in answer and (more := split.recv(400)):
        answer += more
    found["split"] = b"/in-two-p." in answer
    began = time.monotonic()
    many = [connected(head.format("/", "").encode()) for _ in range(20)]
    found["answered"] = sum(b" 200 " in one.recv(400) for one in many)
    found["requests_s"] = time.monotonic() - began
    silent.settimeout(5)
    try:
        found["silent"] = silent.recv(1) == b""
    except ConnectionResetError:
        found["silent"] = True
    found["accepts"] = ports[0].numberAccepts

def story():
    try:
        crowd()
    finally:
        reactor.callFromThread(server.stop)

ports = []
class Watched(PacedServer):
    def listen_success(self, port):
        super().listen_success(port)
        ports.append(port)

server = Watched(
    application, endpoints=[f"tcp:port={port}:interface=127.0.0.1:backlog=200"], signal_handlers=False,
    silence_limit_s=silence_limit_s, ready_callable=lambda: threading.Thread(target=story, daemon=True).start(),
)
server.run()
print(json.dumps(found))
"""


def test_daphne_lets_newcomers_in_one_by_one_and_hears_all_that_they_say() -> None:
    (port,) = free_ports(1)
    done = subprocess.run(
        [str(PYTHON), "-c", CROWD, str(port)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("between_s") >= 0.015, "a pause after each who opened a socket"
    assert found.pop("requests_s") < 20 * 0.02, "none after a request"
    assert found == {"opened": 20, "split": True, "request_first": True, "answered": 20, "silent": True, "accepts": 1}
