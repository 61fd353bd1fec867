"""Accounts that a bound card of another bank opens, without a visit."""

from uuid import UUID

from django.db import transaction

from accounts import queries as people
from finance.ledger import actions as ledger
from finance.ledger import queries as books
from finance.ledger import rules
from finance.ledger.models import Account
from finance.payments import access
from finance.payments.errors import ClassNotOpened
from finance.payments.models import AccountBinding
from kernel import audit
from kernel.clock import business_now

NAMES: dict[rules.AccountClass, str] = {"I": "I 类账户", "II": "II 类账户", "III": "III 类账户"}


def _opened(person_id: UUID, account_class: rules.AccountClass) -> Account | None:
    mine = books.accounts_of(person_id)
    return next((one for one in mine if one.opened_remotely and one.account_class == account_class), None)


def _key(person_id: UUID, account_class: rules.AccountClass) -> str:
    """The same for two who open at once, and another one for every account that was closed before."""
    closed = books.closed_accounts(person_id, account_class=account_class, opened_remotely=True)
    base = f"remote:{person_id}:{account_class}"
    return f"{base}:{closed + 1}" if closed else base


@transaction.atomic
def open_remotely(*, person_id: UUID, account_class: rules.AccountClass, card_id: UUID) -> Account:
    """Opens a class II or III account, bound to the card. A second time answers the account that there is.

    Raises NotFound for a card that is not the person's, ClassNotOpened with the rule.
    """
    card = access.own_card(person_id, card_id)
    decision = rules.may_open(
        account_class,
        verified=people.identity_level(person_id) == "verified",
        cards=len(people.bound_cards(person_id)),
        opened=False,
    )
    if not decision.ok:
        raise ClassNotOpened(reason_zh=decision.zh, reason_en=decision.en)
    account = _opened(person_id, account_class) or ledger.open_account(
        owner_id=person_id,
        account_type="customer",
        account_class=account_class,
        name=NAMES[account_class],
        opened_remotely=True,
        ceiling_fen=rules.CEILINGS_FEN[account_class],
        key=_key(person_id, account_class),
    )
    binding, new = AccountBinding.objects.get_or_create(
        account=account, defaults={"card_id": card.id, "opened_at": business_now()}
    )
    if new:
        audit.record(
            person_id,
            "payments.account_opened",
            f"account:{account.pk}",
            {"class": account_class, "card": str(binding.card_id)},
        )
    return account
