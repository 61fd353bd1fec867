"""Ringing closed browsers, against a push service that opens what it gets with the browser's own key."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client

from accounts import actions as accounts
from chat import actions, webpush
from chat.actions import ringing
from chat.models import Message, PushSubscription
from kernel import jobs
from kernel.clock import now
from kernel.models import OutboxRow
from tests.chat.conftest import Scene
from tests.chat.push_service import Browser, PushService, serving
from tests.chat.support import http, post

SUBSCRIPTIONS = "/api/chat/push/subscriptions"
SETTINGS = "/api/chat/push/settings"
DEFAULTS = {"hide_content": False, "quiet_from": None, "quiet_to": None}


@pytest.fixture
def service(settings: Any) -> Iterator[PushService]:
    with serving() as running:
        settings.PUSH_TEST_ORIGIN = running.origin
        yield running


def subscribed(service: PushService, person: UUID, **headers: str) -> tuple[Browser, Client]:
    browser, client = service.browser(), http(person)
    client.defaults |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    assert post(client, SUBSCRIPTIONS, browser.subscription).status_code == 201
    return browser, client


def put(client: Client, **wishes: Any) -> Any:
    return client.put(SETTINGS, DEFAULTS | wishes, content_type="application/json")


def say(scene: Scene, text: str, conversation: UUID | None = None, sender: UUID | None = None) -> None:
    actions.send_text(
        conversation_id=conversation or scene.friends, sender_id=sender or scene.lin, client_id=uuid.uuid4(), text=text
    )


@pytest.fixture
def ring(scene: Scene) -> Callable[[], None]:
    """Looks, as the worker does two seconds after what was said, and drains the outbox."""
    actions.look(now() - timedelta(seconds=10))

    def look() -> None:
        actions.look(now() + ringing.RING_AFTER)
        jobs.drain()

    return look


def test_a_closed_browser_is_told_who_says_what_and_how_much_is_unread(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    su, _ = subscribed(service, scene.su)
    lin, _ = subscribed(service, scene.lin)
    say(scene, "周末去看房吗?")
    say(scene, "我的卡号 6222 0212 3456 7890,别外传")
    ring()
    ring()
    (note,) = su.shown
    assert (note["title"], note["body"]) == ("林晓舟", "我的卡号 ••••,别外传")
    assert (note["badge"], note["seq"]) == (2, 2)
    assert note["conversation_id"] == note["tag"] == str(scene.friends)
    assert lin.shown == []
    assert b"\xe5\x8d\xa1" not in su.raw[0]
    assert (su.headers[0]["topic"], su.headers[0]["ttl"]) == (scene.friends.hex, "14400")


def test_what_was_read_on_one_device_does_not_ring_on_another(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    su, client = subscribed(service, scene.su)
    say(scene, "在吗")
    assert post(client, f"/api/chat/conversations/{scene.friends}/read", {"seq": 1}).status_code == 200
    ring()
    assert su.shown == []
    # Also when it is read between the look and the ring.
    say(scene, "还在吗")
    actions.look(now() + ringing.RING_AFTER)
    post(client, f"/api/chat/conversations/{scene.friends}/read", {"seq": 2})
    jobs.drain()
    assert su.shown == []
    say(scene, "那明天说")
    ring()
    assert [note["body"] for note in su.shown] == ["那明天说"]


def test_who_hides_content_gets_neither_name_nor_words(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    su, client = subscribed(service, scene.su, accept_language="en")
    assert put(client, hide_content=True).json()["hide_content"] is True
    say(scene, "秘密")
    ring()
    assert (su.shown[0]["title"], su.shown[0]["body"]) == ("Rongliao", "You have a new message")


def test_muted_conversations_own_words_notices_and_what_was_recalled_do_not_ring(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    su, _ = subscribed(service, scene.su)
    tao, _ = subscribed(service, scene.tao)
    actions.set_marks(conversation_id=scene.friends, person_id=scene.su, muted=True)
    say(scene, "静音")
    say(scene, "大家好", scene.group, scene.su)
    actions.send_notice(conversation_id=scene.advisor, client_id=uuid.uuid4(), text="一条通知")
    say(scene, "说错了", scene.advisor, scene.zhou)
    wrong = Message.objects.get(conversation=scene.advisor, text="说错了")
    actions.recall(message_id=wrong.pk, person_id=scene.zhou)
    ring()
    assert su.shown == []
    assert [(note["title"], note["body"]) for note in tao.shown] == [("爬山", "苏禾: 大家好")]


@pytest.mark.parametrize(
    ("start", "end", "hour", "quiet"),
    [
        ("22:00", "07:00", 23, True),
        ("22:00", "07:00", 6, True),
        ("22:00", "07:00", 7, False),
        ("22:00", "07:00", 12, False),
        ("12:00", "14:00", 13, True),
        ("12:00", "14:00", 14, False),
        (None, None, 3, False),
    ],
)
def test_quiet_hours_are_those_of_the_bank_s_clock_and_go_over_midnight(
    start: str | None, end: str | None, hour: int, quiet: bool
) -> None:
    ends = [time.fromisoformat(text) if text else None for text in (start, end)]
    moment = datetime(2026, 11, 23, hour, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert ringing.is_quiet(actions.Wishes(False, *ends), moment) is quiet


def test_in_a_quiet_hour_nothing_rings(scene: Scene, service: PushService, ring: Callable[[], None]) -> None:
    su, client = subscribed(service, scene.su)
    local = now().astimezone(ZoneInfo("Asia/Shanghai"))
    ends = {
        "quiet_from": (local - timedelta(hours=1)).strftime("%H:%M"),
        "quiet_to": (local + timedelta(hours=1)).strftime("%H:%M"),
    }
    assert put(client, **ends).json() == {"public_key": webpush.public_key(), "hide_content": False, **ends}
    say(scene, "夜深了")
    ring()
    assert su.shown == []


def test_a_browser_is_rung_no_longer_than_its_sign_in_lives(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    gone, client = subscribed(service, scene.su)
    stays, _ = subscribed(service, scene.su)
    assert client.delete("/api/session").status_code == 204
    say(scene, "一")
    ring()
    assert (gone.shown, len(stays.shown)) == ([], 1)
    accounts.end_all_sessions(person_id=scene.su, reason="test")
    say(scene, "二")
    ring()
    assert (gone.shown, len(stays.shown)) == ([], 1)
    assert not PushSubscription.objects.exists()


def test_a_browser_that_withdrew_is_forgotten_and_a_service_that_is_away_is_asked_again(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    su, _ = subscribed(service, scene.su)
    su.answer = 503
    say(scene, "一")
    ring()
    assert (su.shown, len(su.raw)) == ([], 1)
    su.answer = 201
    OutboxRow.objects.filter(topic="chat.ring", done_at=None).update(run_at=now())
    jobs.drain()
    assert len(su.shown) == 1
    su.answer = 410
    say(scene, "二")
    ring()
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_a_service_that_finds_fault_with_us_costs_nobody_their_browser_and_shows_in_the_figures(
    scene: Scene, service: PushService, ring: Callable[[], None], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def figure() -> bytes:
        shown = Client().get("/metrics", headers={"Host": settings.APP_NETLOC}).content
        return next(line for line in shown.splitlines() if line.startswith(b"rongliao_rings_refused "))

    su, _ = subscribed(service, scene.su)
    su.answer = status
    say(scene, "一")
    ring()
    assert (su.shown, len(su.raw)) == ([], 1)
    assert f"refused a ring: {status}" in caplog.text
    assert figure().endswith(b" 1.0")
    su.answer = 201
    OutboxRow.objects.filter(topic="chat.ring", done_at=None).update(run_at=now())
    jobs.drain()
    assert len(su.shown) == 1 and PushSubscription.objects.count() == 1
    assert figure().endswith(b" 0.0")


def test_a_service_that_sends_us_elsewhere_is_not_followed(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    innocent = service.browser()
    su, _ = subscribed(service, scene.su)
    su.answer = 307
    say(scene, "一")
    ring()
    assert (len(su.raw), innocent.raw) == (1, [])


def test_after_a_stop_the_worker_rings_for_what_was_said_meanwhile_but_not_for_the_day_before(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    su, _ = subscribed(service, scene.su)
    for age in (timedelta(days=1), timedelta(minutes=5)):
        line = actions.Line(sender_id=scene.lin, at=now() - age, text=str(age.days))
        actions.append_past(conversation_id=scene.friends, lines=[line])
    from chat.models import RungUpTo

    RungUpTo.objects.update(at=now() - timedelta(days=2))
    ring()
    assert [note["body"] for note in su.shown] == ["0"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://user@fcm.googleapis.com/x",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest",
        "https://push.services.mozilla.com.evil.example/",
        "file:///etc/passwd",
        "https://fcm.googleapis.com/" + "x" * 800,
        r"https://127.0.0.1\.push.apple.com/x",
        "https://127.0.0.1%2f.push.apple.com/x",
        "https://[",
        "",
    ],
)
def test_only_known_push_services_are_ever_called(scene: Scene, endpoint: str) -> None:
    browser = Browser("https://fcm.googleapis.com", "x")
    answer = post(http(scene.su), SUBSCRIPTIONS, browser.subscription | {"endpoint": endpoint})
    assert answer.status_code == 400
    assert not PushSubscription.objects.exists()


def test_keys_that_are_none_are_refused(scene: Scene) -> None:
    good = Browser("https://fcm.googleapis.com", "x").subscription
    for name, value in (
        ("p256dh", "AAAA"),
        ("p256dh", "B" + "A" * 86),
        ("auth", "AAAA"),
        ("auth", "é" * 22),
        ("auth", 1),
    ):
        answer = post(http(scene.su), SUBSCRIPTIONS, good | {"keys": good["keys"] | {name: value}})
        assert answer.status_code == 400, (name, value)
    assert post(http(scene.su), SUBSCRIPTIONS, good).status_code == 201


def test_an_address_is_one_browser_and_goes_with_whoever_signs_in_there(
    scene: Scene, service: PushService, ring: Callable[[], None]
) -> None:
    browser, su = subscribed(service, scene.su)
    assert post(su, SUBSCRIPTIONS, browser.subscription).status_code == 201
    assert post(http(scene.tao), SUBSCRIPTIONS, browser.subscription).status_code == 201
    say(scene, "给苏禾")
    ring()
    assert browser.shown == []
    body = {"endpoint": browser.subscription["endpoint"]}
    assert su.delete(SUBSCRIPTIONS, body, content_type="application/json").status_code == 204
    assert PushSubscription.objects.get().person_id == scene.tao


def test_a_person_has_at_most_so_many_browsers(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "MAX_BROWSERS", 2)
    client = http(scene.su)
    answers = [
        post(client, SUBSCRIPTIONS, Browser("https://web.push.apple.com", str(number)).subscription)
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]


def test_without_a_key_push_says_that_it_is_not_set_up(scene: Scene, settings: Any) -> None:
    settings.VAPID_PRIVATE_KEY = ""
    client = http(scene.su)
    assert client.get(SETTINGS).json() == {"public_key": None, **DEFAULTS}
    answer = post(client, SUBSCRIPTIONS, Browser("https://web.push.apple.com", "x").subscription)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "push_not_connected")


@pytest.mark.parametrize(
    "wishes",
    [
        {"quiet_from": "22:00"},
        {"quiet_from": "22:00", "quiet_to": "22:00"},
        {"quiet_from": "24:00", "quiet_to": "07:00"},
        {"quiet_from": "２２:00", "quiet_to": "07:00"},
        {"quiet_from": 22, "quiet_to": 7},
        {"hide_content": 7},
    ],
)
def test_wishes_that_make_no_sense_change_nothing(scene: Scene, wishes: dict[str, Any]) -> None:
    client = http(scene.su)
    assert put(client, **wishes).status_code == 400
    assert client.get(SETTINGS).json()["quiet_from"] is None
