"""Money to a friend through the doors: prepared, confirmed on the sheet, received, returned, or back by itself."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import actions as accounts
from accounts.models import DeviceSession
from chat.models import Message
from finance.bank_session import actions as bank_session
from finance.bank_session.access import intent_of
from finance.bank_session.proofs import Proven, Trial
from finance.ledger.models import Account, Entry, Hold
from finance.payments import limits
from finance.payments.actions import transfers
from finance.payments.models import LimitCounter, Transfer
from kernel import clock, jobs
from kernel.models import AuditRow, OutboxRow
from tests.finance.bank_session.test_identity import tail_of
from tests.finance.payments.conftest import RICH, Shown, check_books


def cards_of(transfer_id):
    return [message.card for message in Message.objects.filter(card__ref=transfer_id).select_related("card")]


def test_a_transfer_is_confirmed_held_shown_received_and_told(town):
    order = town.order("su", "lin", 500_00)
    sheet = Shown(town["su"].post("/api/finance/transfers", order))
    assert sheet.statement["amount"]["text"] == "¥ 500.00"
    assert sheet.statement["amount"]["words"] == "人民币伍佰元整"
    assert sheet.lines["收款人"] in {"*晓舟(好友,未实名)", "*晓舟(好友,已实名)"}
    assert sheet.lines["付款账户"].startswith("储蓄卡 尾号 ")
    assert sheet.lines["手续费"] == "¥ 0.00"
    assert "首次" in sheet.lines["提醒"]
    assert town.money("su") == (RICH, 0)

    assert sheet.confirm().json()["state"] == "executed"
    assert town.money("su") == (RICH, 500_00)
    jobs.drain()
    (card,) = cards_of(order["id"])
    assert (card.state, card.payload["amount_fen"], card.payload["memo"]) == ("pending", 500_00, "午饭")
    assert set(card.payload) == {"amount_fen", "memo", "payer_id", "payee_id", "currency"}

    seen = town["lin"].get(f"/api/finance/transfers/{order['id']}").json()
    assert (seen["role"], seen["other_name"], seen["own_account"], seen["may_accept"]) == ("payee", "*禾", None, True)

    received = town.accept("lin", order["id"])
    assert received.status_code == 200, received.content
    assert received.json()["state"] == "received"
    assert town.money("su") == (RICH - 500_00, 0)
    assert town.money("lin") == (RICH + 500_00, 0)
    jobs.drain()
    (card,) = cards_of(order["id"])
    assert card.state == "received"
    actions = set(AuditRow.objects.filter(subject=f"transfer:{order['id']}").values_list("action", flat=True))
    assert actions == {"payments.transfer_confirmed", "payments.transfer_received"}
    check_books()


def test_the_second_time_the_payee_is_no_longer_new(town):
    town.accept("lin", town.send("su", "lin"))
    sheet = Shown(town["su"].post("/api/finance/transfers", town.order("su", "lin")))
    assert "提醒" not in sheet.lines


def test_neither_side_sees_the_others_account(town):
    transfer_id = town.send("su", "lin")
    town.accept("lin", transfer_id)
    for name, other in (("su", "lin"), ("lin", "su")):
        text = town[name].get(f"/api/finance/transfers/{transfer_id}").content.decode()
        assert str(town.account[other]) not in text
        tail = Account.objects.get(pk=town.account[other]).tail
        mine = Account.objects.get(pk=town.account[name]).tail
        assert tail == mine or f"尾号 {tail}" not in text


def test_a_return_frees_the_money_at_once_and_gives_the_limit_back(town):
    transfer_id = town.send("su", "lin", 300_00)
    assert set(LimitCounter.objects.values_list("used_fen", flat=True)) == {300_00}
    assert town.give_back("lin", transfer_id).json()["state"] == "returned"
    assert town.money("su") == (RICH, 0)
    assert set(LimitCounter.objects.values_list("used_fen", flat=True)) == {0}
    assert town.accept("lin", transfer_id).json()["error"]["code"] == "transfer_finished"
    jobs.drain()
    assert cards_of(transfer_id)[0].state == "returned"
    check_books()


def test_after_24_hours_it_goes_back_by_itself_and_not_before(town):
    transfer_id = town.send("su", "lin")
    clock.advance(timedelta(hours=24) - timedelta(seconds=5))
    jobs.drain()
    assert Transfer.objects.get(pk=transfer_id).state == "pending"
    clock.advance(timedelta(seconds=6))
    jobs.drain()
    assert Transfer.objects.get(pk=transfer_id).state == "expired"
    assert town.money("su") == (RICH, 0)
    assert cards_of(transfer_id)[0].state == "expired"
    assert town.accept("lin", transfer_id).json()["error"]["code"] == "transfer_finished"


@pytest.mark.parametrize("milliseconds, accepted", [(-1, True), (0, False), (1, False)])
def test_the_edge_of_24_hours_is_sharp(town, monkeypatch, milliseconds, accepted):
    transfer_id = town.send("su", "lin")
    edge = Transfer.objects.get(pk=transfer_id).expires_at + timedelta(milliseconds=milliseconds)
    monkeypatch.setattr("kernel.clock.now", lambda: edge)
    if accepted:
        jobs.drain()
        assert town.accept("lin", transfer_id).status_code == 200
        return
    refused = town.accept("lin", transfer_id)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "transfer_expired")
    assert town.give_back("lin", transfer_id).json()["error"]["code"] == "transfer_expired"
    jobs.drain()
    assert Transfer.objects.get(pk=transfer_id).state == "expired"
    assert town.money("su") == (RICH, 0)


def test_an_expiry_that_comes_early_does_nothing(town):
    transfer_id = town.send("su", "lin")
    transfers.expire(transfer_id=transfer_id)
    assert Transfer.objects.get(pk=transfer_id).state == "pending"
    assert town.accept("lin", transfer_id).status_code == 200


def test_a_friend_without_an_account_is_told_how_to_get_one_and_the_money_waits(town):
    transfer_id = town.send("su", "tao")
    seen = town["tao"].get(f"/api/finance/transfers/{transfer_id}").json()
    assert (seen["blocked_code"], seen["may_accept"], seen["may_return"]) == ("account_needed", False, True)
    refused = town.accept("tao", transfer_id)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "account_needed"
    assert "开户后可收" in refused.json()["error"]["message"]
    assert Transfer.objects.get(pk=transfer_id).state == "pending"
    town.account["tao"] = town.open("tao", "I")
    assert town.accept("tao", transfer_id).status_code == 200


def test_a_remotely_opened_class_ii_account_refuses_with_the_rule_and_class_iii_takes_it(town):
    opened = {name: town.open_class("jiang", name).json()["account_id"] for name in ("II", "III")}
    transfer_id = town.send("lin", "jiang", 50_00)
    seen = town["jiang"].get(f"/api/finance/transfers/{transfer_id}").json()
    assert {option["account_class"]: option["ok"] for option in seen["options"]} == {"II": False, "III": True}
    refused = town.accept("jiang", transfer_id, opened["II"])
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "class_rule"
    assert "银发〔2016〕302号" in refused.json()["error"]["message"]
    assert Transfer.objects.get(pk=transfer_id).state == "pending"
    assert town.accept("jiang", transfer_id, opened["III"]).status_code == 200
    check_books()


def test_class_iii_holds_2000_yuan_and_not_a_fen_more(town):
    town.account["jiang"] = town.open_class("jiang", "III").json()["account_id"]
    town.fund(town.account["jiang"], 1_500_00)
    town.open("jiang", "I")
    assert town.accept("jiang", town.send("lin", "jiang", 500_00)).status_code == 200
    one_more = town.send("lin", "jiang", 1)
    refused = town.accept("jiang", one_more)
    assert refused.status_code == 422
    assert refused.json()["error"]["params"]["rule"] == "ceiling"
    assert Transfer.objects.get(pk=one_more).state == "pending"


def test_the_same_key_gives_the_same_bytes_and_another_body_nothing(town):
    transfer_id, key, other = town.send("su", "lin"), str(uuid4()), town.open("lin", "II")
    first = town.accept("lin", transfer_id, key=key)
    again = town.accept("lin", transfer_id, key=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert town.accept("lin", transfer_id, other, key=key).status_code == 422
    assert Entry.objects.filter(reference=transfer_id).count() == 1
    stranger = town["shen"].post(
        f"/api/finance/transfers/{transfer_id}/accept",
        {"account_id": str(town.account["lin"])},
        **{"Idempotency-Key": key},
    )
    assert stranger.status_code == 404


def test_confirming_twice_holds_once(town):
    sheet = Shown(town["su"].post("/api/finance/transfers", town.order("su", "lin", 700_00)))
    first, again = sheet.confirm(), sheet.confirm()
    assert (first.json()["state"], again.json()["state"]) == ("executed", "executed")
    assert town.money("su") == (RICH, 700_00)
    assert Hold.objects.count() == 1
    assert OutboxRow.objects.filter(topic="payments.transfer_expiry").count() == 1


def test_a_wrong_pin_moves_nothing(town):
    sheet = Shown(town["su"].post("/api/finance/transfers", town.order("su", "lin")))
    assert sheet.confirm("000000").status_code == 403
    assert not Transfer.objects.exists()
    assert town.money("su") == (RICH, 0)


def test_a_limit_used_up_between_statement_and_confirmation_refuses_and_holds_nothing(town):
    waiting = Shown(town["su"].post("/api/finance/transfers", town.order("su", "lin", 50_000_00)))
    with transaction.atomic():
        account = Account.objects.get(pk=town.account["su"])
        limits.claim(key="elsewhere", account=account, direction="out", counterpart="other", amount_fen=1)
    answer = waiting.confirm()
    assert answer.status_code == 422
    assert answer.json()["error"]["params"]["rule"] == "day_limit"
    assert town.money("su") == (RICH, 0)


def test_a_friendship_that_ended_before_the_confirmation_refuses(town):
    waiting = Shown(town["su"].post("/api/finance/transfers", town.order("su", "lin")))
    assert town["lin"].delete(f"/api/contacts/{town.people['su']}").status_code in {200, 204}
    assert waiting.confirm().json()["error"]["code"] == "not_friends"
    assert town.money("su") == (RICH, 0)


def test_money_that_was_held_before_a_friendship_ended_is_shown_and_can_be_received(town):
    order = town.order("su", "lin")
    Shown(town["su"].post("/api/finance/transfers", order)).confirm()
    accounts.remove_friend(person_id=town.people["lin"], friend_id=town.people["su"])
    jobs.drain()
    (card,) = cards_of(order["id"])
    assert card.state == "pending"
    assert town.accept("lin", order["id"]).json()["state"] == "received"
    again = town["su"].post("/api/finance/transfers", town.order("su", "lin"))
    assert again.json()["error"]["code"] == "not_friends"


def test_the_payer_neither_takes_nor_returns_their_own_transfer(town):
    transfer_id = town.send("su", "lin")
    assert town.accept("su", transfer_id).json()["error"]["code"] == "own_transfer"
    assert town.give_back("su", transfer_id).json()["error"]["code"] == "own_transfer"
    assert Transfer.objects.get(pk=transfer_id).state == "pending"


def test_other_peoples_ids_are_not_found(town):
    transfer_id = town.send("su", "lin")
    for name in ("shen", "zhou", "liang"):
        assert town[name].get(f"/api/finance/transfers/{transfer_id}").status_code == 404
        for verb in ("accept", "return"):
            answer = town[name].post(
                f"/api/finance/transfers/{transfer_id}/{verb}",
                {"account_id": str(town.account["lin"])} if verb == "accept" else {},
                **{"Idempotency-Key": str(uuid4())},
            )
            assert answer.status_code == 404
    for changed in (
        {"account_id": str(town.account["lin"])},
        {"account_id": str(uuid4())},
        {"conversation_id": str(town.talk("lin", "tao"))},
        {"conversation_id": str(uuid4())},
        {"payee_id": str(uuid4())},
        {"payee_id": str(town.people["su"])},
        {"payee_id": str(town.people["shen"])},
    ):
        answer = town["su"].post("/api/finance/transfers", town.order("su", "lin", **changed))
        assert answer.status_code == 404, (changed, answer.content)
    assert town.accept("lin", transfer_id, town.account["su"]).status_code == 404
    assert Transfer.objects.get(pk=transfer_id).state == "pending"


def test_money_goes_to_friends_only_and_never_to_the_bank(town):
    advisor = town.order("su", "zhou")
    assert town["su"].post("/api/finance/transfers", advisor).json()["error"]["code"] == "not_to_staff"
    stranger = town.order("su", "bai")
    assert town["su"].post("/api/finance/transfers", stranger).json()["error"]["code"] == "not_friends"


BAD_AMOUNTS = [
    "0", "-1", "0.001", "1e30", "NaN", "Infinity", "-0", "true", "null", '"１００"', '"1,000"', '"100"', "1.0",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "[]", "{}", "1000000000000001",
]  # fmt: skip


@pytest.mark.parametrize("amount", BAD_AMOUNTS)
def test_an_amount_that_is_none_is_refused_and_changes_nothing(town, amount):
    order = town.order("su", "lin", "AMOUNT")
    body = json.dumps(order).replace('"AMOUNT"', amount).encode()
    answer = town["su"].post("/api/finance/transfers", body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["code"] == "invalid"
    assert town.money("su") == (RICH, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"memo": "x" * 41},
        {"memo": "a\u202eb\u0007"},
        {"memo": "房租１００元"},
        {"memo": "房租\u200e100"},
        {"memo": "\u2066100"},
        {"memo": "a\u200bb"},
        {"memo": 5},
        {"memo": None},
        {"id": "not-an-id"},
        {"payee_id": ["x"]},
        {"account_id": None},
    ],
)
def test_a_field_that_does_not_fit_is_refused(town, changed):
    answer = town["su"].post("/api/finance/transfers", town.order("su", "lin", **changed))
    assert answer.status_code == 400, answer.content


def test_more_than_there_is_or_than_the_pin_may_is_refused_before_the_sheet(town):
    poor = town.open("su", "I")
    answer = town["su"].post("/api/finance/transfers", town.order("su", "lin", 1, account_id=str(poor)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "insufficient_funds")
    answer = town["su"].post("/api/finance/transfers", town.order("su", "lin", 50_000_01))
    assert (answer.status_code, answer.json()["error"]["params"]["rule"]) == (422, "day_limit")


def test_the_form_says_what_a_new_device_may_still_pay_until_its_owner_proved_who_they_are_on_it(town, settings):
    settings.NEW_DEVICE_DAY_FEN = 10_000_00
    path = f"/api/finance/transfers/options?conversation_id={town.talk('su', 'lin')}&payee_id={town.people['lin']}"
    assert town["su"].get(path).json()["new_device"] == {"limit_fen": 10_000_00, "left_fen": 10_000_00}
    town.send("su", "lin", 3_000_00)
    assert town["su"].get(path).json()["new_device"] == {"limit_fen": 10_000_00, "left_fen": 7_000_00}

    sheet = Shown(town["su"].post("/api/finance/transfers", town.order("su", "lin", 7_000_01)))
    refused = sheet.confirm().json()["error"]
    assert (refused["code"], refused["params"]["left_yuan"]) == ("device_unverified", "7,000.00")
    assert sheet.prove(id_tail=tail_of("su"), asked="device").status_code == 204

    assert town["su"].get(path).json()["new_device"] is None


def test_the_form_shows_the_payee_as_the_bank_knows_them_and_each_accounts_limits(town):
    query = f"?conversation_id={town.talk('su', 'lin')}&payee_id={town.people['lin']}"
    answer = town["su"].get(f"/api/finance/transfers/options{query}").json()
    assert answer["payee"]["masked_name"] == "*晓舟"
    assert answer["payee"]["first_time"] is True
    assert [account["day_left_fen"] for account in answer["accounts"]] == [50_000_00]
    assert town["bai"].get(f"/api/finance/transfers/options{query}").status_code == 404
    assert town["su"].get("/api/finance/transfers/options?payee_id=x").status_code == 400


def test_looking_at_a_transfer_costs_a_fixed_number_of_statements(town):
    few = town.send("su", "lin")
    town["lin"].get(f"/api/finance/transfers/{few}")
    with CaptureQueriesContext(connection) as first:
        town["lin"].get(f"/api/finance/transfers/{few}")
    for _ in range(3):
        town.open("lin", "II")
    with CaptureQueriesContext(connection) as second:
        town["lin"].get(f"/api/finance/transfers/{few}")
    assert len(first) == len(second)


def test_nobody_who_is_not_signed_in_gets_anything(town):
    transfer_id = town.send("su", "lin")
    town["su"].client.logout()
    for method, path in (
        ("GET", f"/api/finance/transfers/{transfer_id}"),
        ("POST", "/api/finance/transfers"),
        ("GET", "/api/finance/payouts"),
        ("POST", "/api/finance/payouts"),
        ("GET", "/api/finance/accounts/openable"),
        ("POST", "/api/finance/accounts/open"),
        ("GET", "/api/finance/clearing-breaks"),
    ):
        town["su"].client.cookies.clear()
        assert town["su"].call(method, path, {} if method == "POST" else None).status_code == 401


class Granted:
    """A proof that costs nothing."""

    kind = "pin"

    def tried(self, *_: object) -> Trial:
        return Trial((), lambda _: Proven())


def test_preparing_and_confirming_cost_a_fixed_number_of_statements(town, settings):
    settings.DEMO = False
    payer, payee = town.people["su"], town.people["lin"]
    seen = town["su"].get("/api/session")
    assert seen.status_code == 200
    opened = DeviceSession.objects.filter(person=payer).latest("pk")
    order = transfers.Order(town.talk("su", "lin"), payee, 100, town.account["su"], "午饭")

    def counted(deed):
        statements = []

        def note(execute, sql, *call):
            statements.append(sql)
            return execute(sql, *call)

        with connection.execute_wrapper(note):
            done = deed()
        return done, [sql for sql in statements if "SAVEPOINT" not in sql]

    for _ in range(2):
        prepared, preparing = counted(
            lambda: transfers.prepare(
                intent_id=uuid4(),
                payer_id=payer,
                chat_session_id=opened.pk,
                device_id=opened.device_id,
                order=order,
                language="zh",
            )
        )
        session = bank_session.redeem(code=parse_qs(urlsplit(prepared.handoff_url).fragment)["code"][0]).session
        intent = intent_of(session, prepared.intent_id)
        outcome, confirming = counted(
            lambda s=session, i=intent: bank_session.confirm(
                session=s, intent=i, statement_hash=bytes(i.statement_hash), proof=Granted()
            )
        )
        assert outcome.intent.state == "executed"
        # A new device is counted together with the others: a lock and a sum.
        assert (len(preparing), len(confirming)) == (2, 4), [*preparing, *confirming]
