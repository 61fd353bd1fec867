"""What of payments is confirmed on the bank sheet."""

from uuid import UUID

from finance.bank_session import registry
from finance.bank_session.models import Intent
from finance.bank_session.registry import Beginning, Deed, ExecuteResult
from finance.bank_session.statements import StatementDraft
from finance.payments.actions import closing, own, payouts, transfers
from kernel.statements import Answers


def _state_transfer(intent: Intent) -> StatementDraft:
    return transfers.statement(intent.person_id, transfers.Order.of(intent.subject))


def _begin_transfer(intent: Intent) -> Beginning:
    order = transfers.Order.of(intent.subject)
    asked = transfers.Asked(intent.person_id, order, hold=True)

    def begun(locked: Intent, answers: Answers) -> Deed:
        facts = asked.facts(answers)

        def do() -> ExecuteResult:
            transfer = transfers.confirm(
                transfer_id=locked.pk,
                payer_id=locked.person_id,
                order=order,
                signed=locked.signed,
                account=facts.account,
            )
            return ExecuteResult({"transfer_id": str(transfer.pk), "state": transfer.state})

        return Deed(transfers.words_of(order, facts), do)

    return Beginning(asked.questions(), begun)


def _state_payout(intent: Intent) -> StatementDraft:
    return payouts.statement(intent.person_id, payouts.Order.of(intent.subject))


def _do_payout(intent: Intent) -> ExecuteResult:
    order = payouts.Order.of(intent.subject)
    payout = payouts.confirm(payout_id=intent.pk, person_id=intent.person_id, order=order)
    return ExecuteResult({"payout_id": str(payout.pk), "state": payout.state})


def _state_own(intent: Intent) -> StatementDraft:
    return own.statement(intent.person_id, own.Order.of(intent.subject))


def _do_own(intent: Intent) -> ExecuteResult:
    order = own.Order.of(intent.subject)
    made = own.confirm(transfer_id=intent.pk, person_id=intent.person_id, order=order)
    return ExecuteResult({"transfer_id": str(made.pk)})


def _closed(intent: Intent) -> UUID:
    return UUID(str(intent.subject["account_id"]))


def _state_closing(intent: Intent) -> StatementDraft:
    return closing.statement(intent.person_id, _closed(intent))


def _do_closing(intent: Intent) -> ExecuteResult:
    closing.confirm(person_id=intent.person_id, account_id=_closed(intent))
    return ExecuteResult({"account_id": str(_closed(intent)), "status": "closed"})


def register() -> None:
    """Tells the bank session of the kinds, at start."""
    registry.register(transfers.KIND, begin=_begin_transfer, restate=_state_transfer, pays_others=True)
    registry.register(own.KIND, execute=_do_own, restate=_state_own)
    registry.register(payouts.KIND, execute=_do_payout, restate=_state_payout)
    registry.register(closing.KIND, execute=_do_closing, restate=_state_closing)
