"""Reads of alerts."""

from dataclasses import dataclass
from uuid import UUID

from finance.ledger import queries as ledger
from finance.services.models import Alert, AlertSetting
from kernel.errors import NotFound


@dataclass(frozen=True)
class Balance:
    """An account's money, in fen: after the alert's entry (`after`), or as it is now."""

    balance_fen: int
    available_fen: int | None
    after: bool


def balance_of(viewer_id: UUID, alert_id: UUID) -> Balance:
    """The balance that belongs to an alert, for its owner alone. Raises NotFound."""
    alert = Alert.objects.filter(pk=alert_id, owner_id=viewer_id).first()
    if alert is None:
        raise NotFound
    if alert.entry_id is not None:
        for leg in ledger.entry_legs(alert.entry_id):
            if leg["account_id"] == alert.account_id:
                return Balance(leg["balance_after_fen"], None, after=True)
    account = ledger.account(alert.account_id)
    return Balance(account.balance_fen, account.available_fen, after=False)


@dataclass(frozen=True)
class Wanted:
    """What the owner of an account wants to be told of it."""

    account_id: UUID
    name: str
    tail: str
    setting: AlertSetting


def settings_of(person_id: UUID) -> list[Wanted]:
    """The person's accounts with what they want to be told of each. Two statements."""
    accounts = ledger.accounts_of(person_id)
    kept = {row.account_id: row for row in AlertSetting.objects.filter(account_id__in=[one.pk for one in accounts])}
    return [Wanted(one.pk, one.name, one.tail, kept.get(one.pk) or AlertSetting(account_id=one.pk)) for one in accounts]
