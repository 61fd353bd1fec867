"""Catching up, lists, pictures and marks over HTTP, and who may have what."""

import io
import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver
from PIL import Image

from chat import actions, queries
from chat.actions import Line
from kernel.clock import now
from kernel.models import Picture
from tests.chat.conftest import Scene
from tests.chat.support import http, post, texts


def said(scene: Scene, conversation: UUID, sender: UUID, text: str = "你好") -> Any:
    return actions.send_text(conversation_id=conversation, sender_id=sender, client_id=uuid.uuid4(), text=text)


def past(scene: Scene, conversation: UUID, count: int) -> None:
    start = now() - timedelta(days=30)
    lines = [Line(sender_id=scene.lin, at=start + timedelta(minutes=n), text=str(n)) for n in range(count)]
    actions.append_past(conversation_id=conversation, lines=lines)


def jpeg(side: int = 40) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (side, side // 2), (90, 120, 100)).save(out, "JPEG")
    return SimpleUploadedFile("x.jpg", out.getvalue(), "image/jpeg")


def upload(client: Client, conversation: UUID, client_id: UUID | None = None, **more: Any) -> Any:
    form = {"client_id": str(client_id or uuid.uuid4()), "picture": jpeg(), **more}
    return client.post(f"/api/chat/conversations/{conversation}/pictures", form)


def test_the_list_says_what_a_list_shows(scene: Scene) -> None:
    said(scene, scene.friends, scene.lin, "第一句")
    said(scene, scene.friends, scene.lin, "第二句")
    page = http(scene.su).get("/api/chat/conversations").json()
    first = page["items"][0]
    assert (first["id"], first["unread"], first["last"]["text"]) == (str(scene.friends), 2, "第二句")
    assert first["peer_ids"] == [str(scene.lin)]
    names = {person["id"]: person for person in page["people"]}
    assert names[str(scene.lin)]["name"] == "林晓舟"
    assert names[str(scene.zhou)]["seal"]["role"] == "advisor"


def test_the_list_is_paged_without_a_gap(scene: Scene) -> None:
    for number in range(7):
        group = actions.open_conversation(kind="group", member_ids=[scene.su, scene.tao], title=str(number))
        said(scene, group, scene.tao)
    client = http(scene.su)
    post_marks = client.patch(
        f"/api/chat/conversations/{scene.friends}", '{"pinned": true}', content_type="application/json"
    )
    assert post_marks.json()["conversation"]["pinned"] is True
    whole = [item["id"] for item in client.get("/api/chat/conversations").json()["items"]]
    found: list[str] = []
    before = ""
    for _ in range(20):
        page = client.get("/api/chat/conversations", {"limit": 3, "before": before}).json()
        found += [item["id"] for item in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert found == whole
    assert found[0] == str(scene.friends)
    assert len(set(found)) == 10


def test_messages_page_back_to_the_first(scene: Scene) -> None:
    past(scene, scene.friends, 95)
    client = http(scene.su)
    found: list[str] = []
    before: Any = ""
    while before is not None:
        page = client.get(f"/api/chat/conversations/{scene.friends}/messages", {"limit": 40, "before": before}).json()
        found += texts(page["items"])
        before = page["next"]
    assert found == [str(n) for n in reversed(range(95))]


def test_who_came_later_sees_nothing_from_before(scene: Scene) -> None:
    said(scene, scene.group, scene.su, "以前的话")
    actions.add_member(conversation_id=scene.group, person_id=scene.xu, sees_past=False)
    said(scene, scene.group, scene.su, "现在的话")
    client = http(scene.xu)
    page = client.get(f"/api/chat/conversations/{scene.group}/messages").json()
    assert [item["text"] for item in page["items"] if item["kind"] == "text"] == ["现在的话"]
    answer = post(client, "/api/chat/sync", {"have": {str(scene.group): 0}}).json()
    assert "以前的话" not in str(answer)


def test_unread_counts_what_others_said_and_stops_at_a_hundred(scene: Scene) -> None:
    said(scene, scene.friends, scene.su, "自己的不算")
    past(scene, scene.friends, 130)
    client = http(scene.su)
    item = client.get(f"/api/chat/conversations/{scene.friends}").json()["conversation"]
    assert item["unread"] == 100
    assert post(client, f"/api/chat/conversations/{scene.friends}/read", {"seq": 129}).json() == {
        "seq": 129,
        "unread": 2,
    }
    assert post(client, f"/api/chat/conversations/{scene.friends}/read", {"seq": 5}).json()["seq"] == 129


def test_a_picture_is_seen_by_members_alone_until_it_is_recalled(scene: Scene) -> None:
    client_id = uuid.uuid4()
    sent = upload(http(scene.su), scene.friends, client_id).json()
    assert (sent["kind"], sent["picture"]["width"], sent["picture"]["height"]) == ("picture", 40, 20)
    assert upload(http(scene.su), scene.friends, client_id).json() == sent
    assert Picture.objects.count() == 1
    address = f"/api/chat/pictures/{sent['picture']['id']}"
    for size in ("full", "thumb"):
        answer = http(scene.lin).get(address, {"size": size})
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
        assert Image.open(io.BytesIO(answer.content)).format == "WEBP"
    assert http(scene.xu).get(address).status_code == 404
    assert http(None).get(address).status_code == 401
    assert http(scene.lin).get(address, {"size": "huge"}).status_code == 400
    assert http(scene.lin).get(f"/api/chat/pictures/{uuid.uuid4()}").status_code == 404
    assert http(scene.su).post(f"/api/chat/messages/{sent['id']}/recall").json()["picture"] is None
    for reader, status in ((scene.lin, 404), (scene.su, 404), (scene.xu, 404), (None, 401)):
        refused = http(reader).get(address)
        assert (refused.status_code, refused["Content-Type"]) == (status, "application/json")


def test_a_kept_picture_is_asked_for_again_and_gone_once_it_is_recalled(scene: Scene) -> None:
    sent = upload(http(scene.su), scene.friends).json()
    address, reader = f"/api/chat/pictures/{sent['picture']['id']}", http(scene.lin)
    first = reader.get(address)
    assert first["Cache-Control"] == "private, no-cache"
    again = reader.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other_size = reader.get(address, {"size": "thumb"}, headers={"If-None-Match": first["ETag"]})
    assert other_size.status_code == 200
    http(scene.su).post(f"/api/chat/messages/{sent['id']}/recall")
    assert reader.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 404


def test_who_left_a_group_or_is_signed_out_sees_its_pictures_no_more(scene: Scene) -> None:
    group = actions.open_conversation(kind="group", member_ids=[scene.su, scene.lin, scene.tao], title="周末")
    sent = upload(http(scene.su), group).json()
    address, lin = f"/api/chat/pictures/{sent['picture']['id']}", http(scene.lin)
    tag = lin.get(address)["ETag"]
    actions.remove_member(conversation_id=group, person_id=scene.lin)
    assert lin.get(address, headers={"If-None-Match": tag}).status_code == 404
    tao = http(scene.tao)
    assert tao.get(address).status_code == 200
    assert tao.delete("/api/session").status_code == 204
    assert tao.get(address, headers={"If-None-Match": tag}).status_code == 401


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"GIF89a" + b"\0" * 50, b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_picture_is_refused(scene: Scene, content: bytes) -> None:
    answer = upload(http(scene.su), scene.friends, picture=SimpleUploadedFile("x.jpg", content, "image/jpeg"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "picture_refused")
    assert http(scene.su).get(f"/api/chat/conversations/{scene.friends}/messages").json()["items"] == []


def test_friends_open_a_conversation_and_strangers_do_not(scene: Scene) -> None:
    client = http(scene.su)
    opened = post(client, "/api/chat/conversations", {"person_id": str(scene.lin)}).json()
    assert opened["conversation"]["id"] == str(scene.friends)
    for stranger in (scene.xu, scene.su, uuid.uuid4()):
        answer = post(client, "/api/chat/conversations", {"person_id": str(stranger)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_friends")


def test_a_group_is_opened_once_with_friends_alone(scene: Scene) -> None:
    client = http(scene.su)
    body = {"id": str(uuid.uuid4()), "title": "周末", "member_ids": [str(scene.lin), str(scene.tao)]}
    first, second = post(client, "/api/chat/groups", body).json(), post(client, "/api/chat/groups", body).json()
    assert first["conversation"]["id"] == second["conversation"]["id"]
    assert (first["conversation"]["member_count"], first["conversation"]["last"]["notice"]["code"]) == (
        3,
        "group_opened",
    )
    assert second["conversation"]["seq"] == 1
    for members in ([str(scene.xu)], [str(scene.lin), str(uuid.uuid4())]):
        assert (
            post(client, "/api/chat/groups", {**body, "id": str(uuid.uuid4()), "member_ids": members}).status_code
            == 403
        )
    crowd = [str(uuid.uuid4()) for _ in range(40)]
    answer = post(client, "/api/chat/groups", {**body, "id": str(uuid.uuid4()), "member_ids": crowd})
    assert answer.json()["error"]["code"] == "group_full"


@pytest.mark.parametrize("title", ["官方客服", "融 聊", "远山银行客户群", "客戶經理", "0fficial", "Bаnk"])
def test_a_group_cannot_be_called_what_looks_like_the_bank(scene: Scene, title: str) -> None:
    body = {"id": str(uuid.uuid4()), "title": title, "member_ids": [str(scene.lin)]}
    answer = post(http(scene.su), "/api/chat/groups", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "name_not_allowed")
    assert http(scene.su).get("/api/chat/conversations").json()["items"] != []
    assert title not in {item["title"] for item in http(scene.su).get("/api/chat/conversations").json()["items"]}


def test_asking_for_money_carries_a_warning_unless_the_bank_vouches(scene: Scene) -> None:
    words = "我手机坏了,借我 8,000 周转一下?"
    asked = post(
        http(scene.lin),
        f"/api/chat/conversations/{scene.friends}/messages",
        {"client_id": str(uuid.uuid4()), "text": words},
    ).json()
    assert asked["warning"] == "money_request"
    assert said(scene, scene.advisor, scene.zhou, words).warning is None
    assert said(scene, scene.friends, scene.lin, "周末爬山吗").warning is None


SOME_ID = str(uuid.uuid4())
BODIES: dict[str, list[dict[str, Any]]] = {
    "sync": [{}, {"have": []}, {"have": {"x": 1}}, {"have": {SOME_ID: -1}}, {"have": {SOME_ID: "1"}}],
    "groups": [{}, {"id": "x"}, {"id": SOME_ID, "title": "", "member_ids": [SOME_ID]}],
    "conversations": [{}, {"person_id": 1}, {"person_id": "me"}, {"person_id": None}],
    "conversations/{friends}/read": [{}, *({"seq": seq} for seq in (-1, 1.5, "1", True, 2**60, "１", None))],
    "conversations/{friends}/messages": [
        {},
        {"client_id": "x", "text": "y"},
        *({"client_id": SOME_ID, "text": text} for text in (5, True, None, [], "", " ", "a\u0007", "长" * 4_001)),
    ],
    "messages/{nothing}/forward": [{}, {"client_id": SOME_ID, "conversation_id": "x"}],
}


@pytest.mark.parametrize("path", BODIES)
def test_bad_input_is_a_clear_refusal_and_changes_nothing(scene: Scene, path: str) -> None:
    address = "/api/chat/" + path.format(friends=scene.friends, nothing=uuid.uuid4())
    client = http(scene.su)
    for body in BODIES[path]:
        answer = post(client, address, body)
        assert answer.status_code == 400, (body, answer.content)
        assert answer.json()["error"]["message"]
    assert queries.messages(scene.su, scene.friends, before=None, limit=5)[0] == []


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"before": "-1"}, {"before": "１"}]
)
def test_a_page_has_its_bounds(scene: Scene, query: dict[str, str]) -> None:
    assert http(scene.su).get(f"/api/chat/conversations/{scene.friends}/messages", query).status_code == 400


ROUTES = list(get_resolver("chat.urls").url_patterns)


@pytest.mark.parametrize("route", [str(pattern.pattern) for pattern in ROUTES])
def test_no_door_opens_for_a_stranger_or_without_a_session(scene: Scene, route: str) -> None:
    """Every route of chat with somebody else's ids: not one answer but "not found"."""
    message = said(scene, scene.friends, scene.su)
    picture = upload(http(scene.su), scene.friends).json()["picture"]["id"]
    path = "/api/chat/" + route.replace("<uuid:conversation_id>", str(scene.friends)).replace(
        "<uuid:message_id>", str(message.id)
    ).replace("<uuid:picture_id>", picture)
    bodies = {
        "read": {"seq": 1},
        "messages": {"client_id": str(uuid.uuid4()), "text": "x"},
        "forward": {"client_id": str(uuid.uuid4()), "conversation_id": str(scene.advisor)},
    }
    before = queries.messages(scene.su, scene.friends, before=None, limit=10)
    for person, expected in ((scene.xu, {404, 405}), (scene.zhou, {404, 405}), (None, {401})):
        client = http(person)
        if "<uuid" not in route and person is not None:
            assert "林晓舟" not in str(client.get(path).content.decode())
            continue
        for method in ("get", "post", "patch"):
            if route.endswith("pictures") and method == "post":
                status = upload(client, scene.friends).status_code
            elif method == "get":
                status = client.get(path).status_code
            else:
                body = bodies.get(route.rpartition("/")[2], {"pinned": True})
                status = getattr(client, method)(path, body, content_type="application/json").status_code
            assert status in expected, (method, path, person, status)
    assert queries.messages(scene.su, scene.friends, before=None, limit=10) == before


def test_a_write_from_another_page_is_refused(scene: Scene) -> None:
    client = http(scene.su)
    client.defaults["HTTP_ORIGIN"] = "https://evil.example"
    answer = client.post(
        f"/api/chat/conversations/{scene.friends}/read",
        {"seq": 1},
        content_type="application/json",
        headers={"origin": "https://evil.example"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_origin")
