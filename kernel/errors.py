"""Refusals: what happened, what was not done, what to do next, in the reader's language; a stable code for programs."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import lazy
from django.utils.translation import get_language

Language = str
"""`zh` or `en`."""


def language_of(accept_language: str | None) -> Language:
    """The interface language for an Accept-Language header: Chinese unless English is asked for first."""
    first = (accept_language or "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def _said(zh: str, en: str) -> str:
    return en if (get_language() or "").startswith("en") else zh


said = lazy(_said, str)
"""A sentence that is put in the request's language when it is shown: `said(zh, en)`."""


class Refusal(Exception):
    """Something that was asked for and not done. Subclasses name code, HTTP status and both texts."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400
    zh: ClassVar[str] = "这一步没有完成。"
    en: ClassVar[str] = "This was not done."
    retry_after_s: ClassVar[int | None] = None
    """When asking again makes sense, where that is the same for everybody."""

    def __init__(self, *, fields: dict[str, str] | None = None, **params: Any) -> None:
        super().__init__(self.code)
        self.params = params
        self.fields = fields or {}

    def message(self, language: Language) -> str:
        """The sentence for people, in `zh` or `en`."""
        return (self.en if language == "en" else self.zh).format(**self.params)

    def body(self, language: Language) -> dict[str, Any]:
        """The JSON body of the refusal."""
        params = {name: value for name, value in self.params.items() if isinstance(value, str | int | bool)}
        error: dict[str, Any] = {"code": self.code, "message": self.message(language), "params": params}
        if self.fields:
            # A field without words of its own takes the whole sentence.
            error["fields"] = {name: words or error["message"] for name, words in self.fields.items()}
        return {"error": error}

    def __str__(self) -> str:
        return f"{self.code}: {self.message('en')}"


class NotFound(Refusal):
    code = "not_found"
    status = 404
    zh = "没有找到,可能已被删除或您无权查看。"
    en = "Not found. It may be gone, or not yours to see."


class NotAllowed(Refusal):
    code = "not_allowed"
    status = 403
    zh = "您没有这项权限,未做任何更改。"
    en = "You may not do this. Nothing was changed."


class SignInNeeded(Refusal):
    code = "sign_in_needed"
    status = 401
    zh = "请先登录。"
    en = "Please sign in first."


class Invalid(Refusal):
    code = "invalid"
    status = 400
    zh = "有内容不符合要求,未做任何更改,请检查后重试。"
    en = "Something does not fit. Nothing was changed; please check and try again."


class Conflict(Refusal):
    code = "conflict"
    status = 409
    zh = "情况已有变化,未做任何更改,请刷新后再试。"
    en = "Things have changed meanwhile. Nothing was done; refresh and try again."


class InFlight(Refusal):
    code = "in_flight"
    status = 409
    retry_after_s = 1
    zh = "同一请求正在处理,请稍候查看结果。"
    en = "The same request is being worked on. Look again in a moment."


class KeyReused(Refusal):
    code = "key_reused"
    status = 422
    zh = "这个请求编号已用于另一内容,未做任何更改。"
    en = "This request key was used for something else. Nothing was done."


class TooMany(Refusal):
    code = "too_many"
    status = 429
    zh = "操作太频繁,请 {wait_s} 秒后再试。"
    en = "Too many tries. Please wait {wait_s} seconds."


class TooLarge(Refusal):
    code = "too_large"
    status = 413
    zh = "内容太大,最多 {limit_kib} KB,未接收。"
    en = "Too large: at most {limit_kib} KB. It was not accepted."


class LengthNeeded(Refusal):
    code = "length_needed"
    status = 411
    zh = "请求没有注明长度,未接收。"
    en = "The request names no length. It was not accepted."


class WrongOrigin(Refusal):
    code = "wrong_origin"
    status = 403
    zh = "请求来自另一个网站,未做任何更改。"
    en = "The request came from another site. Nothing was changed."


class Misdirected(Refusal):
    code = "misdirected"
    status = 421
    zh = "这个地址不由本服务提供。"
    en = "This address is not served here."


def refusal_response(refusal: Refusal, request: HttpRequest) -> JsonResponse:
    """The refusal as an HTTP answer in the caller's language."""
    return JsonResponse(
        refusal.body(language_of(request.headers.get("Accept-Language"))),
        status=refusal.status,
        json_dumps_params={"ensure_ascii": False},
        headers={"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s else None,
    )


class BodyLimitMiddleware:
    """Refuses a body that is larger than its kind may be, or whose length is not said, before anything reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            return refusal_response(LengthNeeded(), request)
        multipart = (request.content_type or "").startswith("multipart/")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if multipart else settings.MAX_BODY_BYTES
        try:
            length = int(request.headers.get("Content-Length") or 0)
        except ValueError:
            return refusal_response(LengthNeeded(), request)
        if length > limit:
            return refusal_response(TooLarge(limit_kib=limit // 1024), request)
        return self.get_response(request)
