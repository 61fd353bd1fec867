"""The PIN: six digits, five tries, a slow peppered hash in a bounded number of slots."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Literal
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts import queries as people
from finance.bank_session import events, registry
from finance.bank_session.errors import PinAlreadySet, PinBusy, PinLocked, PinNotSet, PinTooSimple, WrongPin
from finance.bank_session.models import Intent, PinVerifier
from finance.bank_session.statements import Line, StatementDraft
from kernel import audit, rows
from kernel.clock import now

SET_PIN, CHANGE_PIN, RESET_PIN = "set_pin", "change_pin", "reset_pin"
KINDS = (SET_PIN, CHANGE_PIN, RESET_PIN)
_RUN = "01234567890"
_WALKS = frozenset({"147258", "147369", "258147", "258963", "369147", "741852", "159357", "357159", "963852"})
"""Ways over the pad."""

_slots = threading.BoundedSemaphore(settings.PIN_HASH_SLOTS)
_hasher = PasswordHasher(
    time_cost=settings.PIN_HASH["time_cost"],
    memory_cost=settings.PIN_HASH["memory_kib"],
    parallelism=settings.PIN_HASH["parallelism"],
)


@contextmanager
def _slot() -> Iterator[None]:
    """One of the places where a hash may be computed; PinBusy where none is free in time."""
    if not _slots.acquire(timeout=settings.PIN_HASH_WAIT_S):
        raise PinBusy(wait_s=2)
    try:
        yield
    finally:
        _slots.release()


def _keyed(person_id: UUID, pin: str) -> str:
    return hmac.digest(settings.PIN_PEPPER.encode(), f"{person_id}:{pin}".encode(), hashlib.sha256().name).hex()


def standing(person_id: UUID) -> tuple[str, int | None]:
    """`none`, `set` or `locked`, and how many wrong PINs are left before it locks; None if none is set."""
    verifier = rows.first(PinVerifier, "person_id = %s", [person_id])
    if verifier is None:
        return "none", None
    left = max(0, settings.PIN_TRIES - verifier.attempts)
    return "set" if left else "locked", left


def state(person_id: UUID) -> str:
    """`none`, `set` or `locked`."""
    return standing(person_id)[0]


def check(person_id: UUID, pin: str) -> str:
    """Answers what a right PIN was checked against. Must run outside a transaction: the attempt is counted in its own.

    The counter is raised and committed before the hash is computed, so neither a crash nor a rollback nor a hundred
    guesses at once get more than settings.PIN_TRIES checks. Raises PinNotSet, PinLocked, WrongPin, PinBusy.
    """
    with _slot():
        encoded, attempts = _count_attempt(person_id)
        right = _matches(encoded, _keyed(person_id, pin))
        if right:
            # Before the place is free: right PINs that come at once must not count as so many wrong ones.
            _forget_attempts(person_id, encoded)
            return encoded
    left = settings.PIN_TRIES - attempts
    with transaction.atomic():
        audit.record(person_id, "pin.wrong", f"person:{person_id}", {"tries_left": left})
        if left == 0 and (left := _lock(person_id, encoded)) == 0:
            audit.record(person_id, "pin.locked", f"person:{person_id}")
            events.happened(person_id, "pin_locked")
    if left == 0:
        raise PinLocked
    raise WrongPin(tries_left=left)


def _forget_attempts(person_id: UUID, encoded: str) -> None:
    """Starts the count anew after a right PIN. Raises PinLocked if a wrong one locked it meanwhile, and WrongPin if the
    PIN is another by now.
    """
    with transaction.atomic():
        verifier = PinVerifier.objects.select_for_update().get(pk=person_id)
        if verifier.encoded != encoded:
            raise WrongPin(tries_left=max(0, settings.PIN_TRIES - verifier.attempts))
        if verifier.locked_at is not None:
            raise PinLocked
        PinVerifier.objects.filter(pk=person_id).update(attempts=0)


def _lock(person_id: UUID, encoded: str) -> int:
    """Locks the PIN after the last wrong one, and answers how many tries are left: some where a right PIN, or another,
    came between.
    """
    verifier = PinVerifier.objects.select_for_update().get(pk=person_id)
    if verifier.encoded == encoded and verifier.attempts >= settings.PIN_TRIES:
        PinVerifier.objects.filter(pk=person_id).update(locked_at=now())
    return max(0, settings.PIN_TRIES - verifier.attempts)


def _matches(encoded: str, keyed: str) -> bool:
    try:
        return _hasher.verify(encoded, keyed)
    except VerifyMismatchError:
        return False


def _count_attempt(person_id: UUID) -> tuple[str, int]:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bank_session_pinverifier SET attempts = attempts + 1 WHERE person_id = %s AND attempts < %s"
            " RETURNING encoded, attempts",
            [person_id, settings.PIN_TRIES],
        )
        row = cursor.fetchone()
    if row is not None:
        return row[0], row[1]
    raise PinLocked if PinVerifier.objects.filter(pk=person_id).exists() else PinNotSet


def is_guessable(pin: str, birthday: date | None = None) -> bool:
    """Whether the PIN is among the first that a thief tries: runs, repeats, the owner's birthday."""
    if len(set(pin)) <= 2 or pin[:3] == pin[3:] or pin[:2] * 3 == pin or pin in _RUN or pin[::-1] in _RUN:
        return True
    if pin == pin[::-1] or pin in _WALKS or (pin[:3] in _RUN and pin[3:] in _RUN):
        return True
    if pin[0] == pin[1] and pin[2] == pin[3] and pin[4] == pin[5]:
        return True
    if birthday is None:
        return False
    forms = ("%y%m%d", "%d%m%y", "%m%d%y", "%Y%m")
    return pin in {birthday.strftime(form) for form in forms}


