"""Figures for Prometheus, to be read on this machine alone."""

from ipaddress import ip_address

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from kernel.errors import NotFound, refusal_response


@require_safe
def metrics(request: HttpRequest) -> HttpResponseBase:
    """The process's figures. From another machine, or through a proxy, there is no such page."""
    address = request.META.get("REMOTE_ADDR") or ""
    if "X-Forwarded-For" in request.headers or not address or not ip_address(address).is_loopback:
        return refusal_response(NotFound(), request)
    answer: HttpResponseBase = ExportToDjangoView(request)
    return answer
