"""Routes of finance.services."""

from django.urls import URLPattern, URLResolver, path

from finance.services import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("alerts/<uuid:alert_id>/balance", api.AlertBalance.as_view(), name="alert-balance"),
    path("alert-settings", api.AlertSettings.as_view(), name="alert-settings"),
]