def encode(person_id: UUID, pin: str) -> str:
    """The slow hash of a new PIN. Raises PinBusy."""
    with _slot():
        return _hasher.hash(_keyed(person_id, pin))


def hold(person_id: UUID) -> None:
    """Has others who choose the person's PIN wait until the caller's transaction is over. To be called first in it:
    each goes on to end the others' sessions.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 10))", [f"pin:{person_id}"])


def store_first(person_id: UUID, encoded: str) -> None:
    """Keeps a first PIN, inside the caller's transaction. Raises PinAlreadySet."""
    try:
        with transaction.atomic():
            PinVerifier.objects.create(person_id=person_id, encoded=encoded, set_at=now())
    except IntegrityError:
        raise PinAlreadySet from None
    audit.record(person_id, "pin.set", f"person:{person_id}")


def replace(person_id: UUID, encoded: str, action: Literal["changed", "reset"], *, known: str | None = None) -> None:
    """Keeps another PIN in place of the one there is, and unlocks it, inside the caller's transaction.

    `known`: what `check` found right; a PIN that was replaced since is no longer that one. Raises PinNotSet, WrongPin.
    """
    there = PinVerifier.objects.filter(pk=person_id)
    kept = (there if known is None else there.filter(encoded=known)).update(
        encoded=encoded, attempts=0, locked_at=None, set_at=now()
    )
    if not kept:
        _, left = standing(person_id)
        raise PinNotSet if left is None else WrongPin(tries_left=left)
    audit.record(person_id, f"pin.{action}", f"person:{person_id}")


def refuse_guessable(person_id: UUID, pin: str) -> None:
    """Raises PinTooSimple for a PIN that is easily guessed: a pattern, the birthday, part of the phone or ID number."""
    if is_guessable(pin, people.birth_date(person_id)) or people.digits_of_theirs(person_id, pin):
        raise PinTooSimple


_DRAFTS = {
    SET_PIN: ("设置支付密码", "Set your PIN", "核验身份后设置", "After your identity is verified"),
    CHANGE_PIN: ("修改支付密码", "Change your PIN", "验证原密码后更改", "After the present PIN is checked"),
    RESET_PIN: ("重设支付密码", "Reset your PIN", "重新核验身份后更改", "After your identity is verified anew"),
}


def draft_of(kind: str) -> StatementDraft:
    """What choosing a PIN says."""
    title_zh, title_en, how_zh, how_en = _DRAFTS[kind]
    return StatementDraft(
        title_zh=title_zh,
        title_en=title_en,
        lines=[
            Line("用途", "Used for", "授权转账、购买等操作", "Authorising transfers and purchases"),
            Line("方式", "How", how_zh, how_en),
        ],
    )


def _restate(intent: Intent) -> StatementDraft:
    return draft_of(intent.kind)


def _execute(intent: Intent) -> Any:
    """A PIN is chosen, never confirmed."""
    raise PinNotSet


def register_kinds() -> None:
    """Makes the choosing of a PIN an intent like others; it is done by `actions.choose_pin` alone."""
    for kind in KINDS:
        registry.register(kind, execute=_execute, restate=_restate)
