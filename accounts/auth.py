"""The session of a signed-in person: over HTTP, and for the socket."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import queries
from accounts.backends import PhoneBackend
from accounts.models import Device, DeviceSession, Person
from accounts.session_store import Row, SessionStore, key_hash, question
from accounts.wire import person_json
from kernel.clock import now
from kernel.errors import SignInNeeded

SESSION_ID = "device_session"
PREFIX_OF_ONE = 64
"""Bits of an IPv6 address that name one connection."""
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class OpenSession:
    """A sign-in that is neither ended nor outdated."""

    id: UUID
    person_id: UUID
    device_id: UUID
    epoch: int


class SignedRequest(HttpRequest):
    """What a request carries once its session has been looked up. A name for the types alone: see `session_of`."""

    open_session: OpenSession
    device_id: UUID
    chat_session_id: UUID


def carry(request: HttpRequest, opened: OpenSession) -> None:
    """Notes the session on its request."""
    signed = cast(SignedRequest, request)
    signed.open_session = opened
    signed.device_id, signed.chat_session_id = opened.device_id, opened.id


def _seen(session_id: UUID, device_id: UUID, last_seen_at: datetime) -> None:
    seen = now()
    if seen - last_seen_at > SEEN_EVERY:
        DeviceSession.objects.filter(pk=session_id).update(last_seen_at=seen)
        Device.objects.filter(pk=device_id).update(last_seen_at=seen)


def _read_along(session: SessionBase) -> Person | None:
    """The person who was read together with the session, where everything agrees as Django's get_user asks for it."""
    holder = session.get(SESSION_KEY)
    opened = session.opened if isinstance(session, SessionStore) else None
    if opened is None or opened.key != session.session_key or session.get(SESSION_ID) != str(opened.id):
        return None
    person = opened.person
    if holder != str(person.pk) or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    if not constant_time_compare(session.get(HASH_SESSION_KEY, ""), person.get_session_auth_hash()):
        return None
    if opened.epoch != person.session_epoch or not PhoneBackend().user_can_authenticate(person):
        return None
    return person


def _open(session: SessionBase, person: Person) -> OpenSession | None:
    key = session.session_key
    if key is None or not person.is_active or SESSION_ID not in session:
        return None
    row = DeviceSession.objects.filter(
        pk=UUID(session[SESSION_ID]), key_hash=key_hash(key), person=person, ended_at__isnull=True
    ).first()
    if row is None or row.epoch != person.session_epoch:
        return None
    _seen(row.pk, row.device_id, row.last_seen_at)
    return OpenSession(id=row.pk, person_id=person.pk, device_id=row.device_id, epoch=row.epoch)


def _holder(request: HttpRequest) -> tuple[Person, OpenSession] | None:
    """Who the session of a request belongs to. One statement where it is in order; what is not, Django looks at."""
    session = request.session
    person = _read_along(session)
    if person is not None and isinstance(session, SessionStore) and session.opened is not None:
        opened = session.opened
        _seen(opened.id, opened.device_id, opened.last_seen_at)
        return person, OpenSession(opened.id, person.pk, opened.device_id, opened.epoch)
    user = get_user(request)
    found = _open(request.session, user) if isinstance(user, Person) else None
    return (cast(Person, user), found) if found is not None else None


def _user(request: HttpRequest) -> Person | AnonymousUser:
    holder = _holder(request)
    if holder is None:
        return AnonymousUser()
    carry(request, holder[1])
    return holder[0]


class DeviceAuthenticationMiddleware(AuthenticationMiddleware):
    """`request.user` is the person of an open device session, else nobody: everywhere, the admin included."""

    def process_request(self, request: HttpRequest) -> None:
        """Looks when first asked."""
        super().process_request(request)
        request.user = cast(Person, SimpleLazyObject(lambda: _user(request)))


class SessionAuthentication(BaseAuthentication):
    """The cookie's session. Writes from another site were refused before (kernel.origins)."""

    def authenticate(self, request: Request) -> tuple[Person, None] | None:
        """The person, or None for a visitor without a session."""
        user = request._request.user
        if not user.is_authenticated:
            return None
        # The lazy object's own person, so that isinstance and pickling see a plain model.
        person = getattr(user, "_wrapped", user)
        return person, None

    def authenticate_header(self, request: Request) -> str:
        """Makes a missing session a 401."""
        return "Session"


def person_of(request: Request) -> Person:
    """The signed-in person. Raises SignInNeeded."""
    if isinstance(request.user, Person):
        return request.user
    raise SignInNeeded


def session_of(request: Request) -> OpenSession:
    """The session of a signed-in request. Raises SignInNeeded."""
    opened = getattr(request._request, "open_session", None) if isinstance(request.user, Person) else None
    if not isinstance(opened, OpenSession):
        raise SignInNeeded
    return opened


@dataclass(frozen=True)
class Guest:
    """Somebody at a door that is no Django request (the socket), and until when their session lasts."""

    session: OpenSession
    kind: str
    until: datetime


def guest_by_key(session_key: str | None) -> Guest | None:
    """Who holds the open session of a cookie's value. One statement."""
    if not session_key:
        return None
    request = HttpRequest()
    request.session = session = SessionStore(session_key)
    holder = _holder(request)
    if holder is None or session.opened is None:
        return None
    person, opened = holder
    return Guest(opened, person.kind, session.opened.until)


def guest_question(session_key: str) -> tuple[str, tuple[Any, ...]]:
    """The one statement that says who holds a cookie's value, and its parameters: for `guest_from`."""
    return question(session_key)


def guest_from(session_key: str, row: Row) -> Guest | None:
    """The same from what `guest_question` answered, without the database: for a loop that asks it itself.

    None where the session is not in order, or Django has to look at it: `guest_by_key` knows. When the device was seen
    is not noted; the requests that follow do that.
    """
    session = SessionStore(session_key, row)
    person, opened = _read_along(session), session.opened
    if person is None or opened is None:
        return None
    return Guest(OpenSession(opened.id, person.pk, opened.device_id, opened.epoch), person.kind, opened.until)


def session_by_key(session_key: str | None) -> OpenSession | None:
    """The open session of a cookie's value."""
    guest = guest_by_key(session_key)
    return guest.session if guest is not None else None


def me_json(request: HttpRequest, person: Person) -> dict[str, Any]:
    """A signed-in person as they see themselves."""
    opened = cast(SignedRequest, request).open_session
    phone = person.phone
    return {
        **person_json(queries.person_cards([person.id], viewer_id=None)[person.id]),
        "roles": sorted(queries.roles_of(person.id)),
        "phone_masked": f"{phone[:3]}****{phone[-4:]}" if phone else None,
        "identity": {"level": queries.identity_level(person.id), "masked_name": queries.masked_name(person.id)},
        "session_id": str(opened.id),
        "device_id": str(opened.device_id),
        "demo": settings.DEMO,
    }


def address_of(request: HttpRequest) -> str:
    """What the address that a request came from counts as; behind a trusted proxy, the one that the proxy saw.

    An IPv6 address counts as its /64: one connection has that many addresses, and can take a new one for every try.
    An IPv4 address in IPv6 clothes (::ffff:1.2.3.4) counts as itself.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.TRUST_PROXY:
        address = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or address
    try:
        found = ip_address(address.strip("[]"))
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((found, PREFIX_OF_ONE), strict=False))
