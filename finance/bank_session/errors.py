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
    zh = "密码输错次数过多,已锁定,未执行。重新核验身份并设置新密码后解锁。"
    en = "The PIN is locked after too many wrong tries. Nothing was done; verify yourself and choose a new one."


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


class PinUnchanged(Refusal):
    code = "pin_unchanged"
    status = 422
    zh = "新密码与原密码相同,没有更改。"
    en = "The new PIN is the old one. Nothing was changed."


class PasskeyRefused(Refusal):
    code = "passkey_refused"
    status = 403
    zh = "通行密钥验证未通过,未执行。请重试,或换一个通行密钥。"
    en = "The passkey did not prove itself, and nothing was done. Try again, or use another."


class PasskeyNeeded(Refusal):
    code = "passkey_needed"
    status = 403
    zh = "金额达到 ¥ {from_yuan} 须由通行密钥签署,支付密码不够。未执行。"
    en = "From ¥ {from_yuan} on, a passkey must sign; the PIN is not enough. Nothing was done."


class PasskeyYoung(Refusal):
    code = "passkey_young"
    status = 403
    zh = "这把通行密钥添加不久,{hours} 小时内不能签署 ¥ {from_yuan} 起的大额,什么都没有做。请用另一把,或稍后再来。"
    en = (
        "This passkey is new and cannot sign amounts from ¥ {from_yuan} on for its first {hours} hours. Nothing was"
        " done. Use another passkey, or come back later."
    )


class PasskeyOver(Refusal):
    code = "passkey_over"
    status = 409
    zh = "添加通行密钥的时间已过,没有保存。请重新发起。"
    en = "The time to add the passkey is over, and it was not saved. Start again."


class TooManyPasskeys(Refusal):
    code = "too_many_passkeys"
    status = 409
    zh = "最多保存 {limit} 个通行密钥,请先移除一个。"
    en = "There are {limit} passkeys already, the most there can be. Remove one first."


class DeviceUnverified(Refusal):
    code = "device_unverified"
    status = 403
    zh = "这是一台新设备:核验身份前,新设备每天合计最多向他人付款 ¥ {limit_yuan},今天还可付 ¥ {left_yuan}。未执行。"
    en = "This device is new: until verified, such devices pay others ¥ {limit_yuan} a day; ¥ {left_yuan} is left."


class ProofNeeded(Refusal):
    code = "proof_needed"
    status = 403
    zh = "请先核验身份,再设置支付密码。没有保存。"
    en = "Prove who you are first, then choose the PIN. It was not saved."


class ProofRefused(Refusal):
    code = "proof_refused"
    status = 403
    zh = "验证码或身份资料不正确,还可以试 {tries_left} 次。"
    en = "The code or what you gave of your identity is not right; {tries_left} tries left."


class ProofLocked(Refusal):
    code = "proof_locked"
    status = 423
    zh = "核验未通过的次数过多,{hours} 小时内不能再试。支付密码没有改动;急需办理请带身份证到网点。"
    en = "Too many wrong tries: none for {hours} hours. Your PIN was not touched. A branch can help you, with your ID."


class IdentityUnproved(Refusal):
    code = "identity_unproved"
    status = 409
    zh = "还没有核验过身份,不能设置支付密码。请先在「我」里完成实名并绑定银行卡。"
    en = "Your identity has not been verified, so no PIN can be set. Verify your name and bind a card first, under Me."


class PinTooSimple(Refusal):
    code = "pin_too_simple"
    status = 422
    zh = "这个密码容易被猜到,没有保存。请勿使用连续、重复的数字、生日、手机号或证件号中的数字。"
    en = "This PIN is easy to guess and was not saved. Avoid runs, repeats, your birthday, your phone and ID number."


class PinBusy(Refusal):
    code = "pin_busy"
    status = 429
    zh = "此刻确认的人太多,未执行。请 {wait_s} 秒后再试。"
    en = "Too many confirmations at this moment. Nothing was done; try again in {wait_s} seconds."
