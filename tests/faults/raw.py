"""Sockets over plain TCP, and WebSocket frames byte by byte, also such as no library writes."""

import base64
import os
import random
import socket
from collections.abc import Callable
from itertools import cycle
from urllib.parse import urlsplit

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
RESERVED = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
MAX_CONTROL = 125
BROKEN_UTF_8 = (b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xf8\x88\x80\x80\x80", b"\xc0\xaf")


def request_head(origin: str, session: str) -> bytes:
    """What asks for a socket."""
    head = {
        "Host": urlsplit(origin).netloc,
        "Origin": origin,
        "Cookie": f"rl_session={session}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    lines = ["GET /ws/ HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    return "\r\n".join(lines).encode()


def stalled(origin: str, port: int, session: str) -> socket.socket:
    """A socket that is opened and never read from; the system's own buffer is kept small."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    raw.connect(("127.0.0.1", port))
    raw.sendall(request_head(origin, session))
    assert b" 101 " in raw.recv(300)
    return raw


def connected(port: int, said: bytes) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", port), 10)
    raw.sendall(said)
    return raw


def raw_frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    said: int | None = None,
    width: int | None = None,
    other_mask: bool = False,
) -> bytes:
    """A client's frame. `said`: the length it claims; `width`: in so many bytes (0, 2 or 8), however few would do;
    `other_mask`: the payload is masked with another key than the frame names."""
    length = len(payload) if said is None else said
    width = (0 if length < 126 else 2 if length < 2**16 else 8) if width is None else width
    size = {0: length, 2: 126, 8: 127}[width]
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode, (0x80 if masked else 0) | size])
    if width:
        head += length.to_bytes(width, "big")
    if not masked:
        return head + payload
    key = os.urandom(4)
    by = bytes(one ^ 0x5A for one in key) if other_mask else key
    return head + key + bytes(one ^ mask for one, mask in zip(payload, cycle(by), strict=False))


def _any(chance: random.Random, most: int = 300) -> bytes:
    return chance.randbytes(chance.randint(0, most))


def _control(chance: random.Random) -> int:
    return chance.choice((CLOSE, PING, PONG))


ANSWERED: dict[str, Callable[[random.Random], bytes]] = {
    "broken text": lambda chance: raw_frame(_any(chance) + chance.choice(BROKEN_UTF_8)),
    "broken text in pieces": lambda chance: (
        raw_frame(b"{" + chance.choice(BROKEN_UTF_8), fin=False) + raw_frame(_any(chance), CONTINUATION)
    ),
    "a text in pieces": lambda chance: (
        raw_frame(b'{"type":"typ', fin=False)
        + raw_frame(b"", CONTINUATION, fin=False)
        + raw_frame(b"between", PING)
        + raw_frame(b'ing"}', CONTINUATION)
    ),
    "bytes": lambda chance: raw_frame(_any(chance), BINARY),
    "any text": lambda chance: raw_frame(_any(chance).decode("latin-1").encode()),
    "an opcode without a meaning": lambda chance: raw_frame(_any(chance), chance.choice(RESERVED)),
    "a long control frame": lambda chance: raw_frame(
        chance.randbytes(chance.randint(MAX_CONTROL + 1, 70_000)), _control(chance)
    ),
    "a control frame in pieces": lambda chance: raw_frame(_any(chance, 100), _control(chance), fin=False),
    "a continuation of nothing": lambda chance: raw_frame(_any(chance), CONTINUATION, fin=chance.random() < 0.5),
    "a text in the middle of a text": lambda chance: raw_frame(b"{", fin=False) + raw_frame(b"{}"),
    "another mask": lambda chance: raw_frame(b'{"type":"ping","n":1}', other_mask=True),
    "no mask": lambda chance: raw_frame(_any(chance), masked=False),
    "reserved bits": lambda chance: raw_frame(_any(chance), reserved=chance.randint(1, 7)),
    "a huge length": lambda chance: raw_frame(
        _any(chance), chance.choice((TEXT, BINARY)), said=2 ** chance.randint(17, 62)
    ),
    "a negative length": lambda chance: raw_frame(_any(chance), said=2**63 + chance.getrandbits(62)),
    "a goodbye that says nothing": lambda chance: raw_frame(chance.randbytes(1), CLOSE),
    "a goodbye for no reason": lambda chance: raw_frame(
        chance.choice((0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535)).to_bytes(2, "big"), CLOSE
    ),
    "a goodbye in broken text": lambda chance: raw_frame(b"\x03\xe8" + chance.choice(BROKEN_UTF_8), CLOSE),
}
"""What is a whole frame, or can be seen to be none: the server answers what follows, or closes."""

UNFINISHED: dict[str, Callable[[random.Random], bytes]] = {
    "half a head": lambda chance: raw_frame(_any(chance), said=300)[: chance.randint(1, 7)],
    "half a frame": lambda chance: raw_frame(_any(chance, 200), said=chance.randint(300, 60_000)),
    "a text that does not end": lambda chance: (
        raw_frame(b"{", fin=False) + raw_frame(b"", CONTINUATION, fin=False) * 50
    ),
    "a length with more bytes than it needs": lambda chance: raw_frame(b"{}", width=chance.choice((2, 8))),
    "noise": lambda chance: chance.randbytes(chance.randint(1, 2_000)),
}
"""What may still become one: the client goes away in the middle."""
