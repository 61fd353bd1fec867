"""How a person proves who they are to Django's log-in."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.models import Person
from kernel.secrets import blind_index


class PhoneBackend(ModelBackend):
    """Phone number and password."""

    def user_can_authenticate(self, user: Person | AnonymousUser | None) -> bool:
        """Nobody who is blocked; the demo world's people in demo mode alone."""
        allowed = super().user_can_authenticate(user)
        return allowed and (settings.DEMO or settings.TESTING or not getattr(user, "is_demo", False))

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Person | None:
        """The person, or None. A number nobody has costs the same time as a wrong password."""
        phone = kwargs.get("phone") or username
        if not phone or password is None:
            return None
        person = Person.objects.filter(phone_index=blind_index("phone", phone)).first()
        if person is None:
            Person().set_password(password)
            return None
        if person.check_password(password) and self.user_can_authenticate(person):
            return person
        return None
