"""Taking an entry back, by four eyes: one person enters it with a reason, another has it posted or refuses it.

What is posted is a new entry with every sign turned (`actions.reverse`): an entry has one reversal, a reversal has
none, and a customer who has spent the money is not taken below nothing.
"""

from uuid import UUID

from django.db import IntegrityError, transaction

from finance.ledger import actions
from finance.ledger.access import may_decide_reversals, may_enter_reversals, reversal_request
from finance.ledger.errors import (
    AlreadyReversed,
    NotReversible,
    OwnAccount,
    OwnReversal,
    ReversalClosed,
    ReversalWaiting,
)
from finance.ledger.models import Entry, Posting, ReversalRequest
from kernel import audit
from kernel.clock import business_now
from kernel.errors import KeyReused, NotFound

KIND = "reversal"
MAX_MEMO = 120
State = ReversalRequest.State


def _refuse_impossible(entry_id: UUID) -> None:
    entry = Entry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound
    if entry.reverses_id is not None:
        raise NotReversible
    if Entry.objects.filter(reverses_id=entry_id).exists():
        raise AlreadyReversed


def _refuse_concerned(person_id: UUID, entry_id: UUID) -> None:
    if Posting.objects.filter(entry_id=entry_id, account__owner_id=person_id).exists():
        raise OwnAccount


def _audited(request: ReversalRequest, what: str, actor_id: UUID, reason: str) -> None:
    detail = {"entry": str(request.entry_id), "reason": reason}
    audit.record(actor_id, f"ledger.reversal_{what}", f"reversal:{request.pk}", detail)


def _known(request_id: UUID, maker_id: UUID, entry_id: UUID, reason: str) -> ReversalRequest | None:
    """The request of this id, if there is one. Raises KeyReused where it is another one's, or of other words."""
    known = ReversalRequest.objects.filter(pk=request_id).first()
    if known is not None and (known.entry_id, known.maker_id, known.reason) != (entry_id, maker_id, reason):
        raise KeyReused
    return known


@transaction.atomic
def enter(*, request_id: UUID, maker_id: UUID, entry_id: UUID, reason: str) -> ReversalRequest:
    """Asks for an entry to be taken back. The same id with the same words again is the same request.

    Raises NotAllowed without the role, NotFound (no such entry), NotReversible (it is a reversal), AlreadyReversed,
    ReversalWaiting (somebody asked before), OwnAccount, KeyReused for an id of another request.
    """
    may_enter_reversals(maker_id)
    known = _known(request_id, maker_id, entry_id, reason)
    if known is not None:
        return known
    _refuse_impossible(entry_id)
    _refuse_concerned(maker_id, entry_id)
    request = ReversalRequest(
        id=request_id, entry_id=entry_id, maker_id=maker_id, reason=reason, entered_at=business_now()
    )
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError:
        # The same request at once with itself, or somebody else's.
        known = _known(request_id, maker_id, entry_id, reason)
        if known is not None:
            return known
        raise ReversalWaiting from None
    _audited(request, "entered", maker_id, reason)
    return request


@transaction.atomic
def approve(*, request_id: UUID, checker_id: UUID) -> ReversalRequest:
    """Has the reversal posted, and its owners told. The same approval again changes nothing.

    Raises NotAllowed without the role, NotFound, OwnReversal for whoever entered it, OwnAccount, ReversalClosed,
    AlreadyReversed, InsufficientFunds (somebody has spent the money), AccountClosed, CeilingReached; the request then
    waits as before.
    """
    may_decide_reversals(checker_id)
    request = reversal_request(request_id, lock=True)
    if request.maker_id == checker_id:
        raise OwnReversal
    if request.state == State.APPROVED and request.checker_id == checker_id:
        return request
    if request.state != State.WAITING:
        raise ReversalClosed
    _refuse_concerned(checker_id, request.entry_id)
    posted = actions.reverse(
        key=f"reversal:{request.pk}",
        entry_id=request.entry_id,
        memo=f"冲正:{request.entry.memo}"[:MAX_MEMO],
        initiator_id=checker_id,
    )
    request.reversal_id = posted.entry_id
    return _decided(request, State.APPROVED, checker_id, "")


@transaction.atomic
def refuse(*, request_id: UUID, checker_id: UUID, reason: str) -> ReversalRequest:
    """Ends the request without posting. The same again changes nothing.

    Raises NotAllowed without the role, NotFound, OwnReversal, ReversalClosed.
    """
    may_decide_reversals(checker_id)
    request = reversal_request(request_id, lock=True)
    if request.maker_id == checker_id:
        raise OwnReversal
    if (request.state, request.checker_id, request.checker_reason) == (State.REFUSED, checker_id, reason):
        return request
    if request.state != State.WAITING:
        raise ReversalClosed
    return _decided(request, State.REFUSED, checker_id, reason)


def _decided(request: ReversalRequest, state: State, checker_id: UUID, reason: str) -> ReversalRequest:
    request.state, request.checker_id, request.checker_reason = state, checker_id, reason
    request.closed_at = business_now()
    request.save(update_fields=["state", "checker", "checker_reason", "closed_at", "reversal"])
    _audited(request, str(state), checker_id, reason)
    return request


@transaction.atomic
def withdraw(*, request_id: UUID, maker_id: UUID) -> ReversalRequest:
    """Gives one's own request up. The same again changes nothing. Raises NotAllowed, NotFound, ReversalClosed."""
    may_enter_reversals(maker_id)
    request = reversal_request(request_id, lock=True)
    if request.maker_id != maker_id:
        raise NotFound
    if request.state == State.WITHDRAWN:
        return request
    if request.state != State.WAITING:
        raise ReversalClosed
    request.state, request.closed_at = State.WITHDRAWN, business_now()
    request.save(update_fields=["state", "closed_at"])
    _audited(request, "withdrawn", maker_id, "")
    return request
