"""What exists in demo mode only: log-ins to offer, and the business date that can be moved on."""

from django.urls import URLPattern, URLResolver, path

from rongliao.demo import api

urlpatterns: list[URLPattern | URLResolver] = [path("logins", api.LoginsView.as_view())]
