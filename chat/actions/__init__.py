"""Every write of chat: one function per thing that a person, or an app above, can do."""

from chat.actions.conversations import (
    add_member,
    open_conversation,
    open_direct,
    open_group,
    remove_member,
    set_marks,
)
from chat.actions.messages import (
    Line,
    PastCard,
    append_past,
    forward_card,
    mark_read,
    recall,
    send_card,
    send_notice,
    send_picture,
    send_text,
    update_card,
)
from chat.actions.ringing import Wishes, look, ring, set_wishes, subscribe, unsubscribe, wishes_of

__all__ = [
    "Line",
    "PastCard",
    "Wishes",
    "add_member",
    "append_past",
    "forward_card",
    "look",
    "mark_read",
    "open_conversation",
    "open_direct",
    "open_group",
    "recall",
    "remove_member",
    "ring",
    "send_card",
    "send_notice",
    "send_picture",
    "send_text",
    "set_marks",
    "set_wishes",
    "subscribe",
    "unsubscribe",
    "update_card",
    "wishes_of",
]
