"""Proving anew who one is, before a PIN is chosen: whoever holds an unlocked phone is not yet its owner.

A first PIN takes a code sent to the registered phone and the end of the ID number; a visitor who has bound another
bank's card gives that card's number instead. A forgotten or locked PIN takes all three, and the card's bank is asked
anew whether name, ID number, card and phone belong together (an account of ours is our own to know).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F

from accounts import actions as accounts
from accounts import queries as people
from accounts.actions import SentCode
from accounts.errors import CardCheckUnavailable, CodeRefused
from finance.bank_session import devices, events, pins
from finance.bank_session.access import still_open
from finance.bank_session.errors import IdentityUnproved, ProofLocked, ProofNeeded, ProofRefused
from finance.bank_session.models import BankSession, IdentityProof, Intent, Proving
from finance.bank_session.step_up import step_up
from finance.ledger import queries as books
from kernel import audit
from kernel.clock import now
from kernel.ids import new_id

Need = Literal["id_tail", "card_number"]
Purpose = Literal["first", "reset", "device"]
Asked = Literal["pin", "device"]
CODE_PURPOSE = "bank_proof"
ID_TAIL = 6
"""How many characters of the ID number are asked for. No page shows any of them."""

_COUNT = """
INSERT INTO bank_session_proving AS p (person_id, attempts, locked_until) VALUES (%(person)s, 1, NULL)
ON CONFLICT (person_id) DO UPDATE SET
    attempts = CASE WHEN p.locked_until <= %(now)s THEN 1 ELSE p.attempts + 1 END,
    locked_until = CASE WHEN p.locked_until <= %(now)s THEN NULL
                        WHEN p.attempts + 1 >= %(tries)s THEN %(until)s::timestamptz END
