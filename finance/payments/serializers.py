"""The shapes of the REST doors of payments. Amounts are whole fen."""

from typing import Any

from rest_framework import serializers

from finance.payments.models import Payout, Transfer
from kernel.fields import FenField, IdField, PlainText
from kernel.money import MAX_FEN

MAX_MEMO = 40
Shape = serializers.Serializer[Any]


class TransferOrder(Shape):
    id = IdField(help_text="Made by the client; becomes the transfer's id.")
    conversation_id = IdField()
    payee_id = IdField()
    amount_fen = FenField(minimum=1, maximum=MAX_FEN)
    account_id = IdField()
    memo = PlainText(max_length=MAX_MEMO, allow_blank=True, required=False, default="")


class PreparedIntent(Shape):
    intent_id = IdField()
    confirm_url = serializers.CharField()


class ReceivingAccount(Shape):
    account_id = IdField(allow_null=True, required=False, default=None)


class Nothing(Shape):
    """An empty object."""


class PayableCard(Shape):
    id = IdField()
    bank_name = serializers.CharField()
    tail = serializers.CharField()
    kind = serializers.CharField()


class AccountChoice(Shape):
    account_id = IdField()
    name = serializers.CharField()
    account_class = serializers.ChoiceField(["I", "II", "III"])
    tail = serializers.CharField()
    available_fen = serializers.IntegerField()
    ok = serializers.BooleanField()
    code = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    fits_fen = serializers.IntegerField(allow_null=True)
    day_left_fen = serializers.IntegerField(allow_null=True)
    year_left_fen = serializers.IntegerField(allow_null=True)
    cards = PayableCard(many=True)


class TransferDetail(Shape):
    id = IdField()
    role = serializers.ChoiceField(["payer", "payee"])
    conversation_id = IdField()
    payer_id = IdField()
    payee_id = IdField()
    amount_fen = serializers.IntegerField()
    memo = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(Transfer.State.choices)
    other_name = serializers.CharField()
    own_account = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    reversed_at = serializers.DateTimeField(allow_null=True)
    may_accept = serializers.BooleanField()
    may_return = serializers.BooleanField()
    blocked_code = serializers.CharField(allow_blank=True)
    blocked_reason = serializers.CharField(allow_blank=True)
    options = AccountChoice(many=True)


class Payee(Shape):
    id = IdField()
    masked_name = serializers.CharField(allow_null=True)
    verified = serializers.BooleanField()
    first_time = serializers.BooleanField()


class NewDevice(Shape):
    limit_fen = serializers.IntegerField()
    left_fen = serializers.IntegerField(help_text="of the day's limit, today, for all of the payer's new devices")


class TransferChoices(Shape):
    payee = Payee()
    accounts = AccountChoice(many=True)
    fee_fen = serializers.IntegerField()
    returns_after_hours = serializers.IntegerField()
    new_device = NewDevice(allow_null=True, help_text="null: verified; no limit but the account's")


class OwnTransferOrder(Shape):
    id = IdField(help_text="Made by the client; becomes the transfer's id.")
    from_account_id = IdField()
    to_account_id = IdField()
    amount_fen = FenField(minimum=1, maximum=MAX_FEN)
    memo = PlainText(max_length=MAX_MEMO, allow_blank=True, required=False, default="")


class ClosingOrder(Shape):
    id = IdField(help_text="Made by the client; becomes the intent's id.")


class OwnTransferDetail(Shape):
    id = IdField()
    from_account_id = IdField()
    to_account_id = IdField()
    amount_fen = serializers.IntegerField()
    memo = serializers.CharField(allow_blank=True)
    made_at = serializers.DateTimeField()


class OwnTransferChoices(Shape):
    sources = AccountChoice(many=True)
    targets = AccountChoice(many=True)


class PayoutOrder(Shape):
    id = IdField(help_text="Made by the client; becomes the payout's id.")
    account_id = IdField()
    card_id = IdField()
    amount_fen = FenField(minimum=1, maximum=MAX_FEN)


class PayoutDetail(Shape):
    id = IdField()
    account_id = IdField()
    account_name = serializers.CharField()
    bank_name = serializers.CharField()
    card_tail = serializers.CharField()
    amount_fen = serializers.IntegerField()
    state = serializers.ChoiceField(Payout.State.choices)
    in_doubt = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class PayoutPage(Shape):
    items = PayoutDetail(many=True)
    next = IdField(allow_null=True)


class PayoutChoices(Shape):
    accounts = AccountChoice(many=True)


class OpeningOrder(Shape):
    account_class = serializers.ChoiceField(["II", "III"])
    card_id = IdField()


class OpenableClass(Shape):
    account_class = serializers.ChoiceField(["I", "II", "III"])
    ok = serializers.BooleanField()
    code = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    account_id = IdField(allow_null=True)
    ceiling_fen = serializers.IntegerField(allow_null=True)
    day_fen = serializers.IntegerField(allow_null=True)
    year_fen = serializers.IntegerField(allow_null=True)
    takes_from_others = serializers.BooleanField()
    buys_wealth = serializers.BooleanField()


class OpeningChoices(Shape):
    items = OpenableClass(many=True)
    cards = PayableCard(many=True)
    pin_state = serializers.ChoiceField(["none", "set", "locked"])


class OpenedAccount(Shape):
    account_id = IdField()
    account_class = serializers.ChoiceField(["I", "II", "III"])
    name = serializers.CharField()
    tail = serializers.CharField()
    pin_state = serializers.ChoiceField(["none", "set", "locked"])


class BreakDetail(Shape):
    id = IdField()
    payout_id = IdField(allow_null=True)
    transfer_id = IdField(allow_null=True)
    end_to_end_id = IdField(source="payout.end_to_end_id", allow_null=True, default=None)
    amount_fen = serializers.IntegerField(source="of.amount_fen")
    state = serializers.CharField(source="of.state", help_text="how the payout or the transfer is booked")
    kind = serializers.CharField()
    detail = serializers.CharField()
    opened_at = serializers.DateTimeField()


class BreakPage(Shape):
    items = BreakDetail(many=True)
    next = IdField(allow_null=True)
