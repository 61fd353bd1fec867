"""What chat's doors take and give, for checking and for the schema."""

from typing import Any

from rest_framework import serializers

from kernel.errors import said
from kernel.fields import IdField, PlainText, WholeField

MAX_SEQ = 2**53 - 1
MAX_HAVE = 5_000


class ChatSealOutput(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=["advisor", "agent", "official", "staff"])
    title = serializers.CharField()
    title_en = serializers.CharField()
    organisation = serializers.CharField()
    organisation_en = serializers.CharField()


class ChatPersonOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    remark = serializers.CharField(allow_null=True)
    hue = serializers.IntegerField()
    avatar_url = serializers.CharField(allow_null=True)
    seal = ChatSealOutput(allow_null=True)
    kind = serializers.CharField()


class PictureRefOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class CardOutput(serializers.Serializer[Any]):
    kind = serializers.CharField()
    ref = serializers.UUIDField()
    state = serializers.CharField()
    payload = serializers.DictField()
    revision = serializers.IntegerField()
    summary = serializers.DictField(child=serializers.CharField())


class NoticeOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    params = serializers.DictField()


class MessageOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()
    seq = serializers.IntegerField()
    version = serializers.IntegerField()
    client_id = serializers.UUIDField()
    sender_id = serializers.UUIDField(allow_null=True)
    kind = serializers.ChoiceField(choices=["text", "picture", "card", "notice"])
    text = serializers.CharField(allow_blank=True)
    picture = PictureRefOutput(allow_null=True)
    card = CardOutput(allow_null=True)
    notice = NoticeOutput(allow_null=True)
    warning = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    recalled = serializers.BooleanField()


class ConversationOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["direct", "group", "advisor", "service", "official"])
    title = serializers.CharField(allow_blank=True)
    seq = serializers.IntegerField()
    version = serializers.IntegerField()
    archived = serializers.BooleanField()
    notice_version = serializers.CharField(allow_blank=True)
    active_at = serializers.DateTimeField()
    barred = serializers.CharField(allow_blank=True, help_text="why one may read and not write here, as a code")
    read_seq = serializers.IntegerField()
    unread = serializers.IntegerField()
    muted = serializers.BooleanField()
    pinned = serializers.BooleanField()
    hidden = serializers.BooleanField()
    member_count = serializers.IntegerField()
    peer_ids = serializers.ListField(child=serializers.UUIDField())
    last = MessageOutput(allow_null=True)


class ConversationPage(serializers.Serializer[Any]):
    items = ConversationOutput(many=True)
    people = ChatPersonOutput(many=True)
    next = serializers.CharField(allow_null=True)


class ConversationDetail(serializers.Serializer[Any]):
    conversation = ConversationOutput()
    people = ChatPersonOutput(many=True)


class MessagePage(serializers.Serializer[Any]):
    items = MessageOutput(many=True)
    people = ChatPersonOutput(many=True)
    next = serializers.CharField(allow_null=True)
    version = serializers.IntegerField()


class ChangeOutput(serializers.Serializer[Any]):
    conversation_id = serializers.UUIDField()
    reset = serializers.BooleanField()
    upto = serializers.IntegerField()
    more = serializers.BooleanField()
    messages = MessageOutput(many=True)


class MarkOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    barred = serializers.CharField(allow_blank=True)
    read_seq = serializers.IntegerField()
    unread = serializers.IntegerField()
    muted = serializers.BooleanField()
    pinned = serializers.BooleanField()
    hidden = serializers.BooleanField()


class SyncOutput(serializers.Serializer[Any]):
    conversations = ConversationOutput(many=True)
    marks = MarkOutput(many=True)
    changes = ChangeOutput(many=True)
    gone = serializers.ListField(child=serializers.UUIDField())
    people = ChatPersonOutput(many=True)
    more = serializers.BooleanField()
    next = serializers.CharField(allow_null=True)


class HaveField(serializers.DictField):
    """{conversation: version}: what a client has."""

    child = WholeField(minimum=0, maximum=MAX_SEQ)

    def to_internal_value(self, data: Any) -> dict[Any, Any]:
        """The versions by conversation, or a validation error."""
        if not isinstance(data, dict) or len(data) > MAX_HAVE:
            self.fail("not_a_dict", input_type=type(data).__name__)
        id_field = IdField()
        return {id_field.run_validation(key): self.child.run_validation(value) for key, value in data.items()}


class SaidField(serializers.CharField):
    """A JSON text: numbers and booleans are not what somebody said."""

    def to_internal_value(self, data: Any) -> str:
        """The text, or a validation error."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class SyncInput(serializers.Serializer[Any]):
    have = HaveField()
    after = PlainText(max_length=120, allow_null=True, required=False)
    people = serializers.BooleanField(
        required=False, help_text="also who is in the conversations that have not changed, as they look today"
    )


class OpenInput(serializers.Serializer[Any]):
    person_id = IdField()


class GroupInput(serializers.Serializer[Any]):
    id = IdField()
    title = PlainText(max_length=30, name=True)
    member_ids = serializers.ListField(child=IdField(), min_length=1, max_length=500)


class TextInput(serializers.Serializer[Any]):
    client_id = IdField()
    # What may stand in it is said by chat.screens, whose refusals name the reason.
    text = SaidField(trim_whitespace=False, allow_blank=True)


class PictureInput(serializers.Serializer[Any]):
    client_id = IdField()
    picture = serializers.FileField(allow_empty_file=True)


class ForwardInput(serializers.Serializer[Any]):
    client_id = IdField()
    conversation_id = IdField()


class ReadInput(serializers.Serializer[Any]):
    seq = WholeField(minimum=0, maximum=MAX_SEQ)


class ReadOutput(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    unread = serializers.IntegerField()


class MarksInput(serializers.Serializer[Any]):
    muted = serializers.BooleanField(required=False)
    pinned = serializers.BooleanField(required=False)
    hidden = serializers.BooleanField(required=False)


class PushKeysInput(serializers.Serializer[Any]):
    p256dh = PlainText(max_length=100)
    auth = PlainText(max_length=40)


class PushInput(serializers.Serializer[Any]):
    """What `PushSubscription.toJSON()` gives in a browser."""

    endpoint = PlainText(max_length=800)
    keys = PushKeysInput()


class PushGoneInput(serializers.Serializer[Any]):
    endpoint = PlainText(max_length=800)


class PushOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()


class HourField(serializers.TimeField):
    """HH:MM, in the bank's time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **kwargs)

    def to_internal_value(self, value: Any) -> Any:
        """The time, or a validation error."""
        if not isinstance(value, str) or not value.isascii():
            self.fail("invalid", format="HH:MM")
        return super().to_internal_value(value)


class PushWishesInput(serializers.Serializer[Any]):
    hide_content = serializers.BooleanField()
    quiet_from = HourField(allow_null=True)
    quiet_to = HourField(allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Quiet hours have both ends, and they differ, or none."""
        if (attrs["quiet_from"] is None) != (attrs["quiet_to"] is None):
            raise serializers.ValidationError({"quiet_to": said("请同时设置开始与结束时间。", "Give both ends.")})
        if attrs["quiet_from"] is not None and attrs["quiet_from"] == attrs["quiet_to"]:
            raise serializers.ValidationError({"quiet_to": said("开始与结束时间不能相同。", "The ends must differ.")})
        return attrs


class PushWishesOutput(serializers.Serializer[Any]):
    public_key = serializers.CharField(allow_null=True)
    hide_content = serializers.BooleanField()
    quiet_from = HourField(allow_null=True)
    quiet_to = HourField(allow_null=True)
