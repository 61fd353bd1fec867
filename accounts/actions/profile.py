"""What a person shows of themselves."""

from datetime import timedelta
from typing import IO
from uuid import UUID

from django.db import transaction

from accounts import limits, ports, throttles
from accounts.errors import NameNotAllowed
from accounts.models import Person
from accounts.names import may_call_oneself
from kernel import audit, pictures
from kernel.errors import NotFound
from kernel.text import is_name


def may_be_called(kind: str, name: str) -> bool:
    """Whether somebody of this kind may show this name: only the bank itself may look like the bank."""
    return is_name(name) if kind in {Person.Kind.STAFF, Person.Kind.OFFICIAL} else may_call_oneself(name)


def _count(person_id: UUID) -> None:
    throttles.hit("looks", str(person_id), limit=limits.LOOKS_PER_HOUR, window=timedelta(hours=1), light=True)


def set_display_name(*, person_id: UUID, name: str, by: UUID | None = None) -> None:
    """Changes the name that others see, and nothing else. `by`: an operator who does it for them.

    Raises NameNotAllowed for one that looks like the bank's, NotFound, TooMany.
    """
    if by is None:
        _count(person_id)
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).filter(pk=person_id).first()
        if person is None:
            raise NotFound
        if not may_be_called(person.kind, name):
            raise NameNotAllowed(fields={"display_name": ""})
        Person.objects.filter(pk=person_id).update(display_name=name)
        ports.person_changed.tell(person_id, None)
        audit.record(by or person_id, "accounts.renamed", f"person:{person_id}")


def set_avatar(*, person_id: UUID, upload: IO[bytes]) -> UUID:
    """Stores a picture and shows it as the avatar. Raises PictureRefused, TooMany."""
    _count(person_id)
    picture = pictures.store(upload, owner_id=person_id)
    with transaction.atomic():
        Person.objects.filter(pk=person_id).update(avatar_picture_id=picture.pk)
        ports.person_changed.tell(person_id, None)
    return picture.pk


def become_customer(*, person_id: UUID) -> None:
    """A visitor who has opened an account of this bank in full (class I) is a customer from now on."""
    with transaction.atomic():
        if Person.objects.filter(pk=person_id, kind=Person.Kind.VISITOR).update(kind=Person.Kind.CUSTOMER):
            ports.person_changed.tell(person_id, None)
            audit.record(person_id, "accounts.became_customer", f"person:{person_id}")
