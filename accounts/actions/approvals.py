"""New members of staff, and roles that they do not have yet: one person of the bank asks, a second one decides."""

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.actions.duties import set_roles
from accounts.actions.staff import create_staff
from accounts.errors import AskedAlready, DecidedAlready, NotYourOwn, PhoneTaken, RolesWrong
from accounts.models import Person, StaffChange, StaffRole
from accounts.queries import roles_of
from kernel import audit
from kernel.clock import now
from kernel.errors import NotAllowed, NotFound
from kernel.ids import new_id
from kernel.secrets import blind_index
from kernel.text import is_name

MAY_ASK = frozenset({StaffRole.Role.OPERATOR.value})
MAY_DECIDE = frozenset({StaffRole.Role.OPERATOR.value, StaffRole.Role.CHECKER.value})


def _checked(roles: Mapping[str, str]) -> dict[str, str]:
    fits = all(role in StaffRole.Role.values and (not branch or is_name(branch)) for role, branch in roles.items())
    if not roles or not fits:
        raise RolesWrong
    return dict(sorted(roles.items()))


def _ask(change: StaffChange, by: UUID) -> StaffChange:
    if MAY_ASK.isdisjoint(roles_of(by)):
        raise NotAllowed
    change.asked_by_id = by
    try:
        with transaction.atomic():
            change.save(force_insert=True)
    except IntegrityError:
        raise AskedAlready from None  # by somebody else at the same moment
    detail = {"change": str(change.pk), "roles": sorted(change.roles)}
    audit.record(by, "accounts.staff_asked", f"person:{change.person_id or 'new'}", detail)
    return change


def ask_for_staff(*, name: str, phone: str, roles: Mapping[str, str], by: UUID) -> StaffChange:
    """Asks for a new member of staff with these roles (and their branch). Nobody is made yet.

    Raises NotAllowed for somebody who is no operator, PhoneTaken, RolesWrong, AskedAlready.
    """
    index = blind_index("phone", phone)
    with transaction.atomic():
        if Person.objects.filter(phone_index=index).exists():
            raise PhoneTaken
        if StaffChange.objects.filter(phone_index=index, state=StaffChange.State.WAITING).exists():
            raise AskedAlready
        change = StaffChange(id=new_id(), display_name=name, phone=phone, phone_index=index, roles=_checked(roles))
        return _ask(change, by)


def ask_for_roles(*, person_id: UUID, roles: Mapping[str, str], by: UUID) -> StaffChange:
    """Asks for roles that a member of staff is to hold besides those that they have. Nothing is given yet.

    Raises NotAllowed for somebody who is no operator, NotYourOwn, NotFound, RolesWrong, AskedAlready.
    """
    if person_id == by:
        raise NotYourOwn
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).filter(
            pk=person_id, kind=Person.Kind.STAFF, is_active=True
        )
        if person.first() is None:
            raise NotFound
        if StaffChange.objects.filter(person=person_id, state=StaffChange.State.WAITING).exists():
            raise AskedAlready
        return _ask(StaffChange(id=new_id(), person_id=person_id, roles=_checked(roles)), by)


def decide_staff_change(*, change_id: UUID, by: UUID, approve: bool) -> StaffChange:
    """A second person lets a change happen, or refuses it. The same decision again changes nothing.

    Raises NotAllowed for somebody who is neither operator nor checker, NotFound, NotYourOwn for who asked and for
    whom it is about, DecidedAlready, PhoneTaken, NotFound where the person is no member of staff any more.
    """
    if MAY_DECIDE.isdisjoint(roles_of(by)):
        raise NotAllowed
    state = StaffChange.State.APPROVED if approve else StaffChange.State.REFUSED
    with transaction.atomic():
        change = StaffChange.objects.select_for_update().filter(pk=change_id).first()
        if change is None:
            raise NotFound
        if by in (change.asked_by_id, change.person_id):
            raise NotYourOwn
        if change.state != StaffChange.State.WAITING:
            if (change.state, change.decided_by_id) == (state, by):
                return change
            raise DecidedAlready
        if approve:
            change.person_id = _happen(change, by)
        change.state, change.decided_by_id, change.decided_at = state, by, now()
        # The number is the person's now, or nobody's.
        change.phone = change.phone_index = None
        change.save()
        audit.record(
            by,
            f"accounts.staff_{state}",
            f"person:{change.person_id or 'new'}",
            {"change": str(change.pk), "asked_by": str(change.asked_by_id), "roles": sorted(change.roles)},
        )
        return change


def _happen(change: StaffChange, by: UUID) -> UUID:
    if change.person_id is None:
        return create_staff(
            name=change.display_name, phone=str(change.phone), password=None, roles=change.roles, by=by
        ).pk
    held = dict(StaffRole.objects.filter(person=change.person_id).values_list("role", "branch"))
    if not Person.objects.filter(pk=change.person_id, is_active=True).exists():
        raise NotFound
    set_roles(person_id=change.person_id, roles={**held, **change.roles}, by=by)
    return change.person_id
