"""What the bank session refuses."""

from kernel.errors import Refusal


class HandoffGone(Refusal):
    code = "handoff_gone"
    status = 410
    zh = "这个确认页已失效,未做任何操作。请回到对话重新打开。"
    en = "This confirmation page is no longer valid. Nothing was done; open it again from the chat."


class BankSessionNeeded(Refusal):
    code = "bank_session_needed"
    status = 401
    zh = "银行会话已结束,未做任何操作。请回到对话重新打开。"
    en = "The bank session is over. Nothing was done; open it again from the chat."


class IntentOver(Refusal):
    code = "intent_over"
    status = 409
    zh = "这一笔已经完成、取消或过期,没有重复执行。"
    en = "This has been done, cancelled or has expired. It was not done again."


class StatementStale(Refusal):
    code = "statement_stale"
    status = 409
    zh = "内容已有变化,未执行。请核对新的内容后再确认。"
    en = "Something has changed, and nothing was done. Check the new text and confirm again."


class ChallengeOver(Refusal):
    code = "challenge_over"
    status = 409
    zh = "确认已超时,未执行。请再确认一次。"
    en = "The confirmation took too long, and nothing was done. Please confirm again."


class WrongPin(Refusal):
    code = "wrong_pin"
    status = 403
    zh = "密码不正确,还可以试 {tries_left} 次。未执行。"
    en = "That PIN is wrong; {tries_left} tries left. Nothing was done."


class PinLocked(Refusal):
    code = "pin_locked"
    status = 423
    zh = "密码输错次数过多,已锁定,未执行。请通过在线客服核验身份后解锁。"
    en = "The PIN is locked after too many wrong tries. Nothing was done; verify yourself with customer service."


class PinNotSet(Refusal):
    code = "pin_not_set"
    status = 409
    zh = "还没有设置支付密码,未执行。请先设置。"
    en = "No PIN has been set, and nothing was done. Set one first."


class PinAlreadySet(Refusal):
    code = "pin_already_set"
    status = 409
    zh = "支付密码已经设置过,没有更改。"
    en = "A PIN has been set already. It was not changed."


class PinTooSimple(Refusal):
    code = "pin_too_simple"
    status = 422
    zh = "这个密码容易被猜到,没有保存。请勿使用连续、重复的数字或生日。"
    en = "This PIN is easy to guess and was not saved. Avoid runs, repeats and your birthday."


class PinBusy(Refusal):
    code = "pin_busy"
    status = 429
    zh = "此刻确认的人太多,未执行。请 {wait_s} 秒后再试。"
    en = "Too many confirmations at this moment. Nothing was done; try again in {wait_s} seconds."
