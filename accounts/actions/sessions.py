"""Signing in and out, passwords, devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from accounts import limits, ports, throttles
from accounts.actions.codes import spend_code
from accounts.actions.duties import set_roles
from accounts.auth import SESSION_ID, OpenSession, carry
from accounts.backends import PhoneBackend
from accounts.errors import NotRegistered, PasswordTooWeak, PasswordTriesSpent, PasswordWrong, SignInRefused
from accounts.models import Device, DeviceSession, Person, StaffRole
from accounts.session_store import key_hash
from accounts.throttles import Asker
from kernel import audit, jobs
from kernel.clock import business_now, now
from kernel.errors import NotFound, TooMany
from kernel.ids import new_id
from kernel.secrets import blind_index

BACKEND = "accounts.backends.PhoneBackend"
NEW_DEVICE = "accounts.device_new"
"""Outbox topic: somebody who has signed in elsewhere before is on a device for the first time."""


@dataclass(frozen=True)
class DeviceClaim:
    """What a device says of itself when somebody signs in on it."""

    client_id: UUID
    name: str


def checked_password(password: str, person: Person | None = None) -> str:
    """The password, if it is strong enough. Raises PasswordTooWeak."""
    try:
        validate_password(password, person)
    except ValidationError:
        raise PasswordTooWeak(fields={"password": ""}) from None
    return password


@dataclass(frozen=True)
class Try:
    """One try to sign in, counted before it is looked at."""

    phone: str
    asker: Asker
    counted: str
    """What it was counted under, beside the network's own counter."""
    by_stranger: bool

    def forgive(self) -> None:
        """It went well. What strangers tried from elsewhere stays counted."""
        throttles.give_back("sign-in-address", self.asker.address)
        throttles.forgive("sign-in", self.counted)
        if self.by_stranger:
            throttles.give_back("sign-in-strangers", self.phone)


def count_try(phone: str, asker: Asker, *, guessing: bool) -> Try:
    """Counts a try to sign in. Raises TooMany, PasswordTriesSpent.

    A device of the number's owner has a counter of its own, which nobody else fills. Everybody else is counted by
    network, and if they are `guessing` (a password, that is: a code has its own few tries) all together, more slowly.
    """
    throttles.hit(
        "sign-in-address", asker.address, limit=limits.SIGN_IN_TRIES_PER_ADDRESS, window=limits.SIGN_IN_WINDOW
    )
    known = asker.is_of(phone)
    counted = f"{phone}:{asker.name() if known else asker.address}:{'password' if guessing else 'code'}"
    throttles.hit("sign-in", counted, limit=limits.SIGN_IN_TRIES, window=limits.SIGN_IN_WINDOW)
    by_stranger = guessing and not known
    if by_stranger:
        try:
            throttles.hit(
                "sign-in-strangers",
                phone,
                limit=limits.SIGN_IN_TRIES_OF_STRANGERS,
                window=limits.SIGN_IN_WINDOW_OF_STRANGERS,
            )
        except TooMany as refusal:
            raise PasswordTriesSpent(**refusal.params) from None
    return Try(phone, asker, counted, by_stranger)


def sign_in_with_password(
    request: HttpRequest, *, phone: str, password: str, device: DeviceClaim, asker: Asker
) -> Person:
    """Opens a session under a new id. Raises SignInRefused (unknown number and wrong password alike), TooMany."""
    counted = count_try(phone, asker, guessing=True)
    person = authenticate(request, phone=phone, password=password)
    if not isinstance(person, Person):
        raise SignInRefused
    counted.forgive()
    open_session(request, person, device)
    return person


def sign_in_with_code(request: HttpRequest, *, phone: str, code: str, device: DeviceClaim, asker: Asker) -> Person:
    """Opens a session by a code sent to the phone. Raises CodeRefused, NotRegistered, SignInRefused, TooMany."""
    counted = count_try(phone, asker, guessing=False)
    spend_code(phone=phone, purpose="sign_in", code=code, asker=asker)
    person = Person.objects.filter(phone_index=blind_index("phone", phone)).first()
    if person is None:
        raise NotRegistered
    if not PhoneBackend().user_can_authenticate(person):
        raise SignInRefused
    counted.forgive()
    open_session(request, person, device)
    return person


def open_session(request: HttpRequest, person: Person, device: DeviceClaim) -> DeviceSession:
    """A new Django session and its device session; what the cookie named before is over."""
    _end_own(request)
    request.session.flush()
    login(request, person, backend=BACKEND)
    with transaction.atomic():
        known, new = Device.objects.update_or_create(
            person=person,
            client_id=device.client_id,
            defaults={"name": device.name, "last_seen_at": now(), "removed_at": None},
        )
        session_id = new_id()
        request.session[SESSION_ID] = str(session_id)
        opened = DeviceSession.objects.create(
            id=session_id,
            person=person,
            device=known,
            key_hash=key_hash(_saved(request)),
            epoch=person.session_epoch,
        )
        carry(request, OpenSession(opened.pk, person.pk, known.pk, opened.epoch))
        if new and Device.objects.filter(person=person).exclude(pk=known.pk).exists():
            event = {"event": "device_new", "device_id": str(known.pk), "at": business_now().isoformat()}
            jobs.enqueue(NEW_DEVICE, {"id": str(known.pk), "person_id": str(person.pk), **event})
        audit.record(person.pk, "accounts.signed_in", f"device:{known.pk}", {"session": str(opened.pk)})
    return opened


