"""What changes between the words that a person confirms and the deed: the friendship, the account, its limits."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import connections

from accounts.actions import remove_friend
from finance.ledger.models import Account, Entry, Hold
from finance.payments import limits
from finance.payments.models import LimitCounter, Transfer
from kernel.models import AuditRow
from tests.finance.payments.conftest import RICH, Shown, Town, check_books
from tests.finance.payments.test_races import at_once
from tests.support.caller import Caller

WAITING_S = 0.3


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], dict[str, Any]]:
    """Does something on another connection after the facts were looked at, before the limits are counted."""

    def at_the_limits(deed: Callable[[], Any]) -> dict[str, Any]:
        claim, seen = limits.claim, dict[str, Any]()

        def other() -> None:
            try:
                seen["done"] = deed()
            finally:
                connections.close_all()

        def claimed(**asked: Any) -> None:
            if "thread" not in seen:
                seen["thread"] = Thread(target=other)
                seen["thread"].start()
                seen["thread"].join(WAITING_S)
                seen["waits"] = seen["thread"].is_alive()
            claim(**asked)

        monkeypatch.setattr(limits, "claim", claimed)
        return seen

    return at_the_limits


def confirming(town: Town) -> Shown:
    return Shown(town["su"].post("/api/finance/transfers", town.order("su", "lin", 100_00)))


def test_a_friendship_ends_after_the_transfer_that_it_lets_through(busy_town: Town, meanwhile: Any) -> None:
    su, lin = busy_town.people["su"], busy_town.people["lin"]
    sheet = confirming(busy_town)
    seen = meanwhile(lambda: remove_friend(person_id=su, friend_id=lin))

    answer = sheet.confirm()
    seen["thread"].join(20)

    assert answer.status_code == 200, answer.content
    assert seen["waits"] and not seen["thread"].is_alive()
    order = AuditRow.objects.filter(action__in=["payments.transfer_confirmed", "accounts.unfriended"]).order_by("pk")
    assert list(order.values_list("action", flat=True)) == ["payments.transfer_confirmed", "accounts.unfriended"]
    refused = busy_town["su"].post("/api/finance/transfers", busy_town.order("su", "lin", 100_00))
    assert refused.json()["error"]["code"] == "not_friends"
    check_books()


def test_an_account_that_is_frozen_meanwhile_pays_nothing_and_uses_no_limit(busy_town: Town, meanwhile: Any) -> None:
    sheet = confirming(busy_town)
    paying = Account.objects.filter(pk=busy_town.account["su"])
    seen = meanwhile(lambda: paying.update(status="frozen"))

    refused = sheet.confirm()

    assert not seen["waits"] and (refused.status_code, refused.json()["error"]["code"]) == (409, "account_closed")
    assert sheet.intent().json()["state"] == "prepared"
    paying.update(status="open")
    assert (Transfer.objects.count(), Hold.objects.count(), LimitCounter.objects.count()) == (0, 0, 0)
    assert busy_town.money("su") == (RICH, 0)
    assert sheet.confirm().status_code == 200
    check_books()


def test_an_account_that_is_closed_meanwhile_receives_nothing(busy_town: Town, meanwhile: Any) -> None:
    transfer_id = busy_town.send("su", "shen")
    into = busy_town.open("shen", "II")
    seen = meanwhile(lambda: Account.objects.filter(pk=into).update(status="closed"))

    refused = busy_town.accept("shen", transfer_id, into)

    assert not seen["waits"] and (refused.status_code, refused.json()["error"]["code"]) == (409, "account_closed")
    assert Transfer.objects.get(pk=transfer_id).state == "pending"
    assert not Entry.objects.filter(reference=transfer_id).exists()
    assert busy_town.accept("shen", transfer_id).status_code == 200
    assert busy_town.money("shen") == (RICH + 100_00, 0)
    check_books()


def test_confirmations_at_once_stay_within_what_the_pin_may_a_day(busy_town: Town, settings: Any) -> None:
    """Each fits when it is prepared; together they do not."""
    settings.PIN_DAY_FEN, settings.PIN_HASH_WAIT_S = 250_00, 60
    sheets = []
    for _ in range(4):
        payer = Caller(busy_town.people["su"])
        sheets.append(Shown(payer.post("/api/finance/transfers", busy_town.order("su", "lin", 100_00))))

    answers = at_once(*[sheet.confirm for sheet in sheets])

    codes = sorted("" if one.status_code == 200 else one.json()["error"]["code"] for one in answers)
    assert codes == ["", "", "class_rule", "class_rule"], [one.content for one in answers]
    assert set(LimitCounter.objects.values_list("used_fen", flat=True)) == {200_00}
    assert busy_town.money("su") == (RICH, 200_00) and Hold.objects.filter(state="open").count() == 2
    check_books()


def test_an_end_of_friendship_and_a_confirmation_at_once_have_one_order(busy_town: Town) -> None:
    su, lin = busy_town.people["su"], busy_town.people["lin"]
    sheet = confirming(busy_town)

    confirmed, _ = at_once(sheet.confirm, lambda: remove_friend(person_id=su, friend_id=lin))

    assert confirmed.status_code == 200 or confirmed.json()["error"]["code"] == "not_friends"
    assert Transfer.objects.count() == Hold.objects.count() == (1 if confirmed.status_code == 200 else 0)
    assert not Transfer.objects.exclude(pk=sheet.intent_id).exists()
    check_books()
