"""The only way from an id that somebody sent to an account."""

from uuid import UUID

from finance.ledger.models import Account
from kernel import rows
from kernel.errors import NotFound


def account_of(person_id: UUID, account_id: UUID) -> Account:
    """The person's own account. Another's, or none, is NotFound alike."""
    found = rows.first(Account, "owner_id = %s AND id = %s AND type = 'customer'", [person_id, account_id])
    if found is None:
        raise NotFound
    return found
