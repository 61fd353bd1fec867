"""Who may hold a socket of a real server, and what may come by it: origins, sizes, bytes that are no frames."""

import asyncio
import contextlib
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.figures import LONG, SEED, note
from tests.faults.fleet import SERVERS, Fleet, cookie, memory_mib
from tests.faults.raw import ANSWERED, BINARY, UNFINISHED, connected, raw_frame, request_head
from tests.faults.test_kill import conversation_of
from tests.support.client import Client
from tests.support.site import Site

RAW_FRAMES = 4_000 if LONG else 240
AT_ONCE = 4
ANSWER_LIMIT_S = 10.0


def foreign(site: Site) -> list[str | None]:
    """Origins that are nearly ours."""
    port = site.app_port
    return [
        *(None, "null", f"https://localhost:{port}", f"http://localhost:{port + 1}", "http://localhost"),
        *(f"http://localhost:{port}.evil.example", f"http://LOCALHOST:{port}", f"http://127.0.0.1:{port}"),
        *(f"http://localhost:{port}/", f"http://evil.example/http://localhost:{port}"),
    ]


@pytest.mark.parametrize("server", SERVERS)
def test_no_socket_opens_for_a_page_of_another_origin(fleet: Fleet, server: str) -> None:
    site = fleet.site
    port = fleet.port_of(server)
    head, ours = request_head(site.origin, cookie(site, "su")), f"Origin: {site.origin}\r\n".encode()

    def answer(said: bytes) -> bytes:
        with connected(port, said) as raw:
            raw.settimeout(10)
            return raw.recv(300).split(b"\r\n")[0]

    assert b" 101 " in answer(head)
    opened = [
        origin
        for origin in foreign(site)
        if b" 101 " in answer(head.replace(ours, b"" if origin is None else f"Origin:{origin}\r\n".encode()))
    ]
    note(**{f"foreign_sockets_opened_{server}": len(opened)})
    assert opened == []


@pytest.mark.parametrize("server", SERVERS)
def test_frames_are_neither_compressed_nor_larger_than_64_kib_and_others_stay(fleet: Fleet, server: str) -> None:
    site = fleet.site
    port = fleet.port_of(server)
    talk = str(conversation_of(site, "su", "lin"))
    su, lin = cookie(site, "su"), cookie(site, "lin")
    extension = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    offered = request_head(site.origin, lin)[:-2] + extension

    def ends(frame: bytes) -> bool:
        """Whether a socket that says this is closed."""
        with connected(port, offered) as raw:
            raw.settimeout(10)
            heard = raw.recv(4_000)
            assert b" 101 " in heard
            assert b"extensions" not in heard.lower().partition(b"\r\n\r\n")[0]
            with contextlib.suppress(ConnectionError):
                raw.sendall(frame)
                while raw.recv(4_000):
                    pass
            return True

    async def story() -> None:
        async with Client(site.origin, address=("127.0.0.1", port), cookie=su) as other:
            await other.open()
            before = memory_mib(fleet.pid_of(server))
            for frame in (
                raw_frame(b"x" * (64 * 1024 + 1)),
                # One that only says that it is large: nothing is kept for it.
                raw_frame(b"x" * 1_000, BINARY, said=2**40),
                *(raw_frame(b"", 3), raw_frame(b"", reserved=7), raw_frame(b"hello", masked=False)),
            ):
                assert await asyncio.to_thread(ends, frame)
            assert memory_mib(fleet.pid_of(server)) - before < 8
            await other.send(talk, "旁人")
            assert other.closed_with is None

    asyncio.run(story())


# Bytes that are no frames


def opened(origin: str, port: int, session: str) -> socket.socket:
    """A socket that has heard that it is ready."""
    until = time.monotonic() + ANSWER_LIMIT_S
    while True:
        raw = connected(port, request_head(origin, session))
        raw.settimeout(ANSWER_LIMIT_S)
        heard = b""
        while b'"ready"' not in heard and (more := raw.recv(4_000)):
            heard += more
        if b'"ready"' in heard:
            return raw
        # Those before it are still being let go, and a person has so many sockets at most.
        raw.close()
        assert time.monotonic() < until, heard
        time.sleep(0.05)


