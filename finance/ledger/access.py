"""The only way from an id that somebody sent to an account."""

from uuid import UUID

from finance.ledger.models import Account
from kernel.errors import NotFound


def account_of(person_id: UUID, account_id: UUID) -> Account:
    """The person's own account. Another's, or none, is NotFound alike."""
    found = Account.objects.filter(pk=account_id, owner_id=person_id, type=Account.Type.CUSTOMER).first()
    if found is None:
        raise NotFound
    return found
