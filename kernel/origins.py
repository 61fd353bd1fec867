"""Two web origins from one process: which routes, which content policy, and who may write."""

from collections.abc import Callable

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from kernel.errors import Misdirected, WrongOrigin, refusal_response

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class OriginMiddleware:
    """Sends the bank's host to the bank's routes, and refuses writes from any other site.

    A browser names the page's origin on every write. One that carries a cookie of ours must name the very origin
    that it is sent to; one without a cookie (a program) may leave it out. Ports share cookies, so this check, not
    the cookie, is what keeps the chat origin from writing on the bank's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = request.get_host()
        if host == settings.BANK_NETLOC:
            own, policy = settings.BANK_ORIGIN, settings.CSP_BANK
            request.urlconf = settings.BANK_URLCONF
        elif host == settings.APP_NETLOC or host.partition(":")[0] in settings.EXTRA_HOSTS:
            own, policy = settings.APP_ORIGIN, settings.CSP_APP
        else:
            return refusal_response(Misdirected(), request)
        if request.method not in _SAFE_METHODS and not self._may_write(request, own):
            return refusal_response(WrongOrigin(), request)
        response = self.get_response(request)
        if "Content-Security-Policy" not in response.headers:
            response["Content-Security-Policy"] = build_policy(policy)
        if own == settings.BANK_ORIGIN:
            # The policy's frame-ancestors admits the app's origin alone; the older header cannot say that.
            response.headers.pop("X-Frame-Options", None)
            response["Cache-Control"] = response.headers.get("Cache-Control", "no-store")
        return response

    @staticmethod
    def _may_write(request: HttpRequest, own: str) -> bool:
        origin = request.headers.get("Origin")
        if origin is None:
            cookies = {settings.SESSION_COOKIE_NAME, settings.BANK_COOKIE_NAME}
            return not cookies & request.COOKIES.keys()
        return origin == own