def _saved(request: HttpRequest) -> str:
    request.session.save()
    return str(request.session.session_key)


def _end(person_id: UUID, sessions: Sequence[UUID], reason: str) -> None:
    if not sessions:
        return
    DeviceSession.objects.filter(pk__in=sessions, ended_at__isnull=True).update(ended_at=now())
    audit.record(person_id, "accounts.sessions_ended", f"person:{person_id}", {"reason": reason, "n": len(sessions)})
    transaction.on_commit(lambda: ports.session_ended.tell(person_id, list(sessions)), robust=True)


def _open_ids(person_id: UUID, **conditions: object) -> list[UUID]:
    return list(
        DeviceSession.objects.filter(person=person_id, ended_at__isnull=True, **conditions).values_list("pk", flat=True)
    )


def _end_own(request: HttpRequest) -> None:
    session_id = request.session.get(SESSION_ID)
    row = DeviceSession.objects.filter(pk=session_id, ended_at__isnull=True).first() if session_id else None
    if row is not None:
        with transaction.atomic():
            _end(row.person_id, [row.pk], "signed_out")


def sign_out(request: HttpRequest) -> None:
    """Ends the session of this request; harmless without one."""
    _end_own(request)
    logout(request)


def end_all_sessions(*, person_id: UUID, reason: str, keep: UUID | None = None) -> None:
    """Ends every session of a person but `keep`: a new epoch, which `keep` follows."""
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).get(pk=person_id)
        ended = [session for session in _open_ids(person_id) if session != keep]
        Person.objects.filter(pk=person_id).update(session_epoch=F("session_epoch") + 1)
        if keep is not None:
            DeviceSession.objects.filter(pk=keep, person=person_id).update(epoch=person.session_epoch + 1)
        _end(person_id, ended, reason)


def change_password(request: HttpRequest, *, person: Person, current: str, new: str, session_id: UUID) -> None:
    """Sets a new password and ends every other session. Raises PasswordWrong, PasswordTooWeak, TooMany."""
    throttles.hit("password", str(person.pk), limit=limits.SIGN_IN_TRIES, window=limits.SIGN_IN_WINDOW)
    if not person.check_password(current):
        raise PasswordWrong(fields={"current": ""})
    checked_password(new, person)
    with transaction.atomic():
        person.set_password(new)
        person.save(update_fields=["password"])
        audit.record(person.pk, "accounts.password_changed", f"person:{person.pk}")
        end_all_sessions(person_id=person.pk, reason="password_changed", keep=session_id)
    # Django's session names the password that it was opened with.
    update_session_auth_hash(request, person)
    DeviceSession.objects.filter(pk=session_id).update(key_hash=key_hash(_saved(request)))
    throttles.forgive("password", str(person.pk))


def reset_password(*, phone: str, code: str, new: str, asker: Asker) -> None:
    """Sets a new password by a code sent to the phone, and ends every session.

    Raises CodeRefused, NotRegistered, PasswordTooWeak.
    """
    checked_password(new)
    spend_code(phone=phone, purpose="reset_password", code=code, asker=asker)
    with transaction.atomic():
        person = Person.objects.filter(phone_index=blind_index("phone", phone), is_active=True).first()
        if person is None:
            raise NotRegistered
        person.set_password(new)
        person.save(update_fields=["password"])
        audit.record(person.pk, "accounts.password_reset", f"person:{person.pk}")
        end_all_sessions(person_id=person.pk, reason="password_reset")
    throttles.forgive("sign-in-strangers", phone)


def remove_device(*, person_id: UUID, device_id: UUID) -> None:
    """Signs a device out and takes it off the list. Raises NotFound for a device that is not the person's.

    Whoever signs in on it again is on a new device: what was proved on it before counts no more.
    """
    with transaction.atomic():
        removed = Device.objects.filter(pk=device_id, person=person_id, removed_at__isnull=True).update(
            removed_at=now(), client_id=new_id()
        )
        if not removed:
            raise NotFound
        _end(person_id, _open_ids(person_id, device=device_id), "device_removed")


def block_person(*, person_id: UUID, blocked: bool, by: UUID | None) -> None:
    """Blocks a person, or lets them in again. Blocking ends every session, and takes a member of staff's roles with
    all that hangs on them; letting them in again brings none of it back (that takes two: accounts.actions.approvals).
    """
    with transaction.atomic():
        # First of all, so that an assignment made at the same time is either seen below or refused.
        Person.objects.select_for_update(no_key=True).filter(pk=person_id).first()
        Person.objects.filter(pk=person_id).update(is_active=not blocked)
        audit.record(by, "accounts.blocked" if blocked else "accounts.unblocked", f"person:{person_id}")
        if blocked:
            if StaffRole.objects.filter(person=person_id).exists():
                set_roles(person_id=person_id, roles={}, by=by)
            end_all_sessions(person_id=person_id, reason="blocked")
