"""The only way from an untrusted id to an object. It answers as if what one may not see did not exist."""

from uuid import UUID

from chat.models import Conversation, Member, Message
from kernel.errors import NotFound
from kernel.models import Picture


def member_for(person_id: UUID, conversation_id: UUID) -> Member:
    """The person's membership, with its conversation. Raises NotFound."""
    member = (
        Member.objects.select_related("conversation").filter(conversation=conversation_id, person=person_id).first()
    )
    if member is None:
        raise NotFound
    return member


def conversation_for(person_id: UUID, conversation_id: UUID) -> Conversation:
    """A conversation that the person is in. Raises NotFound."""
    return member_for(person_id, conversation_id).conversation


def message_for(person_id: UUID, message_id: UUID) -> Message:
    """A message that the person may see. Raises NotFound."""
    message = (
        Message.objects.select_related("conversation", "card")
        .filter(pk=message_id, conversation__members__person=person_id)
        .first()
    )
    if message is None:
        raise NotFound
    member = member_for(person_id, message.conversation_id)
    if message.seq <= member.joined_at_seq:
        raise NotFound
    return message


def picture_for(person_id: UUID, picture_id: UUID) -> Picture:
    """A picture shown by a message that the person may see and nobody recalled. Raises NotFound."""
    rows = Message.objects.filter(
        picture=picture_id, recalled_at__isnull=True, conversation__members__person=person_id
    ).values_list("conversation_id", "seq")
    for conversation_id, seq in rows[:20]:
        if seq > member_for(person_id, conversation_id).joined_at_seq:
            return Picture.objects.get(pk=picture_id)
    raise NotFound
