"""Every write of the bank session."""

from finance.bank_session.actions.choosing import choose_pin
from finance.bank_session.actions.confirming import Outcome, cancel, confirm
from finance.bank_session.actions.preparing import Prepared, challenge, hand_over, prepare
from finance.bank_session.actions.sessions import Opened, close, close_all, close_signed_out, redeem, touch
from finance.bank_session.identity import prove
from finance.bank_session.identity import send_code as send_proof_code
from finance.bank_session.passkeys import add as add_passkey
from finance.bank_session.passkeys import rename as rename_passkey
from finance.bank_session.pins import state as pin_state

__all__ = [
    "Opened",
    "Outcome",
    "Prepared",
    "add_passkey",
    "cancel",
    "challenge",
    "choose_pin",
    "close",
    "close_all",
    "close_signed_out",
    "confirm",
    "hand_over",
    "pin_state",
    "prepare",
    "prove",
    "redeem",
    "rename_passkey",
    "send_proof_code",
    "touch",
]
