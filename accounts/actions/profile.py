"""What a person shows of themselves."""

from typing import IO
from uuid import UUID

from django.db import transaction

from accounts.errors import NameNotAllowed
from accounts.models import Person
from accounts.names import may_call_oneself
from kernel import audit, pictures


def set_display_name(*, person_id: UUID, name: str) -> None:
    """Changes the name that others see. Raises NameNotAllowed for one that looks like the bank's."""
    if not may_call_oneself(name):
        raise NameNotAllowed(fields={"display_name": ""})
    with transaction.atomic():
        Person.objects.filter(pk=person_id).update(display_name=name)
        audit.record(person_id, "accounts.renamed", f"person:{person_id}")


def set_avatar(*, person_id: UUID, upload: IO[bytes]) -> UUID:
    """Stores a picture and shows it as the avatar. Raises PictureRefused."""
    picture = pictures.store(upload, owner_id=person_id)
    Person.objects.filter(pk=person_id).update(avatar_picture_id=picture.pk)
    return picture.pk


def become_customer(*, person_id: UUID) -> None:
    """A visitor who has opened an account of this bank in full (class I) is a customer from now on."""
    with transaction.atomic():
        if Person.objects.filter(pk=person_id, kind=Person.Kind.VISITOR).update(kind=Person.Kind.CUSTOMER):
            audit.record(person_id, "accounts.became_customer", f"person:{person_id}")
