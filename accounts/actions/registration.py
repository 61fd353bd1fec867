"""How somebody becomes a person here."""

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts import agreements
from accounts.actions.codes import spend_code
from accounts.actions.sessions import DeviceClaim, checked_password, open_session
from accounts.errors import NameNotAllowed, PhoneTaken
from accounts.models import Person
from accounts.names import may_call_oneself
from accounts.throttles import Asker
from kernel import audit
from kernel.ids import new_id
from kernel.secrets import blind_index

HUES = 8


def hue_of(person_id: UUID) -> int:
    """Which of the palette's colours an avatar without a picture has: always the same for one person."""
    return person_id.int % HUES


def create_person(
    *, kind: str, phone: str | None, display_name: str, password: str | None, hue: int | None = None, **more: object
) -> Person:
    """A row of Person. Raises PhoneTaken where the number has one already."""
    person_id = new_id()
    hue = hue_of(person_id) if hue is None else hue
    person = Person(id=person_id, kind=kind, display_name=display_name, avatar_hue=hue, **more)
    if phone is not None:
        person.phone = phone
        person.phone_index = blind_index("phone", phone)
    if password is None:
        person.set_unusable_password()
    else:
        person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        if phone is None or "phone_index" not in str(error):
            raise
        raise PhoneTaken from None
    return person


def register(
    request: HttpRequest,
    *,
    phone: str,
    code: str,
    password: str,
    display_name: str,
    agreed: Mapping[str, str],
    device: DeviceClaim,
    asker: Asker,
) -> Person:
    """Makes a visitor of somebody who holds the phone and agrees to the texts in force, and signs them in.

    `agreed`: the version of each text that they were shown. Raises NotAgreed, AgreementMoved, NameNotAllowed,
    PasswordTooWeak, CodeRefused, PhoneTaken.
    """
    agreements.check(agreed)
    if not may_call_oneself(display_name):
        raise NameNotAllowed(fields={"display_name": ""})
    checked_password(password)
    spend_code(phone=phone, purpose="register", code=code, asker=asker)
    with transaction.atomic():
        person = create_person(kind="visitor", phone=phone, display_name=display_name, password=password)
        audit.record(person.pk, "accounts.registered", f"person:{person.pk}")
        agreements.consent(person.pk)
    open_session(request, person, device)
    return person
