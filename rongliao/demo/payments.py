"""Transfers among friends, some received, some waiting; jiang's accounts bound to the card; a payout that arrived."""

from uuid import NAMESPACE_URL, UUID, uuid5

from accounts import queries as people
from chat import actions as chat
from finance.networks.ports import Report
from finance.payments.actions import opening, payouts, transfers
from kernel.ids import new_id
from rongliao import demo

# Payer, payee, fen, note, and the account that it went into; None: it still waits.
TRANSFERS = (
    ("lin", "su", 8_800, "奶茶和蛋糕", "su"),
    ("shen", "su", 100_000, "买点好吃的", "su"),
    ("su", "lin", 26_000, "火锅 AA", "lin"),
    ("lin", "jiang", 5_000, "打车", "jiang-2"),
    ("su", "tao", 32_000, "爬山路费", None),
    ("lin", "su", 18_600, "电影票", None),
)
PAYOUT_FEN = 30_000


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"demo:payments:{name}")


def _transfer(world: demo.World, place: int) -> None:
    payer, payee, fen, memo, into = TRANSFERS[place]
    ids = world.people
    order = transfers.Order(
        conversation_id=chat.open_conversation(kind="direct", member_ids=[ids[payer], ids[payee]]),
        payee_id=ids[payee],
        amount_fen=fen,
        account_id=world.accounts[payer],
        memo=memo,
    )
    transfer = transfers.confirm(transfer_id=_id(f"transfer:{place}"), payer_id=ids[payer], order=order)
    if into:
        transfers.accept(transfer_id=transfer.pk, payee_id=ids[payee], account_id=world.accounts[into])


def fill(world: demo.World) -> None:
    """Makes them through the actions of payments, as the sheet and the network would."""
    jiang = world.people["jiang"]
    card = people.bound_cards(jiang)[0]
    opening.open_remotely(person_id=jiang, account_class="II", card_id=card.id)
    opening.open_remotely(person_id=jiang, account_class="III", card_id=card.id)
    for place in range(len(TRANSFERS)):
        _transfer(world, place)
    order = payouts.Order(account_id=world.accounts["jiang"], card_id=card.id, amount_fen=PAYOUT_FEN)
    payout = payouts.confirm(payout_id=new_id(), person_id=jiang, order=order)
    payouts.apply(payout=payout, report=Report(payout.end_to_end_id, "ACSC"))
