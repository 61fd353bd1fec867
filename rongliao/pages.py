"""Pages that the front end's build left, and what machines ask about the server's health."""

import json
import re
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.html import escape
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from finance.bank_session import queries as bank_session
from finance.ledger import queries as books
from kernel.clock import now
from kernel.errors import NotFound, refusal_response
from kernel.models import Heartbeat

WORKER_SILENCE_S = 30
_TITLE = re.compile(r"<title>.*?</title>")


def _built(name: str) -> HttpResponseBase:
    path: Path = settings.FRONTEND_DIST / name
    if not path.is_file():
        return HttpResponse("the front end is not built: run make build\n", status=503, content_type="text/plain")
    return HttpResponse(_named(path.read_text("utf-8")), content_type="text/html; charset=utf-8")


def _named(page: str) -> str:
    """The page under the installation's own names, which the front end finds in it instead of asking for them."""
    site = {
        "brand": settings.BRAND,
        "brand_en": settings.BRAND_EN,
        "bank": settings.BANK_NAME,
        "bank_en": settings.BANK_NAME_EN,
        "demo": settings.DEMO,
    }
    said = f"<title>{escape(settings.BRAND)}</title>\n    "
    said += f'<meta name="rl-site" content="{escape(json.dumps(site, ensure_ascii=False))}" />'
    return _TITLE.sub(lambda _: said, page, count=1)


def _with_opener(response: HttpResponseBase, policy: str) -> HttpResponseBase:
    """Every other answer keeps `same-origin`, of SECURE_CROSS_ORIGIN_OPENER_POLICY."""
    response["Cross-Origin-Opener-Policy"] = policy
    return response


@require_safe
@never_cache
def app(request: HttpRequest) -> HttpResponseBase:
    """The customers' app; its routes are the browser's. It may open the bank's window and hear from it."""
    return _with_opener(_built("index.html"), "same-origin-allow-popups")


@require_safe
@never_cache
def desk(request: HttpRequest) -> HttpResponseBase:
    """The staff's page."""
    return _built("desk.html")


@require_safe
@never_cache
def bank(request: HttpRequest) -> HttpResponseBase:
    """The bank sheet, on its own origin. As a window it must be able to answer the page that opened it."""
    return _with_opener(_built("bank.html"), "unsafe-none")


@require_safe
@never_cache
def service_worker(request: HttpRequest) -> HttpResponseBase:
    """The service worker, served from the root so that it covers the app."""
    path: Path = settings.FRONTEND_DIST / "sw.js"
    if not path.is_file():
        return HttpResponse(status=404)
    return FileResponse(path.open("rb"), content_type="text/javascript; charset=utf-8")


@require_safe
def manifest(request: HttpRequest) -> HttpResponseBase:
    """The web app manifest, with the installation's names."""
    icons = [
        {"src": "/static/icons/app-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": "/static/icons/app-512.png", "sizes": "512x512", "type": "image/png"},
        {
            "src": "/static/icons/app-maskable-512.png",
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    body: dict[str, Any] = {
        "name": settings.BRAND,
        "short_name": settings.BRAND,
        "lang": "zh-CN",
        "start_url": "/",
        "display": "standalone",
        "background_color": "#f4f2ed",
        "theme_color": "#f4f2ed",
        "icons": icons,
    }
    return JsonResponse(body, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False})


@csrf_exempt
def no_such_api(request: HttpRequest) -> HttpResponse:
    """An API path that does not exist answers like any other refusal."""
    return refusal_response(NotFound(), request)


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "alive"})


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError:
        return False


def _layer_answers() -> bool:
    layer = get_channel_layer()
    if layer is None:
        return False
    try:
        async_to_sync(layer.group_send)("readiness", {"type": "readiness.probe"})
    except OSError:
        return False
    return True


def _worker_lives() -> bool:
    beat = Heartbeat.objects.filter(role="worker").first()
    return beat is not None and (now() - beat.at).total_seconds() < WORKER_SILENCE_S


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Whether the server can do its work: database, channel layer, worker. 503 names what is missing.

    `alarms` names what somebody must look at though the server works; it is there only when there is one.
    """
    database = _database_answers()
    checks = {"database": database, "layer": _layer_answers(), "worker": database and _worker_lives()}
    answer: dict[str, Any] = {"ready": all(checks.values()), "checks": checks}
    if database and (alarms := _alarms()):
        answer["alarms"] = alarms
    return JsonResponse(answer, status=200 if answer["ready"] else 503)


def _alarms() -> list[str]:
    """What the proofs of the books say, and `receipts` where one could not be signed."""
    sweep = bank_session.last_receipt_sweep()
    return [*books.proof_alarms(), *(["receipts"] if sweep and sweep.missing else [])]
