"""What wealth refuses, in words for people."""

from kernel.errors import Conflict, Invalid, Refusal


class CalendarMissing(Refusal):
    code = "calendar_missing"
    status = 503
    zh = "{year} 年的交易日历尚未设置,暂不能受理,未做任何更改。请稍后再试或联系客户经理。"
    en = "The exchange calendar for {year} is not set up, so nothing can be accepted yet. Nothing was changed."


class NotSuitable(Refusal):
    code = "not_suitable"
    status = 403
    zh = "{reason_zh}"
    en = "{reason_en}"


class ProductNotOnSale(Refusal):
    code = "product_not_on_sale"
    status = 409
    zh = "这款产品当前不可购买,未做任何更改。"
    en = "This product is not on sale now. Nothing was changed."


class BelowMinimum(Invalid):
    code = "below_minimum"
    zh = "起购金额为 {minimum} 元,请调整金额。"
    en = "The least amount is ¥ {minimum}. Please change the amount."


class OffStep(Invalid):
    code = "off_step"
    zh = "超过起购金额的部分须为 {step} 元的整数倍,请调整金额。"
    en = "What exceeds the least amount must be a multiple of ¥ {step}. Please change the amount."


class DocumentsUnread(Refusal):
    code = "documents_unread"
    status = 409
    zh = "请先打开产品文件:{titles}。"
    en = "Please open these documents first: {titles_en}."


class RiskNotAcknowledged(Refusal):
    code = "risk_not_acknowledged"
    status = 409
    zh = "请先阅读并确认风险揭示书。"
    en = "Please read and acknowledge the risk disclosure first."


class AccountCannotPay(Refusal):
    code = "account_cannot_pay"
    status = 409
    zh = "这个账户不能用于购买理财,请换一个账户。"
    en = "This account cannot pay for wealth products. Please choose another."


class NotEnoughMoney(Refusal):
    code = "not_enough_money"
    status = 409
    zh = "账户可用余额为 {available} 元,不足以支付,未做任何更改。"
    en = "The account has ¥ {available} available, which is not enough. Nothing was changed."


class QuotaUsedUp(Refusal):
    code = "quota_used_up"
    status = 409
    zh = "这款产品剩余额度为 {left} 元,请调整金额或选择其他产品。"
    en = "¥ {left} of this product's quota is left. Change the amount or choose another product."


class CutOffPassed(Conflict):
    code = "cut_off_passed"
    zh = "已过截止时间,委托不能再撤销。份额确认后可在持有中查看。"
    en = "The cut-off has passed; the order can no longer be cancelled. Its shares will appear in your holdings."


class OrderFinished(Conflict):
    code = "order_finished"
    zh = "这笔委托已经完结,未做任何更改。"
    en = "This order is already finished. Nothing was changed."


class AssessmentsUsedUp(Refusal):
    code = "assessments_used_up"
    status = 429
    zh = "风险测评每天最多 {per_day} 次、每年最多 {per_year} 次,本次未提交。"
    en = "At most {per_day} assessments a day and {per_year} a year. This one was not submitted."


class SamePerson(Refusal):
    code = "same_person"
    status = 403
    zh = "净值须由另一人复核,录入人不能复核自己的录入。"
    en = "A NAV needs a second person: whoever entered it cannot approve it."


class NavPublished(Conflict):
    code = "nav_published"
    zh = "这一天的净值已经发布,不能再改。"
    en = "The NAV of this day is published and cannot be changed."


class NavChanged(Conflict):
    code = "nav_changed"
    zh = "净值在您复核期间有改动,未发布,请刷新后重新核对。"
    en = "The value has changed since you looked. It was not published; refresh and check again."


class NotATradingDay(Invalid):
    code = "not_a_trading_day"
    zh = "只能录入今天及以前交易日的净值。"
    en = "A NAV belongs to a trading day that has come."
