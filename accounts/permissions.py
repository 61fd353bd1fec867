"""Who may come through a REST door."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import Person

if TYPE_CHECKING:
    # APIView reads its default permissions from here while it is being defined.
    from rest_framework.views import APIView


class SignedIn(BasePermission):
    """Anybody with a session."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the request carries one."""
        return isinstance(request.user, Person)
