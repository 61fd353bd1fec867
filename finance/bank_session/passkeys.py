"""Passkeys: a person's own signature under a statement.

The challenge that a passkey signs is the statement's hash, so what was signed can be checked by anybody who has the
statement and the public key. The PIN authorises the same statement on the server, and signs nothing.
"""

from binascii import Error as NotBase64
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import webauthn
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts import queries as people
from finance.bank_session import events, registry
from finance.bank_session.access import still_open
from finance.bank_session.errors import PasskeyNeeded, PasskeyOver, PasskeyRefused, PasskeyYoung, TooManyPasskeys
from finance.bank_session.models import BankSession, Confirmation, Intent, Passkey
from finance.bank_session.registry import ExecuteResult
from finance.bank_session.statements import Line, StatementDraft
from kernel import audit, notes, rows
from kernel.clock import now
from kernel.errors import NotFound
from kernel.money import yuan
from kernel.statements import Question

ADD, REMOVE = "add_passkey", "remove_passkey"
MAX_PASSKEYS = 10
MAX_NAME = 20
ADDING_S = 300
"""How long after the statement was confirmed the new key may come."""

_MALFORMED = (WebAuthnException, NotBase64, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What the library raises at things that are no credential."""


# The same rule as the library's, asked once more of the row as it is now: another signature may have come between, or
# the key may have been removed. A key that does not count says 0 each time.
_USED = """
UPDATE bank_session_passkey SET sign_count = %s, used_at = %s
WHERE id = %s AND removed_at IS NULL AND (sign_count < %s OR (sign_count = 0 AND %s = 0)) RETURNING id
"""


def passkeys_of(person_id: UUID) -> list[Passkey]:
    """The person's passkeys, oldest first. At most MAX_PASSKEYS."""
    return rows.every(Passkey, "person_id = %s AND removed_at IS NULL ORDER BY added_at, id", [person_id])


def can_sign(person_id: UUID) -> bool:
    """Whether the person has one that counts."""
    return Passkey.objects.filter(person_id=person_id, removed_at__isnull=True, counts_from__lte=now()).exists()


def must_sign(person_id: UUID, amount_fen: int | None) -> bool:
    """Whether a PIN is not enough for this amount: the person has a passkey that counts, or removed one lately."""
    if amount_fen is None or amount_fen < settings.PASSKEY_FROM_FEN:
        return False
    moment = now()
    lately = moment - timedelta(seconds=settings.PASSKEY_GONE_S)
    present = Q(removed_at__isnull=True, counts_from__lte=moment)
    gone = Q(removed_at__gt=lately, counts_from__lte=F("removed_at"))
    return Passkey.objects.filter(present | gone, person_id=person_id).exists()


def refuse_pin_beyond(person_id: UUID, amount_fen: int | None) -> None:
    """Raises PasskeyNeeded where a PIN is not enough."""
    if must_sign(person_id, amount_fen):
        raise PasskeyNeeded(from_yuan=yuan(settings.PASSKEY_FROM_FEN))


def refuse_young_beyond(person_id: UUID, amount_fen: int | None) -> None:
    """Raises PasskeyYoung where a PIN is not enough: a new key is worth what let it in."""
    if must_sign(person_id, amount_fen):
        raise PasskeyYoung(from_yuan=yuan(settings.PASSKEY_FROM_FEN), hours=settings.PASSKEY_YOUNG_S // 3600)


@dataclass(frozen=True)
class Use:
    """That a passkey signed, and what its counter stood at."""

    passkey_id: UUID
    sign_count: int


@dataclass(frozen=True)
class Signature:
    """What a passkey signed. `counts`: its first hours are over.

    `evidence` is what anybody can check later: the public key and what it signed, in base64url.
    """

    used: Use
    counts: bool
    evidence: dict[str, str]


def key_question(person_id: UUID, credential: dict[str, Any]) -> Question[Passkey | None]:
    """For the person's own passkey that a credential names. Raises PasskeyRefused where it names none."""
    try:
        key_id = base64url_to_bytes(str(credential["id"]))
    except _MALFORMED:
        raise PasskeyRefused from None
    return rows.question(Passkey, "credential_id = %s AND person_id = %s AND removed_at IS NULL", [key_id, person_id])


def verify(key: Passkey | None, credential: dict[str, Any], statement_hash: bytes) -> Signature:
    """Returns if this passkey signed this hash, on the bank's page, with the user verified.

    Raises PasskeyRefused for anything else: no such key, another challenge, origin or rp id, no verification, a counter
    that runs backwards.
    """
    if key is None:
        raise PasskeyRefused
    try:
        seen = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=statement_hash,
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.BANK_ORIGIN,
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except _MALFORMED:
        raise PasskeyRefused from None
    answered = credential["response"]
    evidence = {
        "public_key": bytes_to_base64url(bytes(key.public_key)),
        "client_data": str(answered["clientDataJSON"]),
        "authenticator_data": str(answered["authenticatorData"]),
        "signature": str(answered["signature"]),
        "rp_id": settings.PASSKEY_RP_ID,
    }
    return Signature(Use(key.pk, seen.new_sign_count), key.counts_from <= now(), evidence)


def note_use(use: Use, *, at_once: bool = False) -> None:
    """Moves the key's counter on, in the transaction of what was signed, which is rolled back with PasskeyRefused where
    the key was removed or its counter moved on meanwhile. So a signature whose deed fails may be given again for it.

    `at_once`: before what is done next, not with what is gathered (notes).
    """
    count = use.sign_count
    with transaction.atomic() if at_once else nullcontext():
        notes.write(_USED, [count, now(), use.passkey_id, count, count], then=_refuse_unwritten)


def _refuse_unwritten(rows: list[dict[str, Any]]) -> None:
    if not rows:
        raise PasskeyRefused


def options(session: BankSession, intent: Intent) -> dict[str, Any]:
    """What the page hands to `navigator.credentials.create` once the statement is confirmed. Raises PasskeyOver."""
    _refuse_late(session, intent)
    made = webauthn.generate_registration_options(
        rp_id=settings.PASSKEY_RP_ID,
        rp_name=settings.BANK_NAME,
        user_id=session.person_id.bytes,
        user_name=people.phone_masked(session.person_id) or settings.BANK_NAME,
        challenge=bytes(intent.statement_hash),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=bytes(key.credential_id)) for key in passkeys_of(session.person_id)
        ],
    )
    written: dict[str, Any] = webauthn.helpers.options_to_json_dict(made)
    return written


