"""What chat refuses, and why."""

from kernel.errors import Refusal


class NotFriends(Refusal):
    code = "not_friends"
    status = 403
    zh = "你们还不是好友,无法发起会话。先添加对方为好友吧。"
    en = "You are not friends yet, so no conversation was opened. Add each other first."


class NoLongerFriends(Refusal):
    code = "no_longer_friends"
    status = 403
    zh = "你们已不是好友,消息未发送。重新添加对方为好友后可以继续聊天。"
    en = "You are no longer friends, so nothing was sent. Add each other again to go on."


class NoAdvisor(Refusal):
    code = "no_advisor"
    status = 403
    zh = "客户经理已不再负责这个会话,消息未发送。我们会为您安排新的客户经理;急事请联系在线客服。"
    en = (
        "Your relationship manager has left this conversation, so nothing was sent. "
        "You will get a new one; if it is urgent, ask the service desk."
    )


class EmptyMessage(Refusal):
    code = "empty_message"
    status = 400
    zh = "消息是空的,未发送。"
    en = "The message is empty. It was not sent."


class MessageTooLong(Refusal):
    code = "message_too_long"
    status = 400
    zh = "消息最多 {limit} 字,未发送。请分几条发送。"
    en = "A message has at most {limit} characters. It was not sent; please split it."


class MarksRefused(Refusal):
    code = "text_refused"
    status = 400
    zh = "消息含有无法保存的字符,未发送。"
    en = "The message has characters that cannot be kept. It was not sent."


class WordsRefused(Refusal):
    code = "words_refused"
    status = 400
    zh = "「{words}」不能出现在消息中,未发送。请修改后再发。"
    en = "“{words}” may not be used here. The message was not sent; please change it."


class RecallTooLate(Refusal):
    code = "recall_too_late"
    status = 409
    zh = "发送已超过 {minutes} 分钟,无法撤回。"
    en = "This was sent more than {minutes} minutes ago and can no longer be recalled."


class NotRecallable(Refusal):
    code = "not_recallable"
    status = 409
    zh = "只能撤回自己发送的文字或图片。"
    en = "Only your own texts and pictures can be recalled."


class CardRefused(Refusal):
    code = "card_refused"
    status = 400
    zh = "这类卡片不能这样发送,未发送。"
    en = "This kind of card cannot be sent like this. It was not sent."


class GroupFull(Refusal):
    code = "group_full"
    status = 409
    zh = "群聊最多 {limit} 人,未添加。"
    en = "A group has at most {limit} people. Nobody was added."


class BadFrame(Refusal):
    code = "bad_frame"
    status = 400
    zh = "无法识别的内容,未处理。"
    en = "This frame could not be read. Nothing was done."


class UnknownFrame(Refusal):
    code = "unknown_frame"
    status = 400
    zh = "暂不支持这种操作,未处理。请更新到最新版本。"
    en = "This type or version of frame is not known here. Nothing was done; please update."


class FrameTooLarge(Refusal):
    code = "frame_too_large"
    status = 413
    zh = "内容太大,最多 {limit_kib} KB,未处理。"
    en = "A frame has at most {limit_kib} KiB. Nothing was done."


class Busy(Refusal):
    code = "busy"
    status = 503
    zh = "暂时没有送出,请稍后重试。"
    en = "Not sent for the moment. Please try again shortly."


class Unconfirmed(Refusal):
    code = "unconfirmed"
    status = 503
    zh = "暂时没有收到确认,稍后会自动重试,不会重复发送。"
    en = "There is no confirmation yet. It is tried again and will not be sent twice."


class PushRefused(Refusal):
    code = "push_refused"
    status = 400
    zh = "这个浏览器的推送地址无法使用,未开启通知。"
    en = "This browser's push address cannot be used. Notifications were not switched on."


class PushNotConnected(Refusal):
    code = "push_not_connected"
    status = 503
    zh = "消息推送尚未开通,未做任何更改。"
    en = "Notifications are not set up here. Nothing was changed."


class TooManyBrowsers(Refusal):
    code = "too_many_browsers"
    status = 409
    zh = "最多在 {limit} 个浏览器开启通知,未开启。请先在其他设备关闭或退出登录。"
    en = "At most {limit} browsers can have notifications. Not switched on; switch another off first."


BARRED: dict[str, type[Refusal]] = {refusal.code: refusal for refusal in (NoAdvisor, NoLongerFriends)}
"""Why a member may read and not write, by the code that their row carries."""


def barred_by(code: str) -> Refusal:
    """The refusal for a member who is barred with this code."""
    return BARRED[code]()
