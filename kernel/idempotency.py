"""Writes with a key: the same again gives the same answer, and the effect once."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.http import HttpResponse, HttpResponseBase
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from kernel.errors import InFlight, Invalid, KeyReused
from kernel.ids import new_id
from kernel.models import StoredAnswer
from kernel.secrets import seal, unseal

HEADER = "Idempotency-Key"


def _context(person_id: UUID, key: UUID) -> str:
    return f"answer:{person_id}:{key}"


def _try_lock(person_id: UUID, key: UUID) -> bool:
    digest = hashlib.sha256(person_id.bytes + key.bytes).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])
        return bool(cursor.fetchone()[0])


def idempotent(
    method: Callable[..., Response],
) -> Callable[..., HttpResponseBase]:
    """For a method of an ApiView that writes: requires the header `Idempotency-Key: <uuid>`.

    The effect and its stored answer commit in one transaction. A repeat gets the same bytes; the same key with
    another input is KeyReused (422); a repeat while the first is at work is InFlight (409). A refusal changes
    nothing and is not stored. Answers are kept encrypted, as long as the ledger.
    """

    @wraps(method)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            key = UUID(request.headers.get(HEADER, ""))
        except ValueError:
            raise Invalid(fields={HEADER: "uuid"}) from None
        person_id = UUID(str(request.user.pk))
        body: bytes = JSONRenderer().render(request.data)
        asked = hashlib.sha256(f"{request.method} {request.path}\n".encode() + body).digest()
        with transaction.atomic():
            if not _try_lock(person_id, key):
                raise InFlight
            stored = StoredAnswer.objects.filter(person_id=person_id, key=key).first()
            if stored is not None:
                if bytes(stored.input_hash) != asked:
                    raise KeyReused
                answer = unseal(bytes(stored.body), _context(person_id, key))
                return HttpResponse(answer, status=stored.status, content_type="application/json")
            response = method(view, request, *args, **kwargs)
            answer = JSONRenderer().render(response.data)
            StoredAnswer.objects.create(
                id=new_id(),
                person_id=person_id,
                key=key,
                input_hash=asked,
                status=response.status_code,
                body=seal(answer, _context(person_id, key)),
            )
        return HttpResponse(answer, status=response.status_code, content_type="application/json")

    return once
