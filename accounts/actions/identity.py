"""Real name and bank cards."""

import unicodedata
from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction
from stdnum import numdb
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from accounts import limits, ports, throttles
from accounts.banks import is_card_number, issuer_of
from accounts.errors import (
    CardBankUnknown,
    CardCheckUnavailable,
    CardNumberWrong,
    CardRefused,
    CardTaken,
    CardUnusable,
    IdentityNeeded,
    IdentitySettled,
    IdentityTaken,
    IdNumberWrong,
    RealNameWrong,
    TooManyCards,
)
from accounts.models import BankCard, Consent, Identity, Person
from accounts.queries import BoundCard, has_bound_card
from kernel import audit
from kernel.clock import business_date, now
from kernel.errors import KeyReused, NotFound
from kernel.ids import new_id
from kernel.secrets import blind_index

CARD_CONSENT = "card_check"
CARD_CONSENT_VERSION = "2026-11"
OLDEST_BIRTH_YEAR = 1900


def checked_id_number(number: str) -> str:
    """The number with its last X upper-case. Raises IdNumberWrong.

    GB 11643: 18 characters, a real region and date of birth, the check digit.
    """
    refused = IdNumberWrong(fields={"id_number": ""})
    if not (number.isascii() and len(number) == 18):
        raise refused
    number = number.upper()
    # Not ric.validate: it wants the region to exist in the year of birth, but the number carries the region of
    # the year in which it was given, and the first ones were given in 1984.
    known_region = any(properties for _, properties in numdb.get("cn/loc").info(number[:6]))
    try:
        born: date = ric.get_birth_date(number)
    except (ValidationError, ValueError):
        raise refused from None
    if (
        not number[:17].isdigit()
        or number[17] != ric.calc_check_digit(number)
        or not known_region
        or born.year < OLDEST_BIRTH_YEAR
        or born > business_date()
    ):
        raise refused
    return number


def checked_real_name(name: str) -> str:
    """A name as on an ID card: 2 to 30 ideographs, with · inside where the name has parts. Raises RealNameWrong."""
    inner = name.replace("·", "")
    if (
        not 2 <= len(name) <= 30
        or name.startswith("·")
        or name.endswith("·")
        or "··" in name
        or not all(unicodedata.name(character, "").startswith("CJK UNIFIED IDEOGRAPH") for character in inner)
    ):
        raise RealNameWrong(fields={"name": ""})
    return name


def give_identity(*, person_id: UUID, name: str, id_number: str) -> None:
    """Keeps the name and number that a person gives; until they are verified they may be put right.

    The same again changes nothing. Raises RealNameWrong, IdNumberWrong, IdentitySettled.
    """
    name, id_number = checked_real_name(name), checked_id_number(id_number)
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=person_id)
        identity = Identity.objects.filter(person=person_id).first()
        if identity is not None and identity.name == name and identity.id_number == id_number:
            return
        if identity is not None and identity.level == Identity.Level.VERIFIED:
            raise IdentitySettled
        identity = identity or Identity(id=new_id(), person_id=person_id)
        identity.name = name
        identity.id_number = id_number
        identity.id_index = blind_index("id_number", id_number)
        identity.save()
        audit.record(person_id, "accounts.identity_given", f"person:{person_id}")


def confirm_identity(*, person_id: UUID, by: str) -> None:
    """Marks the given identity as proved. `by` says how: `card`, `branch`.

    Inside the caller's transaction or its own. Raises IdentityNeeded, IdentityTaken.
    """
    with transaction.atomic():
        identity = Identity.objects.select_for_update().filter(person=person_id).first()
        if identity is None:
            raise IdentityNeeded
        if identity.level == Identity.Level.VERIFIED:
            return
        try:
            with transaction.atomic():
                Identity.objects.filter(pk=identity.pk).update(level=Identity.Level.VERIFIED, verified_at=now())
        except IntegrityError:
            raise IdentityTaken from None
        audit.record(person_id, "accounts.identity_verified", f"person:{person_id}", {"by": by})


def _already(person_id: UUID, card_id: UUID, index: bytes) -> BoundCard | None:
    card = BankCard.objects.filter(person=person_id, number_index=index, removed_at__isnull=True).first()
    if card is None:
        if BankCard.objects.filter(pk=card_id).exists():
            raise KeyReused
        return None
    return BoundCard(card.pk, card.bank_name, card.tail, card.kind)


