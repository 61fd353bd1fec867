"""REST doors of alerts, for the owner of the account alone."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import person_of
from finance.ledger import names
from finance.services import actions, queries
from kernel.api import ApiView
from kernel.errors import said
from kernel.fields import FenField, IdField

TIME = "%H:%M"


class BalanceShape(serializers.Serializer[queries.Balance]):
    balance_fen = serializers.IntegerField()
    available_fen = serializers.IntegerField(allow_null=True)
    after = serializers.BooleanField()


class SettingShape(serializers.Serializer[Any]):
    account_id = IdField()
    name = serializers.CharField()
    tail = serializers.CharField()
    enabled = serializers.BooleanField()
    threshold_fen = serializers.IntegerField()
    quiet_from = serializers.TimeField(format=TIME, allow_null=True)
    quiet_to = serializers.TimeField(format=TIME, allow_null=True)


class AlertSettingsShape(serializers.Serializer[Any]):
    items = SettingShape(many=True)
    next = serializers.CharField(allow_null=True)


class SettingBody(serializers.Serializer[Any]):
    account_id = IdField()
    enabled = serializers.BooleanField(required=False)
    threshold_fen = FenField(minimum=0, maximum=10**9, required=False)
    quiet_from = serializers.TimeField(input_formats=[TIME], allow_null=True, required=False)
    quiet_to = serializers.TimeField(input_formats=[TIME], allow_null=True, required=False)

    def validate_enabled(self, value: bool) -> bool:
        """A boolean, not something that reads like one."""
        if not isinstance(self.initial_data.get("enabled"), bool):
            raise serializers.ValidationError(said("须为 true 或 false。", "true or false is needed."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Quiet hours have a beginning and another end, or neither."""
        given = [name for name in ("quiet_from", "quiet_to") if name in attrs]
        ends = [attrs.get("quiet_from"), attrs.get("quiet_to")]
        if given and (len(given) == 1 or (None in ends and any(ends)) or (None not in ends and ends[0] == ends[1])):
            raise serializers.ValidationError(
                {
                    "quiet_from": said(
                        "免打扰须有不同的开始和结束时间。", "Quiet hours need a beginning and another end."
                    )
                }
            )
        return attrs


def _setting_json(wanted: queries.Wanted) -> dict[str, Any]:
    setting = wanted.setting
    return {
        "account_id": wanted.account_id,
        "name": str(said(wanted.name, names.english(wanted.name))),
        "tail": wanted.tail,
        "enabled": setting.enabled,
        "threshold_fen": setting.threshold_fen,
        "quiet_from": setting.quiet_from,
        "quiet_to": setting.quiet_to,
    }


class AlertBalance(ApiView):
    @extend_schema(operation_id="finance_alert_balance", responses=BalanceShape)
    def get(self, request: Request, alert_id: UUID) -> Response:
        """The balance that belongs to an alert."""
        return Response(BalanceShape(queries.balance_of(person_of(request).pk, alert_id)).data)


class AlertSettings(ApiView):
    @extend_schema(operation_id="finance_alert_settings", responses=AlertSettingsShape)
    def get(self, request: Request) -> Response:
        """What the person wants to be told, account by account."""
        items = [_setting_json(wanted) for wanted in queries.settings_of(person_of(request).pk)]
        return Response(AlertSettingsShape({"items": items, "next": None}).data)

    @extend_schema(operation_id="finance_alert_setting", request=SettingBody, responses=AlertSettingsShape)
    def patch(self, request: Request) -> Response:
        """Changes it for one account; answers all."""
        body = SettingBody(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        begin, end = data.get("quiet_from"), data.get("quiet_to")
        actions.change_setting(
            person_id=person_of(request).pk,
            account_id=data["account_id"],
            enabled=data.get("enabled"),
            threshold_fen=data.get("threshold_fen"),
            quiet=(begin, end) if begin is not None and end is not None else None,
            loud="quiet_from" in data and begin is None,
        )
        return self.get(request)
