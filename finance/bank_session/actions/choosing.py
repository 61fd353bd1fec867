"""Choosing a PIN: the first, another in place of one that is known, another in place of one that is forgotten."""

from django.db import transaction

from accounts import throttles
from finance.bank_session import events, identity, pins
from finance.bank_session.access import still_open
from finance.bank_session.actions.confirming import Outcome, ready, settle
from finance.bank_session.actions.sessions import close_others
from finance.bank_session.errors import PinAlreadySet, PinUnchanged, ProofNeeded
from finance.bank_session.models import BankSession, Intent

CHOICES_PER_DAY = 10
"""New PINs that are looked at for a person, however they proved themselves."""


def choose_pin(
    *, session: BankSession, intent: Intent, statement_hash: bytes, pin: str, current: str | None = None
) -> Outcome:
    """Sets the PIN: with `current` in place of that one, otherwise with an identity proof of this session and intent.

    An intent that is about the PIN is done by it; any other still waits to be confirmed. The person's other bank
    sessions end, and their devices are told. Raises PinTooSimple, PinUnchanged, PinAlreadySet, ProofNeeded, WrongPin,
    PinLocked, PinNotSet, PinBusy, IntentOver, StatementStale, ChallengeOver, TooMany.
    """
    if not ready(intent, statement_hash):
        return Outcome(intent, True)
    known = None
    if current is None:
        _refuse_unproved(session, intent)
    else:
        known = _check_current(session, intent, current, pin)
    _refuse_guessable(session, pin)
    encoded = pins.encode(session.person_id, pin)
    with transaction.atomic():
        pins.hold(session.person_id)
        locked = Intent.objects.select_for_update(no_key=True).get(pk=intent.pk)
        if not ready(locked, statement_hash):
            return Outcome(locked, True)
        still_open(session)
        proof = _keep(session, locked, encoded, changing=current is not None, known=known)
        close_others(session=session)
        token = settle(session, locked, proof, {}) if locked.kind in pins.KINDS else None
        return Outcome(locked, False, token)


def _refuse_unproved(session: BankSession, intent: Intent) -> None:
    if intent.kind == pins.SET_PIN and pins.state(session.person_id) != "none":
        raise PinAlreadySet
    if not identity.proved(session, intent):
        raise ProofNeeded


def _check_current(session: BankSession, intent: Intent, current: str, pin: str) -> str:
    if intent.kind != pins.CHANGE_PIN:
        raise ProofNeeded
    known = pins.check(session.person_id, current)
    if current == pin:
        raise PinUnchanged
    return known


def _refuse_guessable(session: BankSession, pin: str) -> None:
    """Only for somebody who has given a proof, and so often a day: the answer says something of the ID number."""
    throttles.hit("bank-pin", str(session.person_id), limit=CHOICES_PER_DAY, window=throttles.DAY)
    pins.refuse_guessable(session.person_id, pin)


def _keep(session: BankSession, intent: Intent, encoded: str, *, changing: bool, known: str | None) -> str:
    """Keeps the PIN, and answers by which proof. `known`: what the present one was checked against, to change it."""
    person_id, device_id = session.person_id, session.device_id
    if changing:
        pins.replace(person_id, encoded, "changed", known=known)
        events.happened(person_id, "pin_changed", device_id=device_id)
        return "pin"
    if identity.use(session, intent) == "first":
        pins.store_first(person_id, encoded)
        events.happened(person_id, "pin_set", device_id=device_id)
    else:
        pins.replace(person_id, encoded, "reset")
        events.happened(person_id, "pin_reset", device_id=device_id)
    return "identity"
