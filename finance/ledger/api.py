"""A person's own accounts and their entries."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from finance.ledger import access, monthly, names, past, queries, statement_files
from finance.ledger.models import Account
from kernel.api import ApiView, limit_of, page
from kernel.clock import business_now
from kernel.errors import Invalid, Language, NotFound, language_of, said

STATEMENTS_PER_MINUTE = 30
NUMBERS_PER_MINUTE = 10
LONGEST_PAST = timedelta(days=40 * 366)
"""Before its opening: history may be brought in."""


class AccountOut(serializers.ModelSerializer[Account]):
    """An account as its owner sees it."""

    name = serializers.SerializerMethodField(help_text="in the reader's language")
    available_fen = serializers.IntegerField()

    def get_name(self, account: Account) -> str:
        return str(said(account.name, names.english(account.name)))

    class Meta:
        model = Account
        fields = (
            "id",
            "name",
            "account_class",
            "tail",
            "status",
            "balance_fen",
            "held_fen",
            "available_fen",
            "ceiling_fen",
            "opened_remotely",
            "opened_at",
        )


class AccountsOut(serializers.Serializer[object]):
    items = AccountOut(many=True)
    next = serializers.CharField(allow_null=True)


class LineOut(serializers.Serializer[queries.Line]):
    """One line of the statement. `counterpart`: the other person's masked registered name, or null."""

    entry_id = serializers.UUIDField()
    kind = serializers.CharField()
    memo = serializers.CharField()
    reference = serializers.UUIDField(allow_null=True)
    amount_fen = serializers.IntegerField()
    balance_after_fen = serializers.IntegerField()
    at = serializers.DateTimeField()
    value_date = serializers.DateField()
    counterpart = serializers.CharField(allow_null=True)


class LinesOut(serializers.Serializer[object]):
    items = LineOut(many=True)
    next = serializers.CharField(allow_null=True)


class StatementOut(serializers.Serializer[monthly.AccountStatement]):
    """A month's sums, in fen. `complete`: the month is over; else they reach to `until`."""

    month = serializers.CharField()
    until = serializers.DateTimeField()
    complete = serializers.BooleanField()
    opening_fen = serializers.IntegerField()
    in_fen = serializers.IntegerField()
    out_fen = serializers.IntegerField(help_text="what went out, as a positive number")
    closing_fen = serializers.IntegerField()
    count = serializers.IntegerField()


class MonthsOut(serializers.Serializer[object]):
    items = serializers.ListField(child=serializers.CharField())
    next = serializers.CharField(allow_null=True)


class AccountsView(ApiView):
    @extend_schema(operation_id="finance_accounts", responses=AccountsOut)
    def get(self, request: Request) -> Response:
        """The person's accounts that are not closed, with what is available of each."""
        accounts = queries.accounts_of(UUID(str(request.user.pk)))
        return Response({"items": AccountOut(accounts, many=True).data, "next": None})


class AccountView(ApiView):
    @extend_schema(operation_id="finance_account", responses=AccountOut)
    def get(self, request: Request, account_id: UUID) -> Response:
        """One of the person's accounts."""
        return Response(AccountOut(access.account_of(UUID(str(request.user.pk)), account_id)).data)


class AccountNumberOut(serializers.Serializer[object]):
    number = serializers.CharField(help_text="all its digits")


class AccountNumberView(ApiView):
    @extend_schema(operation_id="finance_account_number", responses=AccountNumberOut)
    def get(self, request: Request, account_id: UUID) -> Response:
        """The full number of one of the person's accounts. The look is audited."""
        owner_id = UUID(str(request.user.pk))
        account = access.account_of(owner_id, account_id)
        throttles.hit("account-number", str(owner_id), limit=NUMBERS_PER_MINUTE, window=timedelta(minutes=1))
        return Response(AccountNumberOut({"number": queries.number_shown(account, owner_id)}).data)


class PastBalanceOut(serializers.Serializer[object]):
    at = serializers.DateTimeField()
    balance_fen = serializers.IntegerField()


class MomentIn(serializers.Serializer[object]):
    at = serializers.DateTimeField()


