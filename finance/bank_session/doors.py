"""What every door of the bank's origin checks before anything else."""

from typing import Any

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Person
from finance.bank_session import access
from finance.bank_session.errors import BankSessionNeeded
from finance.bank_session.models import BankSession
from kernel.api import ApiView
from kernel.errors import WrongOrigin

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})


class BankCookie(BaseAuthentication):
    """The bank session of the cookie `rl_bank`. The chat's cookie opens nothing here."""

    def authenticate(self, request: Request) -> tuple[Person, BankSession] | None:
        """The person and their bank session, or None."""
        said = request.parser_context
        seen = said["kwargs"]["intent_id"] if said["view"].replaced_may_look else None
        session = access.session_of(request.COOKIES.get(settings.BANK_COOKIE_NAME, ""), looking_at=seen)
        return None if session is None else (session.person, session)

    def authenticate_header(self, request: Request) -> str:
        """Makes a missing session a 401."""
        return "BankSession"


class InBankSession(BasePermission):
    """Anybody with a live bank session."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether there is one. Raises BankSessionNeeded, which says what to do."""
        if not isinstance(request.auth, BankSession):
            raise BankSessionNeeded
        return True


class BankView(ApiView):
    """A door of the bank's origin: called by the bank's own page alone, within a bank session."""

    authentication_classes = [BankCookie]
    permission_classes: list[type[BasePermission]] = [InBankSession]
    replaced_may_look = False
    """Whether it shows an intent to whom has lost the answer that a new token came with (access.session_of)."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuses a caller from elsewhere: a write must name our origin, and a browser must not name another site.

        The chat's page shares the host in a demonstration, and so the cookie; it does not share the origin.
        """
        if request.method not in _READS and request.headers.get("Origin") != settings.BANK_ORIGIN:
            raise WrongOrigin
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in _OWN_SITES:
            raise WrongOrigin
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keeps the answer from being embedded by any other origin."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cross-Origin-Resource-Policy"] = "same-origin"
        return final


def session_in(request: Request) -> BankSession:
    """The bank session of a request that passed InBankSession."""
    if not isinstance(request.auth, BankSession):
        raise BankSessionNeeded
    return request.auth
