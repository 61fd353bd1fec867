"""What every REST door shares: one form of error, pages by cursor."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpResponse
from django.utils.http import parse_etags
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import outage, pictures, schema  # noqa: F401  (registers the OpenAPI extensions)
from kernel.errors import Invalid, NotAllowed, NotFound, Refusal, SignInNeeded, TooLarge, TooMany, language_of

PAGE = 30
MAX_PAGE = 100

Item = TypeVar("Item")


def _flat(detail: Any, path: str = "") -> dict[str, str]:
    """DRF's nested validation details as {dotted field: sentence}."""
    if isinstance(detail, dict):
        found: dict[str, str] = {}
        for name, inner in detail.items():
            key = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            found.update(_flat(inner, key))
        return found
    if isinstance(detail, list):
        if detail and all(isinstance(item, str) for item in detail):
            return {path or "body": str(detail[0])}
        found = {}
        for index, inner in enumerate(detail):
            found.update(_flat(inner, f"{path}.{index}" if path else str(index)))
        return found
    return {path or "body": str(detail)}


class _HttpRefusal(Refusal):
    code = "request_refused"
    zh = "这个请求无法处理,未做任何更改。"
    en = "This request cannot be handled. Nothing was changed."


def _as_refusal(error: Exception) -> Refusal | None:  # noqa: PLR0911  (one line per kind)
    match error:
        case Refusal():
            return error
        case exceptions.ValidationError():
            return Invalid(fields=_flat(error.detail))
        case exceptions.ParseError():
            return Invalid(fields={"body": str(error.detail)})
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return SignInNeeded()
        case exceptions.Throttled():
            return TooMany(wait_s=int(getattr(error, "wait", None) or 1) + 1)
        case exceptions.PermissionDenied() | PermissionDenied():
            return NotAllowed()
        case exceptions.NotFound() | Http404():
            return NotFound()
        case RequestDataTooBig():
            return TooLarge(limit_kib=0)
    return None


def render_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal as {"error": {code, message, params, fields?}} in the caller's language (DRF's handler)."""
    request: Request = context["request"]
    language = language_of(request.headers.get("Accept-Language"))
    refusal = _as_refusal(error) or outage.refusal_for(error, request.method)
    if refusal is not None:
        response = Response(refusal.body(language), status=refusal.status)
        if isinstance(refusal, TooMany):
            response["Retry-After"] = str(refusal.params["wait_s"])
        elif refusal.retry_after_s:
            response["Retry-After"] = str(refusal.retry_after_s)
        return response
    if isinstance(error, exceptions.APIException):
        return Response(_HttpRefusal().body(language), status=error.status_code)
    return None


class ApiView(APIView):
    """The base of our REST doors: `request.user` is the person; errors are refusals; answers are not cached."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuses a NUL in the query, as the parser does in a body: PostgreSQL takes it for no text."""
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise Invalid(fields={"query": "NUL"})
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Keeps personal answers out of every cache unless the view says otherwise."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if "Cache-Control" not in final.headers:
            final["Cache-Control"] = "no-store"
        return final


def picture_answer(request: Request, picture_id: UUID, size: str, body: bytes) -> HttpResponse:
    """A picture that this person may see now. A browser keeps it and asks each time, so that what was recalled, or is
    no longer for them, is not shown from what it kept.
    """
    tag = f'"{picture_id}-{size}"'
    known = tag in parse_etags(request.headers.get("If-None-Match", ""))
    answer = HttpResponse(status=304) if known else HttpResponse(body, content_type=pictures.CONTENT_TYPE)
    for header, value in (("Cache-Control", "private, no-cache"), ("ETag", tag), ("Vary", "Cookie")):
        answer[header] = value
    return answer


def moment_in(text: str) -> datetime:
    """The moment that a cursor names, in UTC. Raises ValueError: also for one without an offset, and for one that is in
    no year of the calendar once it is in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def limit_of(request: Request, *, default: int = PAGE, most: int = MAX_PAGE) -> int:
    """The `limit` of a list, between 1 and `most`. Raises Invalid on anything else."""
    raw = request.query_params.get("limit")
    if raw is None:
        return default
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or not 1 <= int(raw) <= most:
        raise Invalid(fields={"limit": f"1..{most}"})
    return int(raw)


def number_of(request: Request, name: str) -> int | None:
    """A whole number ≥ 0 from the query, or None if absent. Raises Invalid on anything else."""
    raw = request.query_params.get(name)
    if raw is None or raw == "":
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > 18:
        raise Invalid(fields={name: "0.."})
    return int(raw)


def page(items: Sequence[Item], limit: int, cursor: Callable[[Item], Any]) -> tuple[list[Item], str | None]:
    """Cuts a list that was read with one row more than `limit`; answers the page and the next cursor."""
    shown = list(items[:limit])
    more = len(items) > limit
    return shown, str(cursor(shown[-1])) if more and shown else None
