"""Numbers without gaps, one message for one client id, the archive with the message."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from django.db import InternalError, ProgrammingError, connection, connections, transaction

from accounts.models import Device, DeviceSession, Person
from chat import actions, cards, log, queries
from chat.actions import Line
from chat.errors import CardRefused, NotRecallable, RecallTooLate
from chat.models import ArchiveRow, Card, Conversation, Member, Message, NoticeSeen
from kernel.clock import now
from kernel.errors import NotFound
from kernel.models import OutboxRow
from tests.chat.conftest import Scene


class Price(msgspec.Struct):
    amount_fen: int


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "_kinds", {})
    for kind, may in (("price", False), ("story", True)):
        cards.register(
            kind,
            payload=Price,
            states=frozenset({"open", "done"}),
            summary=lambda payload, state, language: f"[{state}] {payload.amount_fen}",
            client_may_send=may,
        )


def _say(scene: Scene, text: str = "你好", **more: object) -> queries.MessageEnvelope:
    return actions.send_text(
        **{
            "conversation_id": scene.friends,
            "sender_id": scene.su,
            "client_id": uuid.uuid4(),
            "text": text,
            **more,
        }
    )


def test_eight_writers_at_once_leave_no_gap_and_no_double(live: Scene) -> None:
    def write(writer: int) -> None:
        sender = live.su if writer % 2 else live.lin
        try:
            for number in range(25):
                _say(live, f"{writer}.{number}", sender_id=sender)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    rows = list(Message.objects.filter(conversation=live.friends).order_by("seq").values_list("seq", "version", "text"))
    assert [row[0] for row in rows] == list(range(1, 201))
    assert [row[1] for row in rows] == list(range(1, 201))
    for writer in range(8):
        own = [text for _, _, text in rows if text.startswith(f"{writer}.")]
        assert own == [f"{writer}.{number}" for number in range(25)]
    conversation = Conversation.objects.get(pk=live.friends)
    assert (conversation.seq, conversation.version) == (200, 200)


def test_one_client_id_at_once_from_many_threads_is_one_message(live: Scene) -> None:
    client_id = uuid.uuid4()
    start = threading.Barrier(8)

    def write(_: int) -> object:
        start.wait()
        try:
            return _say(live, "一次", client_id=client_id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert Message.objects.filter(conversation=live.friends).count() == 1


def test_two_people_may_happen_to_use_the_same_client_id(scene: Scene) -> None:
    client_id = uuid.uuid4()
    first = _say(scene, "我的", client_id=client_id)
    second = _say(scene, "你的", client_id=client_id, sender_id=scene.lin)
    assert (first.seq, second.seq) == (1, 2)


def test_a_stranger_writes_nothing(scene: Scene) -> None:
    with pytest.raises(NotFound):
        _say(scene, sender_id=scene.xu)
    assert Conversation.objects.get(pk=scene.friends).seq == 0


def test_the_archive_row_comes_and_goes_with_the_message(live: Scene) -> None:
    before = ArchiveRow.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        _say(live, "不算", conversation_id=live.advisor)
        assert ArchiveRow.objects.count() == before + 1
        raise RuntimeError
    assert ArchiveRow.objects.count() == before
    said = _say(live, "请记下来", conversation_id=live.advisor)
    row = ArchiveRow.objects.get(message_id=said.id)
    assert (row.event, row.text, row.seq, row.sender_id) == ("said", "请记下来", said.seq, live.su)


def test_friends_are_not_archived(scene: Scene) -> None:
    said = _say(scene)
    assert not ArchiveRow.objects.filter(message_id=said.id).exists()


@pytest.mark.parametrize("table", ["chat_archiverow", "chat_noticeseen"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = id", "TRUNCATE {}"])
def test_the_server_cannot_change_what_is_archived(scene: Scene, table: str, statement: str) -> None:
    with pytest.raises((ProgrammingError, InternalError), match="permission denied"), transaction.atomic():
        connection.cursor().execute(statement.format(table))


def test_an_advisor_conversation_begins_with_the_notice_and_notes_who_was_shown_it(scene: Scene) -> None:
    (first,), version, _ = queries.messages(scene.su, scene.advisor, before=None, limit=10)
    assert (first.kind, first.notice.code, first.seq, version) == ("notice", "archive", 1, 1)
    assert "存档" in first.text
    assert queries.conversation(scene.su, scene.advisor)[0].notice_version == first.notice.params["version"]
    actions.mark_read(conversation_id=scene.advisor, person_id=scene.su, seq=1)
    actions.mark_read(conversation_id=scene.advisor, person_id=scene.su, seq=1)
    seen = NoticeSeen.objects.get(conversation=scene.advisor)
    assert (seen.person_id, seen.version) == (scene.su, first.notice.params["version"])


def test_opening_it_again_finds_the_same_conversation(live: Scene) -> None:
    def again(_: int) -> object:
        try:
            return actions.open_conversation(kind="direct", member_ids=[live.tao, live.su])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(again, range(6)))) == 1
    assert actions.open_conversation(kind="advisor", member_ids=[live.zhou, live.su]) == live.advisor


def _session(person_id: uuid.UUID, **more: object) -> uuid.UUID:
    person = Person.objects.get(pk=person_id)
    device = Device.objects.create(person=person, client_id=uuid.uuid4(), name="测试机")
    key_hash = uuid.uuid4().bytes * 2
    return DeviceSession.objects.create(
        person=person, device=device, key_hash=key_hash, epoch=person.session_epoch, **more
    ).pk


def _stood(drafts: list[log.Draft], *, trusted: bool, together: bool) -> tuple[list[object], list[object]]:
    """What is answered for these items, sent together or one by one, and what then stands; all of it taken back."""
    before = set(Message.objects.values_list("pk", flat=True)), set(ArchiveRow.objects.values_list("pk", flat=True))
    with transaction.atomic():
        batches = [drafts] if together else [[draft] for draft in drafts]
        answers = [answer for batch in batches for answer in log.append(batch, trusted=trusted)]
        messages = Message.objects.exclude(pk__in=before[0]).order_by("conversation", "seq")
        archived = ArchiveRow.objects.exclude(pk__in=before[1]).order_by("pk")
        stood = [
            *Conversation.objects.order_by("pk").values_list("pk", "seq", "version"),
            *messages.values_list(
                "pk", "conversation", "seq", "version", "client_id", "sender", "kind", "text", "card"
            ),
            *archived.values_list("event", "message_id", "seq", "version", "sender_id", "kind", "text", "card"),
            *[row.payload["message_id"] for row in OutboxRow.objects.filter(topic="chat.said").order_by("pk")],
        ]
        transaction.set_rollback(True)
    return [msgspec.structs.replace(answer, at=None) for answer in answers], stood


@pytest.mark.parametrize("trusted", [False, True])
def test_one_by_one_comes_to_the_same_as_all_at_once(scene: Scene, trusted: bool) -> None:
    card = Card.objects.get(kind="price", ref=_card(scene).card.ref).pk
    Conversation.objects.filter(pk=scene.advisor).update(kind="official")
    Conversation.objects.filter(pk=scene.group).update(archived=True)
    Person.objects.filter(pk=scene.su).update(kind="official", phone=None, phone_index=None)
    known = _say(scene, "早就说过")
    over = _session(scene.lin, ended_at=now())
    Member.objects.filter(conversation=scene.group, person=scene.tao).update(barred="no_advisor")
    said: list[dict[str, object]] = [
        {"c": scene.friends, "s": scene.su, "body": "一"},
        {"c": scene.advisor, "s": scene.zhou, "body": "要存档"},
        {"c": scene.advisor, "s": scene.zhou, "kind": "card", "d": card},
        {"c": scene.friends, "s": scene.su, "k": known.client_id, "body": "再说一遍"},
        {"c": scene.friends, "s": scene.lin, "k": known.client_id, "body": "同一个号,另一个人"},
        {"c": scene.friends, "s": scene.xu, "body": "外人"},
        {"c": uuid.uuid4(), "s": scene.su, "body": "没有这个会话"},
        {"c": scene.friends, "s": scene.lin, "e": over, "body": "已退出"},
        {"c": scene.group, "s": scene.tao, "body": "不许说"},
        {"c": scene.group, "s": scene.tao, "h": True, "kind": "card", "d": card},
        {"c": scene.group, "s": scene.lin, "e": _session(scene.lin), "body": "在线"},
        {"c": scene.advisor, "s": scene.su, "body": "二"},
    ]
    drafts = [
        log.Draft(**{"o": order, "id": uuid.uuid4(), "k": uuid.uuid4(), "kind": "text", **item})
        for order, item in enumerate(said)
    ]
    together, stood = _stood(drafts, trusted=trusted, together=True)
    alone, stood_alone = _stood(drafts, trusted=trusted, together=False)
    assert alone == together
    assert stood_alone == stood
    told = [item for item in stood if isinstance(item, str)]
    assert told == [str(drafts[1].id)], "what somebody wrote to a service account, no card, and not what it wrote"
    outcomes = [answer.r for answer in together]
    assert {"new", "again", "refused", "ended"} | (set() if trusted else {"barred"}) == set(outcomes)


def test_a_recall_leaves_nothing_but_in_the_archive(scene: Scene) -> None:
    said = _say(scene, "说错了", conversation_id=scene.advisor)
    taken = actions.recall(message_id=said.id, person_id=scene.su)
    assert (taken.recalled, taken.text, taken.seq, taken.version) == (True, "", said.seq, said.version + 1)
    assert actions.recall(message_id=said.id, person_id=scene.su) == taken
    events = ArchiveRow.objects.filter(message_id=said.id).order_by("id").values_list("event", "text")
    assert list(events) == [("said", "说错了"), ("recalled", "")]


def test_a_recall_is_for_ones_own_text_within_two_minutes(scene: Scene) -> None:
    said = _say(scene)
    with pytest.raises(NotRecallable):
        actions.recall(message_id=said.id, person_id=scene.lin)
    with pytest.raises(NotFound):
        actions.recall(message_id=said.id, person_id=scene.xu)
    Message.objects.filter(pk=said.id).update(at=now() - timedelta(minutes=2, seconds=1))
    with pytest.raises(RecallTooLate):
        actions.recall(message_id=said.id, person_id=scene.su)
    assert Message.objects.get(pk=said.id).text == "你好"


def _card(scene: Scene, kind: str = "price", **more: object) -> queries.MessageEnvelope:
    return actions.send_card(
        **{
            "conversation_id": scene.advisor,
            "sender_id": scene.zhou,
            "client_id": uuid.uuid4(),
            "kind": kind,
            "ref": uuid.uuid4(),
            "state": "open",
            "payload": {"amount_fen": 100},
            **more,
        }
    )


def test_a_card_changes_wherever_it_is_shown_and_never_back(scene: Scene) -> None:
    first = _card(scene)
    ref = first.card.ref
    second = _card(scene, conversation_id=scene.friends, sender_id=scene.su, ref=ref)
    actions.update_card(kind="price", ref=ref, state="done", payload={"amount_fen": 200}, revision=2)
    actions.update_card(kind="price", ref=ref, state="open", payload={"amount_fen": 1}, revision=2)
    actions.update_card(kind="price", ref=ref, state="open", payload={"amount_fen": 1}, revision=1)
    for sent, viewer in ((first, scene.zhou), (second, scene.lin)):
        (newest, *_), version, _ = queries.messages(viewer, sent.conversation_id, before=None, limit=5)
        assert (newest.card.state, newest.card.payload, newest.card.revision) == ("done", {"amount_fen": 200}, 2)
        assert (newest.seq, newest.version, version) == (sent.seq, sent.version + 1, sent.version + 1)
        assert newest.card.summary == {"zh": "[done] 200", "en": "[done] 200"}
    archived = ArchiveRow.objects.filter(message_id=first.id).order_by("id")
    assert [(row.event, row.card["state"]) for row in archived] == [("said", "open"), ("card", "done")]


def test_a_card_that_nobody_declared_is_a_bug_of_the_caller(scene: Scene) -> None:
    for wrong in (
        {"kind": "unknown"},
        {"state": "elsewhere"},
        {"payload": {"amount_fen": "x"}},
        {"payload": {"amount_fen": 1, "more": 2}},
        {"payload": {}},
    ):
        with pytest.raises(cards.UnknownCard):
            _card(scene, **wrong)


def test_only_kinds_that_allow_it_are_forwarded_and_only_by_who_may_see_them(scene: Scene) -> None:
    price, story = _card(scene), _card(scene, kind="story")
    forward = {"conversation_id": scene.friends, "sender_id": scene.su, "client_id": uuid.uuid4()}
    with pytest.raises(CardRefused):
        actions.forward_card(message_id=price.id, **forward)
    with pytest.raises(NotFound):
        actions.forward_card(message_id=story.id, **{**forward, "sender_id": scene.lin})
    with pytest.raises(NotFound):
        actions.forward_card(message_id=story.id, **{**forward, "conversation_id": uuid.uuid4()})
    sent = actions.forward_card(message_id=story.id, **forward)
    assert sent.card == queries.messages(scene.lin, scene.friends, before=None, limit=1)[0][0].card


def test_a_past_is_written_once_with_its_own_times(scene: Scene) -> None:
    lines = [
        Line(sender_id=scene.su, at=now() - timedelta(days=3 - day), text=str(day), client_id=uuid.uuid4())
        for day in range(3)
    ]
    assert actions.append_past(conversation_id=scene.friends, lines=lines) == 3
    assert actions.append_past(conversation_id=scene.friends, lines=lines) == 0
    found, *_ = queries.messages(scene.lin, scene.friends, before=None, limit=10)
    assert [(message.text, message.at) for message in reversed(found)] == [(line.text, line.at) for line in lines]
