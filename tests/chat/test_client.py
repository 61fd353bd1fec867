"""The command-line client against a running installation that dies under it."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chat import log
from chat.client import Client, State
from deploy.local.install import ROOT
from rongliao.demo import PASSWORD
from tests.support.browser import PHONES
from tests.support.site import Site

PATIENCE_S = 60


def program(state: Path, *words: str, password: str = PASSWORD) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "chat.client", "--state", str(state), *words],
        cwd=ROOT,
        env={**os.environ, "RONGLIAO_PASSWORD": password, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def sign_in(site: Site, name: str, folder: Path) -> Path:
    state = folder / f"{name}.json"
    done = program(state, "sign-in", "--url", site.origin, "--phone", PHONES[name])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["id"] == str(site.world.people[name])
    return state


def talk_between(site: Site, state: Path, other: str) -> str:
    async def ask() -> str:
        async with Client(State.load(state)) as client:
            answer = await client.call("POST", "/api/chat/conversations", {"person_id": str(site.world.people[other])})
            return str(answer["conversation"]["id"])

    return asyncio.run(ask())


async def _write_while_the_server_dies(site: Site, su: State, lin: State, talk: str) -> tuple[list[str], list[str]]:
    """Su writes forty texts, the server is killed twice among them; what she was told, and what Lin was handed."""
    told: list[str] = []
    handed: list[str] = []

    async def listen(client: Client) -> None:
        async for message in client.follow():
            if message["conversation_id"] == talk and message["text"].startswith("第"):
                handed.append(message["text"])

    async with Client(lin) as reader, Client(su) as writer:
        listening = asyncio.create_task(listen(reader))
        # Whoever begins to follow begins with the newest message: this is it, before any of the forty is written.
        async with asyncio.timeout(PATIENCE_S):
            while talk not in lin.have:
                await asyncio.sleep(0.05)
        for index in range(40):
            if index in {10, 25}:
                await asyncio.to_thread(site.restart)
            acknowledged = await asyncio.wait_for(writer.send(talk, f"第 {index} 条"), PATIENCE_S)
            told.append(acknowledged["id"])
        async with asyncio.timeout(PATIENCE_S):
            while len(handed) < 40:
                await asyncio.sleep(0.05)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    return told, handed


async def _begins_to_follow(state: State, count: int) -> list[str]:
    """The first texts that a client is handed, which ends before it asks for another."""
    handed: list[str] = []
    async with Client(state) as client, asyncio.timeout(PATIENCE_S):
        async for message in client.follow():
            handed.append(message["text"])
            if len(handed) == count:
                break
    return handed


async def _follows(state: State, talk: str, upto: int) -> list[str]:
    """The texts that a client is handed until it has had everything up to a version."""
    handed: list[str] = []

    async def listen(client: Client) -> None:
        async for message in client.follow():
            handed.append(message["text"])

    async with Client(state) as client:
        listening = asyncio.create_task(listen(client))
        async with asyncio.timeout(PATIENCE_S):
            while state.have[talk] < upto:
                await asyncio.sleep(0.05)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    return handed


def test_a_person_signs_in_writes_and_follows_while_the_server_dies(site: Site, tmp_path: Path) -> None:
    refused = program(tmp_path / "no.json", "sign-in", "--url", site.origin, "--phone", PHONES["su"], password="wrong")
    assert refused.returncode == 1 and "sign_in_refused" in refused.stderr
    assert program(tmp_path / "nobody.json", "conversations").returncode == 2
    (tmp_path / "other.json").write_text("{broken")
    other = program(tmp_path / "other.json", "conversations")
    assert other.returncode == 2 and "--state" in other.stderr and "Traceback" not in other.stderr
    for url in ("localhost:8000", "ftp://localhost", "http://[::1"):
        assert program(tmp_path / "no.json", "sign-in", "--url", url, "--phone", PHONES["su"]).returncode == 2, url

    su, lin = sign_in(site, "su", tmp_path), sign_in(site, "lin", tmp_path)
    assert su.stat().st_mode & 0o077 == 0
    talk = talk_between(site, su, "lin")
    listed = [json.loads(line) for line in program(su, "conversations").stdout.splitlines()]
    assert talk in [item["id"] for item in listed] and all(item["title"] for item in listed)

    # A text that an earlier run was killed over goes out before the next, once.
    left = State.load(su)
    left.outbox.append({"client_id": str(uuid4()), "conversation_id": talk, "text": "上次没发出去"})
    left.save()
    sent = program(su, "send", talk, "明天上午可以")
    assert sent.returncode == 0, sent.stderr
    newest = [json.loads(line) for line in program(lin, "messages", talk, "--limit", "2").stdout.splitlines()]
    assert [message["text"] for message in newest] == ["上次没发出去", "明天上午可以"]
    assert json.loads(sent.stdout)["id"] == newest[-1]["id"] and State.load(su).outbox == []

    # Lin has been handed all that there is so far; from there on each text comes once, in order.
    told, handed = asyncio.run(_write_while_the_server_dies(site, State.load(su), State.load(lin), talk))
    assert handed == [f"第 {index} 条" for index in range(40)]
    kept = [json.loads(line) for line in program(lin, "messages", talk, "--limit", "40").stdout.splitlines()]
    assert [message["id"] for message in kept] == told
    assert [message["seq"] for message in kept] == list(range(kept[0]["seq"], kept[0]["seq"] + 40))

    # Far behind, where the server gives the newest page alone: each once, in order, also after an end in the middle.
    many = [f"第 {index} 条,不在的时候" for index in range(650)]
    with psycopg.connect(site.database_url) as connection:
        su_id, conversation = site.world.people["su"], UUID(talk)
        said = [
            log.Draft(o=number, id=uuid4(), c=conversation, s=su_id, k=uuid4(), kind="text", body=text)
            for number, text in enumerate(many)
        ]
        connection.execute(log.APPEND_SQL, [log.encoder.encode(said).decode(), True, True])
    before = State.load(lin).have[talk]
    assert asyncio.run(_begins_to_follow(State.load(lin), 100)) == many[:100]
    assert asyncio.run(_follows(State.load(lin), talk, before + 650)) == many
    assert State.load(lin).have[talk] == before + 650

    # What the server cannot read is refused too, and stands in nobody's way afterwards.
    unread = State.load(su)
    unread.outbox.append({"client_id": str(uuid4()), "conversation_id": "x", "text": "给谁的?"})
    unread.save()
    sent = program(su, "send", talk, "还是发出去了")
    assert sent.returncode == 0 and "给谁的?" in sent.stderr and "bad_frame" in sent.stderr
    assert State.load(su).outbox == []
    for words, code in ((("send", "x", "在吗"), 2), (("messages", "x"), 2), (("send", talk, "长" * 30_000), 1)):
        assert program(su, *words).returncode == code, words
    assert State.load(su).outbox == []

    stranger = program(su, "send", str(uuid4()), "在吗")
    assert stranger.returncode == 1 and "not_found" in stranger.stderr and State.load(su).outbox == []
    assert program(su, "sign-out").returncode == 0
    assert program(su, "conversations").returncode == 1
    for words in (("follow",), ("send", talk, "在吗")):
        over = program(su, *words)
        assert over.returncode == 1 and "sign_in_needed" in over.stderr, words


class Proxy:
    """What stands between a client and the bank: it forwards, cuts, and now and then answers for itself."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.own: list[tuple[str, str]] = []
        """(how a request begins, the answer), each once, in this order."""
        self.silent = ""
        """Requests with this in their first line get no answer."""
        self.asked: list[str] = []
        self.sockets: set[asyncio.StreamWriter] = set()
        self.origin = ""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.origin = f"http://localhost:{server.sockets[0].getsockname()[1]}"
        yield self
        server.close()
        self.cut()

    def cut(self) -> None:
        """Every open WebSocket breaks."""
        for writer in list(self.sockets):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line = head.split("\r\n", 1)[0]
            self.asked.append(line)
            if self.silent and self.silent in line:
                await reader.read()
            elif self.own and line.startswith(self.own[0][0]):
                writer.write(self.own.pop(0)[1].encode())
            else:
                await self._forward(head, reader, writer)
        writer.close()

    async def _forward(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_socket = " /ws/ " in head.split("\r\n", 1)[0]
        head = head.replace(self.origin.removeprefix("http://"), self._site.origin.removeprefix("http://"))
        if not is_socket:
            head = head.replace("Connection: keep-alive", "Connection: close")
        back, out = await asyncio.open_connection("127.0.0.1", self._site.app_port)
        out.write(head.encode())
        if is_socket:
            self.sockets.add(writer)
        there = asyncio.create_task(self._pipe(reader, out))
        await self._pipe(back, writer)
        there.cancel()
        out.close()
        self.sockets.discard(writer)

    @staticmethod
    async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65_536):
                target.write(piece)
                await target.drain()