WHERE p.locked_until IS NULL OR p.locked_until <= %(now)s
RETURNING attempts
"""


@dataclass(frozen=True)
class Given:
    """What a person gives to prove who they are."""

    code: str
    id_tail: str = ""
    card_number: str = ""


def purpose_of(person_id: UUID, asked: Asked = "pin") -> Purpose:
    """What a proof would be for now: the device; or a first PIN, or another for one that is forgotten or locked."""
    if asked == "device":
        return "device"
    return "first" if pins.state(person_id) == "none" else "reset"


def needs(person_id: UUID, asked: Asked = "pin") -> list[Need]:
    """What must be given beside the code. Raises IdentityUnproved where there is nothing to compare with."""
    if people.identity_level(person_id) != "verified":
        raise IdentityUnproved
    if purpose_of(person_id, asked) == "reset":
        return ["id_tail", "card_number"]
    visitor = people.kind_of(person_id) == "visitor" and people.bound_cards(person_id)
    return ["card_number"] if visitor else ["id_tail"]


def locked_until(person_id: UUID) -> datetime | None:
    """Until when no proof is taken, or None."""
    return Proving.objects.filter(pk=person_id, locked_until__gt=now()).values_list("locked_until", flat=True).first()


def send_code(*, session: BankSession, address: str) -> SentCode:
    """Sends the code to the registered phone. Raises IdentityUnproved, ProofLocked, TooMany, NotConnected."""
    needs(session.person_id)
    _refuse_locked(session.person_id)
    return accounts.send_own_code(person_id=session.person_id, purpose=CODE_PURPOSE, address=address)


def _refuse_locked(person_id: UUID) -> None:
    until = locked_until(person_id)
    if until is not None:
        raise ProofLocked(hours=-int(-(until - now()).total_seconds() // 3600))


@dataclass(frozen=True)
class Proved:
    """That somebody proved who they are; `device_token` is to be left in the browser, which is verified by it.

    `token`: the bank session's from now on, where this is the first proof in it.
    """

    proof: IdentityProof
    device_token: str
    token: str | None


def prove(*, session: BankSession, intent: Intent, given: Given, asked: Asked = "pin") -> Proved:
    """Keeps that the person proved who they are, for this session and intent. Must run outside a transaction.

    Whatever it was for, the device is verified by it, and known in this session.

    The try is counted and committed before anything is compared; a code that was right is spent either way. Raises
    ProofRefused (which part was wrong is not said), ProofLocked, IdentityUnproved, CardCheckUnavailable,
    BankSessionNeeded (it was closed meanwhile).
    """
    person_id = session.person_id
    wanted, purpose = needs(person_id, asked), purpose_of(person_id, asked)
    left = settings.PROOF_TRIES - _count(person_id)
    try:
        right = _right(person_id, wanted, given, purpose)
    except CardCheckUnavailable:
        Proving.objects.filter(pk=person_id).update(attempts=F("attempts") - 1, locked_until=None)
        raise
    if not right:
        with transaction.atomic():
            audit.record(person_id, "identity.refused", f"person:{person_id}", {"tries_left": left})
            if left <= 0:
                events.happened(person_id, "proof_locked", device_id=session.device_id)
        if left <= 0:
            _refuse_locked(person_id)
        raise ProofRefused(tries_left=max(0, left))
    with transaction.atomic():
        still_open(session)
        Proving.objects.filter(pk=person_id).update(attempts=0, locked_until=None)
        audit.record(person_id, "identity.proved", f"person:{person_id}", {"for": purpose, "by": ["code", *wanted]})
        device_token = devices.verified(person_id, session.device_id, by="identity")
        BankSession.objects.filter(pk=session.pk).update(device_known=True)
        moment = now()
        proof = IdentityProof.objects.create(
            id=new_id(),
            person_id=person_id,
            bank_session=session,
            intent=intent,
            purpose=purpose,
            proved_at=moment,
            expires_at=moment + timedelta(seconds=settings.PROOF_S),
        )
        return Proved(proof, device_token, step_up(session))


def _count(person_id: UUID) -> int:
    moment = now()
    values: dict[str, Any] = {
        "person": person_id,
        "now": moment,
        "tries": settings.PROOF_TRIES,
        "until": moment + timedelta(seconds=settings.PROOF_LOCK_S),
    }
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        row = cursor.fetchone()
    if row is None:
        _refuse_locked(person_id)
        raise ProofLocked(hours=1)
    return int(row[0])


def _right(person_id: UUID, wanted: list[Need], given: Given, purpose: Purpose) -> bool:
    """Whether all of it is right. Everything is looked at, whatever was wrong before."""
    try:
        accounts.spend_own_code(person_id=person_id, purpose=CODE_PURPOSE, code=given.code)
        right = True
    except CodeRefused:
        right = False
    if "id_tail" in wanted:
        right &= len(given.id_tail) == ID_TAIL and people.id_number_ends_with(person_id, given.id_tail)
    if "card_number" in wanted:
        right &= _card_is_theirs(person_id, given.card_number, ask_its_bank=purpose == "reset" and right)
    return right


def _card_is_theirs(person_id: UUID, number: str, *, ask_its_bank: bool) -> bool:
    if books.owns_number(person_id, number):
        return True
    if ask_its_bank:
        return accounts.recheck_card(person_id=person_id, number=number)
    return people.has_bound_card(person_id, number)


def proved(session: BankSession, intent: Intent) -> bool:
    """Whether a PIN may be chosen in this session, for this intent, without another proof."""
    return _live(session, intent).exists()


def _live(session: BankSession, intent: Intent) -> models.QuerySet[IdentityProof]:
    return IdentityProof.objects.filter(
        bank_session=session,
        intent=intent,
        person_id=session.person_id,
        purpose__in=["first", "reset"],
        used_at__isnull=True,
        expires_at__gt=now(),
    )


def use(session: BankSession, intent: Intent) -> Purpose:
    """Uses the proof up, inside the transaction that sets the PIN. Raises ProofNeeded."""
    proof = _live(session, intent).select_for_update(of=("self",)).order_by("-proved_at").first()
    if proof is None:
        raise ProofNeeded
    proof.used_at = now()
    proof.save(update_fields=["used_at"])
    return "first" if proof.purpose == "first" else "reset"
