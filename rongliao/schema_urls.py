"""The API described: OpenAPI and a page to read it, loaded from this server alone."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(urlconf="rongliao.urls_described"), name="schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="rongliao/docs.html"),
        name="docs",
    ),
]
