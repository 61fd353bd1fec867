"""The links to other banks against a simulator in a process of its own."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from accounts.models import OneTimeCode
from accounts.ports import NotConnected, Verdict
from finance.networks import adapters, signature
from finance.networks.ports import CreditTransfer, Declined, Report, Unreachable
from kernel.ids import new_id

HOLDER = ("江一帆", "110101199003078515", "6222020000000000005", "13800000006")


def a_transfer(amount_fen: int = 100) -> CreditTransfer:
    return CreditTransfer(new_id(), amount_fen, "6222020000000000005", "江一帆", "转出")


def test_a_card_belongs_to_whoever_was_verified_first_and_to_nobody_else(network):
    verify = adapters.LinkVerifier().verify
    assert verify(*HOLDER).ok
    assert verify(*HOLDER).ok
    for index in (0, 1, 3):
        other = list(HOLDER)
        other[index] += "x"
        assert verify(*other) == Verdict(False, "mismatch")


def test_a_closed_card_is_unusable(network):
    network.close_card(HOLDER[2])
    assert adapters.LinkVerifier().verify(*HOLDER).reason == "card_unusable"


def test_a_network_that_is_down_or_silent_is_unavailable_and_the_person_does_not_wait_long(network):
    network.order({"on": "verification", "do": "delay", "seconds": 30})
    began = time.monotonic()
    assert adapters.LinkVerifier().verify(*HOLDER).reason == "unavailable"
    assert time.monotonic() - began < adapters.VERIFICATION_LIMIT_S + 10
    network.kill()
    assert adapters.LinkVerifier().verify(*HOLDER).reason == "unavailable"


@pytest.mark.parametrize("purpose", OneTimeCode.Purpose.values)
def test_a_code_is_handed_over_with_what_it_is_for(network, settings, purpose):
    settings.SMS_URL, settings.BANK_NAME = network.url, "青川银行"
    adapters.LinkMessages().send_code("13711112222", "048213", purpose)
    (message,) = network.messages()
    assert message["phone"] == "13711112222"
    assert message["text"].startswith("【青川银行】048213 ") and adapters.CODE_FOR[purpose] in message["text"]


def test_a_gateway_that_takes_no_message_says_so_to_the_person(network, settings):
    settings.SMS_URL = network.url
    for behaviour in ("reject", "lose"):
        network.order({"on": "message", "do": behaviour})
        with pytest.raises(NotConnected):
            adapters.LinkMessages().send_code("13711112222", "048213", "register")
    network.kill()
    with pytest.raises(NotConnected):
        adapters.LinkMessages().send_code("13711112222", "048213", "register")


def test_the_same_end_to_end_id_is_one_payment_and_survives_a_kill(network):
    clearing, transfer = adapters.LinkClearing(), a_transfer()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(clearing.send, [transfer] * 8))
    assert answers == [[Report(transfer.end_to_end_id, "ACSC")]] * 8
    network.kill()
    network.start()
    assert clearing.ask(transfer.end_to_end_id) == Report(transfer.end_to_end_id, "ACSC")
    assert len(network.payments()) == 1


def test_the_same_end_to_end_id_with_other_content_is_declined(network):
    clearing, transfer = adapters.LinkClearing(), a_transfer()
    clearing.send(transfer)
    other = CreditTransfer(transfer.end_to_end_id, 200, transfer.creditor_card, transfer.creditor_name, "转出")
    with pytest.raises(Declined, match="end_to_end_id_reused"):
        clearing.send(other)


def test_an_unknown_payment_is_said_to_be_unknown(network):
    assert adapters.LinkClearing().ask(new_id()) is None


def test_a_lost_request_and_a_lost_answer_look_the_same_and_asking_tells_them_apart(network):
    clearing, lost, unanswered = adapters.LinkClearing(), a_transfer(), a_transfer()
    network.order({"on": "transfer", "do": "lose", "times": 1}, {"on": "transfer", "do": "vanish", "times": 1})
    for transfer in (lost, unanswered):
        with pytest.raises(Unreachable):
            clearing.send(transfer)
    assert clearing.ask(lost.end_to_end_id) is None
    assert clearing.ask(unanswered.end_to_end_id) == Report(unanswered.end_to_end_id, "ACSC")


def test_a_rejection_has_its_reason_and_a_repeat_says_it_twice(network):
    network.order({"on": "transfer", "do": "reject", "reason": "AC01", "times": 1}, {"on": "transfer", "do": "repeat"})
    first, second = a_transfer(), a_transfer()
    assert adapters.LinkClearing().send(first) == [Report(first.end_to_end_id, "RJCT", "AC01")]
    assert adapters.LinkClearing().send(second) == [Report(second.end_to_end_id, "ACSC")] * 2


def test_the_simulator_takes_nothing_that_is_not_signed_or_was_changed_or_is_old(network):
    body = json.dumps({"orders": []}).encode()
    good = signature.sign_request(network.secret, "POST", "/control", body)
    assert httpx.post(network.url + "/control", content=body, headers=good).status_code == 200
    for path, content, headers in (
        ("/control", body, {}),
        ("/control", body + b" ", good),
        ("/verification", body, good),
        ("/control", body, {**good, signature.TIME_HEADER: str(int(time.time()) - 1000)}),
        ("/control", body, {**good, signature.MAC_HEADER: "0" * 64}),
        ("/control", body, {**good, signature.TIME_HEADER: "１２３"}),
    ):
        raw = {name: value.encode() for name, value in headers.items()}
        assert httpx.post(network.url + path, content=content, headers=raw).status_code == 401


def test_an_answer_that_is_not_signed_by_the_peer_is_not_believed(network, settings):
    settings.NETWORKS_SECRET = "another secret"
    with pytest.raises(Unreachable):
        adapters.LinkClearing().send(a_transfer())
    assert network.payments() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"amount_fen": 1}', b'{"orders": [{"on": 1}]}', b"\xff"])
def test_a_broken_request_is_answered_and_changes_nothing(network, body):
    for path in ("/clearing/transfers", "/verification", "/control"):
        headers = signature.sign_request(network.secret, "POST", path, body)
        assert httpx.post(network.url + path, content=body, headers=headers).status_code in {200, 400}
    assert network.payments() == []
