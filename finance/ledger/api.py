"""A person's own accounts and their entries."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from finance.ledger import access, queries
from finance.ledger.models import Account
from kernel.api import ApiView, limit_of


class AccountOut(serializers.ModelSerializer[Account]):
    """An account as its owner sees it."""

    available_fen = serializers.IntegerField()

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
