"""Django's sessions in the database, read together with whom they belong to: one statement a request, not three."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import DEFAULT_DB_ALIAS, connection

from accounts.models import Person
from kernel.clock import now

# The encrypted phone is read when somebody asks for it. In the model's order: so Model.from_db wants them.
_READ = [field for field in Person._meta.concrete_fields if field.attname not in {"phone", "phone_index"}]
_NAMES = [field.attname for field in _READ]
_SQL = f"""
SELECT s.session_data, s.expire_date, d.id, d.device_id, d.epoch, d.last_seen_at,
    {", ".join(f"p.{field.column}" for field in _READ)}
FROM django_session s
LEFT JOIN accounts_devicesession d ON d.key_hash = %s AND d.ended_at IS NULL
LEFT JOIN accounts_person p ON p.id = d.person_id
WHERE s.session_key = %s AND s.expire_date > %s
"""  # noqa: S608 - our own constants


def key_hash(session_key: str) -> bytes:
    """What is kept of a session key outside Django's own table."""
    return hashlib.sha256(session_key.encode()).digest()


class Opened(NamedTuple):
    """A device session that has not ended, as it stood when the session was read under `key`."""

    key: str
    id: UUID
    device_id: UUID
    epoch: int
    last_seen_at: datetime
    person: Person
    until: datetime


Row = Sequence[Any]
_SHORTEST_KEY = 8


def question(session_key: str) -> tuple[str, tuple[Any, ...]]:
    """The statement that reads a session with whom it belongs to, and its parameters; it answers a Row, or none."""
    return _SQL, (key_hash(session_key), session_key, now())


class SessionStore(DatabaseStore):
    """The database's sessions. `opened` is the device session that was read along, if there is one.

    `row`: what `question` answered, for callers who have asked it themselves.
    """

    opened: Opened | None = None

    def __init__(self, session_key: str | None = None, row: Row | None = None) -> None:
        super().__init__(session_key)
        self._row = row

    def _validate_session_key(self, key: str | None) -> bool:
        """Whether Django could have made it. A quoted cookie can carry what PostgreSQL takes for no text at all."""
        return key is not None and len(key) >= _SHORTEST_KEY and key.isascii() and key.isalnum()

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing for one that is unknown or over."""
        key = self.session_key
        assert key is not None
        row, self._row = self._row, None
        if row is None:
            with connection.cursor() as cursor:
                cursor.execute(*question(key))
                row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        data, until, id_, device_id, epoch, last_seen_at, *of_person = row
        if id_ is not None:
            person = Person.from_db(DEFAULT_DB_ALIAS, _NAMES, of_person)
            self.opened = Opened(key, id_, device_id, epoch, last_seen_at, person, until)
        loaded: dict[str, Any] = self.decode(data)
        return loaded