def answer(status: str, body: str, *headers: str) -> str:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", body])


PAGE = "<html>这里是网关</html>"


async def _first(client: Client) -> dict[str, Any]:
    async for message in client.follow():
        return message
    raise AssertionError


def _state(path: Path, proxy: Proxy) -> State:
    """What is known there, with the proxy in the bank's place. It stays as it is on the disk."""
    state = State.load(path)
    state.url, state.path = proxy.origin, None
    return state


async def _is_told_what_ended_it(path: Path, proxy: Proxy, talk: str) -> None:
    async with Client(_state(path, proxy)) as client:
        client_ended = asyncio.gather(_first(client), client.send(talk, "在吗"), return_exceptions=True)
        told = await asyncio.wait_for(client_ended, 10)
        with pytest.raises(type(told[0])):
            await client.send(talk, "还在吗")
    assert type(told[0]) is type(told[1]) is not asyncio.CancelledError and isinstance(told[0], Exception), told


async def _through_a_proxy(site: Site, paths: dict[str, Path], talk: str) -> None:
    async with Proxy(site).open() as proxy:
        # What a proxy says for good ends the client in words; what nobody foresaw, with what it was.
        proxy.own = [("GET /api/me", answer("404 Not Found", PAGE))]
        await _is_told_what_ended_it(paths["lin"], proxy, talk)
        proxy.own = [("GET /api/me", answer("200 OK", "no gzip", "Content-Encoding: gzip"))]
        await _is_told_what_ended_it(paths["lin"], proxy, talk)

        # A page instead of an answer, and a server that asks for patience, are waited for.
        state = _state(paths["lin"], proxy)
        had, known = state.have.get(talk, 0), asyncio.get_running_loop().time
        proxy.own = [("GET /api/me", answer("200 OK", PAGE))]
        proxy.own += [("POST /api/chat/sync", answer("429 Too Many Requests", "{}", "Retry-After: 2"))]
        proxy.own += [("POST /api/chat/sync", answer("408 Request Timeout", PAGE))]
        async with Client(state) as client, Client(_state(paths["su"], proxy)) as su:
            began = known()
            following = asyncio.create_task(_first(client))
            await asyncio.wait_for(su.send(talk, "等一等"), 10)
            assert (await asyncio.wait_for(following, 20))["text"]
            assert known() - began > 2 and proxy.own == []
        assert state.have.get(talk, 0) == had

        # Who only sends asks for nothing, and keeps nothing of what comes.
        proxy.silent = "/api/chat/sync"
        async with Client(_state(paths["su"], proxy)) as su, Client(_state(paths["lin"], proxy)) as lin:
            for number in range(5):
                await asyncio.wait_for(su.send(talk, f"一 {number}"), 10)
                await asyncio.wait_for(lin.send(talk, f"二 {number}"), 10)
            assert not su._pushed and not lin._pushed
        proxy.silent = ""

        # A socket that was open begins again with the shortest pause, however often it breaks.
        proxy.asked.clear()
        async with Client(_state(paths["su"], proxy)) as su:
            began = known()
            for cut in range(6):
                await asyncio.wait_for(su.send(talk, f"断 {cut}"), 10)
                proxy.cut()
            assert known() - began < 6, proxy.asked


