"""The lines of the house in a conversation, by code. A changed text gets a new version; old ones stay readable."""

from django.conf import settings

from chat.wire import Notice

ARCHIVE_VERSION = "2026-11"

_TEXTS = {
    "archive": "为保障您的权益,{bank}会存档本会话。银行工作人员不会向您索要密码或验证码。",
    "friends": "你们已成为好友,可以开始聊天了。",
    "group_opened": "{name} 发起了群聊。",
    "joined": "{name} 加入了会话。",
    "left": "{name} 离开了会话。",
    "advisor_changed": "{name} 现在是您的客户经理,可以看到本会话此前的记录。如需更换,请联系在线客服。",
}


def text_of(notice: Notice) -> str:
    """The Chinese sentence of a notice, for clients that do not know its code, and for the archive."""
    template = _TEXTS.get(notice.code)
    return template.format(bank=settings.BANK_NAME, **notice.params) if template else ""


def archive_notice() -> Notice:
    """That the bank keeps what is said here, in the version of today."""
    return Notice("archive", {"version": ARCHIVE_VERSION})