class BalanceView(ApiView):
    @extend_schema(
        operation_id="finance_account_balance",
        parameters=[OpenApiParameter("at", OpenApiTypes.DATETIME, required=True, description="with its offset")],
        responses=PastBalanceOut,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """What the balance was at a past moment."""
        account = access.account_of(UUID(str(request.user.pk)), account_id)
        throttles.hit("statement", str(request.user.pk), limit=STATEMENTS_PER_MINUTE, window=timedelta(minutes=1))
        raw = request.query_params.get("at", "")
        asked = MomentIn(data={"at": raw if raw.isascii() else ""})
        asked.is_valid(raise_exception=True)
        at = asked.validated_data["at"]
        if not account.opened_at - LONGEST_PAST <= at <= business_now():
            raise Invalid(fields={"at": str(said("请选择过去的时间。", "Choose a moment in the past."))})
        return Response(PastBalanceOut({"at": at, "balance_fen": past.balance_at(account.pk, at)}).data)


class EntriesView(ApiView):
    @extend_schema(
        operation_id="finance_account_entries",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("before", str)],
        responses=LinesOut,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """The account's entries, newest first."""
        account = access.account_of(UUID(str(request.user.pk)), account_id)
        lines, following = queries.entries_page(account.pk, request.query_params.get("before"), limit_of(request))
        return Response(LinesOut({"items": lines, "next": following}).data)


class StatementsView(ApiView):
    @extend_schema(
        operation_id="finance_account_statements",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("before", str)],
        responses=MonthsOut,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """The months of which the account has a statement, newest first."""
        account = access.account_of(UUID(str(request.user.pk)), account_id)
        raw, limit = request.query_params.get("before"), limit_of(request)
        try:
            before = monthly.month_of(account, raw) if raw else None
        except NotFound:
            raise Invalid(fields={"before": "cursor"}) from None
        shown, following = page(monthly.months(account, before=before, limit=limit), limit, str)
        return Response({"items": [str(month) for month in shown], "next": following})


def _statement(request: Request, account_id: UUID, month: str) -> monthly.AccountStatement:
    account = access.account_of(UUID(str(request.user.pk)), account_id)
    throttles.hit("statement", str(request.user.pk), limit=STATEMENTS_PER_MINUTE, window=timedelta(minutes=1))
    return monthly.statement(account, monthly.month_of(account, month))


class StatementView(ApiView):
    @extend_schema(operation_id="finance_account_statement", responses=StatementOut)
    def get(self, request: Request, account_id: UUID, month: str) -> Response:
        """A month's opening balance, totals and closing balance."""
        return Response(StatementOut(_statement(request, account_id, month)).data)


_LANGUAGE = OpenApiParameter("lang", OpenApiTypes.STR, enum=["zh", "en"], description="of the file's words")


def _language(request: Request) -> Language:
    """A link that is followed names its language itself; else the browser's."""
    said = request.query_params.get("lang")
    if said is None:
        return language_of(request.headers.get("Accept-Language"))
    if said not in ("zh", "en"):
        raise Invalid(fields={"lang": "zh, en"})
    return "en" if said == "en" else "zh"


def _file(of: monthly.AccountStatement, content: bytes, media_type: str, ending: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="statement-{of.account.tail}-{of.month}.{ending}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


class StatementPdfView(ApiView):
    @extend_schema(
        operation_id="finance_account_statement_pdf",
        parameters=[_LANGUAGE],
        responses={(200, "application/pdf"): bytes},
    )
    def get(self, request: Request, account_id: UUID, month: str) -> HttpResponse:
        """The month's statement as PDF."""
        language, found = _language(request), _statement(request, account_id, month)
        return _file(found, statement_files.as_pdf(found, language), "application/pdf", "pdf")


class StatementCsvView(ApiView):
    @extend_schema(
        operation_id="finance_account_statement_csv",
        parameters=[_LANGUAGE],
        responses={(200, "text/csv"): bytes},
    )
    def get(self, request: Request, account_id: UUID, month: str) -> HttpResponse:
        """The month's statement as CSV, in UTF-8 with a byte-order mark."""
        language, found = _language(request), _statement(request, account_id, month)
        return _file(found, statement_files.as_csv(found, language), "text/csv; charset=utf-8", "csv")