async def _too_much_to_hold(site: Site, paths: dict[str, Path], talk: str) -> None:
    """Who follows slowly is handed everything in order all the same, and holds no more than so much."""
    handed: list[str] = []
    count, held = 60, 0
    async with Client(State.load(paths["lin"])) as lin, Client(State.load(paths["su"])) as su:
        async with asyncio.timeout(PATIENCE_S):
            following = lin.follow()
            await su.send(talk, "开始")
            while (await anext(following))["text"] != "开始":
                pass
            for number in range(count):
                await su.send(talk, f"快 {number}")
                held = max(held, len(lin._pushed))
            assert 0 < held <= 20
            while len(handed) < count:
                handed.append((await anext(following))["text"])
            await following.aclose()
    assert handed == [f"快 {number}" for number in range(count)]


def test_a_client_goes_on_after_what_passes_and_says_what_ended_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.client.MAX_PUSHED", 20)
    paths = {name: sign_in(site, name, tmp_path) for name in ("su", "lin")}
    talk = talk_between(site, paths["su"], "lin")
    for name in ("su", "lin"):
        program(paths[name], "send", talk, "你好")
    asyncio.run(_through_a_proxy(site, paths, talk))

    # After a restored database the server has less than the client: that is the truth, and told once.
    async def versions() -> dict[str, int]:
        async with Client(State.load(paths["lin"])) as client:
            return {item["id"]: item["version"] async for item in client.conversations()}

    now = asyncio.run(versions())
    ahead = State.load(paths["lin"])
    ahead.have = {id_: version + 50 for id_, version in now.items()}
    ahead.save()

    async def follow() -> list[str]:
        handed: list[str] = []
        state = State.load(paths["lin"])
        async with Client(state) as client, asyncio.timeout(PATIENCE_S):

            async def listen() -> None:
                async for message in client.follow():
                    if message["conversation_id"] == talk:
                        handed.append(message["text"])

            async with Client(State.load(paths["su"])) as su:
                await su.send(talk, "恢复以后")
            listening = asyncio.create_task(listen())
            while State.load(paths["lin"]).have != now | {talk: now[talk] + 1}:
                await asyncio.sleep(0.05)
            listening.cancel()
        return handed

    handed = asyncio.run(follow())
    assert handed[-1] == "恢复以后" and len(handed) > 1
    asyncio.run(_too_much_to_hold(site, paths, talk))
