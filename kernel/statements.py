"""Statements that every payment makes: PostgreSQL plans them once for each connection, and is told values apart."""

from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


def planned() -> CursorWrapper:
    """A cursor of the default connection, in its transaction, whose statements are planned once (settings say so).

    The server binds the values, so it must be able to tell the type of each `%s` from where it stands: a text in a
    SELECT's own list wants a cast. The ORM's statements do not promise that, and keep Django's own cursor.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    with database.wrap_database_errors:
        # The stubs know neither its argument nor what is wrapped.
        cursor: Any = cast(Any, ServerBindingCursor)(database.connection)
    return database.make_debug_cursor(cursor) if database.queries_logged else database.make_cursor(cursor)
