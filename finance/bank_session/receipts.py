"""Receipts: for each executed statement a document signed by the bank, which anybody can check without the bank.

A receipt's file is one JSON object: {"receipt": text, "signature": {"algorithm", "key_id", "value"}}. The signature
is over the UTF-8 bytes of `receipt`, which is itself JSON: the statement exactly as it was confirmed, its hash, how
and when, by whom (their masked registered name), and for a passkey what the passkey signed.
finance/bank_session/verify_receipt.py checks all of it.
"""

import base64
import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import queries as people
from finance.bank_session import verify_receipt
from finance.bank_session.models import Confirmation, Receipt, SigningKey
from finance.bank_session.signing import Signer, derived, present
from kernel.canonical import canonical
from kernel.clock import now
from kernel.errors import NotFound
from kernel.ids import new_id

_log = logging.getLogger(__name__)
VERSION = 1
PAGE_TOKEN = 24
"""Characters of the link's token: 144 bits of the signature's hash."""


@dataclass(frozen=True)
class Shown:
    """A receipt as a page shows it."""

    id: UUID
    kind: str
    holder: str | None
    """The masked registered name of who confirmed; receipts signed before it was in them have none."""
    proof: str
    at: str
    statement: dict[str, Any]
    statement_hash: str
    algorithm: str
    key_id: str
    link: str


def _text(confirmation: Confirmation) -> str:
    content = {
        "version": VERSION,
        "bank": settings.BANK_NAME,
        "intent": str(confirmation.intent_id),
        "kind": confirmation.intent.kind,
        "holder": people.masked_name(confirmation.person_id),
        "statement": bytes(confirmation.statement).decode(),
        "statement_sha256": bytes(confirmation.statement_hash).hex(),
        "proof": confirmation.proof,
        "passkey": confirmation.evidence,
        "executed_at": confirmation.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return canonical(content).decode()


@transaction.atomic
def issue(intent_id: UUID) -> Receipt:
    """The receipt of an executed intent, signed at the first call. Raises NotFound where nothing was executed."""
    known = Receipt.objects.filter(confirmation__intent=intent_id).first()
    if known is not None:
        return known
    confirmation = Confirmation.objects.select_related("intent").filter(intent=intent_id).first()
    if confirmation is None:
        raise NotFound
    text, signer = _text(confirmation).encode(), present()
    _remember(signer)
    receipt = Receipt(
        id=new_id(),
        confirmation=confirmation,
        person_id=confirmation.person_id,
        document=text,
        algorithm=signer.algorithm,
        key_id=signer.key_id,
        signature=signer.sign(text),
        signed_at=now(),
    )
    Receipt.objects.bulk_create([receipt], ignore_conflicts=True)
    return Receipt.objects.get(confirmation=confirmation)


def _remember(signer: Signer) -> None:
    """Keeps the public half of the key, once: another may sign one day, and this one's receipts are still checked."""
    key = SigningKey(
        key_id=signer.key_id, algorithm=signer.algorithm, public_key=signer.public_key(), first_used_at=now()
    )
    if not SigningKey.objects.filter(pk=key.pk).exists():
        SigningKey.objects.bulk_create([key], ignore_conflicts=True)


def key_of(key_id: str) -> SigningKey:
    """The key that signs today or signed once. Raises NotFound."""
    # What a key in a file has taken the place of may have signed before keys were remembered.
    for signer in (present(), derived(settings.AUDIT_KEY)):
        if key_id == signer.key_id:
            return SigningKey(key_id=signer.key_id, algorithm=signer.algorithm, public_key=signer.public_key())
    known = SigningKey.objects.filter(pk=key_id).first()
    if known is None:
        raise NotFound
    return known


def own(person_id: UUID, intent_id: UUID) -> Receipt:
    """The receipt of a person's own executed intent. Raises NotFound."""
    if not Confirmation.objects.filter(intent=intent_id, person_id=person_id).exists():
        raise NotFound
    return issue(intent_id)


def receipts_of(person_id: UUID, before: UUID | None, limit: int) -> list[Receipt]:
    """The person's receipts, newest first, one more than `limit` where there are."""
    found = Receipt.objects.filter(person_id=person_id).select_related("confirmation", "confirmation__intent")
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-id")[: limit + 1])


def by_link(receipt_id: UUID, token: str) -> Receipt:
    """What a receipt's QR code leads to, checked anew. Raises NotFound for another token: an id alone tells nothing;
    and for a receipt whose signature does not hold, which is logged.
    """
    receipt = Receipt.objects.select_related("confirmation", "confirmation__intent").filter(pk=receipt_id).first()
    if receipt is None or not hmac.compare_digest(token_of(receipt), token):
        raise NotFound
    try:
        verify_receipt.verify(as_file(receipt), key_of(receipt.key_id).public_key.encode())
    except verify_receipt.Forged:
        _log.exception("the signature of receipt %s does not hold", receipt.pk)
        raise NotFound from None
    return receipt


def token_of(receipt: Receipt) -> str:
    """The link's secret: whoever holds the receipt can compute it."""
    digest = hashlib.sha256(bytes(receipt.signature)).digest()
    return base64.urlsafe_b64encode(digest).decode()[:PAGE_TOKEN]


def link_of(receipt: Receipt) -> str:
    """The public page that checks it. The token is in the fragment, which no log carries."""
    return f"{settings.APP_ORIGIN}/receipts/{receipt.pk}#{token_of(receipt)}"


def shown(receipt: Receipt) -> Shown:
    """For pages and the PDF."""
    content = json.loads(bytes(receipt.document))
    return Shown(
        id=receipt.pk,
        kind=content["kind"],
        holder=content.get("holder"),
        proof=content["proof"],
        at=content["executed_at"],
        statement=json.loads(content["statement"]),
        statement_hash=content["statement_sha256"],
        algorithm=receipt.algorithm,
        key_id=receipt.key_id,
        link=link_of(receipt),
    )


def as_file(receipt: Receipt) -> bytes:
    """What a person downloads, and `verify_receipt` checks."""
    signature = {
        "algorithm": receipt.algorithm,
        "key_id": receipt.key_id,
        "value": base64.b64encode(bytes(receipt.signature)).decode(),
    }
    written = {"receipt": bytes(receipt.document).decode(), "signature": signature}
    return json.dumps(written, ensure_ascii=False, indent=1).encode()
