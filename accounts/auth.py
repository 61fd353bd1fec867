"""The session of a signed-in person, for REST."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.models import Person


class SessionAuthentication(BaseAuthentication):
    """The cookie's session. Writes from another site were refused before (kernel.origins)."""

    def authenticate(self, request: Request) -> tuple[Person, None] | None:
        """The person, or None for a visitor without a session."""
        person = getattr(request._request, "user", None)
        if isinstance(person, Person) and person.is_active:
            return person, None
        return None

    def authenticate_header(self, request: Request) -> str:
        """Makes a missing session a 401."""
        return "Session"
