"""Limits in use: exact under concurrency, because a movement is counted, under the counters' locks, before the rule is
asked about what was there without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from finance.bank_session import queries as bank_session
from finance.ledger import rules
from finance.ledger.models import Account
from finance.payments.errors import RuleRefused
from finance.payments.models import LimitCounter, LimitUse
from kernel import notes
from kernel.clock import business_date, business_now
from kernel.statements import Question, planned

_USED = """
SELECT account_id, period, used_fen FROM payments_limitcounter
WHERE account_id = ANY(%s::uuid[]) AND direction = %s AND period = ANY(%s)
"""
_USED_OF_ONE = """
SELECT (SELECT used_fen FROM payments_limitcounter WHERE account_id = %s AND direction = %s AND period = %s),
    (SELECT used_fen FROM payments_limitcounter WHERE account_id = %s AND direction = %s AND period = %s)
"""
# The use first: it says whether the movement was counted before. The year's row before the day's, as in `give_back`.
_USE = """
INSERT INTO payments_limituse (key, account_id, direction, day, year, amount_fen) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (key) DO NOTHING RETURNING amount_fen
"""
_COUNT = """
INSERT INTO payments_limitcounter AS counter (account_id, direction, period, used_fen)
SELECT %s::uuid, %s::text, period, claimed.amount_fen
FROM claimed, (VALUES (1, %s::text), (2, %s::text)) AS named(place, period) ORDER BY place
ON CONFLICT (account_id, direction, period) DO UPDATE SET used_fen = counter.used_fen + excluded.used_fen
RETURNING period, used_fen
"""


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
    counted = planned(_USED, [account_ids, direction, [day, year]])
    found = {(account_id, period): used_fen for account_id, period, used_fen in counted}
    return {
        account_id: Used(found.get((account_id, day), 0), found.get((account_id, year), 0))
        for account_id in account_ids
    }


def used_question(account_id: UUID, direction: rules.Direction) -> Question[Used]:
    """`used` for one account, to be asked with others."""
    day, year = _periods(business_now())
    values = [account_id, direction, day, account_id, direction, year]
    return Question(_USED_OF_ONE, values, _used_of_one, always=True)


def _used_of_one(found: Sequence[int | None] | None) -> Used:
    day_fen, year_fen = found or (None, None)
    return Used(day_fen or 0, year_fen or 0)


def refuse_beyond(
    account: Account,
    direction: rules.Direction,
    counterpart: rules.Counterpart,
    amount_fen: int,
    *,
    use: Used | None = None,
) -> None:
    """Raises RuleRefused for what the account may not move as it stands, however its owner proves it.

    No lock, and nothing is counted: what a statement asks before it is confirmed. `use`: what `used` answered just now.
    """
    use = use or used([account.pk], direction)[account.pk]
    found = rules.decide(side_of(account, use), direction, counterpart, amount_fen)
    if not found.ok and account.owner_id is not None and bank_session.can_sign(account.owner_id):
        found = rules.decide(side_of(account, use, signed=True), direction, counterpart, amount_fen)
    refuse_unless_ok(found)


def side_of(account: Account, use: Used, *, signed: bool = False) -> rules.Side:
    """What the rules weigh of an account. `signed`: by a passkey."""
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
    at_end: bool = False,
) -> None:
    """Counts a movement against the account's limits, or raises RuleRefused.

    Inside the caller's transaction, before the ledger locks accounts. `at_end`: with what else is gathered (notes), and
    then the ledger is asked at the end as well. After a refusal that transaction is rolled back,
    and nothing was counted. The same key again changes nothing.
    """
    rule = rules.rule_for(side_of(account, Used(), signed=signed), direction, counterpart)
    if not rule.allowed or (rule.day_fen is None and rule.year_fen is None):
        refuse_unless_ok(rules.decide(side_of(account, Used(), signed=signed), direction, counterpart, amount_fen))
        return
    day, year = _periods(business_now())

    def judge(rows: list[dict[str, Any]]) -> None:
        counted = {row["period"]: row["used_fen"] for row in rows}
        if counted:
            before = Used(counted[day] - amount_fen, counted[year] - amount_fen)
            refuse_unless_ok(rules.decide(side_of(account, before, signed=signed), direction, counterpart, amount_fen))

    use: list[Any] = [key, account.pk, direction, day, year, amount_fen]
    count: list[Any] = [account.pk, direction, year, day]
    if at_end:
        notes.write(_USE, use, name="claimed")
        notes.write(_COUNT, count, then=judge)
    else:
        counted = planned(f"WITH claimed AS ({_USE}) {_COUNT}", [*use, *count])
        judge([{"period": period, "used_fen": used_fen} for period, used_fen in counted])


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
