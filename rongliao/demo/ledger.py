"""Accounts with a past: salary and spending of eight months, and the PINs."""

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from uuid import UUID

from finance.bank_session import pins
from finance.ledger import actions, queries
from finance.ledger.actions import Leg, NewEntry
from finance.ledger.numbers import number_with_tail
from finance.ledger.rules import CLASS_III_CEILING_FEN
from kernel.clock import BANK_ZONE, business_now
from rongliao import demo

MONTHS = 8
DEBIT, DIGITAL, POCKET = "储蓄卡", "电子账户", "零钱账户"

# Short name: tail of the card, opening balance, salary and its payer.
CUSTOMERS = {
    "su": ("8823", 18_460_000, 1_865_000, "青禾设计"),
    "lin": ("2071", 5_230_000, 1_420_000, "鹿鸣书局"),
    "shen": ("6150", 21_800_000, 642_000, "养老金"),
    "xu": ("9436", 96_500_000, 4_880_000, "知行科技"),
    "he": ("3308", 12_750_000, 1_260_000, "市第三医院"),
    "bai": ("7719", 3_940_000, 1_090_000, "白鹭摄影"),
}
SPENDING = (
    ("早餐铺", 600, 2_200),
    ("地铁出行", 300, 900),
    ("菜市场", 2_800, 9_600),
    ("便利店", 900, 5_400),
    ("咖啡馆", 1_600, 4_200),
    ("小馆子", 3_800, 18_600),
    ("书店", 2_900, 16_800),
    ("药房", 1_900, 12_500),
    ("加油站", 22_000, 41_000),
    ("超市", 4_600, 32_800),
)
BILLS = ((5, "房租", 420_000), (12, "电费", 16_840), (18, "物业费", 28_600), (25, "手机话费", 5_900))
MONTHLY_PURCHASES = 16


def _moments(first: datetime, now: datetime, chance: random.Random) -> Iterator[tuple[datetime, str, str, int]]:
    """A person's months: (when, kind, memo, fen), below zero for spending, in order of time."""
    found: list[tuple[datetime, str, str, int]] = []
    day = first.date()
    while day <= now.astimezone(BANK_ZONE).date():
        for due, memo, fen in BILLS:
            if day.day == due:
                found.append((datetime.combine(day, time(9, due), BANK_ZONE), "bill", memo, -fen))
        if chance.random() < MONTHLY_PURCHASES / 30:
            memo, least, most = chance.choice(SPENDING)
            at = datetime.combine(
                day, time(chance.randint(7, 21), chance.randint(0, 59), chance.randint(0, 59)), BANK_ZONE
            )
            found.append((at, "card_payment", memo, -chance.randint(least, most)))
        day += timedelta(days=1)
    return iter(sorted(found))


def _history(account_id: UUID, salary: int, payer: str, now: datetime, chance: random.Random) -> list[NewEntry]:
    incoming, outgoing = queries.internal("clearing-in").pk, queries.internal("clearing-out").pk
    first = now - timedelta(days=30 * MONTHS)
    rows = list(_moments(first, now, chance))
    for month in range(MONTHS + 1):
        day = (first + timedelta(days=30 * month)).astimezone(BANK_ZONE).replace(day=10, hour=10, minute=5)
        rows.append((day, "salary", f"{'' if payer == '养老金' else '工资 · '}{payer}", salary))
    entries: list[NewEntry] = []
    for at, kind, memo, fen in sorted(set(rows)):
        if not first < at < now - timedelta(hours=3):
            continue
        other = incoming if fen > 0 else outgoing
        entries.append(
            NewEntry(
                key=f"demo:{account_id}:{len(entries)}",
                kind=kind,
                legs=[Leg(account_id, fen), Leg(other, -fen)],
                memo=memo,
                at=at,
            )
        )
    return entries


def _open(world: demo.World, short: str, account_class: str, name: str, tail: str | None = None) -> UUID:
    person = world.people[short]
    account = actions.open_account(
        owner_id=person,
        account_type="customer",
        account_class=account_class,
        name=name,
        number=number_with_tail(tail) if tail else None,
        opened_remotely=short == "jiang",
        ceiling_fen=CLASS_III_CEILING_FEN if account_class == "III" else None,
        key=f"demo:{person}:{account_class}",
    )
    return account.pk


def _bring(account_id: UUID, fen: int, at: datetime) -> None:
    opening = queries.internal("demo-opening").pk
    entry = NewEntry(
        key=f"demo:{account_id}:opening",
        kind="opening",
        legs=[Leg(opening, -fen), Leg(account_id, fen)],
        memo="期初余额",
        at=at,
    )
    actions.post_batch([entry], tell=False)


def fill(world: demo.World) -> None:
    """Opens the accounts, brings their history in batches, and sets the PINs."""
    now = business_now()
    began = now - timedelta(days=30 * MONTHS + 1)
    for place, (short, (tail, opening, salary, payer)) in enumerate(CUSTOMERS.items()):
        account = _open(world, short, "I", DEBIT, tail)
        world.accounts[short] = account
        _bring(account, opening, began)
        actions.post_batch(_history(account, salary, payer, now, random.Random(place)), tell=False)  # noqa: S311
    digital = _open(world, "su", "II", DIGITAL)
    _bring(digital, 368_050, began)
    world.accounts["su-2"] = digital
    world.accounts["jiang"] = _open(world, "jiang", "II", DIGITAL)
    world.accounts["jiang-2"] = _open(world, "jiang", "III", POCKET)
    _bring(world.accounts["jiang"], 256_000, began)
    _bring(world.accounts["jiang-2"], 36_520, began)
    for short in (*CUSTOMERS, "jiang"):
        person = world.people[short]
        pins.store_first(person, pins.encode(person, demo.PIN))
