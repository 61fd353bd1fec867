"""Figures for Prometheus, to be read on this machine alone."""

from ipaddress import ip_address

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import Gauge

from chat import queries as chat
from finance.bank_session import queries as bank_session
from finance.ledger import queries as books
from kernel.errors import NotFound, refusal_response

BOOKS_HOLD = Gauge("rongliao_books_hold", "1 where the last proof of the books found nothing, 0 where it failed")
BOOKS_PROVED = Gauge("rongliao_books_proved_at", "When the books were last looked at, in seconds since the epoch")
NIGHT_PROOF = Gauge("rongliao_books_proved_whole_at", "When all the books were last looked at, in seconds since 1970")
PROOF_LATE = Gauge("rongliao_books_proof_late", "1 where a proof of the books is older than it may be, 0 where none is")
RINGS_REFUSED = Gauge("rongliao_rings_refused", "Rings of closed browsers that a push service refused and that wait")
RECEIPTS_MISSING = Gauge("rongliao_receipts_missing", "Receipts that could not be signed when last looked after")
RECEIPTS_SWEPT = Gauge("rongliao_receipts_swept_at", "When missing receipts were last looked for, since the epoch")


@require_safe
def metrics(request: HttpRequest) -> HttpResponseBase:
    """The process's figures. From another machine, or through a proxy, there is no such page."""
    address = request.META.get("REMOTE_ADDR") or ""
    if "X-Forwarded-For" in request.headers or not address or not ip_address(address).is_loopback:
        return refusal_response(NotFound(), request)
    _look()
    answer: HttpResponseBase = ExportToDjangoView(request)
    return answer


def _look() -> None:
    """Without a database the other figures are wanted all the more; these stay as they were."""
    try:
        proof, whole = books.last_verification(), books.last_whole_verification()
        sweep = bank_session.last_receipt_sweep()
        late = any(alarm.endswith("late") for alarm in books.proof_alarms())
        refused = chat.refused_rings()
    except DatabaseError:
        return
    RINGS_REFUSED.set(refused)
    if sweep is not None:
        RECEIPTS_MISSING.set(sweep.missing)
        RECEIPTS_SWEPT.set(sweep.at.timestamp())
    if proof is not None:
        BOOKS_HOLD.set(0 if proof.rule else 1)
        BOOKS_PROVED.set(proof.at.timestamp())
    if whole is not None:
        NIGHT_PROOF.set(whole.at.timestamp())
    PROOF_LATE.set(late)
