"""The only way from an id that somebody sent to an account."""

from uuid import UUID

from finance.ledger.models import Account
from kernel import rows
from kernel.errors import NotFound
from kernel.statements import Question, ask


def account_question(person_id: UUID, account_id: UUID) -> Question[Account | None]:
    """What `account_of` asks, to be asked with others; None stands for its NotFound."""
    return rows.question(Account, "owner_id = %s AND id = %s AND type = 'customer'", [person_id, account_id])


def account_of(person_id: UUID, account_id: UUID) -> Account:
    """The person's own account. Another's, or none, is NotFound alike."""
    asked = account_question(person_id, account_id)
    found = ask(asked).to(asked)
    if found is None:
        raise NotFound
    return found
