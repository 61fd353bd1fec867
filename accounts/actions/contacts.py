"""Friends: asked, accepted, renamed, removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from accounts import limits, ports, throttles
from accounts.errors import AlreadyFriends, NobodyThere, RequestDecided, ThatIsYou, TooManyFriends
from accounts.models import FriendRequest, Friendship, Person
from kernel import audit
from kernel.clock import now
from kernel.errors import KeyReused, NotFound
from kernel.ids import new_id
from kernel.secrets import blind_index

_MAY_BE_FRIENDS = (Person.Kind.CUSTOMER, Person.Kind.VISITOR)


@dataclass(frozen=True)
class Asked:
    """What became of a request: it waits (`pending`), or met one from the other side (`accepted`)."""

    id: UUID
    person_id: UUID
    state: str


def _tell(*people: UUID) -> None:
    transaction.on_commit(lambda: ports.changed.tell(list(people), "contacts", {}), robust=True)


def _lock(people: Sequence[UUID]) -> None:
    """Both people's rows, in order of id, so that two who ask each other at once meet here."""
    list(Person.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk").values_list("pk"))


def _may_have_one_more(person_id: UUID) -> None:
    if Friendship.objects.filter(person=person_id).count() >= limits.MAX_FRIENDS:
        raise TooManyFriends(limit=limits.MAX_FRIENDS)


def make_friends(first: UUID, second: UUID) -> None:
    """Makes two people each other's contacts; harmless if they are."""
    with transaction.atomic():
        _lock([first, second])
        _may_have_one_more(first)
        _may_have_one_more(second)
        Friendship.objects.bulk_create(
            [Friendship(person_id=first, friend_id=second), Friendship(person_id=second, friend_id=first)],
            ignore_conflicts=True,
        )
        audit.record(first, "accounts.befriended", f"person:{second}")
        ports.friendship_changed.tell(first, second, True)
        _tell(first, second)


def _whom(phone: str | None, person_id: UUID | None) -> Person:
    people = Person.objects.filter(is_active=True, kind__in=_MAY_BE_FRIENDS)
    if phone is not None:
        found = people.filter(phone_index=blind_index("phone", phone)).first()
    else:
        found = people.filter(pk=person_id).first() if person_id is not None else None
    if found is None:
        raise NobodyThere
    return found


def ask_to_be_friends(
    *,
    sender_id: UUID,
    request_id: UUID | None = None,
    phone: str | None = None,
    person_id: UUID | None = None,
    message: str = "",
) -> Asked:
    """Asks somebody, found by phone number or id. Asking again renews nothing; asking back accepts.

    Raises NobodyThere, ThatIsYou, AlreadyFriends, TooManyFriends, TooMany, KeyReused.
    """
    throttles.hit("friend", str(sender_id), limit=limits.REQUESTS_PER_HOUR, window=timedelta(hours=1))
    receiver = _whom(phone, person_id)
    if receiver.pk == sender_id:
        raise ThatIsYou
    with transaction.atomic():
        _lock([sender_id, receiver.pk])
        if request_id is not None:
            known = FriendRequest.objects.filter(pk=request_id).first()
            if known is not None:
                if (known.sender_id, known.receiver_id) != (sender_id, receiver.pk):
                    raise KeyReused
                return Asked(known.pk, receiver.pk, known.state)
        if Friendship.objects.filter(person=sender_id, friend=receiver).exists():
            raise AlreadyFriends
        pending = FriendRequest.objects.filter(state=FriendRequest.State.PENDING)
        back = pending.filter(sender=receiver, receiver=sender_id).first()
        if back is not None:
            _accept(back)
            return Asked(back.pk, receiver.pk, FriendRequest.State.ACCEPTED)
        waiting = pending.filter(sender=sender_id, receiver=receiver).first()
        if waiting is None:
            _may_have_one_more(sender_id)
            waiting = FriendRequest.objects.create(
                id=request_id or new_id(), sender_id=sender_id, receiver=receiver, message=message
            )
            _tell(receiver.pk)
        return Asked(waiting.pk, receiver.pk, FriendRequest.State.PENDING)


def _accept(request: FriendRequest) -> None:
    FriendRequest.objects.filter(pk=request.pk).update(state=FriendRequest.State.ACCEPTED, decided_at=now())
    make_friends(request.sender_id, request.receiver_id)


def _decide(person_id: UUID, request_id: UUID) -> FriendRequest:
    request = FriendRequest.objects.filter(pk=request_id, receiver=person_id).first()
    if request is None:
        raise NotFound
    _lock([request.sender_id, request.receiver_id])
    request.refresh_from_db()
    return request


def accept_request(*, person_id: UUID, request_id: UUID) -> UUID:
    """Accepts what somebody asked of this person; answers the new friend. Accepting again changes nothing.

    Raises NotFound for a request that is not theirs, RequestDecided for one they declined.
    """
    with transaction.atomic():
        request = _decide(person_id, request_id)
        if request.state == FriendRequest.State.DECLINED:
            raise RequestDecided
        if request.state == FriendRequest.State.PENDING:
            _accept(request)
        return request.sender_id


def decline_request(*, person_id: UUID, request_id: UUID) -> None:
    """Declines; the sender is not told. Declining again changes nothing. Raises NotFound, RequestDecided."""
    with transaction.atomic():
        request = _decide(person_id, request_id)
        if request.state == FriendRequest.State.ACCEPTED:
            raise RequestDecided
        FriendRequest.objects.filter(pk=request.pk, state=FriendRequest.State.PENDING).update(
            state=FriendRequest.State.DECLINED, decided_at=now()
        )
        _tell(person_id)


def remove_friend(*, person_id: UUID, friend_id: UUID) -> None:
    """Ends a friendship on both sides. Raises NotFound where there is none."""
    with transaction.atomic():
        _lock([person_id, friend_id])
        removed, _ = Friendship.objects.filter(person=person_id, friend=friend_id).delete()
        if not removed:
            raise NotFound
        Friendship.objects.filter(person=friend_id, friend=person_id).delete()
        audit.record(person_id, "accounts.unfriended", f"person:{friend_id}")
        ports.friendship_changed.tell(person_id, friend_id, False)
        _tell(person_id, friend_id)


def set_remark(*, person_id: UUID, friend_id: UUID, remark: str) -> None:
    """Gives a friend a name that only this person sees; empty takes it away. Raises NotFound."""
    with transaction.atomic():
        if not Friendship.objects.filter(person=person_id, friend=friend_id).update(remark=remark):
            raise NotFound
        ports.person_changed.tell(friend_id, [person_id])
        _tell(person_id)