def allowed(person_id: UUID) -> list[dict[str, Any]]:
    """The person's keys as `allowCredentials` wants them."""
    return [
        {"type": "public-key", "id": bytes_to_base64url(bytes(key.credential_id)), "transports": key.transports}
        for key in passkeys_of(person_id)
    ]


def _refuse_late(session: BankSession, intent: Intent) -> None:
    """The key is added in the very session that confirmed it, soon after, once."""
    soon = now() - timedelta(seconds=ADDING_S)
    confirmed = Confirmation.objects.filter(intent=intent, bank_session=session).exists()
    ended = intent.ended_at
    if intent.kind != ADD or not confirmed or ended is None or ended < soon:
        raise PasskeyOver
    if Passkey.objects.filter(intent=intent).exists():
        raise PasskeyOver


def add(*, session: BankSession, intent: Intent, credential: dict[str, Any]) -> Passkey:
    """Keeps a new passkey: made over the hash of the statement that the person has just confirmed.

    Raises PasskeyOver, PasskeyRefused, TooManyPasskeys, BankSessionNeeded (it was closed meanwhile).
    """
    _refuse_late(session, intent)
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=bytes(intent.statement_hash),
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.BANK_ORIGIN,
            require_user_verification=True,
        )
        transports = [str(one)[:20] for one in credential["response"].get("transports", [])][:8]
    except _MALFORMED:
        raise PasskeyRefused from None
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 9))", [f"passkeys:{session.person_id}"])
        still_open(session)
        _refuse_more(session.person_id)
        moment = now()
        try:
            with transaction.atomic():
                key = Passkey.objects.create(
                    person_id=session.person_id,
                    intent=intent,
                    credential_id=made.credential_id,
                    public_key=made.credential_public_key,
                    sign_count=made.sign_count,
                    transports=transports,
                    name=str(intent.subject["name"]),
                    device_id=session.device_id,
                    added_at=moment,
                    counts_from=_counts_from(session.person_id, intent, moment),
                )
        except IntegrityError:
            raise PasskeyRefused from None
        audit.record(session.person_id, "passkey.added", f"passkey:{key.pk}")
        events.happened(session.person_id, "passkey_added", device_id=session.device_id)
    return key


