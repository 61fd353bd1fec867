"""Limits in use: exact under concurrency, because the counters' rows are locked before the rule is asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from finance.bank_session import queries as bank_session
from finance.ledger import rules
from finance.ledger.models import Account
from finance.payments.errors import RuleRefused
from finance.payments.models import LimitCounter, LimitUse
from kernel.clock import business_date, business_now


@dataclass(frozen=True)
class Used:
    """What an account has used of its limits in one direction."""

    day_fen: int = 0
    year_fen: int = 0


def _periods(moment: datetime) -> tuple[str, str]:
    day = business_date(moment)
    return day.isoformat(), str(day.year)


def used(account_ids: list[UUID], direction: rules.Direction) -> dict[UUID, Used]:
    """What these accounts have used today and this year (Asia/Shanghai). One statement, no lock."""
    day, year = _periods(business_now())
    found: dict[UUID, dict[str, int]] = {}
    rows = LimitCounter.objects.filter(account__in=account_ids, direction=direction, period__in=[day, year])
    for account_id, period, amount in rows.values_list("account_id", "period", "used_fen"):
        found.setdefault(account_id, {})[period] = amount
    return {
        account_id: Used(found.get(account_id, {}).get(day, 0), found.get(account_id, {}).get(year, 0))
        for account_id in account_ids
    }


def side_of(account: Account, use: Used, *, signed: bool | None = None) -> rules.Side:
    """What the rules weigh of an account. `signed`: by a passkey; None: as its owner could."""
    if signed is None:
        signed = account.owner_id is not None and bank_session.has_passkey(account.owner_id)
    return rules.Side(
        account_class=_class(account),
        opened_remotely=account.opened_remotely,
        balance_fen=account.balance_fen,
        used_day_fen=use.day_fen,
        used_year_fen=use.year_fen,
        signed=signed,
    )


def _class(account: Account) -> rules.AccountClass:
    match account.account_class:
        case "I" | "II" | "III" as known:
            return known
    raise ValueError(f"account {account.pk} is no customer's")


def refuse_unless_ok(decision: rules.Decision) -> None:
    """Raises RuleRefused for a no."""
    if not decision.ok:
        raise RuleRefused(rule=decision.code, reason_zh=decision.zh, reason_en=decision.en, fits_fen=decision.fits_fen)


def claim(
    *,
    key: str,
    account: Account,
    direction: rules.Direction,
    counterpart: rules.Counterpart,
    amount_fen: int,
    signed: bool = False,
) -> None:
    """Counts a movement against the account's limits, or raises RuleRefused and counts nothing.

    Inside the caller's transaction, before the ledger locks accounts. The same key again changes nothing.
    """
    rule = rules.rule_for(side_of(account, Used(), signed=signed), direction, counterpart)
    if not rule.allowed or (rule.day_fen is None and rule.year_fen is None):
        refuse_unless_ok(rules.decide(side_of(account, Used(), signed=signed), direction, counterpart, amount_fen))
        return
    day, year = _periods(business_now())
    LimitCounter.objects.bulk_create(
        [LimitCounter(account=account, direction=direction, period=period) for period in (year, day)],
        ignore_conflicts=True,
    )
    rows = LimitCounter.objects.select_for_update(of=("self",)).filter(
        account=account, direction=direction, period__in=[day, year]
    )
    counted = dict(rows.order_by("period").values_list("period", "used_fen"))
    if LimitUse.objects.filter(pk=key).exists():
        return
    decision = rules.decide(
        side_of(account, Used(counted[day], counted[year]), signed=signed), direction, counterpart, amount_fen
    )
    refuse_unless_ok(decision)
    LimitCounter.objects.filter(account=account, direction=direction, period__in=[day, year]).update(
        used_fen=F("used_fen") + amount_fen
    )
    LimitUse.objects.create(key=key, account=account, direction=direction, day=day, year=year, amount_fen=amount_fen)


def give_back(*, key: str) -> None:
    """Takes a movement that did not happen out of its limits. Once; a key that counted nothing is fine."""
    use = LimitUse.objects.filter(pk=key).first()
    if use is None:
        return
    periods = [use.day, use.year]
    rows = LimitCounter.objects.select_for_update(of=("self",)).filter(
        account=use.account_id, direction=use.direction, period__in=periods
    )
    list(rows.order_by("period"))
    if LimitUse.objects.filter(pk=key, given_back_at__isnull=True).update(given_back_at=business_now()):
        LimitCounter.objects.filter(account=use.account_id, direction=use.direction, period__in=periods).update(
            used_fen=F("used_fen") - use.amount_fen
        )
