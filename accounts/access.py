"""The only way from an untrusted id to an object of accounts: what is not yours does not exist."""

from uuid import UUID

from accounts.models import BankCard, FriendRequest, Person
from kernel import pictures
from kernel.errors import NotFound
from kernel.models import Picture


def person(person_id: UUID) -> Person:
    """Anybody who is not blocked, for a signed-in viewer. Raises NotFound."""
    found = Person.objects.filter(pk=person_id, is_active=True).defer("phone", "phone_index", "password").first()
    if found is None:
        raise NotFound
    return found


def friend_request(viewer_id: UUID, request_id: UUID) -> FriendRequest:
    """A request that the viewer sent or received. Raises NotFound."""
    found = FriendRequest.objects.filter(pk=request_id).first()
    if found is None or viewer_id not in (found.sender_id, found.receiver_id):
        raise NotFound
    return found


def bank_card(viewer_id: UUID, card_id: UUID) -> BankCard:
    """A bound card of the viewer's own. Raises NotFound."""
    found = BankCard.objects.filter(pk=card_id, person=viewer_id, removed_at__isnull=True).first()
    if found is None:
        raise NotFound
    return found


def avatar(person_id: UUID) -> bytes:
    """The bytes of a person's avatar (WebP), for any signed-in viewer. Raises NotFound."""
    picture_id = person(person_id).avatar_picture_id
    picture = Picture.objects.filter(pk=picture_id).first() if picture_id else None
    if picture is None:
        raise NotFound
    return pictures.read(picture, "thumb")
