"""What service accounts leave to the worker."""

from uuid import UUID

from chat import access as chat_access
from chat import queries as chat
from kernel.jobs import Payload, consumer
from officials import actions


@consumer(actions.TOPIC)
def deliver(payload: Payload) -> None:
    """The next batch of a broadcast."""
    actions.deliver_batch(broadcast_id=UUID(payload["broadcast_id"]))


@consumer("chat.said")
def said(payload: Payload) -> None:
    """A person wrote to a service account (chat's migration 0003 says so)."""
    person_id, message_id = UUID(payload["sender_id"]), UUID(payload["message_id"])
    message = chat_access.message_for(person_id, message_id)
    if message.recalled_at is not None:
        return
    for member_id in chat.member_ids(message.conversation_id):
        if member_id != person_id:
            actions.answer_text(
                official_person_id=member_id, person_id=person_id, text=message.text, key=f"said:{message_id}"
            )
