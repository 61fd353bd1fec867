"""Every shared read of accounts. Each takes a fixed number of statements."""

import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F, OuterRef, Q, Subquery
from stdnum.cn import ric

from accounts import ports
from accounts.models import Advising, BankCard, Device, DeviceSession, Friendship, Identity, Person, StaffRole
from kernel.secrets import blind_index
from kernel.statements import Question, ask
from kernel.text import mask_name

IdentityLevel = Literal["none", "named", "verified"]


@dataclass(frozen=True)
class Seal:
    """What the bank vouches for. Drawn by the app alone; no name or picture makes one."""

    role: Literal["advisor", "agent", "official", "staff"]
    title: str
    title_en: str
    organisation: str
    organisation_en: str


@dataclass(frozen=True)
class PersonCard:
    """A person as another one sees them."""

    id: UUID
    name: str
    name_en: str
    remark: str | None
    hue: int
    avatar_url: str | None
    seal: Seal | None
    kind: str


@dataclass(frozen=True)
class BoundCard:
    """A card of another bank that its holder has proved."""

    id: UUID
    bank_name: str
    tail: str
    kind: str


_STAFF_TITLES: dict[str, tuple[Literal["advisor", "agent", "staff"], str, str]] = {
    "advisor": ("advisor", "客户经理", "Relationship manager"),
    "agent": ("agent", "在线客服", "Customer service"),
}


def avatar_url(person_id: UUID, picture_id: UUID | None) -> str | None:
    """Where the avatar is served; another picture has another address."""
    return f"/api/persons/{person_id}/avatar?v={picture_id.hex[-12:]}" if picture_id else None


def _bank(branch: str = "") -> tuple[str, str]:
    """The bank in both languages, with the branch as it is called."""
    return f"{settings.BANK_NAME} {branch}".strip(), f"{settings.BANK_NAME_EN} {branch}".strip()


def _seal(kind: str, title: str, title_en: str, roles: dict[str, str]) -> Seal | None:
    if kind == Person.Kind.OFFICIAL:
        return Seal("official", title or "服务号", title_en or "Service account", *_bank())
    if kind != Person.Kind.STAFF:
        return None
    for role, (name, of_role, of_role_en) in _STAFF_TITLES.items():
        if role in roles:
            return Seal(name, of_role, of_role_en, *_bank(roles[role]))
    return Seal("staff", "银行员工", "Bank staff", *_bank())


# Nearly every answer shows people: one statement, written out, costs a fifth of the ORM's three.
_CARDS = """
SELECT p.id, p.display_name, p.name_en, f.remark, p.avatar_hue, p.avatar_picture_id, p.kind, p.title, p.title_en,
    CASE WHEN p.kind = 'staff' THEN
        (SELECT json_object_agg(r.role, r.branch)::text FROM accounts_staffrole r WHERE r.person_id = p.id) END
FROM accounts_person p
LEFT JOIN accounts_friendship f ON f.person_id = %s AND f.friend_id = p.id
WHERE p.id = ANY(%s)
"""


def person_cards(ids: Iterable[UUID], *, viewer_id: UUID | None) -> dict[UUID, PersonCard]:
    """The people with these ids as `viewer_id` sees them. Unknown ids are left out. One statement."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_CARDS, [viewer_id, wanted])
        rows = cursor.fetchall()
    return {
        id_: PersonCard(
            id=id_,
            name=name,
            name_en=name_en,
            remark=remark or None,
            hue=hue,
            avatar_url=avatar_url(id_, picture_id),
            seal=_seal(kind, title, title_en, json.loads(roles) if roles else {}),
            kind=kind,
        )
        for id_, name, name_en, remark, hue, picture_id, kind, title, title_en, roles in rows
    }


@dataclass(frozen=True)
class Counterparty:
    """Somebody whom a person is about to deal with. `masked_name` is the registered one for other people's eyes."""

    kind: str
    name: str
    masked_name: str | None
    verified: bool
    friends: bool


