"""The admin's site: it has no sign-in and no password page of its own."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect


class Operations(AdminSite):
    """Django's, with the app's doors."""

    site_header = site_title = "运营后台"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way to sign in, with one set of counters: the app's page."""
        return HttpResponseRedirect("/sign-in?" + urlencode({"to": request.GET.get("next", "/admin/")}))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """And one way to change a password, which ends the other sessions."""
        return HttpResponseRedirect("/me/password")


class OperationsConfig(AdminConfig):
    default_site = "accounts.operations.Operations"
