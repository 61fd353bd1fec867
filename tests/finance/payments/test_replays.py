"""The doors that prepare, asked again: the id names one thing, of one person, whatever has become of it."""

from typing import Any
from uuid import uuid4

import pytest

from finance.bank_session.models import Intent
from finance.ledger.models import Entry, Hold
from tests.finance.payments.conftest import Shown, Town

DOORS = ("transfers", "own-transfers", "payouts")


@pytest.fixture
def ready(town: Town) -> Town:
    """The town where jiang has all that each door asks for."""
    town.account["jiang"] = town.open("jiang", "I")
    town.account["jiang-2"] = town.open("jiang", "I")
    town.fund(town.account["jiang"], 1_000_00)
    return town


def order(town: Town, door: str, who: str, **changed: Any) -> dict[str, Any]:
    """What jiang asks of a door, or su of that for transfers."""
    asked: dict[str, Any] = {"account_id": str(town.account[who])}
    if door == "transfers":
        asked = town.order(who, "lin" if who == "su" else "su")
    elif door == "own-transfers":
        asked = {"from_account_id": str(town.account[who]), "to_account_id": str(town.account[f"{who}-2"]), "memo": ""}
    else:
        asked["card_id"] = str(town.card(who))
    return {**asked, "id": str(uuid4()), "amount_fen": 3_00, **changed}


def kept() -> tuple[Any, ...]:
    """All that a door could have done."""
    return Entry.objects.count(), Hold.objects.count(), list(Intent.objects.order_by("pk").values("pk", "subject"))


@pytest.mark.parametrize("confirmed", [False, True], ids=["waiting", "confirmed"])
@pytest.mark.parametrize("door", DOORS)
def test_the_same_id_with_another_body_is_refused_and_changes_nothing(ready: Town, door: str, confirmed: bool) -> None:
    path, asked = f"/api/finance/{door}", order(ready, door, "jiang")
    sheet = Shown(ready["jiang"].post(path, asked))
    if confirmed:
        assert sheet.confirm().status_code == 200
    before = kept()

    refused = ready["jiang"].post(path, {**asked, "amount_fen": 3_01})

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "key_reused")
    assert kept() == before
    if not confirmed:
        assert sheet.confirm().status_code == 200


@pytest.mark.parametrize("door", DOORS)
def test_a_confirmation_that_comes_again_is_answered_with_the_same_bytes(ready: Town, door: str) -> None:
    sheet = Shown(ready["jiang"].post(f"/api/finance/{door}", order(ready, door, "jiang")))
    seen = sheet.shown_hash()
    first = sheet.confirm(statement_hash=seen)
    again = sheet.confirm(statement_hash=seen)
    assert (first.status_code, first.content) == (again.status_code, again.content) and first.json()["result"]


@pytest.mark.parametrize("door", DOORS)
def test_somebody_else_s_id_says_nothing_of_what_it_is_or_has_become(ready: Town, door: str) -> None:
    path = f"/api/finance/{door}"
    mine = order(ready, door, "jiang")
    sheet = Shown(ready["jiang"].post(path, mine))
    theirs = order(ready, "transfers", "su", id=mine["id"])
    before = kept()

    said = []
    for amount in (3_00, 3_01):
        said.append(ready["su"].post("/api/finance/transfers", {**theirs, "amount_fen": amount}))
    assert kept() == before
    assert sheet.confirm().status_code == 200
    said.append(ready["su"].post("/api/finance/transfers", theirs))

    assert {answer.status_code for answer in said} == {409}
    assert {answer.json()["error"]["code"] for answer in said} == {"conflict"} and len({a.content for a in said}) == 1
