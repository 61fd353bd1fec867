"""Routes under /api/finance/, on the app's origin."""

from django.urls import include, path

urlpatterns = [
    path("", include("finance.ledger.urls")),
    path("", include("finance.bank_session.app_urls")),
    path("", include("finance.wealth.urls")),
    path("", include("finance.payments.urls")),
    path("", include("finance.services.urls")),
]
