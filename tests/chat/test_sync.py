"""Catching up: from what a client has to the present, in how many requests and statements."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actions as accounts
from chat import actions, queries
from chat.models import Conversation, Member
from tests.chat.conftest import Scene
from tests.chat.support import http, post
from tests.chat.test_http import past, said, upload


class Device:
    """What a client keeps: messages by conversation and the versions that it has. `paged`: it asks part by part, as
    clients do that know `after`; else by what it has."""

    def __init__(self, client: Client, *, paged: bool = True) -> None:
        self.client, self.paged = client, paged
        self.have: dict[str, int] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, dict[int, Any]] = {}
        self.answers: list[dict[str, Any]] = []

    def sync(self) -> None:
        """In as many requests as the server says."""
        self.answers = []
        after: dict[str, Any] = {"after": None} if self.paged else {}
        while len(self.answers) < 100:
            answer = post(self.client, "/api/chat/sync", {"have": self.have, **after}).json()
            self.answers.append(answer)
            self._take(answer)
            assert (answer["next"] is not None) is (answer["more"] and self.paged)
            if not answer["more"]:
                return
            if self.paged:
                after = {"after": answer["next"]}
        raise AssertionError("sync does not end")

    def _take(self, answer: dict[str, Any]) -> None:
        for item in answer["conversations"]:
            if item["id"] not in self.have:
                self.have[item["id"]] = item["version"]
                self.messages[item["id"]] = {item["last"]["seq"]: item["last"]} if item["last"] else {}
            self.items[item["id"]] = item
        for mark in answer["marks"]:
            self.items[mark["id"]] |= mark
        for change in answer["changes"]:
            kept = self.messages[change["conversation_id"]]
            if change["reset"]:
                kept.clear()
            kept.update({message["seq"]: message for message in change["messages"]})
            self.have[change["conversation_id"]] = change["upto"]
        for id_ in answer["gone"]:
            del self.have[id_], self.messages[id_], self.items[id_]

    def open(self) -> None:
        """Reads every conversation back to its beginning, from where its stretch begins."""
        for id_, kept in self.messages.items():
            before: Any = min(kept, default="")
            while before is not None:
                query = {"limit": 100, "before": before}
                page = self.client.get(f"/api/chat/conversations/{id_}/messages", query).json()
                kept.update({message["seq"]: message for message in page["items"]})
                before = page["next"]


def same(device: Device, fresh: Device) -> None:
    """Whether a device shows what one shows that begins now."""
    fresh.sync()
    device.open()
    fresh.open()
    assert device.messages == fresh.messages
    assert device.items == fresh.items
    assert device.have == fresh.have


@pytest.mark.parametrize("paged", [True, False])
@pytest.mark.parametrize("told", [2_000, 60, 5, 0])
def test_an_old_state_and_what_changed_since_is_a_fresh_state(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, told: int, paged: bool
) -> None:
    monkeypatch.setattr(queries, "MAX_TOLD", told)
    device = Device(http(scene.su), paged=paged)
    device.sync()

    def do_all() -> list[Callable[[], Any]]:
        first = said(scene, scene.friends, scene.lin, "一")
        return [
            lambda: [said(scene, scene.friends, scene.lin, f"更多 {n}") for n in range(8)],
            lambda: actions.recall(message_id=first.id, person_id=scene.lin),
            lambda: said(scene, scene.group, scene.tao),
            lambda: upload(http(scene.lin), scene.friends),
            lambda: said(scene, scene.advisor, scene.zhou),
            lambda: actions.mark_read(conversation_id=scene.friends, person_id=scene.su, seq=5),
            lambda: actions.add_member(conversation_id=scene.group, person_id=scene.xu),
            lambda: actions.open_conversation(kind="direct", member_ids=[scene.su, scene.tao]),
            lambda: actions.remove_member(conversation_id=scene.group, person_id=scene.su),
        ]

    for step in do_all():
        step()
        device.sync()
        assert len(device.answers) == 1
        same(device, Device(http(scene.su), paged=paged))
    behind = Device(http(scene.lin), paged=paged)
    behind.sync()
    behind.open()
    assert len(behind.messages[str(scene.friends)]) == 10


def many(scene: Scene, count: int) -> list[UUID]:
    """So many groups of Su's and Tao's."""
    groups = [Conversation(kind="group", title=str(number)) for number in range(count)]
    Conversation.objects.bulk_create(groups)
    Member.objects.bulk_create(
        Member(conversation=one, person_id=who) for one in groups for who in (scene.su, scene.tao)
    )
    return [one.pk for one in groups]


def goes_on(scene: Scene, groups: list[UUID], count: int) -> None:
    """So many texts of Tao's more in each; the last of them is the first in the list."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO chat_message
                (id, conversation_id, seq, version, client_id, sender_id, kind, text, warning, at)
            SELECT gen_random_uuid(), c.id, c.seq + n, c.version + n, gen_random_uuid(), %s, 'text', n::text, '', now()
            FROM chat_conversation c CROSS JOIN generate_series(1, %s) n WHERE c.id = ANY(%s)""",
            [scene.tao, count, groups],
        )
        cursor.execute(
            """UPDATE chat_conversation c SET seq = seq + %s, version = version + %s,
                active_at = now() + array_position(%s::uuid[], c.id) * interval '1 second' WHERE id = ANY(%s)""",
            [count, count, groups, groups],
        )


def test_a_day_away_from_500_conversations_costs_one_request_and_a_fixed_number_of_statements(scene: Scene) -> None:
    groups, client = many(scene, 500), http(scene.su)
    device = Device(client)
    device.sync()
    goes_on(scene, groups, 500)
    with CaptureQueriesContext(connection) as seen:
        device.sync()
    (answer,) = device.answers
    assert len(seen) <= 14
    assert len(answer["conversations"]) == 500, "each once"
    assert {item["unread"] for item in answer["conversations"]} == {100}
    by_id = {change["conversation_id"]: change for change in answer["changes"]}
    whole = [id_ for id_ in groups if not by_id[str(id_)]["reset"]]
    assert whole == groups[-4:], "as many as go into an answer, the newest first"
    assert all(len(by_id[str(id_)]["messages"]) == 500 for id_ in whole)
    assert sum(len(change["messages"]) for change in answer["changes"]) <= queries.MAX_TOLD + 500
    for id_ in groups[:-4]:
        change = by_id[str(id_)]
        assert (change["more"], [message["seq"] for message in change["messages"]]) == (True, [500])
    device.sync()
    assert len(device.answers) == 1 and len(device.answers[0]["marks"]) == len(device.have)
    assert device.answers[0]["conversations"] == device.answers[0]["changes"] == []

    def pages(one: Device) -> None:
        # Whoever opens a conversation reads its pages; of 500, these will do.
        one.messages = {str(id_): one.messages[str(id_)] for id_ in (groups[0], groups[250], groups[-1])}

    fresh = Device(client)
    fresh.sync()
    pages(device)
    pages(fresh)
    same(device, fresh)
    assert [
        message["seq"] for message in sorted(device.messages[str(groups[0])].values(), key=lambda one: one["seq"])
    ] == [*range(1, 501)]


def test_the_marks_of_every_conversation_agree_however_many_there_are(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = many(scene, 10)
    goes_on(scene, groups, 3)
    device = Device(http(scene.su))
    device.sync()
    monkeypatch.setattr(queries, "MAX_LISTED", 4)
    for number, id_ in enumerate(groups):
        actions.mark_read(conversation_id=id_, person_id=scene.su, seq=number % 3)
    device.sync()
    assert len(device.answers) == -(-len(device.have) // 4)
    told = [mark["id"] for answer in device.answers for mark in answer["marks"]]
    assert sorted(told) == sorted(device.have), "each once"
    same(device, Device(http(scene.su)))
    goes_on(scene, groups[::3], 2)
    actions.remove_member(conversation_id=groups[1], person_id=scene.su)
    device.sync()
    same(device, Device(http(scene.su)))
    assert sum(len(answer["gone"]) for answer in device.answers) == 1
    fresh = Device(http(scene.su))
    fresh.sync()
    listed = [item["id"] for answer in fresh.answers for item in answer["conversations"]]
    assert sorted(listed) == sorted(set(listed)) and len(listed) == len(device.have)


_SOME = "1c8c2ee0-0000-7000-8000-000000000000"
_NO_MOMENTS = ["2026-01-01", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00"]
_NO_PLACES = ["x", "1_2026-01-01_x", 5, "0_2026-01-01T00:00:00+00:00_" + "1" * 200]


@pytest.mark.parametrize("after", [*_NO_PLACES, *(f"0_{moment}_{_SOME}" for moment in _NO_MOMENTS)])
def test_a_place_in_the_list_that_is_none_is_refused(scene: Scene, after: object) -> None:
    answer = post(http(scene.su), "/api/chat/sync", {"have": {}, "after": after})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["after"])
    answer = http(scene.su).get("/api/chat/conversations", {"before": after})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["before"])


def test_a_place_in_the_list_is_a_moment_whatever_its_offset(scene: Scene) -> None:
    place = f"1_2026-01-01T00:00:00+23:59:59.9_{_SOME}"
    assert post(http(scene.su), "/api/chat/sync", {"have": {}, "after": place}).status_code == 200
    assert http(scene.su).get("/api/chat/conversations", {"before": place}).status_code == 200


def test_who_is_far_behind_gets_the_newest_page(scene: Scene) -> None:
    device = Device(http(scene.su))
    device.sync()
    past(scene, scene.friends, queries.RESET_AFTER + 1)
    answer = post(device.client, "/api/chat/sync", {"have": {str(scene.friends): 0}}).json()
    (change,) = answer["changes"]
    assert change["reset"] is True
    assert (change["upto"], len(change["messages"])) == (queries.RESET_AFTER + 1, queries.NEWEST_PAGE)
    assert change["messages"][-1]["seq"] == queries.RESET_AFTER + 1


def test_a_client_from_another_history_begins_afresh(scene: Scene) -> None:
    said(scene, scene.friends, scene.lin)
    (change,) = post(http(scene.su), "/api/chat/sync", {"have": {str(scene.friends): 999}}).json()["changes"]
    assert (change["reset"], change["upto"]) == (True, 1)


def test_more_conversations_than_one_answer_holds_are_synced_to_the_last_and_asking_ends(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        group = actions.open_conversation(kind="group", member_ids=[scene.su, scene.tao], title=str(number))
        said(scene, group, scene.tao)
    client = http(scene.su)
    items = client.get("/api/chat/conversations?limit=500").json()["items"]
    mine = {item["id"]: item["version"] for item in items}
    oldest = next(item["id"] for item in reversed(items) if item["version"])
    monkeypatch.setattr(queries, "MAX_LISTED", 3)
    have: dict[str, int] = {}
    rounds = 0
    while rounds < len(mine):
        rounds += 1
        answer = post(client, "/api/chat/sync", {"have": have}).json()
        have |= {item["id"]: item["version"] for item in answer["conversations"]}
        if not answer["more"]:
            break
    assert have == mine
    assert rounds <= len(mine) / 3 + 1
    monkeypatch.setattr(queries, "MAX_LISTED", 1)
    assert post(client, "/api/chat/sync", {"have": have}).json()["more"] is False
    answer = post(client, "/api/chat/sync", {"have": have | {oldest: mine[oldest] - 1}}).json()
    assert [item["id"] for item in answer["conversations"]] == [oldest]
    assert answer["more"] is False


def test_catching_up_takes_the_same_statements_however_much_there_is(scene: Scene) -> None:
    client = http(scene.su)

    def statements(have: dict[str, int], **more: Any) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert post(client, "/api/chat/sync", {"have": have, **more}).status_code == 200
        return len(seen)

    said(scene, scene.friends, scene.lin)
    few = statements({str(scene.friends): 0, str(scene.advisor): 0})
    for number in range(12):
        group = actions.open_conversation(kind="group", member_ids=[scene.su, scene.tao], title=str(number))
        said(scene, group, scene.tao)
    past(scene, scene.friends, 100)
    assert statements({str(scene.friends): 0, str(scene.advisor): 0}) == few <= 14
    assert statements({str(scene.friends): 0, str(scene.advisor): 0}, people=True) == few


def test_who_asks_for_people_sees_a_new_name_where_nothing_was_said(scene: Scene) -> None:
    client = http(scene.su)
    items = client.get("/api/chat/conversations").json()["items"]
    have = {item["id"]: item["version"] for item in items}
    accounts.set_display_name(person_id=scene.lin, name="林小满")
    answer = post(client, "/api/chat/sync", {"have": have, "after": None, "people": True}).json()
    assert (answer["conversations"], answer["changes"]) == ([], [])
    assert "林小满" in {person["name"] for person in answer["people"]}
    plain = post(client, "/api/chat/sync", {"have": have, "after": None}).json()
    assert {person["id"] for person in plain["people"]} == {str(scene.su)}
