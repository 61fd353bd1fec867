"""What happened before this system: assessments, NAVs and confirmed orders that a bank brings along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction

from finance.ledger import actions as ledger
from finance.ledger import queries as accounts
from finance.ledger.models import Account
from finance.wealth.actions.assess import last_valid_day
from finance.wealth.actions.settle import CLEARING, add_to_holding
from finance.wealth.calendar import CONFIRM_FROM, at, next_trading_day
from finance.wealth.models import CUT_OFF, Assessment, Nav, Order, Product
from finance.wealth.queries.shelf import terms_of
from finance.wealth.questionnaire import VERSION, assess
from finance.wealth.rules import fee_within, shares_for
from kernel import audit
from kernel.errors import Invalid
from kernel.ids import new_id


@dataclass(frozen=True)
class PastNav:
    """A NAV that was public before."""

    day: date
    value: int


@transaction.atomic
def bring_assessment(*, person_id: UUID, answers: dict[str, str], taken_on: date) -> Assessment:
    """Enters an assessment that the person took on that day. Raises Invalid for incomplete answers."""
    result = assess(answers)
    if result is None:
        raise Invalid(fields={"answers": "incomplete"})
    assessment = Assessment.objects.create(
        id=new_id(),
        person_id=person_id,
        questionnaire=VERSION,
        answers=answers,
        score=result[0],
        person_class=result[1],
        business_date=taken_on,
        valid_until=last_valid_day(taken_on),
    )
    audit.record(person_id, "wealth.assessment.brought", f"assessment:{assessment.pk}", {"class": result[1]})
    return assessment


@transaction.atomic
def bring_navs(*, product_id: UUID, navs: Sequence[PastNav], maker_id: UUID, checker_id: UUID) -> None:
    """Enters NAVs that were published before, under the two people who answer for them."""
    Nav.objects.bulk_create(
        Nav(
            product_id=product_id,
            date=nav.day,
            value=nav.value,
            status=Nav.Status.PUBLISHED,
            maker_id=maker_id,
            checker_id=checker_id,
            entered_at=at(nav.day, CUT_OFF),
            published_at=at(nav.day + timedelta(days=1), CONFIRM_FROM),
        )
        for nav in navs
    )
    audit.record(maker_id, "wealth.navs.brought", f"product:{product_id}", {"count": len(navs)})


@transaction.atomic
def bring_order(
    *, person_id: UUID, product_id: UUID, account_id: UUID, amount_fen: int, trading_day: date, funds_from: str
) -> Order:
    """Enters a subscription that was confirmed before: shares into the holding, its money into wealth-clearing.

    The money comes from the internal account with code `funds_from`: it left the customer's account (`account_id`,
    for the record) when the system before held the books. Raises Nav.DoesNotExist without a public NAV of that
    trading day, and the ledger's refusals.
    """
    product = Product.objects.get(pk=product_id)
    nav = Nav.objects.get(product_id=product_id, date=trading_day, status=Nav.Status.PUBLISHED)
    account = Account.objects.get(pk=account_id)
    fee_fen = fee_within(amount_fen, product.subscription_fee_bp)
    confirm_day = next_trading_day(trading_day)
    order_id = new_id()
    ledger.post_batch(
        [
            ledger.NewEntry(
                key=f"wealth-brought:{order_id}",
                kind="wealth-subscription",
                legs=[
                    ledger.Leg(accounts.internal(funds_from).pk, -amount_fen),
                    ledger.Leg(accounts.internal(CLEARING).pk, amount_fen),
                ],
                memo=product.name,
                reference=order_id,
                at=at(confirm_day, CONFIRM_FROM),
            )
        ],
        tell=False,
    )
    order = Order.objects.create(
        id=order_id,
        person_id=person_id,
        product=product,
        terms=terms_of(product_id),
        account=account,
        account_tail=account.tail,
        state=Order.State.CONFIRMED,
        amount_fen=amount_fen,
        fee_fen=fee_fen,
        trading_day=trading_day,
        confirm_day=confirm_day,
        cut_off_at=at(trading_day, CUT_OFF),
        accepted_at=at(trading_day, CONFIRM_FROM),
        finished_at=at(confirm_day, CONFIRM_FROM),
        nav=nav,
        shares=shares_for(amount_fen - fee_fen, nav.value, product.nav_scale),
        matures_on=confirm_day + timedelta(days=product.term_days) if product.term_days else None,
    )
    add_to_holding(order, order.shares or 0)
    audit.record(None, "wealth.order.brought", f"order:{order.pk}", {"nav": nav.value, "shares": order.shares})
    return order
