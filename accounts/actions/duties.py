"""What people of the bank may do, and for whom: given, and lost at once with everything that hangs on it."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import transaction

from accounts import ports
from accounts.models import Advising, Person, StaffRole
from kernel import audit
from kernel.clock import now
from kernel.errors import NotAllowed, NotFound

WITH_THE_ADMIN = frozenset({StaffRole.Role.OPERATOR.value, StaffRole.Role.CHECKER.value})
"""Roles that have work in the admin."""


def assign_advisor(*, advisor_id: UUID, customer_id: UUID, by: UUID | None = None) -> None:
    """From now on `advisor_id` advises the customer; whoever did before no longer does, reads and writes nothing.

    Raises NotFound where the one is no advisor or the other nobody, NotAllowed for who takes a customer to themselves.
    """
    if by == advisor_id:
        raise NotAllowed
    with transaction.atomic():
        # Both are held, so that an advisor who loses the role meanwhile loses this customer with it.
        both = Person.objects.select_for_update(no_key=True).filter(pk__in=(advisor_id, customer_id), is_active=True)
        if len(both.order_by("pk")) != 2:
            raise NotFound
        if not StaffRole.objects.filter(person=advisor_id, role=StaffRole.Role.ADVISOR).exists():
            raise NotFound
        current = Advising.objects.filter(customer=customer_id, until__isnull=True).first()
        if current is not None and current.advisor_id == advisor_id:
            return
        if current is not None:
            Advising.objects.filter(pk=current.pk).update(until=now())
        Advising.objects.create(advisor_id=advisor_id, customer_id=customer_id)
        audit.record(by, "accounts.advisor_assigned", f"person:{customer_id}", {"advisor": str(advisor_id)})
        ports.advisor_changed.tell([customer_id], current.advisor_id if current else None, advisor_id)


def set_roles(*, person_id: UUID, roles: Mapping[str, str], by: UUID | None) -> None:
    """The roles (with their branch) that a member of staff holds from now on; what they lose ends at once.

    Raises NotFound for anybody who is no member of staff.
    """
    with transaction.atomic():
        if not Person.objects.select_for_update(no_key=True).filter(pk=person_id, kind=Person.Kind.STAFF).exists():
            raise NotFound
        held = dict(StaffRole.objects.select_for_update().filter(person=person_id).values_list("role", "branch"))
        if held == dict(roles):
            return
        StaffRole.objects.filter(person=person_id).exclude(role__in=roles).delete()
        StaffRole.objects.bulk_create(
            [StaffRole(person_id=person_id, role=role, branch=branch) for role, branch in sorted(roles.items())],
            update_conflicts=True,
            unique_fields=["person", "role"],
            update_fields=["branch"],
        )
        Person.objects.filter(pk=person_id).update(is_staff=not WITH_THE_ADMIN.isdisjoint(roles))
        audit.record(
            by, "accounts.roles_changed", f"person:{person_id}", {"before": sorted(held), "after": sorted(roles)}
        )
        ports.person_changed.tell(person_id, None)
        end_duties(person_id, frozenset(held) - frozenset(roles), by=by)
        transaction.on_commit(lambda: ports.changed.tell([person_id], "me", {}), robust=True)


def take_roles(*, person_id: UUID, roles: Collection[str], by: UUID | None) -> None:
    """Takes roles away from a member of staff; those that they do not hold change nothing. Raises NotFound."""
    with transaction.atomic():
        list(Person.objects.select_for_update(no_key=True).filter(pk=person_id).values_list("pk"))
        held = dict(StaffRole.objects.filter(person=person_id).values_list("role", "branch"))
        kept = {role: branch for role, branch in held.items() if role not in roles}
        set_roles(person_id=person_id, roles=kept, by=by)


def end_duties(person_id: UUID, lost: frozenset[str], *, by: UUID | None) -> None:
    """Ends what a member of staff did in roles that they have lost. In the caller's transaction."""
    if not lost:
        return
    if StaffRole.Role.ADVISOR in lost:
        advised = Advising.objects.select_for_update().filter(advisor=person_id, until__isnull=True)
        customers = list(advised.values_list("customer_id", flat=True))
        advised.update(until=now())
        for customer_id in customers:
            audit.record(by, "accounts.advisor_ended", f"person:{customer_id}", {"advisor": str(person_id)})
        if customers:
            ports.advisor_changed.tell(customers, person_id, None)
    ports.roles_lost.tell(person_id, lost)
