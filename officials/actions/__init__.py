"""Every write of service accounts, by noun."""

from officials.actions.articles import TOPIC, broadcast, deliver_batch, save_article, upload_picture
from officials.actions.delivery import answer_text, conversation_with, deliver_card, deliver_text
from officials.actions.profile import ensure_official, follow, save_menu, tap, unfollow

__all__ = [
    "TOPIC",
    "answer_text",
    "broadcast",
    "conversation_with",
    "deliver_batch",
    "deliver_card",
    "deliver_text",
    "ensure_official",
    "follow",
    "save_article",
    "save_menu",
    "tap",
    "unfollow",
    "upload_picture",
]
