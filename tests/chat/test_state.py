"""Old state + events = fresh state, for every event: drawn histories, seen by a client that misses some pushes."""

import contextlib
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from accounts import actions as accounts
from chat import actions, cards, queries, wire
from chat.delivery import relay
from chat.delivery.hub import Parcel
from kernel.errors import Refusal
from tests.chat.conftest import Scene
from tests.chat.support import http, post
from tests.chat.test_http import jpeg, upload
from tests.faults.figures import LONG, note
from tests.support.client import Client

ORIGIN = "http://localhost:8000"
EVENTS = (
    *("say", "say", "say", "recall", "picture", "card", "update", "forward", "notice", "read", "mark", "join", "leave"),
    *("open", "expelled", "readmitted", "unfriended", "befriended", "sync"),
    *("rename", "remark", "portrait"),
)
LISTED = ("title", "barred", "read_seq", "unread", "muted", "pinned", "hidden", "member_count")
"""What the list of conversations shows of each; all but `title` may change without a new version."""
COUNTED = 100
"""What is unread is counted to here and no further, by every device alike."""
SHOWS = {"message", "read", "conversation"}
"""Frames that change what a client shows."""
SHOWS_NOTHING = {
    "ready": "begins",
    "ack": "one's own message; heard as `message` by every other device",
    "error": "nothing happened",
    "typing": "gone in a few seconds",
    "behind": "says to ask",
    "hint": "of the topic `people`, how somebody looks; else other apps' state",
    "pong": "an answer",
    "probe": "a question",
}


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
        self.people: dict[str, dict[str, Any]] = {}
        self.late: list[dict[str, Any]] = []
        self.began: dict[str, int] = {}
        """By conversation, the version that the device began with: it has what came later, and the rest as pages."""

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
            if frame["type"] == "message" and frame["message"]["kind"] == "notice":
                # A line of the house may say who came or went, and the frame that says so may be lost.
                self.refresh(frame["message"]["conversation_id"])
        self.late = self.late[-20:]

    def sync(self) -> None:
        more = True
        while more:
            have = {id_: known.version for id_, known in self.client.conversations.items()}
            answer = post(self.door, "/api/chat/sync", {"have": have, "people": True}).json()
            self.meet(answer)
            for item in answer["conversations"]:
                if item["id"] not in self.client.conversations or item["id"] in answer["gone"]:
                    self.began[item["id"]] = item["version"]
            self.client._take(answer)
            for mark in answer["marks"]:
                self.client.conversations[mark["id"]].item |= mark
            more = answer["more"]

    def refresh(self, conversation: str) -> None:
        known, answer = (
            self.client.conversations.get(conversation),
            self.door.get(f"/api/chat/conversations/{conversation}"),
        )
        if known is not None and answer.status_code == 200:
            known.item = answer.json()["conversation"]
            self.meet(answer.json())

    def meet(self, answer: dict[str, Any]) -> None:
        self.people |= {person["id"]: person for person in answer["people"]}

    def looks(self) -> dict[str, Any]:
        """How the people look who are in the list of conversations."""
        peers = {peer for known in self.client.conversations.values() for peer in known.item["peer_ids"]}
        return {peer: self.people[peer] for peer in peers}

    def listed(self) -> dict[str, Any]:
        return {id_: line(known.item) for id_, known in self.client.conversations.items()}

    def state(self) -> dict[str, Any]:
        return {
            id_: (known.version, {seq: shown(one) for seq, one in known.messages.items()})
            for id_, known in self.client.conversations.items()
        }


