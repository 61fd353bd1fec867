"""Old state + events = fresh state, for every event: drawn histories, seen by a client that misses some pushes."""

import json
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chat import actions, cards, queries
from chat.delivery import relay
from chat.delivery.hub import Parcel
from tests.chat.conftest import Scene
from tests.chat.support import http, post
from tests.support.client import Client

ORIGIN = "http://localhost:8000"
EVENTS = ("say", "say", "say", "recall", "card", "update", "notice", "read", "mark", "join", "leave", "sync")


def shown(one: dict[str, Any]) -> tuple[Any, ...]:
    """What a reader sees of a message, and its version."""
    card = one.get("card")
    return one["version"], one["text"], one["recalled"], (card["state"], card["payload"]) if card else None


class Device:
    """A client's own state, fed with pushes that may be lost, doubled or late, and with sync."""

    def __init__(self, person: UUID) -> None:
        self.door = http(person)
        self.person = person
        self.client = Client(ORIGIN)
        # What the client would ask for after a moment, it asks for when the history says "sync".
        self.client._catch_up = lambda after_s: None  # type: ignore[method-assign]  # what it would do in time, the history does
        self.late: list[dict[str, Any]] = []

    def hear(self, frames: list[dict[str, Any]], chance: random.Random) -> None:
        for frame in [*self.late, *frames]:
            fate = chance.random()
            if fate < 0.2:
                continue
            if fate < 0.4:
                self.late.append(frame)
                continue
            self.client._hear(frame)
            if fate < 0.5:
                self.client._hear(frame)
        self.late = self.late[-20:]

    def sync(self) -> None:
        more = True
        while more:
            have = {id_: known.version for id_, known in self.client.conversations.items()}
            answer = post(self.door, "/api/chat/sync", {"have": have}).json()
            self.client._take(answer)
            more = answer["more"]

    def state(self) -> dict[str, Any]:
        return {
            id_: (known.version, {seq: shown(one) for seq, one in known.messages.items()})
            for id_, known in self.client.conversations.items()
        }


def fresh(person: UUID) -> dict[str, Any]:
    """The state of a device that reads everything anew."""
    door = http(person)
    found = {}
    for item in door.get("/api/chat/conversations?limit=500").json()["items"]:
        messages = {}
        before = ""
        while True:
            page = door.get(f"/api/chat/conversations/{item['id']}/messages?limit=100{before}").json()
            messages |= {one["seq"]: shown(one) for one in page["items"]}
            if not page["next"]:
                break
            before = f"&before={page['next']}"
        found[item["id"]] = (item["version"], messages)
    return found


@pytest.fixture
def pushes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Parcel]]:
    """What is pushed, as it is written (the test's transaction never commits)."""
    told: list[Parcel] = []
    monkeypatch.setattr(relay, "publish_on_commit", told.extend)
    return told


@pytest.fixture
def deeds(scene: Scene) -> dict[str, Callable[[random.Random], object]]:
    said: list[tuple[UUID, UUID]] = []
    refs: list[UUID] = []
    talks = (scene.friends, scene.advisor, scene.group)

    def say(chance: random.Random) -> None:
        talk = chance.choice(talks)
        people = queries.member_ids(talk)
        sender = chance.choice(people)
        sent = actions.send_text(
            conversation_id=talk, sender_id=sender, client_id=uuid.uuid4(), text=f"第 {len(said)} 条"
        )
        said.append((sent.id, sender))

    def recall(chance: random.Random) -> None:
        if said:
            message, sender = chance.choice(said)
            actions.recall(message_id=message, person_id=sender)

    def card(chance: random.Random) -> None:
        refs.append(uuid.uuid4())
        show(chance, refs[-1])

    def show(chance: random.Random, ref: UUID) -> None:
        actions.send_card(
            conversation_id=chance.choice((scene.friends, scene.group)),
            sender_id=scene.lin,
            client_id=uuid.uuid4(),
            kind="probe",
            ref=ref,
            state="open",
            payload={"n": 1},
        )

    def update(chance: random.Random) -> None:
        if refs:
            revision = chance.randint(1, 9)
            actions.update_card(
                kind="probe", ref=chance.choice(refs), state="done", payload={"n": revision}, revision=revision
            )

    def notice(chance: random.Random) -> None:
        actions.send_notice(conversation_id=chance.choice(talks), client_id=uuid.uuid4(), text="一行通知")

    def read(chance: random.Random) -> None:
        talk = chance.choice(talks)
        actions.mark_read(conversation_id=talk, person_id=scene.su, seq=chance.randint(0, 50))

    def mark(chance: random.Random) -> None:
        actions.set_marks(conversation_id=chance.choice(talks), person_id=scene.su, muted=chance.random() < 0.5)

    def join(chance: random.Random) -> None:
        actions.add_member(conversation_id=scene.group, person_id=scene.xu)

    def leave(chance: random.Random) -> None:
        actions.remove_member(conversation_id=scene.group, person_id=scene.xu)

    return {
        "say": say, "recall": recall, "card": card, "update": update, "notice": notice, "read": read, "mark": mark,
        "join": join, "leave": leave,
    }  # fmt: skip


def probe_card() -> None:
    import msgspec

    class Payload(msgspec.Struct):
        n: int

    if "probe" not in cards.kinds():
        cards.register(
            "probe", payload=Payload, states=frozenset({"open", "done"}), summary=lambda payload, state, lang: state
        )


@given(events=st.lists(st.sampled_from(EVENTS), min_size=5, max_size=40), seed=st.integers(0, 2**32))
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_old_state_and_events_are_a_fresh_state(
    scene: Scene,
    pushes: list[Parcel],
    deeds: dict[str, Callable[[random.Random], object]],
    events: list[str],
    seed: int,
) -> None:
    probe_card()
    chance = random.Random(seed)
    device = Device(scene.su)
    device.sync()
    before = fresh(scene.su)
    for event in events:
        if event == "sync":
            device.sync()
            continue
        pushes.clear()
        deeds[event](chance)
        frames = [json.loads(parcel.frame) for parcel in pushes if scene.su in parcel.people]
        device.hear(frames, chance)
    device.sync()
    after, mine = fresh(scene.su), device.state()
    assert mine.keys() == after.keys()
    for talk, (version, messages) in mine.items():
        known, _ = before.get(talk, (0, {}))
        assert version == after[talk][0]
        # What the device has, it has in its newest version; what came after it began, it has whole.
        assert messages.items() <= after[talk][1].items()
        assert {seq for seq, (at, *_) in after[talk][1].items() if at > known} <= messages.keys()