def lives(raw: socket.socket, number: int) -> bool:
    """Whether what was said left the socket open: it answers then. Raises TimeoutError where it does neither."""
    heard, answer = b"", b'"n":%d}' % number
    with contextlib.suppress(ConnectionError):
        raw.sendall(raw_frame(b'{"type":"ping","n":%d}' % number))
        while more := raw.recv(4_000):
            heard = heard[-100:] + more
            if answer in heard:
                return True
    return False


def said_by_one(origin: str, port: int, session: str, seed: int, count: int) -> dict[str, int]:
    """So many drawn pieces of bytes, one after the other; how often a socket outlived each kind."""
    chance = random.Random(seed)
    lived = dict.fromkeys([*ANSWERED, *UNFINISHED], 0)
    kinds = [*lived] * (count // len(lived) + 1)
    chance.shuffle(kinds)
    raw = opened(origin, port, session)
    for number, kind in enumerate(kinds[:count], 1_000_000):
        gone = False
        with contextlib.suppress(ConnectionError):
            raw.sendall({**ANSWERED, **UNFINISHED}[kind](chance))
        if kind in UNFINISHED:
            gone = True
        elif lives(raw, number):
            lived[kind] += 1
        else:
            gone = True
        if gone:
            raw.close()
            raw = opened(origin, port, session)
    raw.close()
    return lived


@pytest.mark.parametrize("server", SERVERS)
def test_whatever_bytes_come_the_server_lives_says_nothing_odd_and_others_notice_nothing(
    fleet: Fleet, server: str
) -> None:
    site, port, pid = fleet.site, fleet.port_of(server), fleet.pid_of(server)
    talk = str(conversation_of(site, "su", "lin"))
    sessions = [cookie(site, name) for name in ("lin", "shen", "xu", "he")[:AT_ONCE]]
    log = fleet.log_of(server)
    said_before, mib = log.stat().st_size, memory_mib(pid)

    async def story() -> tuple[list[dict[str, int]], list[float]]:
        loop, took = asyncio.get_running_loop(), []
        async with Client(site.origin, address=("127.0.0.1", port), cookie=cookie(site, "su")) as other:
            await other.open()
            with ThreadPoolExecutor(AT_ONCE) as threads:
                saying = [
                    loop.run_in_executor(
                        threads, said_by_one, site.origin, port, session, SEED + number, RAW_FRAMES // AT_ONCE
                    )
                    for number, session in enumerate(sessions)
                ]
                everything = asyncio.gather(*saying)
                while not everything.done():
                    began = time.monotonic()
                    await asyncio.wait_for(other.send(talk, "旁人"), ANSWER_LIMIT_S)
                    took.append(time.monotonic() - began)
                    await asyncio.sleep(0.02)
            assert other.closed_with is None
            return await everything, sorted(took)

    lived, took = asyncio.run(story())
    outlived = {kind: sum(one[kind] for one in lived) for kind in ANSWERED}
    note(
        **{f"raw_{server}_frames": RAW_FRAMES, f"raw_{server}_others_p99_ms": round(1000 * took[int(len(took) * 0.99)])}
    )
    for kind in ("a text in pieces", "bytes", "any text"):
        assert outlived[kind], f"{kind} is a frame, and closed the socket"
    assert {kind for kind, times in outlived.items() if times} <= {
        "a text in pieces",
        "bytes",
        "any text",
        "another mask",
    }
    assert fleet.pid_of(server) == pid
    assert memory_mib(pid) - mib < 64
    said = log.read_bytes()[said_before:]
    assert b"Traceback" not in said, said.decode(errors="replace")
