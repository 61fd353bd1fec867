"""The address book, friend requests, remarks, other people's pages and avatars."""

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connections, transaction
from PIL import Image

from accounts import limits, ports, queries
from accounts.actions import assign_advisor, create_official
from accounts.contacts import index_of, pinyin_of
from accounts.models import Advising, FriendRequest, Friendship
from kernel.errors import NotFound
from rongliao.demo import World
from tests.accounts.conftest import Caller, error
from tests.support.browser import PHONES

People = Callable[[str], Caller]


def ask(caller: Caller, name: str, **changed: Any) -> Any:
    return caller.post("/api/contacts/requests", {"phone": PHONES[name], "message": "我是邻居", **changed})


def waiting(caller: Caller) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = caller.get("/api/contacts/requests").json()["items"]
    return [item for item in items if item["direction"] == "in" and item["state"] == "pending"]


def test_the_address_book_is_in_the_order_of_its_reading(su: Caller, world: World) -> None:
    answer = su.get("/api/contacts").json()
    shown = [(item["index"], item["person"]["remark"] or item["person"]["name"]) for item in answer["items"]]
    assert shown == [("J", "江一帆"), ("L", "林晓舟"), ("M", "妈妈"), ("T", "陶然")]
    assert answer["advisor"]["id"] == str(world.people["zhou"])
    assert answer["advisor"]["seal"] == {
        "role": "advisor",
        "title": "客户经理",
        "title_en": "Relationship manager",
        "organisation": f"{settings.BANK_NAME} 城西支行",
        "organisation_en": f"{settings.BANK_NAME_EN} 城西支行",
    }
    assert answer["items"][0]["person"]["name_en"] == ""
    assert answer["waiting"] == 1


@pytest.mark.parametrize(
    ("name", "reading"),
    [("单田芳", "S"), ("曾国", "Z"), ("仇英", "Q"), ("Zoe", "Z"), ("😀笑", "#"), ("7号", "#"), ("尉迟恭", "Y")],
)
def test_family_names_are_read_as_family_names(name: str, reading: str) -> None:
    assert index_of(name) == reading
    assert pinyin_of("许知远") == "xu zhi yuan"


def test_the_address_book_comes_in_pages(su: Caller) -> None:
    first = su.get("/api/contacts?limit=3").json()
    assert len(first["items"]) == 3
    second = su.get(f"/api/contacts?limit=3&before={first['next']}").json()
    assert [item["person"]["name"] for item in second["items"]] == ["陶然"]
    assert second["next"] is None
    for bad in ("limit=0", "limit=501", "limit=-1", "limit=１", "before=-1", "before=x"):
        assert su.get(f"/api/contacts?{bad}").status_code == 400, bad


def test_the_address_book_takes_a_fixed_number_of_statements(
    su: Caller, world: World, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14):
        su.get("/api/contacts")
    for name in ("xu", "he", "bai"):
        Friendship.objects.create(person_id=world.people["su"], friend_id=world.people[name])
    with django_assert_max_num_queries(14):
        assert len(su.get("/api/contacts").json()["items"]) == 7


def test_somebody_is_found_by_phone_asked_and_accepts(
    person: People, world: World, django_capture_on_commit_callbacks: Any, monkeypatch: Any
) -> None:
    told: list[tuple[Sequence[UUID], str]] = []
    monkeypatch.setattr(ports.changed, "_all", [lambda people, topic, data: told.append((people, topic))])
    su, bai = person("su"), person("bai")
    with django_capture_on_commit_callbacks(execute=True):
        answer = ask(su, "bai")
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["person"]["name"]) == ("pending", "白鹭")
    assert told == [([world.people["bai"]], "contacts")]
    request = waiting(bai)[0]
    assert (request["message"], request["person"]["id"]) == ("我是邻居", str(world.people["su"]))
    page = bai.get(f"/api/persons/{world.people['su']}").json()
    assert (page["relation"], page["request_id"]) == ("asking", request["id"])
    assert not queries.are_friends(world.people["su"], world.people["bai"])
    accepted = bai.post(f"/api/contacts/requests/{request['id']}/accept")
    assert accepted.status_code == 200 and accepted.json()["id"] == str(world.people["su"])
    assert queries.are_friends(world.people["su"], world.people["bai"])
    assert queries.are_friends(world.people["bai"], world.people["su"])
    assert bai.post(f"/api/contacts/requests/{request['id']}/accept").status_code == 200
    assert error(bai.post(f"/api/contacts/requests/{request['id']}/decline")) == "request_decided"
    assert error(ask(su, "bai")) == "already_friends"


def test_asking_twice_makes_one_request_and_its_id_makes_a_repeat_harmless(person: People) -> None:
    su, bai = person("su"), person("bai")
    request_id = str(uuid4())
    first = ask(su, "bai", id=request_id)
    assert first.json()["id"] == request_id
    assert ask(su, "bai", id=request_id).json() == first.json()
    assert ask(su, "bai").json()["id"] == request_id
    assert len(waiting(bai)) == 1
    assert error(ask(su, "xu", id=request_id)) == "key_reused"
    assert error(ask(person("lin"), "bai", id=request_id)) == "key_reused"


