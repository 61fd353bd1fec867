"""The card of an article, in the conversation with its service account."""

from uuid import UUID

import msgspec

from chat import cards

KIND = "article"
STATE = "published"


class ArticleCard(msgspec.Struct, frozen=True):
    """What the card shows. The article itself is read on its page."""

    title: str
    summary: str
    cover_id: UUID | None
    official_code: str


def _summary(payload: ArticleCard, state: str, language: str) -> str:
    return f"[Article] {payload.title}" if language == "en" else f"[文章] {payload.title}"


def register() -> None:
    """Tells chat of the kind."""
    cards.register(KIND, payload=ArticleCard, states=frozenset({STATE}), summary=_summary)
