"""The user agreement and the privacy policy: what is read before it is agreed to, and what is kept of that."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts import agreements
from accounts.models import Consent, Person
from kernel.models import AuditRow
from rongliao.demo import World
from tests.accounts.conftest import AGREED, NEW_PHONE, Caller, error

Folder = Callable[..., Path]


@pytest.fixture
def published(tmp_path: Path, settings: Any) -> Folder:
    """Puts the bank's own texts in force: `published(terms=["1"], privacy=["1", "2"])`."""

    def publish(**versions: list[str]) -> Path:
        for kind, named in versions.items():
            for version in named:
                (tmp_path / kind).mkdir(exist_ok=True)
                for language, words in (("zh-CN", "标题"), ("en", "Title")):
                    text = f"{words} {version}\n{{bank}} · {{brand}}\n"
                    (tmp_path / kind / f"{version}.{language}.txt").write_text(text, "utf-8")
        agreements._shelf.cache_clear()
        settings.AGREEMENTS_DIR = str(tmp_path)
        return tmp_path

    return publish


def test_both_texts_can_be_read_by_anybody_in_both_languages(guest: Caller, world: World) -> None:
    listed = guest.get("/api/agreements").json()["items"]
    assert {one["kind"]: one["version"] for one in listed} == AGREED
    assert {one["agreed_version"] for one in listed} == {None}
    for kind, heading, english in (
        ("terms", "用户服务协议", "User agreement"),
        ("privacy", "隐私政策", "Privacy policy"),
    ):
        text = guest.get(f"/api/agreements/{kind}").json()
        assert text["title"] == heading and "远山银行" in text["text"] and "{" not in text["text"]
        other = guest.get(f"/api/agreements/{kind}", accept_language="en").json()
        assert other["title"] == english and "Yuanshan Bank" in other["text"]
        assert other["sha256"] == text["sha256"]
    assert guest.get("/api/agreements/x").status_code == 404
    assert guest.get("/api/agreements/terms?version=../terms/2026-11").status_code == 404


@pytest.mark.parametrize(
    "agreed", [None, {}, {"terms": "2026-11"}, {"privacy": "2026-11"}, {"terms": "2026-11", "privacy": ""}, True, "yes"]
)
def test_nobody_is_registered_who_has_not_agreed_to_both(guest: Caller, world: World, agreed: Any) -> None:
    answer = guest.register(agreed=agreed)
    assert answer.status_code == 400, answer.content
    assert not Person.objects.filter(display_name="新来的人").exists()


def test_a_code_is_not_spent_on_somebody_who_has_not_agreed(guest: Caller, world: World) -> None:
    body = {
        "phone": NEW_PHONE,
        "code": guest.code(NEW_PHONE, "register"),
        "password": "quiet-harbour-9",
        "display_name": "新来的人",
        "device_id": guest.device,
    }
    assert error(guest.post("/api/registrations", body)) == "not_agreed"
    assert guest.post("/api/registrations", {**body, "agreed": AGREED}).status_code == 201


def test_who_agrees_to_a_text_that_was_replaced_meanwhile_reads_the_new_one(
    guest: Caller, world: World, published: Folder
) -> None:
    published(terms=["1"], privacy=["1", "2"])
    answer = guest.register(agreed={"terms": "1", "privacy": "1"})
    assert (answer.status_code, error(answer)) == (409, "agreement_moved")
    assert Caller().register("13700000002", agreed={"terms": "1", "privacy": "2"}).status_code == 201


def test_what_was_agreed_to_is_kept_with_its_version_and_digest(guest: Caller, world: World) -> None:
    person_id = guest.register().json()["id"]
    kept = AuditRow.objects.filter(action="accounts.agreed", subject=f"person:{person_id}").order_by("pk")
    assert [row.detail for row in kept] == [
        {"kind": kind, "version": "2026-11", "sha256": agreements.in_force(kind).sha256} for kind in agreements.KINDS
    ]
    listed = guest.get("/api/agreements").json()["items"]
    assert {one["kind"]: one["agreed_version"] for one in listed} == AGREED
    assert all(one["agreed_at"] for one in listed)


def test_a_new_version_waits_for_a_consent_of_its_own_and_the_old_one_stays_readable(
    guest: Caller, world: World, published: Folder
) -> None:
    published(terms=["1"], privacy=["1"])
    guest.register(agreed={"terms": "1", "privacy": "1"})
    published(privacy=["2"])
    assert [one["version"] for one in guest.get("/api/agreements").json()["items"]] == ["1", "2"]
    assert guest.get("/api/agreements/privacy?version=1").json()["title"] == "标题 1"
    moved = guest.post("/api/agreements/privacy/consent", {"version": "1"})
    assert (moved.status_code, error(moved)) == (409, "agreement_moved")
    for _ in range(2):
        assert guest.post("/api/agreements/privacy/consent", {"version": "2"}).status_code == 204
    assert guest.get("/api/agreements").json()["items"][1]["agreed_version"] == "2"
    assert Consent.objects.filter(kind="privacy").exclude(version="2026-11").count() == 2
    assert guest.post("/api/agreements/x/consent", {"version": "2"}).status_code == 404


def test_the_digest_changes_with_one_letter_of_either_language(published: Folder) -> None:
    folder = published(terms=["1"], privacy=["1"])
    before = agreements.in_force("terms").sha256
    english = folder / "terms" / "1.en.txt"
    english.write_text(english.read_text("utf-8").replace("Title", "Titel"), "utf-8")
    agreements._shelf.cache_clear()
    assert agreements.in_force("terms").sha256 != before
