"""The audit chain: who did what, hash-linked, append-only in the database.

Rows go in with a MAC and no link, so that nobody queues for the chain's head. The sealer links what is older than
every running transaction of this database, in order of id, and the head goes to a file outside the database.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from kernel import notes
from kernel.canonical import canonical
from kernel.models import AuditLink, AuditRow

GENESIS = b"\x00" * 32
BATCH = 1_000
_SEALER_LOCK = 0x61756469  # "audi"

# The oldest transaction that may yet commit a row: of those that run, without those that are known to run in another
# database. Who holds the lock on a transaction's id is known to every role; where nobody does (it is about to take it,
# or has ended since, or is prepared) the transaction counts, and the next second looks again. It is asked before the
# rows are read, so that what has ended by then has its rows seen.
_HORIZON = """
WITH seen AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot)
SELECT coalesce(
    (SELECT min(running::text::bigint) FROM seen, pg_snapshot_xip(seen.snapshot) AS running
     WHERE NOT EXISTS (
        SELECT 1 FROM pg_locks held JOIN pg_stat_activity holder ON holder.pid = held.pid
        WHERE held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock' AND held.granted
            AND held.transactionid = running::xid AND holder.datname <> current_database())),
    (SELECT pg_snapshot_xmax(seen.snapshot)::text::bigint FROM seen))
"""


@dataclass(frozen=True)
class Break:
    """The first place where the chain does not hold."""

    position: int
    reason: str


def _mac(actor_id: UUID | None, action: str, subject: str, detail: dict[str, Any]) -> bytes:
    return hmac.digest(settings.AUDIT_KEY.encode(), canonical([str(actor_id), action, subject, detail]), "sha256")


def record(actor_id: UUID | None, action: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Notes a deed in its own transaction: `actor_id` (None: the system), a dotted verb, what it was done to.

    `detail` holds ids, codes and amounts; no personal data in clear.
    """
    detail = detail or {}
    actor, mac = None if actor_id is None else str(actor_id), _mac(actor_id, action, subject, detail)
    notes.add(audit=[notes.Audit(actor, action, subject, detail, mac.hex())])


def _digest(previous: bytes, row: AuditRow) -> bytes:
    return hashlib.sha256(previous + row.pk.to_bytes(8, "big") + row.at.isoformat().encode() + bytes(row.mac)).digest()


def seal() -> tuple[int, bytes]:
    """Links what is due; answers the head: its position and digest. One sealer works, others return at once."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALER_LOCK])
        mine = cursor.fetchone()[0]
        head = AuditLink.objects.order_by("-position").first()
        position, digest = (head.position, bytes(head.digest)) if head else (0, GENESIS)
        if not mine:
            return position, digest
        cursor.execute(_HORIZON)
        horizon = cursor.fetchone()[0]
        links = []
        due = AuditRow.objects.filter(link__isnull=True, transaction__lt=horizon).order_by("pk")[:BATCH]
        for row in due:
            position, digest = position + 1, _digest(digest, row)
            links.append(AuditLink(position=position, row=row, digest=digest))
        AuditLink.objects.bulk_create(links)
        return position, digest


def seal_and_publish(head_file: Path) -> None:
    """Seals, and appends the new head to a file outside the database if it moved."""
    position, digest = seal()
    if position and _published(head_file)[-1:] != [(position, digest)]:
        head_file.parent.mkdir(parents=True, exist_ok=True)
        with head_file.open("a", encoding="ascii") as file:
            file.write(json.dumps({"position": position, "digest": digest.hex()}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _published(head_file: Path) -> list[tuple[int, bytes]]:
    if not head_file.exists():
        return []
    heads = []
    for line in head_file.read_text(encoding="ascii").splitlines():
        try:
            head = json.loads(line)
        except json.JSONDecodeError:
            continue  # a line cut by a crash was never the last word: the next seal writes the head again
        heads.append((head["position"], bytes.fromhex(head["digest"])))
    return heads


def verify(head_file: Path | None = None) -> tuple[int, Break | None]:
    """Walks the chain; answers how many rows were checked and the first break, or None.

    With `head_file`, every head that was ever published must still be in the chain: that finds a cut tail.
    """
    published = dict(_published(head_file)) if head_file else {}
    previous, expected = GENESIS, 1
    for link in _links():
        row = link.row
        if link.position != expected:
            return expected - 1, Break(expected, "a link is missing")
        if not hmac.compare_digest(bytes(row.mac), _mac(row.actor_id, row.action, row.subject, row.detail)):
            return expected - 1, Break(expected, "a row does not match its MAC")
        previous = _digest(previous, row)
        if previous != bytes(link.digest):
            return expected - 1, Break(expected, "a link does not follow from the one before")
        if published.pop(expected, previous) != previous:
            return expected - 1, Break(expected, "a link differs from the head that was published")
        expected += 1
    if published:
        return expected - 1, Break(min(published), "the chain ends before a head that was published")
    return expected - 1, None


def _links() -> Iterator[AuditLink]:
    return AuditLink.objects.select_related("row").order_by("position").iterator(chunk_size=BATCH)
