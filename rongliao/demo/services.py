"""Alerts of the last days, as if they had always come here."""

from datetime import timedelta

from finance.ledger import actions as books
from finance.ledger import queries as ledger
from finance.ledger.actions import Leg
from finance.services import actions
from kernel.clock import business_now
from rongliao import demo

DAYS = {"su": 16, "lin": 6, "xu": 6}


def fill(world: demo.World) -> None:
    """Tells of the entries of the last days, with the times that they had; the newest ones come by themselves."""
    for short, days in DAYS.items():
        since = business_now() - timedelta(days=days)
        lines, _ = ledger.entries_page(world.accounts[short], None, 100)
        for line in reversed(lines):
            if line.at >= since:
                for happening in actions.happenings("posted", entry_id=line.entry_id, hold_id=None):
                    actions.tell(happening, past=True)
    outgoing = ledger.internal("clearing-out").pk
    for key, memo, fen, ago in (("rent", "瑜伽馆年卡", 128_000, 95), ("cafe", "咖啡馆", 3_200, 40)):
        books.post(
            key=f"demo:today:{key}",
            kind="card_payment",
            legs=[Leg(world.accounts["su"], -fen), Leg(outgoing, fen)],
            memo=memo,
            at=business_now() - timedelta(minutes=ago),
        )