def test_asking_back_accepts(person: People, world: World) -> None:
    ask(person("su"), "bai")
    assert ask(person("bai"), "su").json()["state"] == "accepted"
    assert queries.are_friends(world.people["su"], world.people["bai"])


def test_two_who_ask_each_other_at_once_become_friends_once(fresh_database: Any) -> None:
    people = fresh_database.world.people
    callers = {}
    for name in ("su", "bai"):
        callers[name] = Caller()
        callers[name].sign_in(PHONES[name])

    def once(pair: tuple[str, str]) -> int:
        try:
            mine = Caller()
            mine.client.cookies = callers[pair[0]].client.cookies
            return int(ask(mine, pair[1]).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(once, [("su", "bai"), ("bai", "su")] * 3))
    # Whoever comes after both have asked is told that they are friends already.
    assert set(answers) <= {201, 409} and answers.count(201) >= 2
    assert Friendship.objects.filter(person=people["su"], friend=people["bai"]).count() == 1
    assert Friendship.objects.filter(person=people["bai"], friend=people["su"]).count() == 1
    assert not FriendRequest.objects.filter(sender=people["su"], receiver=people["bai"], state="pending").exists()


def test_who_declined_is_not_told_and_may_be_asked_again(person: People) -> None:
    su, bai = person("su"), person("bai")
    request_id = ask(su, "bai").json()["id"]
    assert bai.post(f"/api/contacts/requests/{request_id}/decline").status_code == 204
    assert waiting(bai) == []
    assert [item["state"] for item in su.get("/api/contacts/requests").json()["items"] if item["id"] == request_id] == [
        "pending"
    ]
    assert error(bai.post(f"/api/contacts/requests/{request_id}/accept")) == "request_decided"
    assert ask(su, "bai").json()["id"] != request_id


def test_requests_of_others_do_not_exist(person: People, world: World) -> None:
    su, lin = person("su"), person("lin")
    request_id = ask(su, "bai").json()["id"]
    for caller in (lin, su):
        for verb in ("accept", "decline"):
            assert caller.post(f"/api/contacts/requests/{request_id}/{verb}").status_code == 404
    assert request_id not in lin.get("/api/contacts/requests").content.decode()
    assert FriendRequest.objects.get(pk=request_id).state == "pending"
    assert su.post(f"/api/contacts/requests/{uuid4()}/accept").status_code == 404


def test_a_strangers_friendship_cannot_be_changed_or_ended(person: People, world: World) -> None:
    bai = person("bai")
    path = f"/api/contacts/{world.people['lin']}"
    assert bai.patch(path, {"remark": "小林"}).status_code == 404
    assert bai.delete(path).status_code == 404
    assert queries.are_friends(world.people["su"], world.people["lin"])


def test_nobody_oneself_staff_and_officials_cannot_be_asked(su: Caller, world: World) -> None:
    assert error(su.post("/api/contacts/requests", {"phone": "13712345678"})) == "nobody_there"
    assert error(ask(su, "su")) == "that_is_you"
    assert error(ask(su, "zhou")) == "nobody_there"
    official = create_official(name="测试号")
    assert error(su.post("/api/contacts/requests", {"person_id": str(official)})) == "nobody_there"
    assert error(su.post("/api/contacts/requests", {"person_id": str(uuid4())})) == "nobody_there"


def test_a_service_account_has_a_name_for_english_readers(su: Caller, world: World) -> None:
    for given, shown in (("Card bills", "Card bills"), ("", "")):
        official = create_official(name="测试号", name_en=given)
        assert su.get(f"/api/persons/{official}").json()["person"]["name_en"] == shown


def test_numbers_cannot_be_tried_out_in_bulk(su: Caller) -> None:
    for index in range(limits.REQUESTS_PER_HOUR):
        assert su.post("/api/contacts/requests", {"phone": f"137123456{index:02d}"}).status_code == 404
    assert su.post("/api/contacts/requests", {"phone": "13712345678"}).status_code == 429


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phone": "13800000008", "person_id": "01a20890-cbc4-74b7-8555-4ee421dcb9e6"},
        {"phone": "１３８００００００００８"},
        {"phone": "13800000008", "message": "长" * 61},
        {"phone": "13800000008", "message": "a\u0000"},
        {"phone": "13800000008", "message": 5},
        {"phone": "13800000008", "id": "x"},
        {"person_id": 8},
    ],
)
def test_a_bad_request_is_refused_and_asks_nobody(su: Caller, body: dict[str, Any]) -> None:
    before = FriendRequest.objects.count()
    answer = su.post("/api/contacts/requests", body)
    assert (answer.status_code, error(answer)) == (400, "invalid")
    assert FriendRequest.objects.count() == before


