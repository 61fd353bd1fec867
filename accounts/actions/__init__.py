"""Every write of accounts: one function per thing that somebody can do."""

from accounts.actions.approvals import ask_for_roles, ask_for_staff, decide_staff_change
from accounts.actions.codes import SentCode, send_code, send_own_code, spend_own_code, sweep
from accounts.actions.contacts import (
    accept_request,
    ask_to_be_friends,
    decline_request,
    make_friends,
    remove_friend,
    set_remark,
)
from accounts.actions.duties import assign_advisor, set_roles, take_roles
from accounts.actions.identity import bind_card, confirm_identity, give_identity, keep_card, recheck_card, unbind_card
from accounts.actions.profile import become_customer, may_be_called, set_avatar, set_display_name
from accounts.actions.registration import register
from accounts.actions.sessions import (
    NEW_DEVICE,
    block_person,
    change_password,
    end_all_sessions,
    remove_device,
    reset_password,
    sign_in_with_code,
    sign_in_with_password,
    sign_out,
)
from accounts.actions.staff import create_customer, create_official, create_staff, mark_demo

__all__ = [
    "NEW_DEVICE",
    "SentCode",
    "accept_request",
    "ask_for_roles",
    "ask_for_staff",
    "ask_to_be_friends",
    "assign_advisor",
    "become_customer",
    "bind_card",
    "block_person",
    "change_password",
    "confirm_identity",
    "create_customer",
    "create_official",
    "create_staff",
    "decide_staff_change",
    "decline_request",
    "end_all_sessions",
    "give_identity",
    "keep_card",
    "make_friends",
    "mark_demo",
    "may_be_called",
    "recheck_card",
    "register",
    "remove_device",
    "remove_friend",
    "reset_password",
    "send_code",
    "send_own_code",
    "set_avatar",
    "set_display_name",
    "set_remark",
    "set_roles",
    "sign_in_with_code",
    "sign_in_with_password",
    "sign_out",
    "spend_own_code",
    "sweep",
    "take_roles",
    "unbind_card",
]
