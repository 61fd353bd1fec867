"""The command-line client against a running installation that dies under it."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

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
