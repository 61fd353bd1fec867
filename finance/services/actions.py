"""What is told of an account's changes: exactly one alert for each ledger event and account."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from chat import push
from finance.ledger import access as ledger_access
from finance.ledger import queries as ledger
from finance.services import cards
from finance.services.models import Alert, AlertSetting
from kernel import audit
from kernel.clock import BANK_ZONE, business_now, now
from kernel.ids import new_id
from kernel.jobs import enqueue

WAITING = "services.alert"
HINT = "finance"
CORRECTION = "reversal"
"""What the bank took back is told whatever the owner set."""


@dataclass(frozen=True)
class Happening:
    """What an event did to one customer's account."""

    event_key: str
    account_id: UUID
    owner_id: UUID
    account_name: str
    tail: str
    entry_id: UUID | None
    direction: str
    amount_fen: int
    kind: str
    memo: str
    at: datetime


def happenings(event: str, *, entry_id: UUID | None, hold_id: UUID | None) -> list[Happening]:
    """What a ledger event did to customers' accounts, each account once."""
    if entry_id is not None:
        return [
            Happening(
                event_key=f"entry:{entry_id}:{leg['account_id']}",
                account_id=leg["account_id"],
                owner_id=leg["owner_id"],
                account_name=leg["account_name"],
                tail=leg["tail"],
                entry_id=entry_id,
                direction="in" if leg["amount_fen"] > 0 else "out",
                amount_fen=abs(leg["amount_fen"]),
                kind=leg["kind"],
                memo=leg["memo"],
                at=leg["at"],
            )
            for leg in ledger.entry_legs(entry_id)
            if leg["owner_id"] is not None
        ]
    if hold_id is None:
        raise ValueError(f"the event {event} names neither an entry nor a hold")
    hold = ledger.hold(hold_id)
    account = ledger.account(hold.account_id)
    if account.owner_id is None:
        return []
    placed = event == "held"
    return [
        Happening(
            event_key=f"hold:{hold_id}:{'held' if placed else 'free'}",
            account_id=account.pk,
            owner_id=account.owner_id,
            account_name=account.name,
            tail=account.tail,
            entry_id=None,
            direction="held" if placed else "free",
            amount_fen=hold.amount_fen,
            kind=hold.kind,
            memo=hold.memo if placed else hold.closed_memo or hold.memo,
            at=hold.placed_at if placed else hold.closed_at or hold.placed_at,
        )
    ]


def quiet_until(setting: AlertSetting | None, at: datetime) -> datetime | None:
    """When the quiet hours end that `at` falls in (the bank's zone; they may pass midnight), or None."""
    if setting is None or setting.quiet_from is None or setting.quiet_to is None:
        return None
    local = at.astimezone(BANK_ZONE)
    clock = local.time().replace(tzinfo=None)
    begin, end = setting.quiet_from, setting.quiet_to
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not inside:
        return None
    last = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    return last if last > local else last + timedelta(days=1)


def _outcome(setting: AlertSetting | None, happening: Happening, until: datetime | None) -> Alert.Outcome:
    if happening.kind == CORRECTION:
        return Alert.Outcome.WAITS if until is not None else Alert.Outcome.SENT
    if setting is not None and not setting.enabled:
        return Alert.Outcome.OFF
    if setting is not None and happening.amount_fen < setting.threshold_fen:
        return Alert.Outcome.BELOW
    return Alert.Outcome.WAITS if until is not None else Alert.Outcome.SENT


@transaction.atomic
def tell(happening: Happening, *, past: bool = False) -> bool:
    """Tells the owner, or notes why not; once for an event and account. Answers whether this call did it.

    `past` is for history that is brought along: the card carries the event's own time, and nobody is called.
    """
    setting = AlertSetting.objects.filter(account_id=happening.account_id).first()
    until = None if past else quiet_until(setting, business_now())
    outcome = _outcome(setting, happening, until)
    sent_at = now() if outcome == Alert.Outcome.SENT else None
    alert = Alert(
        id=new_id(),
        event_key=happening.event_key,
        owner_id=happening.owner_id,
        account_id=happening.account_id,
        entry_id=happening.entry_id,
        direction=happening.direction,
        amount_fen=happening.amount_fen,
        kind=happening.kind,
        memo=happening.memo,
        at=happening.at,
        outcome=outcome,
        sent_at=sent_at,
    )
    if not _insert(alert):
        return False
    if outcome == Alert.Outcome.SENT:
        cards.ensure()
        cards.show(alert, account_name=happening.account_name, tail=happening.tail, past=past)
    elif outcome == Alert.Outcome.WAITS:
        enqueue(WAITING, {"alert_id": str(alert.pk)}, run_at=until, key=str(alert.pk))
    push.hint([happening.owner_id], HINT, {"account_id": str(happening.account_id)})
    return True


def _insert(alert: Alert) -> bool:
    """Whether the row is new: the unique event key decides, also between two at once."""
    Alert.objects.bulk_create([alert], ignore_conflicts=True)
    return Alert.objects.filter(pk=alert.pk).exists()


@transaction.atomic
def tell_waiting(*, alert_id: UUID) -> None:
    """The quiet hours are over: tells what waited for that. Harmless twice."""
    alert = Alert.objects.select_for_update().get(pk=alert_id)
    if alert.outcome != Alert.Outcome.WAITS:
        return
    account = ledger.account(alert.account_id)
    alert.outcome, alert.sent_at = Alert.Outcome.SENT, now()
    alert.save(update_fields=["outcome", "sent_at"])
    cards.ensure()
    cards.show(alert, account_name=account.name, tail=account.tail)


@transaction.atomic
def change_setting(
    *,
    person_id: UUID,
    account_id: UUID,
    enabled: bool | None = None,
    threshold_fen: int | None = None,
    quiet: tuple[time, time] | None = None,
    loud: bool = False,
) -> AlertSetting:
    """Changes what the owner is told of an account; None leaves a thing as it is, `loud` ends the quiet hours.

    Raises NotFound for an account of somebody else.
    """
    account = ledger_access.account_of(person_id, account_id)
    AlertSetting.objects.get_or_create(account_id=account.pk)
    setting = AlertSetting.objects.select_for_update().get(account_id=account.pk)
    if enabled is not None:
        setting.enabled = enabled
    if threshold_fen is not None:
        setting.threshold_fen = threshold_fen
    if quiet is not None:
        setting.quiet_from, setting.quiet_to = quiet
    if loud:
        setting.quiet_from = setting.quiet_to = None
    setting.save()
    audit.record(
        person_id,
        "services.alert_setting",
        f"account:{account_id}",
        {"enabled": setting.enabled, "threshold_fen": setting.threshold_fen},
    )
    push.hint([person_id], HINT, {"account_id": str(account_id)})
    return setting
