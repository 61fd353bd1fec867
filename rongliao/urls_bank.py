"""Routes of the bank's origin: the sheet and what it calls, nothing else."""

from django.urls import include, path, re_path

from rongliao import pages

handler500 = "kernel.outage.failed"

urlpatterns = [
    path("healthz", pages.alive),
    path("api/bank/", include("finance.bank_session.urls")),
    re_path(r"^api/.*$", pages.no_such_api),
    re_path(r"^sheet/.*$", pages.bank),
    re_path(r"^$", pages.bank),
]
