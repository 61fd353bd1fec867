"""What exists in demo mode only: log-ins to offer, and the business date that can be moved on."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
