"""Why a payment was not made."""

from kernel.errors import Refusal


class RuleRefused(Refusal):
    """The table of account classes says no (finance.ledger.rules)."""

    code = "class_rule"
    status = 422
    zh = "{reason_zh}未做任何更改。"
    en = "{reason_en} Nothing was changed."


class NotFriends(Refusal):
    code = "not_friends"
    status = 403
    zh = "只能给好友转账,没有扣款。"
    en = "You can send money to friends only. Nothing was taken."


class NotToStaff(Refusal):
    code = "not_to_staff"
    status = 403
    zh = "银行工作人员和服务号不收取转账,没有扣款。"
    en = "Bank staff and service accounts take no transfers. Nothing was taken."


class OwnTransfer(Refusal):
    code = "own_transfer"
    status = 403
    zh = "这笔转账由对方收款,您不能自己收下或退回。"
    en = "The other person receives this transfer; you cannot take or return it yourself."


class TransferFinished(Refusal):
    code = "transfer_finished"
    status = 409
    zh = "这笔转账已经结束,没有再次入账。"
    en = "This transfer has ended already. Nothing was credited again."


class TransferExpired(Refusal):
    code = "transfer_expired"
    status = 409
    zh = "已超过 24 小时,款项退回付款人,没有入账。"
    en = "24 hours have passed; the money goes back to the payer. Nothing was credited."


class AccountNeeded(Refusal):
    code = "account_needed"
    status = 409
    zh = "开户后可收。请先绑定银行卡并开立账户,24 小时内回来收款;款项仍在等您。"
    en = "Open an account to receive this: bind a card, open it, and come back within 24 hours. The money waits."


class IdentityNeeded(Refusal):
    code = "identity_needed"
    status = 409
    zh = "请先完成实名认证并绑定一张银行卡,账户没有开立。"
    en = "Verify your identity and bind a bank card first. No account was opened."


class CardNotBound(Refusal):
    code = "card_not_bound"
    status = 422
    zh = "这个账户只能转出到它绑定的银行卡,没有扣款。"
    en = "This account pays out to the card it is bound to only. Nothing was taken."


class ClassNotOpened(Refusal):
    code = "class_not_opened"
    status = 422
    zh = "{reason_zh}账户没有开立。"
    en = "{reason_en} No account was opened."


class BreakNotStuck(Refusal):
    code = "break_not_stuck"
    status = 409
    zh = "这一笔正在处理或已有结果,没有再次执行。"
    en = "This one is being worked on or has an outcome. It was not run again."


class SameAccount(Refusal):
    code = "same_account"
    status = 422
    zh = "付款账户和收款账户是同一个,没有转账。"
    en = "Both ends are the same account. Nothing was moved."


class CardPaysOut(Refusal):
    code = "card_pays_out"
    status = 409
    zh = "有一笔款项正在转到这张卡,等它有了结果再解绑。卡没有解绑。"
    en = "Money is on its way to this card. Unbind it when that is settled; it is still bound."


class CardHoldsAccount(Refusal):
    code = "card_holds_account"
    status = 409
    zh = "{name}尾号 {tail} 绑定着这张卡,账户还在使用,不能解绑。卡没有解绑。"
    en = "Your account ending {tail} is bound to this card and still open, so the card is still bound."


class ClassIStays(Refusal):
    code = "class_i_stays"
    status = 422
    zh = "I 类账户请到网点销户,没有更改。"
    en = "A class I account is closed at a branch. Nothing was changed."


class MoneyLeft(Refusal):
    code = "money_left"
    status = 409
    zh = "账户里还有 {amount} 元,请先转出再销户。没有销户。"
    en = "There is ¥ {amount} in the account. Move it first; the account is still open."


class MoneyHeld(Refusal):
    code = "money_held"
    status = 409
    zh = "有 {amount} 元正在冻结,等它有了结果再销户。没有销户。"
    en = "¥ {amount} is held for something that is not settled. Wait for it; the account is still open."
