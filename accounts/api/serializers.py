"""What the doors of accounts take and give, for checking and for the schema."""

from typing import Any

from rest_framework import serializers

from accounts import limits
from accounts.models import OneTimeCode
from kernel.errors import said
from kernel.fields import IdField, PlainText, SecretText

MAX_PASSWORD = 128


class DigitsField(serializers.RegexField):
    """ASCII digits in a JSON text: full-width digits and numbers are refused, not converted."""

    def __init__(self, pattern: str, example: str, **kwargs: Any) -> None:
        super().__init__(rf"^{pattern}\Z", trim_whitespace=False, **kwargs)
        self.error_messages["invalid"] = said(f"须为数字,如 {example}。", f"Digits are needed, such as {example}.")

    def to_internal_value(self, data: Any) -> str:
        """The digits, or a validation error."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


def phone_field(**kwargs: Any) -> DigitsField:
    """A mobile number of mainland China."""
    return DigitsField(r"1[3-9][0-9]{9}", "13800000000", max_length=11, **kwargs)


def code_field(**kwargs: Any) -> DigitsField:
    """A one-time code."""
    return DigitsField(rf"[0-9]{{{limits.CODE_DIGITS}}}", "123456", max_length=limits.CODE_DIGITS, **kwargs)


def password_field(**kwargs: Any) -> PlainText:
    """A password: any text, spaces included."""
    return SecretText(max_length=MAX_PASSWORD, **kwargs)


class DeviceInput(serializers.Serializer[Any]):
    """A device that signs in. A device that names no id is a new one."""

    device_id = IdField(required=False)
    device_name = PlainText(max_length=60, required=False, name=True)


class SessionInput(DeviceInput):
    phone = phone_field()
    password = password_field(required=False)
    code = code_field(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one proof."""
        if ("password" in attrs) == ("code" in attrs):
            raise serializers.ValidationError(
                {"password": said("请填写密码或验证码。", "A password or a code is needed.")}
            )
        return attrs


DOOR_PURPOSES = [one for one in OneTimeCode.Purpose.values if one != OneTimeCode.Purpose.BANK]
"""What anybody may ask a code for, by a phone number."""


class AskerInput(serializers.Serializer[Any]):
    """Who asks. A code is used on the device that asked for it, under the same id."""

    device_id = IdField(required=False)


class CodeInput(AskerInput):
    phone = phone_field()
    purpose = serializers.ChoiceField(choices=DOOR_PURPOSES)


class CodeOutput(serializers.Serializer[Any]):
    sent_to = serializers.CharField(help_text="the number, masked")
    expires_in_s = serializers.IntegerField()
    again_in_s = serializers.IntegerField()
    demo_code = serializers.CharField(allow_null=True, help_text="demo mode alone: what the text message would say")


def version_field() -> serializers.RegexField:
    return serializers.RegexField(r"^[0-9A-Za-z-]{1,20}$", required=False)


class AgreedInput(serializers.Serializer[Any]):
    """The versions that were shown; see `/api/agreements`."""

    terms = version_field()
    privacy = version_field()


class AgreementInput(serializers.Serializer[Any]):
    version = serializers.RegexField(r"^[0-9A-Za-z-]{1,20}$")


class AgreementItem(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["terms", "privacy"])
    version = serializers.CharField()
    title = serializers.CharField()
    sha256 = serializers.CharField(help_text="of both languages as they are shown")
    agreed_version = serializers.CharField(allow_null=True, help_text="which the signed-in person agreed to last")
    agreed_at = serializers.DateTimeField(allow_null=True)


class AgreementList(serializers.Serializer[Any]):
    items = AgreementItem(many=True)


class AgreementOutput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["terms", "privacy"])
    version = serializers.CharField()
    title = serializers.CharField()
    sha256 = serializers.CharField()
    text = serializers.CharField(help_text="a heading or paragraph in each line")


class RegistrationInput(DeviceInput):
    agreed = AgreedInput(required=False)
    phone = phone_field()
    code = code_field()
    password = password_field()
    display_name = PlainText(max_length=limits.MAX_NAME, name=True)


class PasswordInput(serializers.Serializer[Any]):
    current = password_field()
    new = password_field()


class PasswordResetInput(AskerInput):
    phone = phone_field()
    code = code_field()
    password = password_field()


class ProfileInput(serializers.Serializer[Any]):
    display_name = PlainText(max_length=limits.MAX_NAME, name=True)


