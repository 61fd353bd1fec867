"""The command-line client against a running installation that dies under it."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

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


def test_a_person_signs_in_writes_and_follows_while_the_server_dies(site: Site, tmp_path: Path) -> None:
    refused = program(tmp_path / "no.json", "sign-in", "--url", site.origin, "--phone", PHONES["su"], password="wrong")
    assert refused.returncode == 1 and "sign_in_refused" in refused.stderr
    assert program(tmp_path / "nobody.json", "conversations").returncode == 2

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

    stranger = program(su, "send", str(uuid4()), "在吗")
    assert stranger.returncode == 1 and "not_found" in stranger.stderr and State.load(su).outbox == []
    assert program(su, "sign-out").returncode == 0
    assert program(su, "conversations").returncode == 1