def bind_card(*, person_id: UUID, card_id: UUID, number: str, phone: str | None = None) -> BoundCard:
    """Binds another bank's card after its bank confirmed name, ID number, card and phone (四要素).

    `phone`: the one that bank has; default: the person's own. The same card again answers the card there is.
    Raises CardNumberWrong, CardBankUnknown, IdentityNeeded, CardRefused, CardUnusable, CardCheckUnavailable,
    CardTaken, IdentityTaken, TooManyCards, TooMany, KeyReused, NotConnected.
    """
    if not is_card_number(number):
        raise CardNumberWrong(fields={"number": ""})
    issuer = issuer_of(number)
    if issuer is None:
        raise CardBankUnknown(fields={"number": ""})
    person = Person.objects.get(pk=person_id)
    identity = Identity.objects.filter(person=person).first()
    if identity is None:
        raise IdentityNeeded
    index = blind_index("card", number)
    bound = _already(person_id, card_id, index)
    if bound is not None:
        return bound
    throttles.hit("card", str(person_id), limit=limits.CARD_TRIES_PER_DAY, window=throttles.DAY)
    name, id_number = str(identity.name), str(identity.id_number)
    # The other bank is asked outside of any transaction: it may take its time, and nothing is locked meanwhile.
    verdict = ports.verification.get().verify(name, id_number, number, phone or str(person.phone))
    if not verdict.ok:
        with transaction.atomic():
            audit.record(person_id, "accounts.card_refused", f"person:{person_id}", {"reason": verdict.reason})
        raise {"card_unusable": CardUnusable, "unavailable": CardCheckUnavailable}.get(verdict.reason, CardRefused)
    return keep_card(person_id=person_id, card_id=card_id, number=number, proved=(name, id_number))


def recheck_card(*, person_id: UUID, number: str) -> bool:
    """Whether a bound card's bank says, now, that it still belongs to this person with this phone (四要素).

    False for a card that the person has not bound. Call it outside of a transaction: the other bank may take its
    time. Raises CardCheckUnavailable, NotConnected.
    """
    identity = Identity.objects.filter(person=person_id, level=Identity.Level.VERIFIED).first()
    if identity is None or not has_bound_card(person_id, number):
        return False
    phone = str(Person.objects.only("id", "phone").get(pk=person_id).phone)
    verdict = ports.verification.get().verify(str(identity.name), str(identity.id_number), number, phone)
    if verdict.reason == "unavailable":
        raise CardCheckUnavailable
    return verdict.ok


def keep_card(
    *, person_id: UUID, card_id: UUID, number: str, proved: tuple[str, str] | None = None, by: str = "card"
) -> BoundCard:
    """Keeps a card that its bank has confirmed, and with it the holder's identity.

    `proved`: the name and ID number that were confirmed; refused if the person has changed them since.
    Raises as bind_card.
    """
    index = blind_index("card", number)
    issuer = issuer_of(number)
    if issuer is None:
        raise CardBankUnknown
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=person_id)
        bound = _already(person_id, card_id, index)
        if bound is not None:
            return bound
        if BankCard.objects.filter(person=person_id, removed_at__isnull=True).count() >= limits.MAX_CARDS:
            raise TooManyCards(limit=limits.MAX_CARDS)
        checked = Identity.objects.get(person=person_id)
        if proved is not None and (checked.name, checked.id_number) != proved:
            raise CardRefused
        confirm_identity(person_id=person_id, by=by)
        card = BankCard(
            id=card_id,
            person_id=person_id,
            number_index=index,
            tail=number[-4:],
            bank_name=issuer.bank_name,
            kind=issuer.kind,
        )
        card.number = number
        try:
            with transaction.atomic():
                card.save(force_insert=True)
        except IntegrityError:
            raise CardTaken from None
        Consent.objects.get_or_create(person_id=person_id, kind=CARD_CONSENT, version=CARD_CONSENT_VERSION)
        audit.record(person_id, "accounts.card_bound", f"card:{card.pk}")
    return BoundCard(card.pk, card.bank_name, card.tail, card.kind)


def unbind_card(*, person_id: UUID, card_id: UUID) -> None:
    """Takes a card away; what was paid to it stays on record. Raises NotFound, and what an app above must keep it for
    (ports.card_unbinding)."""
    with transaction.atomic():
        # Held like the card that a payout is confirmed to: the two wait for each other.
        held = BankCard.objects.select_for_update()
        if held.filter(pk=card_id, person=person_id, removed_at__isnull=True).first() is None:
            raise NotFound
        ports.card_unbinding.tell(person_id, card_id)
        BankCard.objects.filter(pk=card_id).update(removed_at=now())
        audit.record(person_id, "accounts.card_unbound", f"card:{card_id}")
