"""Puts a person's cookie into a test client, where signing in is not what the test is about."""

from importlib import import_module
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest
from django.test import Client

from accounts.actions.sessions import DeviceClaim, open_session
from accounts.models import Person


def sign_in(client: Client, person: Person) -> None:
    """Opens a session as the sign-in page does once the password was right."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    open_session(request, person, DeviceClaim(uuid4(), "test"))
    client.cookies[settings.SESSION_COOKIE_NAME] = str(request.session.session_key)
