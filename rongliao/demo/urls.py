"""What exists in demo mode only: log-ins to offer, and the business date that can be moved on."""

from django.urls import URLPattern, URLResolver, path

from rongliao.demo import api, clock

urlpatterns: list[URLPattern | URLResolver] = [
    path("logins", api.LoginsView.as_view()),
    path("clock", clock.ClockView.as_view()),
    path("advance", clock.AdvanceView.as_view()),
]