class AvatarInput(serializers.Serializer[Any]):
    picture = serializers.FileField()


class IdentityInput(serializers.Serializer[Any]):
    name = PlainText(max_length=30, name=True)
    id_number = PlainText(max_length=18)


class IdentityOutput(serializers.Serializer[Any]):
    level = serializers.ChoiceField(choices=["none", "named", "verified"])
    masked_name = serializers.CharField(allow_null=True)


class CardInput(serializers.Serializer[Any]):
    id = IdField(help_text="made by the client, so that a repeat is harmless")
    number = DigitsField(r"[0-9]{12,19}", "6217000000000000000", max_length=19)
    phone = phone_field(required=False)


class BoundCardOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    bank_name = serializers.CharField()
    tail = serializers.CharField()
    kind = serializers.ChoiceField(choices=["debit", "credit"])


class CardList(serializers.Serializer[Any]):
    items = BoundCardOutput(many=True)
    next = serializers.CharField(allow_null=True)


class IssuerOutput(serializers.Serializer[Any]):
    bank_name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["debit", "credit"])
    length = serializers.IntegerField()


class SealOutput(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=["advisor", "agent", "official", "staff"])
    title = serializers.CharField()
    title_en = serializers.CharField()
    organisation = serializers.CharField()
    organisation_en = serializers.CharField()


class PersonOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    remark = serializers.CharField(allow_null=True)
    hue = serializers.IntegerField()
    avatar_url = serializers.CharField(allow_null=True)
    seal = SealOutput(allow_null=True)
    kind = serializers.ChoiceField(choices=["customer", "visitor", "staff", "official"])


class MeOutput(PersonOutput):
    roles = serializers.ListField(child=serializers.CharField())
    phone_masked = serializers.CharField(allow_null=True)
    identity = IdentityOutput()
    session_id = serializers.UUIDField()
    device_id = serializers.UUIDField()
    demo = serializers.BooleanField()


class WhoOutput(serializers.Serializer[Any]):
    me = MeOutput(allow_null=True)


class PersonPage(serializers.Serializer[Any]):
    person = PersonOutput()
    relation = serializers.ChoiceField(
        choices=["self", "friend", "asking", "asked", "advisor", "customer", "staff", "official", "none"]
    )
    request_id = serializers.UUIDField(allow_null=True)


class ContactOutput(serializers.Serializer[Any]):
    person = PersonOutput()
    index = serializers.CharField(help_text="the letter under which it stands, or #")


class ContactList(serializers.Serializer[Any]):
    items = ContactOutput(many=True)
    next = serializers.CharField(allow_null=True)
    advisor = PersonOutput(allow_null=True)
    officials = PersonOutput(many=True)
    waiting = serializers.IntegerField(help_text="friend requests that wait for an answer")


class FriendRequestInput(serializers.Serializer[Any]):
    id = IdField(required=False, help_text="made by the client, so that a repeat is harmless")
    phone = phone_field(required=False)
    person_id = IdField(required=False)
    message = PlainText(max_length=limits.MAX_GREETING, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one way to say whom."""
        if ("phone" in attrs) == ("person_id" in attrs):
            raise serializers.ValidationError({"phone": said("请填写手机号。", "A phone number is needed.")})
        return attrs


class FriendRequestOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    direction = serializers.ChoiceField(choices=["in", "out"])
    person = PersonOutput()
    message = serializers.CharField()
    state = serializers.ChoiceField(choices=["pending", "accepted", "declined"])
    at = serializers.DateTimeField()


class FriendRequestList(serializers.Serializer[Any]):
    items = FriendRequestOutput(many=True)
    next = serializers.CharField(allow_null=True)
    waiting = serializers.IntegerField()


class AskedOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    person = PersonOutput()
    state = serializers.ChoiceField(choices=["pending", "accepted"])


class RemarkInput(serializers.Serializer[Any]):
    remark = PlainText(max_length=limits.MAX_REMARK, allow_blank=True, name=True)


class DeviceOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    current = serializers.BooleanField()
    signed_in = serializers.BooleanField()
    signed_in_at = serializers.DateTimeField(allow_null=True, help_text="null: signed out")
    last_seen_at = serializers.DateTimeField()
    verified = serializers.BooleanField(help_text="the person has proved on it to the bank who they are")


class DeviceList(serializers.Serializer[Any]):
    items = DeviceOutput(many=True)
    next = serializers.CharField(allow_null=True)