_COUNTERPARTY = """
SELECT other.kind, other.display_name, identity.id, identity.name, identity.level,
    (SELECT id FROM accounts_friendship WHERE person_id = %s AND friend_id = %s {lock}) IS NOT NULL
FROM accounts_person other LEFT JOIN accounts_identity identity ON identity.person_id = other.id
WHERE other.id = %s AND other.is_active
"""
_REGISTERED_NAME = Identity._meta.get_field("name")
_COUNTERPARTIES = {False: _COUNTERPARTY.format(lock=""), True: _COUNTERPARTY.format(lock="FOR SHARE")}


def counterparty(person_id: UUID, other_id: UUID, *, hold: bool = False) -> Counterparty | None:
    """What stands between a person and another; None for nobody or somebody blocked. One statement.

    `hold`: friends who are found stay friends until the caller's transaction ends (see are_friends).
    """
    asked = counterparty_question(person_id, other_id, hold=hold)
    return ask(asked).to(asked)


def counterparty_question(person_id: UUID, other_id: UUID, *, hold: bool = False) -> Question[Counterparty | None]:
    """`counterparty`, to be asked with others."""
    return Question(_COUNTERPARTIES[hold], [person_id, other_id, other_id], _counterparty)


def _counterparty(row: Sequence[Any] | None) -> Counterparty | None:
    if row is None:
        return None
    kind, name, identity_id, sealed, level, friends = row
    return Counterparty(
        kind=kind,
        name=name,
        masked_name=None if identity_id is None else mask_name(_REGISTERED_NAME.opened(identity_id, bytes(sealed))),
        verified=level == Identity.Level.VERIFIED,
        friends=friends,
    )


def are_friends(first: UUID, second: UUID, *, hold: bool = False) -> bool:
    """Whether the two are each other's contacts. `hold`: and stay so until the caller's transaction ends."""
    if hold:
        # A share of the row: many may hold it at once, and removing the friend waits for all of them.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM accounts_friendship WHERE person_id = %s AND friend_id = %s FOR SHARE", [first, second]
            )
            return cursor.fetchone() is not None
    return Friendship.objects.filter(person=first, friend=second).exists()


def friend_ids(person_id: UUID) -> list[UUID]:
    """The contacts of a person, in no order. At most limits.MAX_FRIENDS."""
    return list(Friendship.objects.filter(person=person_id).values_list("friend_id", flat=True))


def roles_of(person_id: UUID) -> frozenset[str]:
    """The staff roles of an active member of staff; empty for everybody else."""
    return frozenset(
        StaffRole.objects.filter(person=person_id, person__is_active=True, person__kind="staff").values_list(
            "role", flat=True
        )
    )


def people_with_role(role: str) -> list[UUID]:
    """Active members of staff who hold the role."""
    return list(
        StaffRole.objects.filter(role=role, person__is_active=True, person__kind="staff").values_list(
            "person_id", flat=True
        )
    )


def advisor_of(customer_id: UUID) -> UUID | None:
    """The person's relationship manager of today, or None."""
    return (
        Advising.objects.filter(customer=customer_id, until__isnull=True).values_list("advisor_id", flat=True).first()
    )


def customers_of(advisor_id: UUID) -> list[UUID]:
    """Whom the relationship manager advises today."""
    return list(
        Advising.objects.filter(advisor=advisor_id, until__isnull=True)
        .order_by("since", "id")
        .values_list("customer_id", flat=True)
    )


def registered_name(person_id: UUID) -> str | None:
    """The name on the person's ID. For the server alone: statements and checks show `masked_name`."""
    identity = Identity.objects.filter(person=person_id).only("id", "name").first()
    return str(identity.name) if identity else None


def masked_name(person_id: UUID) -> str | None:
    """The registered name for other people's eyes, `*晓舟`, or None."""
    name = registered_name(person_id)
    return mask_name(name) if name else None


