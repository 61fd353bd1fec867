"""What each lock of the bank session is for, shown with one client that holds and another that waits."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction

from finance.bank_session import access, actions, identity
from finance.bank_session.actions import Outcome
from finance.bank_session.errors import BankSessionNeeded, DeviceUnverified, HandoffGone, IntentOver, ProofNeeded
from finance.bank_session.models import BankSession, Confirmation, IdentityProof, Intent
from finance.bank_session.proofs import Proven, Trial
from kernel.clock import now
from kernel.errors import InFlight
from kernel.ids import new_id
from tests.finance.bank_session.conftest import Bench
from tests.finance.bank_session.test_devices import _paying
from tests.support.aside import Aside
from tests.support.bank import Sheet


class Given:
    """A proof that holds: the PIN's try is counted outside the transaction that is looked at here."""

    kind = "pin"

    def tried(self, *_: Any) -> Trial:
        return Trial((), lambda _: Proven())


class Page:
    """An opened sheet, as the actions know it."""

    def __init__(self, bench: Bench) -> None:
        sheet = Sheet(bench.prepare().handoff_url)
        self.hash = bytes.fromhex(sheet.shown_hash())
        session = access.session_of(sheet.client.cookies["rl_bank"].value)
        assert session is not None
        self.session, self.intent = session, Intent.objects.get(pk=sheet.intent_id)

    def confirm(self) -> Outcome:
        return actions.confirm(session=self.session, intent=self.intent, statement_hash=self.hash, proof=Given())

    def close(self) -> None:
        actions.close(person_id=self.session.person_id, session_id=self.session.pk)


def test_a_hand_off_that_is_being_redeemed_opens_no_second_session(real_bench: Bench) -> None:
    (code,) = parse_qs(urlsplit(real_bench.prepare().handoff_url).fragment)["code"]

    with transaction.atomic():
        actions.redeem(code=code)
        other = Aside(lambda: actions.redeem(code=code))
        assert other.waits()
    with pytest.raises(HandoffGone):
        other.result()

    assert BankSession.objects.count() == 1


def test_a_confirmation_beside_the_same_one_is_in_flight_and_then_its_replay(real_bench: Bench) -> None:
    page = Page(real_bench)

    with transaction.atomic():
        assert not page.confirm().replayed
        with pytest.raises(InFlight):
            Aside(page.confirm).result()
    page.intent.refresh_from_db()

    assert page.confirm().replayed
    assert real_bench.balance() == 99_000 and Confirmation.objects.count() == 1


def test_a_session_that_is_being_closed_confirms_nothing(real_bench: Bench) -> None:
    page = Page(real_bench)

    with transaction.atomic():
        page.close()
        other = Aside(page.confirm)
        assert other.waits()
    with pytest.raises(BankSessionNeeded):
        other.result()

    assert real_bench.balance() == 100_000


def test_a_session_that_is_being_closed_keeps_nothing(real_bench: Bench) -> None:
    """A PIN or a passkey, that is: both ask whether the session is open before they are kept."""
    page = Page(real_bench)

    def ask() -> None:
        with transaction.atomic():
            access.still_open(page.session)

    with transaction.atomic():
        page.close()
        other = Aside(ask)
        assert other.waits()
    with pytest.raises(BankSessionNeeded):
        other.result()


def test_what_is_being_confirmed_is_not_cancelled(real_bench: Bench) -> None:
    page = Page(real_bench)

    with transaction.atomic():
        page.confirm()
        other = Aside(lambda: actions.cancel(intent=page.intent))
        assert other.waits()
    with pytest.raises(IntentOver):
        other.result()

    assert Intent.objects.get(pk=page.intent.pk).state == "executed"


def test_two_new_devices_of_one_person_wait_for_each_other(real_bench: Bench, settings: Any) -> None:
    bench = _paying(real_bench, settings)  # 1,500 fen a day, for both together
    first = Page(bench)
    bench.callers.clear()
    second = Page(bench)

    with transaction.atomic():
        first.confirm()
        other = Aside(second.confirm)
        assert other.waits()
    with pytest.raises(DeviceUnverified):
        other.result()

    assert bench.balance() == 99_000


def test_a_proof_of_identity_is_used_once(real_bench: Bench) -> None:
    page, moment = Page(real_bench), now()
    IdentityProof.objects.create(
        id=new_id(),
        person_id=page.session.person_id,
        bank_session=page.session,
        intent=page.intent,
        purpose="reset",
        proved_at=moment,
        expires_at=moment + timedelta(minutes=5),
    )

    def use() -> str:
        with transaction.atomic():
            return identity.use(page.session, page.intent)

    with transaction.atomic():
        assert use() == "reset"
        other = Aside(use)
        assert other.waits()
    with pytest.raises(ProofNeeded):
        other.result()
