"""A person of the demo world at the REST doors, signed in, without a browser."""

import json
import uuid
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.test import Client

from accounts.actions.sessions import DeviceClaim, open_session
from accounts.models import Person

HOST = settings.APP_NETLOC


class Caller:
    """Calls as one person: `su.get("/api/...")`. Answers are Django's test responses; `.json()` reads them."""

    def __init__(self, person_id: UUID | None) -> None:
        self.id = person_id
        self.client = Client(HTTP_HOST=HOST, raise_request_exception=False)
        if person_id is not None:
            request = HttpRequest()
            request.session = import_module(settings.SESSION_ENGINE).SessionStore()
            open_session(request, Person.objects.get(pk=person_id), DeviceClaim(uuid.uuid4(), "test"))
            self.client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; a dict or list goes as JSON, bytes as they are."""
        kind = "application/json"
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, path, data, content_type=kind, headers={"Origin": settings.APP_ORIGIN, **headers}
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PATCH", path, {} if body is None else body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("DELETE", path, **headers)

    def upload(self, path: str, content: bytes, name: str = "picture.png") -> Any:
        """One file as a form."""
        from django.core.files.uploadedfile import SimpleUploadedFile

        return self.client.post(
            path, {"file": SimpleUploadedFile(name, content)}, headers={"Origin": settings.APP_ORIGIN}
        )
