"""What chat asks the desk before a member of staff says something."""

from uuid import UUID

from accounts import queries as people
from chat import ports
from desk.errors import ForbiddenWords
from desk.words import forbidden_in
from kernel.errors import Refusal


def forbidden_words(sender_id: UUID, conversation_id: UUID, text: str) -> Refusal | None:
    """Stops a member of staff who describes a wealth product with a forbidden word."""
    found = forbidden_in(text)
    if found is None or not people.roles_of(sender_id):
        return None
    return ForbiddenWords(word=found.word, instead=found.instead)


def register() -> None:
    """Puts the screen in front of chat."""
    ports.add_screen(forbidden_words)