class Attentive(Device):
    """A client that misses no push and asks for nothing but what a push names."""

    def hear(self, frames: list[dict[str, Any]], chance: random.Random) -> None:
        for frame in frames:
            assert frame["type"] in SHOWS or frame["type"] in SHOWS_NOTHING
            if frame["type"] == "message":
                self._note(frame["message"])
            elif frame["type"] == "read":
                item = self.client.conversations[frame["conversation_id"]].item
                item |= {"read_seq": frame["seq"], "unread": frame["unread"]}
            elif frame["type"] == "conversation" and frame["gone"]:
                self.client.conversations.pop(frame["conversation_id"], None)
            elif frame["type"] == "conversation":
                known = self.client.conversations.get(frame["conversation_id"])
                if known is None:
                    self.sync()
                else:
                    self.refresh(known.id)
            elif frame["type"] == "hint" and frame["topic"] == "people":
                person = frame["data"]["person_id"]
                self.people[person] = self.door.get(f"/api/persons/{person}").json()["person"]
            self.client._hear(frame)

    def _note(self, message: dict[str, Any]) -> None:
        known = self.client.conversations.get(message["conversation_id"])
        if known is None:
            self.sync()
            return
        item, before = known.item, known.messages.get(message["seq"])
        counts = message["sender_id"] not in {None, str(self.person)} and message["kind"] != "notice"
        if message["seq"] > item["seq"]:
            item |= {"seq": message["seq"], "hidden": False, "unread": min(item["unread"] + counts, COUNTED)}
        elif (
            message["recalled"] and counts and message["seq"] > item["read_seq"] and not (before or {}).get("recalled")
        ):
            # Where more may be unread than is counted, one less is for the server to say.
            if item["unread"] == COUNTED:
                self.refresh(known.id)
            else:
                item["unread"] -= 1


def line(item: dict[str, Any]) -> tuple[Any, ...]:
    """A conversation as the list shows it."""
    return tuple(item[name] for name in LISTED)


def listing(person: UUID) -> dict[str, Any]:
    """The list of a device that reads it anew."""
    items = http(person).get("/api/chat/conversations?limit=500").json()["items"]
    return {item["id"]: line(item) for item in items}


def looks(person: UUID) -> dict[str, Any]:
    """How the people of the list look to a device that reads it anew."""
    page = http(person).get("/api/chat/conversations?limit=500").json()
    peers = {peer for item in page["items"] for peer in item["peer_ids"]}
    return {one["id"]: one for one in page["people"] if one["id"] in peers}


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
        name = chance.choice(("muted", "pinned", "hidden"))
        actions.set_marks(conversation_id=chance.choice(talks), person_id=scene.su, **{name: chance.random() < 0.7})

    def picture(chance: random.Random) -> None:
        upload(http(scene.lin), chance.choice((scene.friends, scene.group)))

    def forward(chance: random.Random) -> None:
        sent = actions.send_card(
            conversation_id=scene.group,
            sender_id=scene.lin,
            client_id=uuid.uuid4(),
            kind="probe to hand on",
            ref=uuid.uuid4(),
            state="open",
            payload={"n": 1},
        )
        actions.forward_card(
            message_id=sent.id, sender_id=scene.lin, client_id=uuid.uuid4(), conversation_id=scene.friends
        )

    def opened(chance: random.Random) -> None:
        actions.open_conversation(kind="group", member_ids=[scene.su, scene.tao], title=str(chance.random()))

    def expelled(chance: random.Random) -> None:
        actions.remove_member(conversation_id=scene.group, person_id=scene.su)

    def readmitted(chance: random.Random) -> None:
        actions.add_member(conversation_id=scene.group, person_id=scene.su)

    def unfriended(chance: random.Random) -> None:
        accounts.remove_friend(person_id=scene.lin, friend_id=scene.su)

    def befriended(chance: random.Random) -> None:
        accounts.make_friends(scene.lin, scene.su)

    def join(chance: random.Random) -> None:
        actions.add_member(conversation_id=scene.group, person_id=scene.xu)

    def leave(chance: random.Random) -> None:
        actions.remove_member(conversation_id=scene.group, person_id=scene.xu)

    def rename(chance: random.Random) -> None:
        renamed, name = chance.choice((scene.lin, scene.tao)), f"小{chance.randint(1, 999)}"
        accounts.set_display_name(person_id=renamed, name=name, by=scene.zhou)

    def remark(chance: random.Random) -> None:
        accounts.set_remark(person_id=scene.su, friend_id=scene.lin, remark=chance.choice(("", "林老师", "老林")))

    def portrait(chance: random.Random) -> None:
        accounts.set_avatar(person_id=scene.lin, upload=jpeg(chance.randint(20, 60)))

    return {
        "say": say, "recall": recall, "card": card, "update": update, "notice": notice, "read": read, "mark": mark,
        "join": join, "leave": leave, "picture": picture, "forward": forward, "open": opened, "expelled": expelled,
        "readmitted": readmitted, "unfriended": unfriended, "befriended": befriended,
        "rename": rename, "remark": remark, "portrait": portrait,
    }  # fmt: skip


