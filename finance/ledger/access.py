"""The only way from an id that somebody sent to an account, or to what operations do with the books."""

from uuid import UUID

from accounts import queries as people
from finance.ledger.models import Account, ReversalRequest
from kernel import rows
from kernel.errors import NotAllowed, NotFound
from kernel.statements import Question, ask

REVERSAL_MAKERS = frozenset({"operator"})
REVERSAL_CHECKERS = frozenset({"checker"})


def may_enter_reversals(person_id: UUID) -> None:
    """Raises NotAllowed for whoever is no operator."""
    if not people.roles_of(person_id) & REVERSAL_MAKERS:
        raise NotAllowed


def may_decide_reversals(person_id: UUID) -> None:
    """Raises NotAllowed for whoever is no checker."""
    if not people.roles_of(person_id) & REVERSAL_CHECKERS:
        raise NotAllowed


def may_see_books(person_id: UUID) -> None:
    """Raises NotAllowed for whoever neither enters nor decides reversals."""
    if not people.roles_of(person_id) & (REVERSAL_MAKERS | REVERSAL_CHECKERS):
        raise NotAllowed


def reversal_request(request_id: UUID, *, lock: bool = False) -> ReversalRequest:
    """A request to reverse an entry, for operations. Raises NotFound. `lock` holds it until the transaction ends."""
    requests = ReversalRequest.objects.select_related("entry", "maker", "checker")
    if lock:
        requests = requests.select_for_update(of=("self",), no_key=True)
    found = requests.filter(pk=request_id).first()
    if found is None:
        raise NotFound
    return found


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
