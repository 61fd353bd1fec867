"""Sending and receiving over the socket."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection

from accounts import actions as accounts
from accounts.models import DeviceSession, Person
from chat import actions, log
from chat.delivery import connection as connections
from chat.delivery import engine
from chat.delivery.connection import Reason
from chat.delivery.database import Database
from chat.models import Conversation, Message
from chat.wire import MAX_TEXT
from kernel.clock import now
from tests.chat.conftest import Scene
from tests.chat.support import Phone, database, gather, http, post, session_key
from tests.chat.test_state import probe_card

Open = Callable[[UUID], Awaitable[Phone]]


async def test_a_text_is_acknowledged_after_its_commit_and_arrives_at_every_other_device(
    live: Scene, phone: Open
) -> None:
    su, su_too, lin = await gather(phone(live.su), phone(live.su), phone(live.lin))
    client_id = await su.say(live.friends, "你好,晓舟")
    ack = await su.expect("ack")
    kept = await database(lambda: Message.objects.get(client_id=client_id))
    assert (ack["seq"], ack["version"], ack["again"]) == (1, 1, False)
    assert (str(kept.pk), kept.text) == (ack["id"], "你好,晓舟")
    for other in (su_too, lin):
        message = (await other.expect("message"))["message"]
        assert message["text"] == "你好,晓舟"
        assert message["sender_id"] == str(live.su)
        assert message["id"] == ack["id"]
    assert await su.hears_nothing()


async def test_words_that_staff_may_not_use_are_refused_to_staff_alone(live: Scene, phone: Open) -> None:
    su, zhou = await gather(phone(live.su), phone(live.zhou))
    refused = await zhou.say(live.advisor, "这款产品保本")
    error = await zhou.expect("error")
    assert (error["code"], error["client_id"]) == ("forbidden_words", str(refused))
    await su.say(live.advisor, "请问它保本吗")
    await su.expect("ack")
    assert (await zhou.expect("message"))["message"]["text"] == "请问它保本吗"


async def test_the_same_client_id_is_one_message_with_one_answer(live: Scene, phone: Open) -> None:
    su, lin = await gather(phone(live.su), phone(live.lin))
    client_id = await su.say(live.friends, "一次")
    first = await su.expect("ack")
    await su.say(live.friends, "一次", client_id)
    second = await su.expect("ack")
    assert {**first, "again": True} == second
    await lin.expect("message")
    assert await lin.hears_nothing()


async def test_the_same_client_id_from_two_devices_at_once_is_one_message(live: Scene, phone: Open) -> None:
    one, two = await gather(phone(live.su), phone(live.su))
    for _ in range(20):
        client_id = uuid.uuid4()
        await gather(one.say(live.friends, "同时", client_id), two.say(live.friends, "同时", client_id))
        acks = await gather(one.until("ack"), two.until("ack"))
        assert acks[0]["id"] == acks[1]["id"]
        assert sorted(ack["again"] for ack in acks) == [False, True]
    assert await database(lambda: Message.objects.filter(conversation=live.friends).count()) == 20


async def test_messages_of_one_connection_keep_their_order(live: Scene, phone: Open) -> None:
    su, lin = await gather(phone(live.su), phone(live.lin))
    for number in range(200):
        await su.say(live.friends, str(number))
    acks = [await su.expect("ack") for _ in range(200)]
    assert [ack["seq"] for ack in acks] == list(range(1, 201))
    arrived = [(await lin.expect("message"))["message"] for _ in range(200)]
    assert [message["text"] for message in arrived] == [str(number) for number in range(200)]


async def test_a_conversation_that_somebody_holds_does_not_hold_the_others(live: Scene, phone: Open) -> None:
    su = await phone(live.su)
    held, release = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold() -> None:
        from django.db import transaction

        from chat.models import Conversation

        with transaction.atomic():
            Conversation.objects.select_for_update().get(pk=live.friends)
            loop.call_soon_threadsafe(held.set)
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)

    holding = asyncio.create_task(database(hold))
    await held.wait()
    blocked = []
    for number in range(40):
        # Some come while the database is being asked for those before them: they must not overtake them.
        blocked.append(await su.say(live.friends, f"等 {number}"))
        await asyncio.sleep(0.002)
    free = await su.say(live.advisor, "不等")
    assert (await su.expect("ack"))["client_id"] == str(free)
    assert await su.hears_nothing()
    release.set()
    await holding
    assert [(await su.expect("ack"))["client_id"] for _ in blocked] == [str(client_id) for client_id in blocked]


async def test_a_stranger_can_neither_write_nor_listen(live: Scene, phone: Open) -> None:
    xu, su = await gather(phone(live.xu), phone(live.su))
    client_id = await xu.say(live.friends, "让我进来")
    error = await xu.expect("error")
    assert (error["code"], error["client_id"]) == ("not_found", str(client_id))
    await xu.say(uuid.uuid4(), "没有这个会话")
    assert (await xu.expect("error"))["code"] == "not_found"
    await xu.send(type="read", conversation_id=live.friends, seq=1)
    assert (await xu.expect("error"))["code"] == "not_found"
    await xu.send(type="typing", conversation_id=live.friends)
    await su.say(live.friends, "只有我们")
    await su.expect("ack")
    assert await xu.hears_nothing()
    assert await database(lambda: Message.objects.filter(conversation=live.friends).count()) == 1


async def test_who_was_removed_hears_nothing_more(live: Scene, phone: Open) -> None:
    su, tao = await gather(phone(live.su), phone(live.tao))
    await su.say(live.group, "大家好")
    await tao.until("message")
    await database(lambda: actions.remove_member(conversation_id=live.group, person_id=live.tao))
    assert (await tao.until("conversation"))["gone"] is True
    await su.say(live.group, "他走了")
    await su.until("ack")
    assert await tao.hears_nothing()
    await tao.say(live.group, "我还在")
    assert (await tao.expect("error"))["code"] == "not_found"


async def test_typing_reaches_the_others_now_and_then(live: Scene, phone: Open) -> None:
    su, lin = await gather(phone(live.su), phone(live.lin))
    for _ in range(5):
        await su.send(type="typing", conversation_id=live.friends)
    assert await lin.expect("typing") == {
        "type": "typing",
        "conversation_id": str(live.friends),
        "person_id": str(live.su),
    }
    assert await lin.hears_nothing()
    assert await su.hears_nothing()


async def test_reading_on_one_device_is_read_on_the_other(live: Scene, phone: Open) -> None:
    su, su_too, lin = await gather(phone(live.su), phone(live.su), phone(live.lin))
    for number in range(3):
        await lin.say(live.friends, str(number))
        await lin.expect("ack")
        await su.expect("message")
        await su_too.expect("message")
    await su.send(type="read", conversation_id=live.friends, seq=2)
    mark = await su_too.expect("read")
    assert (mark["seq"], mark["unread"]) == (2, 1)
    await su.send(type="read", conversation_id=live.friends, seq=1)
    assert (await su_too.expect("read"))["seq"] == 2
    await su.send(type="read", conversation_id=live.friends, seq=10**12)
    assert await su_too.expect("read") == {**mark, "seq": 3, "unread": 0}
    assert await su.hears_nothing()


async def test_a_read_mark_outlives_the_connection_that_was_to_carry_it(live: Scene, phone: Open) -> None:
    su, su_too, lin = await gather(phone(live.su), phone(live.su), phone(live.lin))
    for number in range(2):
        await lin.say(live.friends, str(number))
        await gather(su.expect("message"), su_too.expect("message"))
    await su.send(type="read", conversation_id=live.friends, seq=1)
    assert (await su_too.expect("read"))["unread"] == 1

    def cut() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'rongliao chat marks'"
            )
            return int(cursor.fetchone()[0])

    assert await database(cut) == 1
    await su.send(type="read", conversation_id=live.friends, seq=2)
    mark = await su_too.expect("read")
    assert (mark["seq"], mark["unread"]) == (2, 0)


async def test_read_marks_that_wait_for_the_database_have_a_bound_and_who_told_them_is_asked_to_ask(
    live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.delivery.marks.MAX_KEPT", 2)
    su, su_too, lin = await gather(phone(live.su), phone(live.su), phone(live.lin))
    zhou, talks = await phone(live.zhou), (live.friends, live.group, live.advisor)
    for one, talk in ((lin, live.friends), (lin, live.group), (zhou, live.advisor), (zhou, live.advisor)):
        await one.say(talk, "在吗")
        await one.until("ack")
    seqs = await database(lambda: dict(Conversation.objects.filter(pk__in=talks).values_list("pk", "seq")))
    fetch = Database.fetch
    away = asyncio.Event()

    async def until_back(self: Database, statement: str, params: tuple[Any, ...]) -> Any:
        if statement == log.MARK_SQL and not away.is_set():
            raise psycopg.OperationalError("away")
        return await fetch(self, statement, params)

    monkeypatch.setattr(Database, "fetch", until_back)
    for talk in talks:
        for seq in range(1, seqs[talk] + 1):
            await su.send(type="read", conversation_id=talk, seq=seq)
    await asyncio.sleep(0.1)
    marks = engine.engine().marks
    assert len(marks._pending) <= 2
    away.set()
    told = {}
    while (frame := await su_too.next())["type"] != "behind":
        if frame["type"] == "read":
            told[UUID(frame["conversation_id"])] = frame["seq"]
    assert told == {talk: seqs[talk] for talk in talks[1:]}, "the newest of each, and the newest of all"
    assert (await su.until("behind"))["type"] == "behind"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "bad_frame"),
        ("{", "bad_frame"),
        ("null", "bad_frame"),
        ("[]", "bad_frame"),
        ('{"type":"send"}', "bad_frame"),
        ('{"type":"nonsense"}', "unknown_frame"),
        ('{"type":"ping","v":2}', "unknown_frame"),
        ('{"type":"ping","v":0}', "unknown_frame"),
        ('{"type":"ping","n":1,"extra":true}', "bad_frame"),
        ('{"type":"ping","n":1.5}', "bad_frame"),
        ('{"type":"ping","n":-1}', "bad_frame"),
        ('{"type":"ping","n":1e30}', "bad_frame"),
        ('{"type":"read","conversation_id":"x","seq":1}', "bad_frame"),
        ('{"type":"send","conversation_id":"％s","client_id":"%s","text":"x"}', "bad_frame"),
        ("[" * 50_000, "bad_frame"),
        ("x" * 65_537, "frame_too_large"),
    ],
)
async def test_a_broken_frame_gets_an_error_and_the_socket_lives(
    live: Scene, phone: Open, line: str, code: str
) -> None:
    su = await phone(live.su)
    if line == "":
        await su.wire.send_to(bytes_data=b"\x00\xff")
    else:
        await su.raw(line)
    error = await su.expect("error")
    assert error["code"] == code
    await su.send(type="ping", n=7)
    assert await su.expect("pong") == {"type": "pong", "n": 7}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"conversation_id": "x"}, "bad_frame"),
        ({"mood": "fine"}, "bad_frame"),
        ({"text": None}, "bad_frame"),
        ({"v": 2}, "unknown_frame"),
        ({"v": 2, "mood": "fine"}, "unknown_frame"),
        ({"type": "song"}, "unknown_frame"),
    ],
)
async def test_who_sent_what_cannot_be_read_is_told_which_message_it_was(
    live: Scene, phone: Open, change: dict[str, Any], code: str
) -> None:
    """Else they wait for its acknowledgement, come back and send it again, for ever."""
    su = await phone(live.su)
    client_id = str(uuid.uuid4())
    frame = {"type": "send", "conversation_id": str(live.friends), "client_id": client_id, "text": "x"}
    await su.raw(json.dumps(frame | change))
    error = await su.expect("error")
    assert (error["code"], error["client_id"], error["retry"]) == (code, client_id, False)
    await su.raw(json.dumps(frame | change | {"client_id": "x"}))
    assert (await su.expect("error"))["client_id"] is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_message"),
        (" \n\t ", "empty_message"),
        ("长" * (MAX_TEXT + 1), "message_too_long"),
        ("a\\u0000b", "text_refused"),
        ("a\\u0007b", "text_refused"),
        ("\\u202eabc\\u2066", "text_refused"),
        ("a\\ud800b", "bad_frame"),
    ],
)
async def test_a_text_that_cannot_be_kept_is_refused(live: Scene, phone: Open, text: str, code: str) -> None:
    su = await phone(live.su)
    head = f'{{"type":"send","conversation_id":"{live.friends}","client_id":"{uuid.uuid4()}","text":"'
    await su.raw(head + text.replace("\n", "\\n").replace("\t", "\\t") + '"}')
    assert (await su.expect("error"))["code"] == code
    assert await database(lambda: Message.objects.filter(conversation=live.friends).count()) == 0


async def test_emoji_full_width_and_right_to_left_letters_arrive_as_they_were(live: Scene, phone: Open) -> None:
    su, lin = await gather(phone(live.su), phone(live.lin))
    for text in (
        "１００元 👨‍👩‍👧",
        "\u05e9\u05dc\u05d5\u05dd\u200f!",
        "a\nb\tc",
        "x" * MAX_TEXT,
        "<script>alert(1)</script>",
    ):
        await su.say(live.friends, text)
        await su.expect("ack")
        assert (await lin.expect("message"))["message"]["text"] == text


async def test_several_frames_may_stand_in_one_message_one_a_line(live: Scene, phone: Open) -> None:
    su = await phone(live.su)
    await su.raw("\n".join(json.dumps({"type": "ping", "n": number}) for number in range(5)))
    assert [(await su.expect("pong"))["n"] for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_too_many_frames_are_refused_and_then_the_socket_is_closed(
    live: Scene, phone: Open, settings: object
) -> None:
    settings.CHAT_FRAMES_PER_SECOND = 1  # type: ignore[attr-defined]  # a setting of ours
    su = await phone(live.su)
    for number in range(10):
        await su.send(type="ping", n=number)
    for _ in range(10):
        await su.expect("pong")
    await su.send(type="ping", n=11)
    assert (await su.expect("error"))["code"] == "too_many"
    waits = await su.say(live.friends, "太快了")
    error = await su.expect("error")
    assert (error["code"], error["client_id"], error["retry"]) == ("too_many", str(waits), True)
    for number in range(120):
        await su.send(type="ping", n=number)
    assert await su.closed() == Reason.TOO_MANY_FRAMES


ORIGINS = [
    None,
    "null",
    "https://localhost:8000",
    "http://localhost:8001",
    "http://localhost",
    "http://localhost:8000.evil.example",
    "http://LOCALHOST:8000",
    "http://127.0.0.1:8000",
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_page_of_another_origin_opens_no_socket(live: Scene, origin: str | None) -> None:
    cookie = await database(lambda: session_key(live.su))
    assert settings.APP_ORIGIN == "http://localhost:8000"
    accepted, code = await Phone(cookie, origin=origin).wire.connect()
    assert (accepted, code) == (False, Reason.WRONG_ORIGIN)


@pytest.mark.parametrize("cookie", [None, "", "nonsense", "x" * 5_000, "\x7f"])
async def test_without_a_session_there_is_no_socket(live: Scene, cookie: str | None) -> None:
    accepted, code = await Phone(cookie).wire.connect()
    assert (accepted, code) == (False, Reason.SIGN_IN_NEEDED)


async def test_signing_out_closes_the_socket_at_once_and_leaves_the_other_device_alone(
    live: Scene, phone: Open
) -> None:
    cookie = await database(lambda: session_key(live.su))
    mine, other = await Phone(cookie).open(), await phone(live.su)

    def sign_out() -> None:
        client = http(None)
        client.cookies[settings.SESSION_COOKIE_NAME] = cookie
        assert client.delete("/api/session").status_code == 204

    await database(sign_out)
    assert await mine.closed(1.0) == Reason.SESSION_ENDED
    assert await other.hears_nothing()


@pytest.mark.parametrize("how", ["blocked", "password"])
async def test_every_socket_of_a_person_closes_when_their_sessions_end(live: Scene, phone: Open, how: str) -> None:
    phones = await gather(phone(live.su), phone(live.su))

    def end() -> None:
        if how == "blocked":
            accounts.block_person(person_id=live.su, blocked=True, by=None)
        else:
            accounts.end_all_sessions(person_id=live.su, reason="password_changed")

    await database(end)
    assert await gather(*(one.closed(1.0) for one in phones)) == [Reason.SESSION_ENDED] * 2


async def test_a_session_that_ended_unheard_closes_its_socket_all_the_same(
    live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    su = await phone(live.su)
    monkeypatch.setattr("accounts.ports.session_ended._all", [])
    await database(lambda: accounts.end_all_sessions(person_id=live.su, reason="test"))
    assert await su.closed(3.0) == Reason.SESSION_ENDED


SESSION_IS_OVER: dict[str, Callable[[UUID], int]] = {
    "ended": lambda person: DeviceSession.objects.filter(person=person).update(ended_at=now()),
    "an older epoch": lambda person: Person.objects.filter(pk=person).update(session_epoch=1),
    "of a blocked person": lambda person: Person.objects.filter(pk=person).update(is_active=False),
}


@pytest.mark.parametrize("how", SESSION_IS_OVER)
async def test_nothing_is_written_for_a_session_that_ended_unheard_also_before_the_next_look(
    live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("chat.delivery.engine.SWEEP_EVERY_S", 3_600.0)
    su, lin = await gather(phone(live.su), phone(live.lin))
    await su.say(live.friends, "还在")
    await su.until("ack")
    assert await database(lambda: SESSION_IS_OVER[how](live.su))
    await su.say(live.friends, "已经不在了")
    assert await su.closed() == Reason.SESSION_ENDED
    await lin.say(live.friends, "在吗")
    assert (await lin.until("ack"))["seq"] == 2
    assert await database(lambda: Message.objects.filter(sender=live.su).count()) == 1


async def test_a_socket_lives_no_longer_than_its_session(live: Scene) -> None:
    cookie = await database(lambda: session_key(live.su))
    soon = now() + timedelta(seconds=1.5)
    await database(lambda: Session.objects.filter(pk=cookie).update(expire_date=soon))
    su = await Phone(cookie).open()
    assert await su.closed(4.0) == Reason.SESSION_ENDED
    assert now() >= soon
    assert await Phone(cookie).wire.connect() == (False, Reason.SIGN_IN_NEEDED)
    await engine.stop()


async def test_a_reader_who_does_not_confirm_is_cut_off_and_finds_everything_by_sync(
    live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_UNCONFIRMED_BYTES", 40_000)
    monkeypatch.setattr(connections, "PROBE_EVERY_BYTES", 10_000)
    su, lin, tao = await gather(phone(live.su), phone(live.lin), phone(live.tao))
    for number in range(60):
        await su.say(live.group, f"{number} " + "长" * 1_000)
        await su.until("ack")
        await tao.until("message")
    assert await lin.closed() == Reason.TOO_SLOW
    answer = await database(lambda: post(http(live.lin), "/api/chat/sync", {"have": {str(live.group): 0}}).json())
    (change,) = answer["changes"]
    assert [message["text"].split()[0] for message in change["messages"]] == [str(number) for number in range(60)]


async def test_a_person_has_at_most_twenty_sockets(live: Scene, phone: Open) -> None:
    for _ in range(20):
        await phone(live.su)
    one_more = Phone(await database(lambda: session_key(live.su)))
    assert await one_more.wire.connect() == (False, Reason.TOO_MANY_SOCKETS)


async def test_who_joined_later_hears_nothing_of_what_was_said_before_them(
    live: Scene, phone: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its recall, nor its card, nor what was committed just before they came and is told just after."""
    su, tao = await gather(phone(live.su), phone(live.tao))
    await su.say(live.group, "以前的话")
    said = UUID((await su.until("ack"))["id"])
    bring = partial(actions.add_member, conversation_id=live.group, person_id=live.xu, sees_past=False, announce=False)
    written = Database.value

    async def comes_between(self: Database, statement: str, values: Sequence[bytes]) -> bytes:
        answer = await written(self, statement, values)
        await database(bring)
        return answer

    xu = await phone(live.xu)
    engine.engine().members._kept.clear()
    monkeypatch.setattr(Database, "value", comes_between)
    await su.say(live.group, "刚好在前")
    await su.until("ack")
    monkeypatch.setattr(Database, "value", written)
    assert [(await tao.until("message"))["message"]["text"] for _ in range(2)] == ["以前的话", "刚好在前"]
    await database(lambda: actions.recall(message_id=said, person_id=live.su))
    assert (await tao.until("message"))["message"]["recalled"] is True
    await su.say(live.group, "现在的话")
    assert (await xu.until("message"))["message"]["text"] == "现在的话"
    assert await xu.hears_nothing()


async def test_a_card_from_before_somebody_came_changes_without_them(live: Scene, phone: Open) -> None:
    probe_card()
    tao, xu, ref = await phone(live.tao), await phone(live.xu), uuid.uuid4()
    card: dict[str, Any] = {"kind": "probe", "ref": ref, "state": "open", "payload": {"n": 1}}
    show = partial(actions.send_card, conversation_id=live.group, sender_id=live.su, **card)
    bring = partial(actions.add_member, conversation_id=live.group, person_id=live.xu, sees_past=False, announce=False)
    await database(lambda: show(client_id=uuid.uuid4()))
    await database(bring)
    await database(lambda: actions.update_card(**card | {"state": "done", "revision": 1}))
    while (await tao.until("message"))["message"]["card"]["state"] != "done":
        pass
    await xu.until("conversation")
    assert await xu.hears_nothing()
    await database(lambda: show(client_id=uuid.uuid4()))
    assert (await xu.until("message"))["message"]["card"]["state"] == "done"
