"""A new device pays others little until its owner has proved on it who they are; preparing has a rate."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finance.bank_session import devices, registry
from finance.bank_session.models import Handoff, Intent, VerifiedDevice
from kernel import jobs
from kernel.clock import now
from kernel.errors import TooMany
from kernel.ids import new_id
from tests.finance.bank_session.conftest import KIND, Bench
from tests.finance.bank_session.test_identity import tail_of
from tests.finance.ledger.conftest import at_once
from tests.support.bank import Sheet, step_up
from tests.support.caller import Caller


@pytest.fixture
def paying(bench: Bench, settings: Any) -> Bench:
    return _paying(bench, settings)


def _paying(bench: Bench, settings: Any) -> Bench:
    """What the bench confirms is a payment to somebody else, and a new device may do 1,500 fen of it a day."""
    settings.DEMO, settings.NEW_DEVICE_DAY_FEN = True, 1_500
    known = registry.kind_named(KIND)
    registry._kinds[KIND] = replace(known, pays_others=True)
    return bench


def test_a_new_device_pays_little_a_day_until_its_owner_proves_who_they_are_on_it(paying: Bench) -> None:
    assert Sheet(paying.prepare().handoff_url).confirm().status_code == 200
    sheet = Sheet(paying.prepare().handoff_url)

    refused = sheet.confirm()

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "device_unverified")
    assert refused.json()["error"]["params"] == {"limit_yuan": "15.00", "left_yuan": "5.00"}
    assert paying.balance() == 99_000
    asked = sheet.call("GET", f"intents/{sheet.intent_id}/proof?asked=device").json()
    assert (asked["purpose"], asked["needs"], asked["proved"]) == ("device", ["id_tail"], False)
    assert sheet.prove(id_tail=tail_of("su"), asked="device").status_code == 204
    assert sheet.confirm().status_code == 200 and paying.balance() == 98_000
    assert VerifiedDevice.objects.count() == 1


def test_a_proof_for_the_device_chooses_no_pin(paying: Bench) -> None:
    sheet = Sheet(paying.prepare().handoff_url)
    sheet.prove(id_tail=tail_of("su"), asked="device")

    assert sheet.choose("147036").json()["error"]["code"] == "proof_needed"


def test_another_device_of_the_same_person_is_still_new(paying: Bench) -> None:
    sheet = Sheet(paying.prepare().handoff_url)
    sheet.prove(id_tail=tail_of("su"), asked="device")
    paying.callers.clear()
    paying.price = 1_600

    assert Sheet(paying.prepare().handoff_url).confirm().json()["error"]["code"] == "device_unverified"


def test_new_devices_together_pay_no_more_than_one(paying: Bench) -> None:
    assert Sheet(paying.prepare().handoff_url).confirm().status_code == 200
    paying.callers.clear()
    sheet = Sheet(paying.prepare().handoff_url)

    refused = sheet.confirm()

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "device_unverified")
    assert refused.json()["error"]["params"]["left_yuan"] == "5.00"
    assert sheet.prove(id_tail=tail_of("su"), asked="device").status_code == 204
    assert sheet.confirm().status_code == 200
    paying.callers.clear()
    paying.price = 500
    assert Sheet(paying.prepare().handoff_url).confirm().status_code == 200  # what a known device paid does not count


def test_new_devices_at_once_stay_within_the_limit(real_bench: Bench, settings: Any) -> None:
    settings.PIN_HASH_WAIT_S = 60
    paying = _paying(real_bench, settings)
    paying.price = 500
    sheets = []
    for _ in range(4):
        paying.callers.clear()
        sheets.append(Sheet(paying.prepare().handoff_url))
    hashes = [sheet.shown_hash() for sheet in sheets]

    answers = at_once(4, lambda index: sheets[index].confirm(statement_hash=hashes[index]))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 403]
    assert paying.balance() == 98_500


def test_many_payments_of_a_new_device_at_once_stay_within_its_limit(real_bench: Bench, settings: Any) -> None:
    settings.PIN_HASH_WAIT_S = 60
    paying = _paying(real_bench, settings)
    paying.price = 500
    cookies = []
    sheets = [Sheet(paying.prepare().handoff_url) for _ in range(4)]
    cookies = sheets[-1].client.cookies["rl_bank"].value  # the newest session of this sign-in
    step_up(cookies)
    copies = [Sheet(cookie=cookies) for _ in sheets]
    hashes = []
    for copy, sheet in zip(copies, sheets, strict=True):
        copy.intent_id = sheet.intent_id
        hashes.append(copy.shown_hash())

    answers = at_once(4, lambda index: copies[index].confirm(statement_hash=hashes[index]))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 403]
    assert paying.balance() == 98_500


def test_what_was_paid_on_other_days_is_not_gone_through(paying: Bench) -> None:
    paid = Sheet(paying.prepare().handoff_url)
    assert paid.confirm().status_code == 200
    intent = Intent.objects.get(pk=paid.intent_id)
    for day in range(1, 200):
        before = timedelta(days=day)
        past = another(intent)
        past.prepared_at, past.ended_at = intent.prepared_at - before, now() - before
        past.save(force_insert=True)

    with CaptureQueriesContext(connection) as seen:
        assert devices._paid_today(intent.person_id) == 1_000
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN (ANALYZE, TIMING OFF) " + seen.captured_queries[-1]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    removed = [int(count) for count in re.findall(r"Rows Removed by \w+: (\d+)", plan)]
    assert "bank_intents_of" in plan and sum(removed) < 10, plan


def another(intent: Intent) -> Intent:
    """Another intent that is otherwise the same."""
    return Intent(**{field.attname: getattr(intent, field.attname) for field in Intent._meta.fields} | {"id": new_id()})


def test_preparing_and_asking_for_the_sheet_again_have_a_rate_of_their_own(bench: Bench, settings: Any) -> None:
    settings.PREPARES_PER_MINUTE = 3
    first = bench.prepare()
    path = f"/api/finance/intents/{first.intent_id}/open"

    answers = [bench.caller().post(path) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].json()["error"]["code"] == "too_many" and int(answers[2]["Retry-After"]) > 0
    assert "秒后再试" in answers[2].json()["error"]["message"]


def test_beyond_the_rate_nothing_is_prepared_and_what_was_stays(bench: Bench, settings: Any) -> None:
    settings.PREPARES_PER_MINUTE = 2
    kept = [bench.prepare().intent_id for _ in range(2)]
    with pytest.raises(TooMany):
        bench.prepare()
    with pytest.raises(TooMany):
        bench.prepare(intent_id=kept[0])
    assert set(Intent.objects.values_list("pk", flat=True)) == set(kept)
    assert Handoff.objects.count() == 2


def _told(caller: Any) -> list[dict[str, Any]]:
    """The security cards in the caller's conversation with 账户变动."""
    jobs.drain()
    talks = caller.get("/api/chat/conversations").json()["items"]
    (talk,) = [one for one in talks if one["kind"] == "official"]
    messages = caller.get(f"/api/chat/conversations/{talk['id']}/messages").json()["items"]
    return [one["card"]["payload"] for one in messages if one["card"] and one["card"]["kind"] == "security"]


def test_a_new_device_and_another_pin_are_told_to_the_person_s_other_devices_once(bench: Bench) -> None:
    first = bench.caller()
    second = Caller(bench.world.people["su"])
    prepared = second.post("/api/finance/pin", {"id": str(uuid.uuid4()), "what": "change"})
    Sheet(prepared.json()["confirm_url"]).choose("147036", current="258369")

    assert sorted(one["event"] for one in _told(first)) == ["device_new", "pin_changed"]
    assert {one["device"] for one in _told(first)} == {"test"}