def test_a_remark_is_seen_by_its_writer_alone(person: People, world: World) -> None:
    su, tao = person("su"), person("tao")
    lin = world.people["lin"]
    answer = su.patch(f"/api/contacts/{lin}", {"remark": "小林"})
    assert (answer.status_code, answer.json()["remark"], answer.json()["name"]) == (200, "小林", "林晓舟")
    assert tao.get(f"/api/persons/{lin}").json()["person"]["remark"] is None
    assert su.patch(f"/api/contacts/{lin}", {"remark": ""}).json()["remark"] is None
    for bad in ("长" * 21, "\u202e", 7, None, "\n"):
        assert su.patch(f"/api/contacts/{lin}", {"remark": bad}).status_code == 400


def test_an_ended_friendship_is_ended_on_both_sides(person: People, world: World) -> None:
    su, lin = world.people["su"], world.people["lin"]
    assert person("su").delete(f"/api/contacts/{lin}").status_code == 204
    assert not queries.are_friends(su, lin) and not queries.are_friends(lin, su)
    assert person("su").delete(f"/api/contacts/{lin}").status_code == 404


def test_a_persons_page_says_what_they_are_to_the_viewer_and_nothing_private(person: People, world: World) -> None:
    su = person("su")
    expected = {"su": "self", "lin": "friend", "zhou": "advisor", "he": "asking", "bai": "none", "song": "staff"}
    for name, relation in expected.items():
        answer = su.get(f"/api/persons/{world.people[name]}")
        assert answer.json()["relation"] == relation, name
        assert PHONES[name] not in answer.content.decode()
        assert set(answer.json()["person"]) == {"id", "name", "name_en", "remark", "hue", "avatar_url", "seal", "kind"}
    assert person("zhou").get(f"/api/persons/{world.people['su']}").json()["relation"] == "customer"
    assert su.get(f"/api/persons/{uuid4()}").status_code == 404


def picture(color: str = "teal") -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    Image.new("RGB", (900, 600), color).save(out, "JPEG", exif=exif)
    return out.getvalue()


def upload(caller: Caller, content: bytes) -> Any:
    return caller.client.post(
        "/api/me/avatar",
        {"picture": SimpleUploadedFile("me.jpg", content, "image/jpeg")},
        headers={"origin": settings.APP_ORIGIN},
    )


def test_an_avatar_is_drawn_anew_and_served_to_people_who_are_signed_in(person: People, world: World) -> None:
    su, bai = person("su"), person("bai")
    path = f"/api/persons/{world.people['su']}/avatar"
    assert bai.get(path).status_code == 404
    answer = upload(su, picture())
    assert answer.status_code == 200, answer.content
    url = answer.json()["avatar_url"]
    assert url.startswith(path)
    served = bai.get(url)
    assert (served.status_code, served["Content-Type"]) == (200, "image/webp")
    assert b"where I live" not in served.content
    assert Image.open(io.BytesIO(served.content)).getexif() == {}
    assert Caller().get(url).status_code == 401
    assert upload(su, picture("red")).json()["avatar_url"] != url


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture()[:200]])
def test_what_is_no_picture_is_refused_and_the_avatar_stays(su: Caller, content: bytes) -> None:
    assert upload(su, content).status_code == 400
    assert su.get("/api/me").json()["avatar_url"] is None


def test_a_customer_has_one_advisor_at_a_time_and_the_past_is_kept(world: World) -> None:
    from accounts.actions import create_staff

    su, zhou = world.people["su"], world.people["zhou"]
    other = create_staff(name="吴经理", phone="13900000099", password=None, roles=["advisor"]).pk
    assign_advisor(advisor_id=other, customer_id=su)
    assert queries.advisor_of(su) == other
    assert su not in queries.customers_of(zhou)
    assert Advising.objects.get(customer=su, advisor=zhou).until is not None
    assign_advisor(advisor_id=other, customer_id=su)
    assert Advising.objects.filter(customer=su).count() == 2
    with pytest.raises(NotFound):
        assign_advisor(advisor_id=world.people["song"], customer_id=su)
    with pytest.raises(IntegrityError), transaction.atomic():
        Advising.objects.create(advisor_id=zhou, customer_id=su)


def test_cards_of_people_take_one_statement_however_many(world: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        cards = queries.person_cards(world.people.values(), viewer_id=world.people["su"])
    assert len(cards) == len(world.people)
    assert cards[world.people["shen"]].remark == "妈妈"
    assert cards[world.people["song"]].seal is not None
    assert cards[world.people["lin"]].seal is None


def test_a_registered_name_leaves_the_server_masked(world: World) -> None:
    assert queries.registered_name(world.people["lin"]) == "林晓舟"
    assert queries.masked_name(world.people["lin"]) == "*晓舟"
    assert queries.masked_name(world.people["zhou"]) is None
    assert queries.identity_level(world.people["zhou"]) == "none"


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200e", "\u200b", "\x00", "\ud800", "１"])
def test_a_remark_or_greeting_that_does_not_read_as_written_is_refused(su: Caller, world: World, mark: str) -> None:
    lin = world.people["lin"]
    assert su.patch(f"/api/contacts/{lin}", {"remark": f"晓{mark}舟"}).status_code == 400
    asked = {"id": str(uuid4()), "phone": PHONES["bai"], "message": f"我是{mark}苏禾"}
    assert su.post("/api/contacts/requests", asked).status_code == 400
