"""The API described: OpenAPI and a page to read it, loaded from this server alone."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from rongliao import contracts


class SessionScheme(OpenApiAuthenticationExtension):
    """Says how a caller proves who they are: by the session's cookie."""

    target_class = "accounts.auth.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class BankScheme(OpenApiAuthenticationExtension):
    """The bank session's own cookie, on the bank's origin alone."""

    target_class = "finance.bank_session.doors.BankCookie"
    name = "bank"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.BANK_COOKIE_NAME}


@require_safe
def asyncapi(request: HttpRequest) -> JsonResponse:
    """The socket's contract."""
    return JsonResponse(contracts.asyncapi(), json_dumps_params={"ensure_ascii": False})


urlpatterns = [
    path("asyncapi.json", asyncapi),
    path("schema/", SpectacularAPIView.as_view(urlconf="rongliao.urls_described"), name="schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="rongliao/docs.html"),
        name="docs",
    ),
]