def _refuse_more(person_id: UUID) -> None:
    if len(passkeys_of(person_id)) >= MAX_PASSKEYS:
        raise TooManyPasskeys(limit=MAX_PASSKEYS)


def _counts_from(person_id: UUID, intent: Intent, added_at: datetime) -> datetime:
    """A key that another key let in counts with that one; one that the PIN let in, when its first hours are over."""
    evidence = Confirmation.objects.values_list("evidence", flat=True).get(intent=intent)
    if evidence:
        known = base64url_to_bytes(evidence["public_key"])
        for key in Passkey.objects.filter(person_id=person_id):
            if bytes(key.public_key) == known:
                return max(added_at, key.counts_from)
    return added_at + timedelta(seconds=settings.PASSKEY_YOUNG_S)


def rename(*, person_id: UUID, passkey_id: UUID, name: str) -> Passkey:
    """Calls a passkey otherwise. Raises NotFound."""
    if not Passkey.objects.filter(pk=passkey_id, person_id=person_id, removed_at__isnull=True).update(name=name):
        raise NotFound
    return Passkey.objects.get(pk=passkey_id)


def _own(person_id: UUID, passkey_id: UUID) -> Passkey:
    key = Passkey.objects.filter(pk=passkey_id, person_id=person_id, removed_at__isnull=True).first()
    if key is None:
        raise NotFound
    return key


def add_draft(person_id: UUID, name: str) -> StatementDraft:
    """What adding a passkey says. Raises TooManyPasskeys."""
    _refuse_more(person_id)
    hours, amount = settings.PASSKEY_YOUNG_S // 3600, yuan(settings.PASSKEY_FROM_FEN)
    return StatementDraft(
        title_zh="添加通行密钥",
        title_en="Add a passkey",
        lines=[
            Line("名称", "Name", name, name),
            Line("用途", "Used for", "在确认页上签署转账、购买等操作", "Signing transfers and purchases on this page"),
            Line(
                "大额",
                "Large amounts",
                f"¥ {amount} 起:{hours} 小时后可签署;用另一把通行密钥确认添加的,与那把相同",
                f"From ¥ {amount} on: after {hours} hours; a key added with another passkey, as that one",
            ),
        ],
    )


def remove_draft(person_id: UUID, passkey_id: UUID) -> StatementDraft:
    """What removing one says. Raises NotFound."""
    key = _own(person_id, passkey_id)
    day = key.added_at.strftime("%Y-%m-%d")
    hours = settings.PASSKEY_GONE_S // 3600
    return StatementDraft(
        title_zh="移除通行密钥",
        title_en="Remove a passkey",
        lines=[
            Line("名称", "Name", key.name, key.name),
            Line("添加于", "Added on", day, day),
            Line(
                "之后",
                "Afterwards",
                f"{hours} 小时内仍不能只用支付密码授权大额",
                f"The PIN alone authorises no large amounts for {hours} hours",
            ),
        ],
    )


def _restate_add(intent: Intent) -> StatementDraft:
    return add_draft(intent.person_id, str(intent.subject["name"]))


def _allow_adding(intent: Intent) -> ExecuteResult:
    """Nothing yet: what was confirmed allows the key to come."""
    return ExecuteResult()


def _restate_remove(intent: Intent) -> StatementDraft:
    return remove_draft(intent.person_id, UUID(intent.subject["passkey_id"]))


def _remove(intent: Intent) -> ExecuteResult:
    key = _own(intent.person_id, UUID(intent.subject["passkey_id"]))
    if not Passkey.objects.filter(pk=key.pk, removed_at__isnull=True).update(removed_at=now()):
        raise NotFound
    audit.record(intent.person_id, "passkey.removed", f"passkey:{key.pk}")
    events.happened(intent.person_id, "passkey_removed", device_id=intent.device_id)
    return ExecuteResult()


def register_kinds() -> None:
    """Makes adding and removing intents like others."""
    registry.register(ADD, execute=_allow_adding, restate=_restate_add)
    registry.register(REMOVE, execute=_remove, restate=_restate_remove)
