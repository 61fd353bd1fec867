"""Every write of service accounts, by noun."""

from officials.actions.articles import TOPIC, broadcast, deliver_batch, publish, save_article, upload_picture
from officials.actions.delivery import Past, answer_text, bring_past, conversation_with, deliver_card, deliver_text
from officials.actions.making import WEALTH_NEWS, ensure_official, ensure_standard
from officials.actions.profile import article_payload, follow, save_menu, tap, unfollow

__all__ = [
    "TOPIC",
    "WEALTH_NEWS",
    "Past",
    "answer_text",
    "article_payload",
    "bring_past",
    "broadcast",
    "conversation_with",
    "deliver_batch",
    "deliver_card",
    "deliver_text",
    "ensure_official",
    "ensure_standard",
    "follow",
    "publish",
    "save_article",
    "save_menu",
    "tap",
    "unfollow",
    "upload_picture",
]