def probe_card() -> None:
    import msgspec

    class Payload(msgspec.Struct):
        n: int

    for kind, handed_on in (("probe", False), ("probe to hand on", True)):
        if kind not in cards.kinds():
            cards.register(
                kind,
                payload=Payload,
                states=frozenset({"open", "done"}),
                summary=lambda payload, state, lang: state,
                client_may_send=handed_on,
            )


def test_every_frame_of_the_server_shows_something_or_says_why_not() -> None:
    kinds = {str(frame.__struct_config__.tag) for frame in wire.SERVER_FRAMES}
    assert kinds == SHOWS | SHOWS_NOTHING.keys()
    assert not SHOWS & SHOWS_NOTHING.keys()


EXAMPLES = 100 if LONG else 8


def test_old_state_and_events_are_a_fresh_state(
    scene: Scene, pushes: list[Parcel], deeds: dict[str, Callable[[random.Random], object]]
) -> None:
    assert deeds.keys() | {"sync"} == set(EVENTS)
    probe_card()
    happened: Counter[str] = Counter()

    @given(events=st.lists(st.sampled_from(EVENTS), min_size=20, max_size=60), seed=st.integers(0, 2**32))
    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], derandomize=True)
    def history(events: list[str], seed: int) -> None:
        happened["histories"] += 1
        happened.update(lived_through(scene, pushes, deeds, events, random.Random(seed)))

    history()
    note(state_histories=happened["histories"], state_events=happened.total() - happened["histories"])
    assert not set(EVENTS) - happened.keys(), "what never happened was not tested"


def lived_through(
    scene: Scene,
    pushes: list[Parcel],
    deeds: dict[str, Callable[[random.Random], object]],
    events: list[str],
    chance: random.Random,
) -> list[str]:
    """A history, seen by both devices. Answers those of its events that anybody was told of."""
    device, attentive = Device(scene.su), Attentive(scene.su)
    device.sync()
    attentive.sync()
    told = []
    for event in events:
        if event == "sync":
            device.sync()
            told.append(event)
            continue
        pushes.clear()
        with contextlib.suppress(Refusal):
            deeds[event](chance)
        if pushes:
            told.append(event)
        frames = [json.loads(parcel.frame) for parcel in pushes if scene.su in parcel.people]
        device.hear(frames, chance)
        attentive.hear(frames, chance)
        assert attentive.listed() == listing(scene.su), event
        assert attentive.looks() == looks(scene.su), event
    device.sync()
    assert device.listed() == attentive.listed()
    assert device.looks() == attentive.looks()
    after, mine = fresh(scene.su), device.state()
    assert mine.keys() == after.keys()
    for talk, (version, messages) in mine.items():
        assert version == after[talk][0]
        # What the device has, it has in its newest version; what came after it began, it has whole.
        assert messages.items() <= after[talk][1].items()
        assert {seq for seq, (at, *_) in after[talk][1].items() if at > device.began[talk]} <= messages.keys()
    return told
