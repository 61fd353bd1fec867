"""Who is in a conversation, remembered by the number that counts changes of membership."""

from collections.abc import Sequence
from uuid import UUID

from chat.delivery.database import Database

MAX_KEPT = 50_000
_SQL = """
SELECT c.id, c.member_version, array_agg(m.person_id), array_agg(m.joined_at_seq)
FROM chat_conversation c JOIN chat_member m ON m.conversation_id = c.id
WHERE c.id = ANY(%s) GROUP BY c.id, c.member_version
"""

_LISTENERS = """
SELECT array_agg(m.person_id) FROM chat_member m
WHERE m.conversation_id = %s AND EXISTS (
    SELECT 1 FROM chat_member s WHERE s.conversation_id = m.conversation_id AND s.person_id = %s AND s.barred = '')
"""

People = tuple[UUID, ...]


class Members:
    """Who is in a conversation, and from which message on."""

    __slots__ = ("_all", "_joined", "_last_joined", "version")

    def __init__(self, version: int, people: Sequence[UUID], joined: Sequence[int]) -> None:
        self.version = version
        self._all: People = tuple(people)
        self._joined = joined
        self._last_joined = max(joined)

    def of(self, seq: int) -> People:
        """Who may see the message of this number: those who came after it are members, and it is kept from them."""
        if seq > self._last_joined:
            return self._all
        return tuple(person for person, joined in zip(self._all, self._joined, strict=True) if joined < seq)


class MemberCache:
    """Lists of members of the conversations that were lately spoken in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[UUID, Members] = {}

    def at(self, conversation_id: UUID, version: int) -> Members | None:
        """The members in this version of the membership or a later one, or None where they must be read."""
        kept = self._kept.get(conversation_id)
        return kept if kept is not None and kept.version >= version else None

    async def load(self, conversation_ids: set[UUID]) -> dict[UUID, Members]:
        """Reads and remembers; conversations that do not exist are left out. Raises psycopg.Error."""
        rows = await self._database.fetch(_SQL, (list(conversation_ids),))
        while len(self._kept) + len(rows) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        found = {row[0]: Members(*row[1:]) for row in rows}
        self._kept.update(found)
        return found

    async def heard_by(self, conversation_id: UUID, speaker_id: UUID) -> People:
        """The other members, if the speaker may write there; else nobody. Raises psycopg.Error."""
        rows = await self._database.fetch(_LISTENERS, (conversation_id, speaker_id))
        return tuple(member for member in rows[0][0] or () if member != speaker_id)
