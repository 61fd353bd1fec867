"""What an installation is looked over for before it serves anybody."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest, HttpResponse

from accounts.queries import demo_logins_exist
from finance.bank_session import signing
from kernel.errors import NotAllowed, refusal_response


class DemoStaysHome:
    """In demo mode, whose passwords are printed, only this machine is answered, whatever the server listens on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = request.META.get("REMOTE_ADDR") or "127.0.0.1"  # none on a Unix socket
        if settings.DEMO and ("X-Forwarded-For" in request.headers or not ip_address(address).is_loopback):
            return refusal_response(NotAllowed(), request)
        return self.get_response(request)


def refuse_unsigned_receipts() -> None:
    """Raises ImproperlyConfigured where receipts would be signed with nothing, or with what is no key."""
    if settings.DEMO or settings.TESTING:
        return
    try:
        signing.present()
    except ImproperlyConfigured as trouble:
        raise ImproperlyConfigured(f"Not started: {trouble} (see docs/operating.md).") from trouble


def refuse_demo_log_ins() -> None:
    """Raises ImproperlyConfigured where anybody could sign in with a password that is printed in the manual."""
    if settings.DEMO or settings.TESTING:
        return
    # A thread of its own: some servers import the application inside their event loop.
    with ThreadPoolExecutor(max_workers=1) as pool:
        found = pool.submit(_found).result()
    if found:
        raise ImproperlyConfigured(
            "Not started: this database holds demo log-ins, whose password everybody knows. "
            "A bank's installation begins with an empty database (see docs/operating.md)."
        )


def _found() -> bool:
    try:
        return demo_logins_exist()
    finally:
        connection.close()