def masked_names(person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """`masked_name` of many people in one statement; those without a registered name are left out."""
    identities = Identity.objects.filter(person__in=set(person_ids)).only("id", "person_id", "name")
    return {identity.person_id: mask_name(str(identity.name)) for identity in identities}


def birth_date(person_id: UUID) -> date | None:
    """The date of birth on the person's registered ID, or None. For the server alone: a PIN must not be it."""
    identity = Identity.objects.filter(person=person_id).only("id", "id_number").first()
    if identity is None:
        return None
    born: date = ric.get_birth_date(str(identity.id_number))
    return born


def id_number_ends_with(person_id: UUID, tail: str) -> bool:
    """Whether the person's proved ID number ends so (X in either case), in a time that does not tell where it differs.

    A number that nobody has proved is none: whoever holds the phone might have typed it. For the server alone.
    """
    identity = Identity.objects.filter(person=person_id, level=Identity.Level.VERIFIED).only("id", "id_number").first()
    if identity is None or not tail:
        return False
    return hmac.compare_digest(str(identity.id_number)[-len(tail) :].encode(), tail.upper().encode())


def has_bound_card(person_id: UUID, number: str) -> bool:
    """Whether a card with this full number is bound by the person."""
    return BankCard.objects.filter(
        person=person_id, number_index=blind_index("card", number), removed_at__isnull=True
    ).exists()


def phone_masked(person_id: UUID) -> str:
    """The person's number as they may see it themselves, `138****0001`; empty without one."""
    person = Person.objects.filter(pk=person_id).only("id", "phone").first()
    phone = str(person.phone) if person is not None and person.phone else ""
    return f"{phone[:3]}****{phone[-4:]}" if phone else ""


def digits_of_theirs(person_id: UUID, digits: str) -> bool:
    """Whether the digits are six of the person's phone or registered ID number. For the server alone: a PIN must not.

    Of the ID number's order and check digits, which prove a person, they are all or none: from a run that reaches into
    them by one digit, whoever knows the birthday would learn that digit in ten guesses, and then the next.
    """
    person = Person.objects.filter(pk=person_id).only("id", "phone").first()
    identity = Identity.objects.filter(person=person_id).only("id", "id_number").first()
    number = str(identity.id_number if identity else "")
    ends = {number[-6:], number[-7:-1]} - {""}
    return digits in str(person.phone if person else "") or digits in number[:-4] or digits in ends


def device_name(device_id: UUID) -> str:
    """What a device calls itself; empty for one that is not known."""
    return Device.objects.filter(pk=device_id).values_list("name", flat=True).first() or ""


def identity_level(person_id: UUID) -> IdentityLevel:
    """How far the person's real name is proved."""
    level = Identity.objects.filter(person=person_id).values_list("level", flat=True).first()
    if level == Identity.Level.VERIFIED:
        return "verified"
    return "named" if level else "none"


def bound_cards(person_id: UUID) -> list[BoundCard]:
    """The person's bound cards, oldest first."""
    return [
        BoundCard(card.pk, card.bank_name, card.tail, card.kind)
        for card in BankCard.objects.filter(person=person_id, removed_at__isnull=True)
        .order_by("bound_at", "id")
        .only("id", "bank_name", "tail", "kind")
    ]


def card_number(person_id: UUID, card_id: UUID) -> str | None:
    """The full number of a person's bound card, for an order to the clearing network; None if it is not theirs.

    The card stays bound until the caller's transaction ends.
    """
    held = BankCard.objects.select_for_update(no_key=True)
    card = held.filter(pk=card_id, person=person_id, removed_at__isnull=True).first()
    return str(card.number) if card else None


def person_by_phone(phone: str) -> UUID | None:
    """The active person with this number, or None. For the server alone."""
    return (
        Person.objects.filter(phone_index=blind_index("phone", phone), is_active=True)
        .values_list("pk", flat=True)
        .first()
    )


def kind_of(person_id: UUID) -> str | None:
    """customer, visitor, staff or official; None for nobody or somebody blocked."""
    return Person.objects.filter(pk=person_id, is_active=True).values_list("kind", flat=True).first()


@dataclass(frozen=True)
class KnownDevice:
    """A device on which a person signed in. `signed_in_at`: when, if they are signed in on it; `verified`: they have
    proved on it to the bank who they are."""

    id: UUID
    name: str
    signed_in_at: datetime | None
    last_seen_at: datetime
    verified: bool


def devices_of(person_id: UUID, *, limit: int, before: tuple[datetime, UUID] | None = None) -> list[KnownDevice]:
    """A page of the person's devices, the last used first (one more than `limit`), after the one that `before` names
    by its time and id."""
    open_here = DeviceSession.objects.filter(
        device=OuterRef("pk"), ended_at__isnull=True, epoch=F("person__session_epoch")
    )
    found = Device.objects.filter(person=person_id, removed_at__isnull=True)
    if before is not None:
        moment, id_ = before
        found = found.filter(Q(last_seen_at__lt=moment) | Q(last_seen_at=moment, pk__lt=id_))
    newest = Subquery(open_here.order_by("-created_at").values("created_at")[:1])
    rows = list(found.annotate(signed_in_at=newest).order_by("-last_seen_at", "-id")[: limit + 1])
    proved = ports.verified_devices.get()(person_id, [row.pk for row in rows]) if ports.verified_devices.filled else ()
    return [KnownDevice(row.pk, row.name, row.signed_in_at, row.last_seen_at, row.pk in proved) for row in rows]


_SIGN_IN = """
SELECT EXISTS (
    SELECT FROM accounts_devicesession s JOIN accounts_person p ON p.id = s.person_id
    WHERE s.id = %s AND s.ended_at IS NULL AND s.epoch = p.session_epoch AND p.is_active
)
"""


def session_is_open(session_id: UUID) -> bool:
    """Whether the sign-in is neither ended nor outdated, and its person not blocked. One statement."""
    asked = sign_in_question(session_id)
    return ask(asked).to(asked)


_ENDED = """
SELECT asked.id FROM unnest(%s::uuid[]) AS asked(id)
LEFT JOIN accounts_devicesession s ON s.id = asked.id LEFT JOIN accounts_person p ON p.id = s.person_id
WHERE (s.ended_at IS NULL AND s.epoch = p.session_epoch AND p.is_active) IS NOT TRUE
"""


def ended_question(session_ids: Sequence[UUID]) -> tuple[str, tuple[list[UUID]]]:
    """The one statement that names those of the sign-ins that are over, and its parameters: for a loop that asks it
    itself, of thousands of which hardly one is.
    """
    return _ENDED, (list(session_ids),)


def _says_so(found: Sequence[Any] | None) -> bool:
    return found is not None and bool(found[0])


def sign_in_question(session_id: UUID) -> Question[bool]:
    """`session_is_open`, to be asked with others."""
    return Question(_SIGN_IN, [session_id], _says_so, always=True)


@dataclass(frozen=True)
class DemoLogin:
    """Somebody of the demo world that anyone at this machine may sign in as."""

    phone: str
    card: PersonCard
    roles: frozenset[str]


def demo_logins() -> list[DemoLogin]:
    """The log-ins of the demo world, as they were made."""
    people = list(Person.objects.filter(is_demo=True, is_active=True).order_by("created_at", "id"))
    cards = person_cards((person.pk for person in people), viewer_id=None)
    return [DemoLogin(str(person.phone), cards[person.pk], roles_of(person.pk)) for person in people]


def demo_logins_exist() -> bool:
    """Whether anybody here has the demo world's password."""
    return Person.objects.filter(is_demo=True).exists()


def open_sessions(session_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the sign-ins that are open (see session_is_open). One statement, cheap for thousands."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.id FROM accounts_devicesession d JOIN accounts_person p ON p.id = d.person_id "
            "WHERE d.id = ANY(%s) AND d.ended_at IS NULL AND d.epoch = p.session_epoch AND p.is_active",
            [list(set(session_ids))],
        )
        return {id_ for (id_,) in cursor.fetchall()}
