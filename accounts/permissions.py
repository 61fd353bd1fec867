"""Who may come through a REST door."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import queries
from accounts.models import Person

if TYPE_CHECKING:
    # APIView reads its default permissions from here while it is being defined.
    from rest_framework.views import APIView


class SignedIn(BasePermission):
    """Anybody with a session."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the request carries one."""
        return isinstance(request.user, Person)


def HasRole(*roles: str) -> type[BasePermission]:  # noqa: N802  (it stands where a class stands)
    """A permission class for members of staff who hold any of the roles."""

    class Holder(SignedIn):
        def has_permission(self, request: Request, view: "APIView") -> bool:
            person = request.user
            return isinstance(person, Person) and not queries.roles_of(person.id).isdisjoint(roles)

    Holder.__name__ = f"HasRole({', '.join(roles)})"
    return Holder
