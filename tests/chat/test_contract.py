"""An old client meets a newer server without harm: what protocol version 1 promised is still promised."""

import copy
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from chat import wire
from rongliao import contracts
from tests.chat.conftest import Scene
from tests.chat.support import Phone, gather

PROMISED = json.loads((Path(__file__).parent / "protocol_1.json").read_text("utf-8"))
"""The frames of version 1 as they were when it was given out. Never edited: what no longer fits it is version 2, and
clients of version 1 are served until nobody has one."""
ASKED = {reference["$ref"].rpartition("/")[2] for reference in PROMISED["AnyClientFrame"]["oneOf"]}
ANSWERS = json.loads((Path(__file__).parent / "answers_1.json").read_text("utf-8"))
"""What the same clients ask over HTTP and are answered: signing in, sync, conversations, pages, read marks."""
ASKED_OVER_HTTP = {name for name in ANSWERS if name.endswith("Request")}
Schema = dict[str, Any]
Open = Callable[[UUID], Awaitable[Phone]]


def bare(schema: Any) -> Any:
    """A schema without the words for people."""
    if isinstance(schema, dict):
        return {name: bare(value) for name, value in schema.items() if name not in {"description", "title", "default"}}
    return [bare(one) for one in schema] if isinstance(schema, list) else schema


def harm(promised: Schema, now: Schema, asked: set[str]) -> list[str]:
    """What a client of the promised schemas would meet that it does not know. `asked`: those that it writes."""
    found = []
    for name, old in promised.items():
        new = now.get(name)
        if new is None:
            found.append(f"{name} is gone")
            continue
        if not set(old.get("enum", ())) <= set(new.get("enum", ())):
            found.append(f"{name} had {old['enum']} and has {new.get('enum')}")
        if "properties" not in old:
            continue
        for field, shape in old["properties"].items():
            there = bare(new["properties"].get(field))
            wanted = bare(shape)
            if there != wanted and not (
                there
                and "enum" in wanted
                and {**there, "enum": []} == {**wanted, "enum": []}
                and set(wanted["enum"]) <= set(there["enum"])
            ):
                found.append(f"{name}.{field} was {wanted} and is {there}")
        was, is_ = set(old.get("required", ())), set(new.get("required", ()))
        if name in asked and is_ - was:
            found.append(f"{name} asks for {sorted(is_ - was)}")
        if name not in asked and was - is_:
            found.append(f"{name} may come without {sorted(was - is_)}")
    return found


def test_what_version_1_promised_still_holds() -> None:
    assert harm(PROMISED, contracts.frames()["$defs"], ASKED) == []
    assert contracts.asyncapi()["info"]["version"] == str(wire.PROTOCOL_VERSION)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda now: now.pop("Typing"), "Typing is gone"),
        (lambda now: now["Send"]["required"].append("mood"), "asks for"),
        (lambda now: now["Ack"]["properties"].pop("seq"), "Ack.seq"),
        (lambda now: now["Ack"]["required"].remove("seq"), "may come without"),
        (lambda now: now["Ack"]["properties"].update(seq={"type": "string"}), "Ack.seq"),
        (lambda now: now["MessageEnvelope"]["properties"]["kind"]["enum"].remove("card"), "MessageEnvelope.kind"),
    ],
)
def test_what_would_break_an_old_client_is_seen(change: Callable[[Schema], Any], word: str) -> None:
    now = copy.deepcopy(PROMISED)
    now["MessageEnvelope"]["properties"]["kind"]["enum"].append("video")
    now["Ack"]["properties"]["mood"] = {"type": "string"}
    assert harm(PROMISED, now, ASKED) == []
    change(now)
    (found,) = harm(PROMISED, now, ASKED)
    assert word in found


def test_what_clients_of_version_1_ask_over_http_is_answered_as_promised() -> None:
    assert harm(ANSWERS, contracts.openapi()["components"]["schemas"], ASKED_OVER_HTTP) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda now: now["SyncOutput"]["properties"].pop("gone"), "SyncOutput.gone"),
        (lambda now: now["SyncInputRequest"].update(required=["have", "mood"]), "asks for"),
        (lambda now: now["MessagePage"]["required"].remove("items"), "may come without"),
        (lambda now: now["RoleCdeEnum"]["enum"].clear(), "RoleCdeEnum had"),
    ],
)
def test_an_answer_that_would_break_an_old_client_is_seen(change: Callable[[Schema], Any], word: str) -> None:
    now = copy.deepcopy(ANSWERS)
    now["SyncOutput"]["properties"]["mood"] = {"type": "string"}
    assert harm(ANSWERS, now, ASKED_OVER_HTTP) == []
    change(now)
    (found,) = harm(ANSWERS, now, ASKED_OVER_HTTP)
    assert word in found


async def test_frames_as_version_1_wrote_them_are_understood(live: Scene, phone: Open) -> None:
    su, lin = await gather(phone(live.su), phone(live.lin))
    talk = str(live.friends)
    for frame, answer in (
        ({"type": "send", "conversation_id": talk, "client_id": str(uuid4()), "text": "旧版本"}, "ack"),
        ({"type": "send", "v": 1, "conversation_id": talk, "client_id": str(uuid4()), "text": "写明版本"}, "ack"),
        ({"type": "ping"}, "pong"),
        ({"type": "probed", "n": 0}, None),
        ({"type": "typing", "conversation_id": talk}, None),
        ({"type": "read", "conversation_id": talk, "seq": 1}, None),
    ):
        await su.raw(json.dumps(frame))
        if answer:
            said = await su.expect(answer)
            wanted = {"ack": "Ack", "pong": "Pong"}[answer]
            assert set(PROMISED[wanted]["properties"]) <= set(said)
    assert await su.hears_nothing()
    message = await lin.expect("message")
    assert set(PROMISED["MessageEnvelope"]["properties"]) <= set(message["message"])
