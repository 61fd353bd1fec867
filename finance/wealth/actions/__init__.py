"""Writes of wealth: one function per thing that a person, an operator or the worker can do."""

from finance.wealth.actions.assess import mark_opened, take_assessment
from finance.wealth.actions.drafts import (
    approve_draft,
    change_draft,
    enter_draft,
    return_draft,
    withdraw_draft,
)
from finance.wealth.actions.files import take_file
from finance.wealth.actions.navs import approve_nav, enter_nav
from finance.wealth.actions.offers import send_product_card
from finance.wealth.actions.purchase import KIND, cancel_order, confirm_purchase, prepare_purchase, restate_purchase
from finance.wealth.actions.settle import confirm_order, schedule_confirmations
from finance.wealth.actions.shelf import change_terms, put_on_shelf, stop_sale
from finance.wealth.facts import DocumentText, DocumentWish, Facts, Wanted

__all__ = [
    "KIND",
    "DocumentText",
    "DocumentWish",
    "Facts",
    "Wanted",
    "approve_draft",
    "approve_nav",
    "cancel_order",
    "change_draft",
    "change_terms",
    "confirm_order",
    "confirm_purchase",
    "enter_draft",
    "enter_nav",
    "mark_opened",
    "prepare_purchase",
    "put_on_shelf",
    "restate_purchase",
    "return_draft",
    "schedule_confirmations",
    "send_product_card",
    "stop_sale",
    "take_assessment",
    "take_file",
    "withdraw_draft",
]
