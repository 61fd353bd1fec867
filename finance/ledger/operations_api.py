"""Doors to operations: entries, their reversal by four eyes, closed days with their trial balance."""

from datetime import date
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries as people
from accounts.auth import person_of
from accounts.permissions import HasRole
from finance.ledger import access, board, queries, reversals
from finance.ledger.models import Account, ReversalRequest, Verification
from kernel.api import ApiView, limit_of, page
from kernel.errors import Invalid, NotFound, said
from kernel.fields import IdField, PlainText

MAX_REASON = 200
BEFORE, LIMIT = OpenApiParameter("before", str), OpenApiParameter("limit", int)


class LegOut(serializers.Serializer[board.SeenLeg]):
    account = serializers.CharField()
    tail = serializers.CharField()
    owner = serializers.CharField(allow_null=True, help_text="the owner's registered name, masked")
    code = serializers.CharField(allow_null=True, help_text="of the bank's own accounts")
    amount_fen = serializers.IntegerField()


class EntryOut(serializers.Serializer[board.SeenEntry]):
    id = IdField()
    kind = serializers.CharField()
    memo = serializers.CharField()
    reference = IdField(allow_null=True)
    at = serializers.DateTimeField()
    value_date = serializers.DateField()
    legs = LegOut(many=True)
    reverses_id = IdField(allow_null=True)
    reversed_by = IdField(allow_null=True)
    request_id = IdField(allow_null=True)


class FoundEntriesOut(serializers.Serializer[Any]):
    items = EntryOut(many=True)
    next = serializers.CharField(allow_null=True)


class ReversalOut(serializers.Serializer[board.SeenRequest]):
    id = IdField()
    entry = EntryOut()
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=ReversalRequest.State.choices)
    maker = serializers.CharField()
    mine = serializers.BooleanField()
    entered_at = serializers.DateTimeField()
    checker = serializers.CharField(allow_null=True)
    checker_reason = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
    reversal_id = IdField(allow_null=True)


class ReversalsOut(serializers.Serializer[Any]):
    items = ReversalOut(many=True)
    next = serializers.CharField(allow_null=True)
    may_enter = serializers.BooleanField()
    may_decide = serializers.BooleanField()


class ReasonIn(serializers.Serializer[Any]):
    reason = PlainText(max_length=MAX_REASON)

    def validate_reason(self, reason: str) -> str:
        """Blanks are no reason."""
        if not reason.strip():
            raise serializers.ValidationError(said("请写明原因。", "A reason is needed."))
        return reason


class NewReversalIn(ReasonIn):
    id = IdField()
    entry_id = IdField()


class ClosedDayOut(serializers.Serializer[board.ClosedDay]):
    day = serializers.DateField()
    at = serializers.DateTimeField()
    postings_after = serializers.IntegerField()
    postings_upto = serializers.IntegerField()
    balances = serializers.BooleanField()
    late = serializers.IntegerField(help_text="postings booked on a day that was closed when they came")
    debit_fen = serializers.IntegerField()
    credit_fen = serializers.IntegerField()


class ProofOfBooksOut(serializers.ModelSerializer[Verification]):
    """The newest proof of the books; `rule` says what did not hold."""

    class Meta:
        model = Verification
        fields = ("at", "whole", "entries", "postings", "again", "took_ms", "rule", "subject", "detail")


class ClosedDaysOut(serializers.Serializer[Any]):
    items = ClosedDayOut(many=True)
    next = serializers.CharField(allow_null=True)
    proof = ProofOfBooksOut(allow_null=True)


class NatureSumOut(serializers.Serializer[board.NatureSum]):
    """Above zero: a credit balance."""

    nature = serializers.ChoiceField(choices=Account.Nature.choices)
    opening_fen = serializers.IntegerField()
    debit_fen = serializers.IntegerField()
    credit_fen = serializers.IntegerField()
    closing_fen = serializers.IntegerField()


class TrialLineOut(NatureSumOut):
    group = serializers.CharField()


class TrialBalanceOut(serializers.Serializer[board.TrialBalance]):
    items = TrialLineOut(many=True)
    natures = NatureSumOut(many=True)
    closing_debit_fen = serializers.IntegerField()
    closing_credit_fen = serializers.IntegerField()
    next = serializers.CharField(allow_null=True, default=None)


def _number(request: Request, name: str) -> UUID | None:
    raw = request.query_params.get(name)
    if not raw:
        return None
    try:
        return UUID(raw)
    except ValueError:
        raise Invalid(fields={name: ""}) from None


class OperationsView(ApiView):
    """For operators and checkers."""

    permission_classes = [HasRole("operator", "checker")]


