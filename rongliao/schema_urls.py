"""The API described: OpenAPI and a page to read it, loaded from this server alone."""

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from rongliao import contracts


@require_safe
def asyncapi(request: HttpRequest) -> JsonResponse:
    """The socket's contract."""
    return JsonResponse(contracts.asyncapi(), json_dumps_params={"ensure_ascii": False})


@require_safe
def frames(request: HttpRequest) -> JsonResponse:
    """The socket's frames as JSON Schema."""
    return JsonResponse(contracts.json_schema(), json_dumps_params={"ensure_ascii": False})


urlpatterns = [
    path("asyncapi.json", asyncapi),
    path("frames.json", frames),
    path("schema/", SpectacularAPIView.as_view(urlconf="rongliao.urls_described"), name="schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="rongliao/docs.html"),
        name="docs",
    ),
]
