"""People who work for the bank, and service accounts: made by the bank alone."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.actions.duties import WITH_THE_ADMIN
from accounts.actions.identity import confirm_identity, give_identity
from accounts.actions.registration import create_person
from accounts.actions.sessions import checked_password
from accounts.models import Person, StaffRole
from kernel import audit


def create_staff(
    *,
    name: str,
    phone: str,
    password: str | None,
    roles: Iterable[str] | Mapping[str, str],
    branch: str = "",
    by: UUID | None = None,
    hue: int | None = None,
) -> Person:
    """Makes a member of staff with roles, all in one branch or each with its own; without a password they set one by
    a code to their phone. For `manage.py` and for what two people have agreed on (accounts.actions.approvals).

    Raises PhoneTaken, PasswordTooWeak, ValueError for an unknown role.
    """
    branches = dict(roles) if isinstance(roles, Mapping) else dict.fromkeys(roles, branch)
    wanted = sorted(branches)
    unknown = set(wanted) - set(StaffRole.Role.values)
    if unknown or not wanted:
        raise ValueError(f"roles are some of {', '.join(StaffRole.Role.values)}; not {', '.join(unknown) or 'none'}")
    if password is not None:
        checked_password(password)
    with transaction.atomic():
        person = create_person(
            kind="staff",
            phone=phone,
            display_name=name,
            password=password,
            hue=hue,
            is_staff=not WITH_THE_ADMIN.isdisjoint(wanted),
        )
        StaffRole.objects.bulk_create(StaffRole(person=person, role=role, branch=branches[role]) for role in wanted)
        audit.record(by, "accounts.staff_created", f"person:{person.pk}", {"roles": wanted})
    return person


def create_customer(
    *, display_name: str, phone: str, name: str, id_number: str, kind: str = "customer", hue: int | None = None
) -> Person:
    """Takes over somebody whom a branch knows and has identified. They set a password by a code to their phone.

    Raises PhoneTaken, RealNameWrong, IdNumberWrong, IdentityTaken.
    """
    with transaction.atomic():
        person = create_person(kind=kind, phone=phone, display_name=display_name, password=None, hue=hue)
        give_identity(person_id=person.pk, name=name, id_number=id_number)
        confirm_identity(person_id=person.pk, by="branch")
    return person


def mark_demo(*, person_ids: Iterable[UUID], password: str) -> None:
    """Gives the people of the demonstration their common password, hashed once. Demo mode alone."""
    if not settings.DEMO and not settings.TESTING:
        raise RuntimeError("demo log-ins exist in demo mode alone")
    Person.objects.filter(pk__in=list(person_ids)).update(password=make_password(password), is_demo=True)


def create_official(
    *, name: str, name_en: str = "", title: str = "服务号", title_en: str = "Service account", hue: int = 1
) -> UUID:
    """Makes the identity of a service account, which carries the bank's seal and cannot sign in."""
    with transaction.atomic():
        person = create_person(
            kind="official",
            phone=None,
            display_name=name,
            password=None,
            hue=hue,
            name_en=name_en,
            title=title,
            title_en=title_en,
        )
        audit.record(None, "accounts.official_created", f"person:{person.pk}")
    return person.pk
