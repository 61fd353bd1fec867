"""NAVs by four eyes: one person enters, another approves."""

from datetime import date
from uuid import UUID

from django.db import transaction

from finance.wealth.access import may_approve_navs, may_enter_navs, nav_for, product_for
from finance.wealth.calendar import is_trading_day
from finance.wealth.errors import NavChanged, NavPublished, NotATradingDay, SamePerson
from finance.wealth.models import Nav, Product
from kernel import audit, jobs
from kernel.clock import business_date, business_now
from kernel.errors import NotFound


@transaction.atomic
def enter_nav(*, nav_id: UUID, maker_id: UUID, product_id: UUID, day: date, value: int) -> Nav:
    """Enters the NAV of a trading day as a draft, in 1/nav_scale yuan; a draft of that day is replaced.

    Whoever enters last is the maker. Raises NotAllowed without the role, NotFound, NotATradingDay for a day that is
    closed or still to come, NavPublished once it is public.
    """
    may_enter_navs(maker_id)
    product = product_for(product_id)
    if day > business_date() or not is_trading_day(day):
        raise NotATradingDay
    # The product's row queues two people who enter the same day at once.
    Product.objects.select_for_update(no_key=True).get(pk=product_id)
    nav = Nav.objects.select_for_update().filter(product_id=product_id, date=day).first()
    if nav is None:
        nav = Nav.objects.create(
            id=nav_id, product=product, date=day, value=value, maker_id=maker_id, entered_at=business_now()
        )
    elif nav.status == Nav.Status.PUBLISHED:
        raise NavPublished
    else:
        nav.value, nav.maker_id, nav.entered_at = value, maker_id, business_now()
        nav.save(update_fields=["value", "maker", "entered_at"])
    audit.record(
        maker_id,
        "wealth.nav.entered",
        f"nav:{nav.pk}",
        {"product": product.code, "date": day.isoformat(), "value": value, "scale": product.nav_scale},
    )
    return nav


@transaction.atomic
def approve_nav(*, nav_id: UUID, checker_id: UUID, value: int) -> Nav:
    """Publishes a draft of somebody else; `value` is what the checker saw. Orders of that day can then be confirmed.

    The same approval again changes nothing. Raises NotAllowed without the role, NotFound, SamePerson for the maker,
    NavChanged if the draft has another value by now, NavPublished if somebody else was first.
    """
    may_approve_navs(checker_id)
    nav = nav_for(nav_id, lock=True)
    if nav.status == Nav.Status.PUBLISHED:
        if nav.checker_id == checker_id and nav.value == value:
            return nav
        raise NavPublished
    if nav.maker_id == checker_id:
        raise SamePerson
    if nav.value != value:
        raise NavChanged
    nav.status, nav.checker_id, nav.published_at = Nav.Status.PUBLISHED, checker_id, business_now()
    nav.save(update_fields=["status", "checker", "published_at"])
    audit.record(
        checker_id,
        "wealth.nav.published",
        f"nav:{nav.pk}",
        {"product": nav.product.code, "date": nav.date.isoformat(), "value": value, "maker": str(nav.maker_id)},
    )
    jobs.enqueue("wealth.nav_published", {"nav_id": str(nav.pk)})
    return nav


def published(nav_id: UUID) -> Nav:
    """A NAV that is public. Raises NotFound."""
    nav = nav_for(nav_id)
    if nav.status != Nav.Status.PUBLISHED:
        raise NotFound
    return nav