class Entries(OperationsView):
    @extend_schema(
        operation_id="finance_operations_entries",
        parameters=[OpenApiParameter("number", str, required=True, description="of an entry, an order or a transfer")],
        responses=FoundEntriesOut,
    )
    def get(self, request: Request) -> Response:
        """The entry of a number, or those of the order or transfer of that number. The look is audited."""
        number = _number(request, "number")
        if number is None:
            raise Invalid(fields={"number": ""})
        found = board.find_entries(reader_id=person_of(request).pk, number=number)
        return Response(FoundEntriesOut({"items": found, "next": None}).data)


class Reversals(OperationsView):
    @extend_schema(operation_id="finance_reversals", parameters=[LIMIT, BEFORE], responses=ReversalsOut)
    def get(self, request: Request) -> Response:
        """Requests to reverse an entry, newest first."""
        reader, limit, number = person_of(request).pk, limit_of(request), _number(request, "before")
        try:
            before = access.reversal_request(number) if number else None
        except NotFound:
            raise Invalid(fields={"before": "cursor"}) from None
        shown, cursor = page(board.requests(reader_id=reader, before=before, limit=limit), limit, lambda row: row.id)
        roles = people.roles_of(reader)
        body = {
            "items": shown,
            "next": cursor,
            "may_enter": bool(roles & access.REVERSAL_MAKERS),
            "may_decide": bool(roles & access.REVERSAL_CHECKERS),
        }
        return Response(ReversalsOut(body).data)

    @extend_schema(operation_id="finance_reversal_enter", request=NewReversalIn, responses={201: ReversalOut})
    def post(self, request: Request) -> Response:
        """Asks for an entry to be reversed. A second person decides."""
        reader = person_of(request).pk
        access.may_enter_reversals(reader)
        asked = NewReversalIn(data=request.data)
        asked.is_valid(raise_exception=True)
        wished = asked.validated_data
        entered = reversals.enter(
            request_id=wished["id"], maker_id=reader, entry_id=wished["entry_id"], reason=wished["reason"]
        )
        return _answer(reader, entered, status=201)


def _answer(reader: UUID, row: ReversalRequest, status: int = 200) -> Response:
    seen = board.request(reader, access.reversal_request(row.pk))
    return Response(ReversalOut(seen).data, status=status)


class ReversalApproval(OperationsView):
    @extend_schema(operation_id="finance_reversal_approve", request=None, responses=ReversalOut)
    def post(self, request: Request, request_id: UUID) -> Response:
        """Has the reversal posted that somebody else asked for."""
        reader = person_of(request).pk
        return _answer(reader, reversals.approve(request_id=request_id, checker_id=reader))


class ReversalRefusal(OperationsView):
    @extend_schema(operation_id="finance_reversal_refuse", request=ReasonIn, responses=ReversalOut)
    def post(self, request: Request, request_id: UUID) -> Response:
        """Ends a request of somebody else without posting, with the reason."""
        reader = person_of(request).pk
        access.may_decide_reversals(reader)
        access.reversal_request(request_id)
        asked = ReasonIn(data=request.data)
        asked.is_valid(raise_exception=True)
        reason = asked.validated_data["reason"]
        return _answer(reader, reversals.refuse(request_id=request_id, checker_id=reader, reason=reason))


class ReversalWithdrawal(OperationsView):
    @extend_schema(operation_id="finance_reversal_withdraw", request=None, responses=ReversalOut)
    def post(self, request: Request, request_id: UUID) -> Response:
        """Gives up one's own request."""
        reader = person_of(request).pk
        return _answer(reader, reversals.withdraw(request_id=request_id, maker_id=reader))


def _day(raw: str) -> date:
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise NotFound from None


class DayCloses(OperationsView):
    @extend_schema(operation_id="finance_day_closes", parameters=[LIMIT, BEFORE], responses=ClosedDaysOut)
    def get(self, request: Request) -> Response:
        """Closed days, newest first, and the newest proof of the books."""
        raw, limit = request.query_params.get("before"), limit_of(request)
        try:
            before = _day(raw) if raw else None
        except NotFound:
            raise Invalid(fields={"before": "cursor"}) from None
        shown, cursor = page(board.closed_days(before=before, limit=limit), limit, lambda row: row.day)
        body = {"items": shown, "next": cursor, "proof": queries.last_verification()}
        return Response(ClosedDaysOut(body).data)


class DayCloseOne(OperationsView):
    @extend_schema(operation_id="finance_day_close", responses=TrialBalanceOut)
    def get(self, request: Request, day: str) -> Response:
        """A closed day's trial balance."""
        trial = board.trial_balance(_day(day))
        if trial is None:
            raise NotFound
        return Response(TrialBalanceOut(trial).data)
