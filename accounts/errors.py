"""What accounts refuses."""

from kernel.errors import Conflict, Invalid, NotAllowed, Refusal, TooMany


class SignInRefused(Refusal):
    code = "sign_in_refused"
    status = 401
    zh = "手机号或密码不正确,未登录。"
    en = "The phone number or password is not right. You are not signed in."


class PasswordTriesSpent(TooMany):
    """Strangers have tried so many passwords at a number that no more are looked at from devices it does not know."""

    code = "password_tries_spent"
    zh = "有人在陌生设备上多次尝试登录这个号码,暂不接受密码。请用验证码登录,或在您用过的设备上登录。"
    en = (
        "Too many passwords were tried for this number on unknown devices, and none is taken for now."
        " Sign in with a code, or on a device that you have used before."
    )


class CodeRefused(Refusal):
    code = "code_refused"
    status = 400
    zh = "验证码不正确或已过期,请核对或重新获取。"
    en = "The code is not right or has expired. Check it, or ask for a new one."


class NotRegistered(Refusal):
    code = "not_registered"
    status = 404
    zh = "这个手机号尚未注册,请先注册。"
    en = "This number is not registered yet. Please register first."


class NotAgreed(Refusal):
    code = "not_agreed"
    status = 400
    zh = "请先阅读并同意用户服务协议和隐私政策,尚未注册。"
    en = "Please read and accept the user agreement and the privacy policy first. You are not registered yet."


class AgreementMoved(Conflict):
    """The text has a newer version than the one that was agreed to."""

    code = "agreement_moved"
    zh = "协议刚刚更新,请阅读新版本后再同意。"
    en = "The text has just been updated. Please read the new version, then accept it."


class PhoneTaken(Conflict):
    code = "phone_taken"
    zh = "这个手机号已注册,请直接登录。"
    en = "This number is registered already. Please sign in."


class PasswordTooWeak(Invalid):
    code = "password_too_weak"
    zh = "密码太简单:至少 8 位,不要全是数字,也不要用常见密码。"
    en = "The password is too weak: at least 8 characters, not only digits, and no common one."


class PasswordWrong(Invalid):
    code = "password_wrong"
    zh = "原密码不正确,密码未更改。"
    en = "The present password is not right. It was not changed."


class NameNotAllowed(Invalid):
    code = "name_not_allowed"
    zh = "名称不能像银行、客服或官方的名称,请换一个。"
    en = "A name may not look like the bank, its service or anything official. Please choose another."


class RealNameWrong(Invalid):
    code = "real_name_wrong"
    zh = "请填写身份证上的姓名。"
    en = "Please give the name as it stands on the ID card."


class IdNumberWrong(Invalid):
    code = "id_number_wrong"
    zh = "身份证号有误,请逐位核对。"
    en = "This ID number is not right. Please check each digit."


class IdentitySettled(Conflict):
    code = "identity_settled"
    zh = "您的身份已核验,不能再更改。如需更正请到网点办理。"
    en = "Your identity is verified and cannot be changed here. A branch can correct it."


class IdentityTaken(Conflict):
    code = "identity_taken"
    zh = "这个身份证号已在另一用户名下核验,未做任何更改。如非本人操作请联系在线客服。"
    en = "This ID is verified for another user. Nothing was changed; please tell customer service if that was not you."


class IdentityNeeded(Refusal):
    code = "identity_needed"
    status = 409
    zh = "请先填写姓名和身份证号。"
    en = "Please give your name and ID number first."


class CardNumberWrong(Invalid):
    code = "card_number_wrong"
    zh = "卡号有误,请逐位核对。"
    en = "This card number is not right. Please check each digit."


class CardBankUnknown(Invalid):
    code = "card_bank_unknown"
    zh = "暂不支持绑定这家银行的卡,请换一张。"
    en = "Cards of this bank cannot be bound yet. Please use another one."


class CardRefused(Refusal):
    code = "card_refused"
    status = 422
    zh = "发卡行核对未通过:姓名、身份证号、卡号与手机号须为同一人的预留信息。未绑定。"
    en = "The card's bank did not confirm that name, ID, card and phone belong together. The card was not bound."


class CardUnusable(Refusal):
    code = "card_unusable"
    status = 422
    zh = "发卡行答复这张卡不可用。未绑定,请换一张。"
    en = "The card's bank says that this card cannot be used. It was not bound; please use another."


class CardCheckUnavailable(Refusal):
    code = "card_check_unavailable"
    status = 503
    zh = "暂时联系不上发卡行。未绑定,请稍后再试。"
    en = "The card's bank cannot be reached now. The card was not bound; please try later."


class CardTaken(Conflict):
    code = "card_taken"
    zh = "这张卡已绑定在另一用户名下。未绑定。"
    en = "This card is bound by another user. It was not bound."


class TooManyCards(Conflict):
    code = "too_many_cards"
    zh = "最多绑定 {limit} 张卡。未绑定。"
    en = "At most {limit} cards can be bound. It was not bound."


class NobodyThere(Refusal):
    code = "nobody_there"
    status = 404
    zh = "没有找到使用这个手机号的用户。"
    en = "Nobody here uses this number."


class ThatIsYou(Invalid):
    code = "that_is_you"
    zh = "不能添加自己为好友。"
    en = "You cannot add yourself."


class AlreadyFriends(Conflict):
    code = "already_friends"
    zh = "你们已经是好友。"
    en = "You are friends already."


class TooManyFriends(Conflict):
    code = "too_many_friends"
    zh = "好友已达上限 {limit} 人,未添加。"
    en = "There are {limit} contacts already, the most there can be. Nobody was added."


class RequestDecided(Conflict):
    code = "request_decided"
    zh = "这条申请已处理过。"
    en = "This request was decided before."


class NotYourOwn(NotAllowed):
    code = "not_your_own"
    zh = "自己提出或涉及自己的申请须由另一位同事办理,未做任何更改。"
    en = "What you asked for, or what is about you, is for a second person to decide. Nothing was changed."


class AskedAlready(Conflict):
    code = "asked_already"
    zh = "已有一份申请在等待复核,未再提交。"
    en = "There is a request that waits for a second person already. No other one was made."


class DecidedAlready(Conflict):
    code = "decided_already"
    zh = "这份申请已由他人办理,未做任何更改。"
    en = "Somebody has decided this request already. Nothing was changed."


class RolesWrong(Invalid):
    code = "roles_wrong"
    zh = "请至少选择一个已有的岗位,网点名称须为一行普通文字。未做任何更改。"
    en = "Choose at least one of the roles that there are, and a branch in plain words. Nothing was changed."
