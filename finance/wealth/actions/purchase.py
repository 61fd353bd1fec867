"""Buying: an intent with its statement, then, once proved, the order with the money held."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from finance.bank_session import actions as bank_session
from finance.bank_session.actions import Prepared
from finance.bank_session.errors import StatementStale
from finance.bank_session.models import Intent
from finance.bank_session.registry import ExecuteResult
from finance.bank_session.statements import Line, NamedDocument, StatementDraft
from finance.ledger import actions as ledger
from finance.ledger import names
from finance.ledger.models import Account
from finance.wealth.access import offer_for, order_for, product_for
from finance.wealth.actions.orders import announce, finish, give_back_quota
from finance.wealth.calendar import Session, session_at
from finance.wealth.errors import AccountCannotPay, CutOffPassed, OrderFinished, ProductNotOnSale, QuotaUsedUp
from finance.wealth.models import Document, Order, Product, RiskAcknowledgement, Terms
from finance.wealth.queries import Wish, class_of, purchase_checks, terms_of
from finance.wealth.queries.checks import paying_account
from finance.wealth.questionnaire import RISK_NAMES
from finance.wealth.rules import can_cancel, fee_within
from kernel import audit, jobs
from kernel.clock import BANK_ZONE, business_now
from kernel.errors import Conflict, NotFound
from kernel.money import yuan

KIND = "wealth.subscribe"
_DOCUMENT_NAMES = {
    "manual": ("产品说明书", "Product manual"),
    "agreement": ("投资协议书", "Investment agreement"),
    "risk": ("风险揭示书", "Risk disclosure"),
}


@dataclass(frozen=True)
class _Purchase:
    """What is bought, as it stands now."""

    product: Product
    terms: Terms
    account: Account
    amount_fen: int
    fee_fen: int
    session: Session


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(BANK_ZONE):%Y-%m-%d %H:%M}"


def _draft(purchase: _Purchase, person_class: int | None) -> StatementDraft:
    """The canonical words and figures of a purchase."""
    product, session = purchase.product, purchase.session
    risk_zh, risk_en = RISK_NAMES[product.risk]
    documents = purchase.terms.facts["documents"]
    return StatementDraft(
        title_zh="购买理财产品",
        title_en="Buy a wealth product",
        amount_fen=purchase.amount_fen,
        lines=[
            Line("产品", "Product", f"{product.name} {product.code}", f"{product.name_en} {product.code}"),
            Line(
                "风险等级",
                "Risk",
                f"R{product.risk} {risk_zh}(您为 C{person_class})",
                f"R{product.risk} {risk_en} (you are C{person_class})",
            ),
            Line("付款账户", "From", *names.with_tail(purchase.account)),
            Line(
                "交易日",
                "Trading day",
                f"{session.trading_day},{session.confirm_day} 确认份额",
                f"{session.trading_day}, shares on {session.confirm_day}",
            ),
            Line("可撤销至", "Cancel until", _local(session.cut_off_at), _local(session.cut_off_at)),
        ],
        fee_fen=purchase.fee_fen,
        documents=[NamedDocument(*_DOCUMENT_NAMES[kind], documents[kind]) for kind in _DOCUMENT_NAMES],
        valid_until=session.cut_off_at,
    )


def _on_the_shelf(product_id: UUID) -> tuple[Product, Terms]:
    """The product and the terms in force. Raises NotFound.

    The terms are read first: whoever changes both afterwards is found out by `_take_quota`, whatever was read of the
    product in between.
    """
    terms = Terms.objects.filter(product_id=product_id).order_by("-number").first()
    product = product_for(product_id)
    if terms is None:
        raise NotFound
    return product, terms


def _purchase(
    person_id: UUID, on_shelf: tuple[Product, Terms], amount_fen: int, account_id: UUID, moment: datetime
) -> _Purchase:
    product, terms = on_shelf
    account = paying_account(person_id, account_id)
    if account is None:
        raise AccountCannotPay
    return _Purchase(
        product=product,
        terms=terms,
        account=account,
        amount_fen=amount_fen,
        fee_fen=fee_within(amount_fen, product.subscription_fee_bp),
        session=session_at(moment, product.cut_off),
    )


def _refuse_unmet(wish: Wish) -> None:
    for check in purchase_checks(wish):
        if check.refusal is not None:
            raise check.refusal


def _own_offer(person_id: UUID, offer_id: UUID, product_id: UUID) -> UUID:
    offer = offer_for(person_id, offer_id)
    if offer.customer_id != person_id or offer.product_id != product_id:
        raise NotFound
    return offer.pk


def _acknowledge(person_id: UUID, terms: Terms, risk_sha256: str) -> None:
    disclosure = Document.objects.get(product_id=terms.product_id, kind=Document.Kind.RISK, is_current=True)
    RiskAcknowledgement.objects.bulk_create(
        [RiskAcknowledgement(person_id=person_id, terms=terms, document=disclosure, sha256=risk_sha256)],
        ignore_conflicts=True,
    )


@transaction.atomic
def prepare_purchase(
    *,
    order_id: UUID,
    person_id: UUID,
    chat_session_id: UUID,
    device_id: UUID,
    product_id: UUID,
    amount_fen: int,
    account_id: UUID,
    risk_sha256: str,
    offer_id: UUID | None = None,
) -> Prepared:
    """Stores the intent of a purchase and answers where the person confirms it. Moves no money.

    The order will carry the intent's id. Raises NotFound, the first unmet condition of `purchase_checks`, or Conflict
    if the order exists already.
    """
    product, terms = _on_the_shelf(product_id)
    if offer_id is not None:
        offer_id = _own_offer(person_id, offer_id, product_id)
    if Order.objects.filter(pk=order_id).exists():
        raise Conflict
    _refuse_unmet(Wish(person_id, product, amount_fen, account_id, risk_sha256))
    purchase = _purchase(person_id, (product, terms), amount_fen, account_id, business_now())
    _acknowledge(person_id, purchase.terms, risk_sha256)
    return bank_session.prepare(
        intent_id=order_id,
        person_id=person_id,
        chat_session_id=chat_session_id,
        device_id=device_id,
        kind=KIND,
        subject={
            "product_id": str(product_id),
            "amount_fen": amount_fen,
            "account_id": str(account_id),
            "risk_sha256": risk_sha256,
            "offer_id": str(offer_id) if offer_id else None,
        },
        draft=_draft(purchase, class_of(person_id).person_class),
    )


def _subject(subject: dict[str, Any]) -> tuple[tuple[Product, Terms], int, UUID, str, UUID | None]:
    offer_id = subject["offer_id"]
    return (
        _on_the_shelf(UUID(subject["product_id"])),
        subject["amount_fen"],
        UUID(subject["account_id"]),
        subject["risk_sha256"],
        UUID(offer_id) if offer_id else None,
    )


def restate_purchase(intent: Intent) -> StatementDraft:
    """What the person would confirm now. Raises the first unmet condition where it can no longer be bought."""
    (product, terms), amount_fen, account_id, risk_sha256, _ = _subject(intent.subject)
    _refuse_unmet(Wish(intent.person_id, product, amount_fen, account_id, risk_sha256))
    purchase = _purchase(intent.person_id, (product, terms), amount_fen, account_id, business_now())
    return _draft(purchase, class_of(intent.person_id).person_class)


def _take_quota(product_id: UUID, amount_fen: int, terms: Terms) -> None:
    """Takes part of the quota of a product whose terms are still these, or raises what forbids it.

    The product's row is the last lock that is taken. From here on nobody changes its terms or takes it off sale
    before this order is in the books; whoever did so while it was being made is seen now.
    """
    open_now = Product.objects.filter(pk=product_id, status=Product.Status.ON_SALE)
    if not open_now.filter(quota_used_fen__lte=F("quota_fen") - amount_fen).update(
        quota_used_fen=F("quota_used_fen") + amount_fen
    ):
        product = product_for(product_id)
        if product.status != Product.Status.ON_SALE:
            raise ProductNotOnSale
        raise QuotaUsedUp(left=yuan(product.quota_fen - product.quota_used_fen))
    if terms_of(product_id) != terms:
        raise StatementStale


@transaction.atomic
def confirm_purchase(intent: Intent) -> ExecuteResult:
    """Places the order that the person has just proved: order, hold, audit and outbox in this one transaction.

    Runs inside the bank session's confirmation, which admits each intent once. Raises StatementStale if what was
    confirmed is not what would be said now (cut-off passed, other terms or documents), and every refusal of
    `purchase_checks` and of the ledger.
    """
    (product, terms), amount_fen, account_id, risk_sha256, offer_id = _subject(intent.subject)
    now = business_now()
    _refuse_unmet(Wish(intent.person_id, product, amount_fen, account_id, risk_sha256))
    purchase = _purchase(intent.person_id, (product, terms), amount_fen, account_id, now)
    if _draft(purchase, class_of(intent.person_id).person_class).words() != intent.draft:
        raise StatementStale
    hold = ledger.place_hold(
        key=f"wealth-order:{intent.pk}",
        account_id=account_id,
        amount_fen=amount_fen,
        kind="wealth-subscription",
        reference=intent.pk,
        memo=product.name,
    )
    order = Order.objects.create(
        id=intent.pk,
        person_id=intent.person_id,
        product=product,
        terms=purchase.terms,
        offer_id=offer_id,
        account=purchase.account,
        account_tail=purchase.account.tail,
        hold_id=hold.hold_id,
        amount_fen=amount_fen,
        fee_fen=purchase.fee_fen,
        trading_day=purchase.session.trading_day,
        confirm_day=purchase.session.confirm_day,
        cut_off_at=purchase.session.cut_off_at,
        accepted_at=now,
    )
    audit.record(
        intent.person_id,
        "wealth.order.accepted",
        f"order:{order.pk}",
        {
            "product": product.code,
            "amount_fen": amount_fen,
            "terms": purchase.terms.sha256,
            "documents": purchase.terms.facts["documents"],
            "statement": bytes(intent.statement_hash).hex(),
        },
    )
    announce(order)
    jobs.enqueue(
        "wealth.confirm", {"order_id": str(order.pk)}, run_at=purchase.session.confirm_at, key=f"due:{order.pk}"
    )
    _take_quota(product.pk, amount_fen, purchase.terms)
    return ExecuteResult({"order_id": str(order.pk), "state": order.state})


@transaction.atomic
def cancel_order(*, person_id: UUID, order_id: UUID) -> Order:
    """Cancels the person's order before its cut-off: the hold is released, the quota given back.

    Cancelling again answers the cancelled order. Raises NotFound, CutOffPassed, OrderFinished.
    """
    order = order_for(person_id, order_id, lock=True)
    if order.state == Order.State.CANCELLED:
        return order
    if order.state != Order.State.ACCEPTED:
        raise OrderFinished
    if not can_cancel(order, business_now()):
        raise CutOffPassed
    if order.hold_id is None:
        raise OrderFinished
    ledger.release_hold(key=f"wealth-cancel:{order.pk}", hold_id=order.hold_id, memo=order.product.name)
    finish(order, Order.State.CANCELLED)
    audit.record(person_id, "wealth.order.cancelled", f"order:{order.pk}", {"amount_fen": order.amount_fen})
    give_back_quota(order)
    return order
