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


class OwnDraft(Refusal):
    code = "own_draft"
    status = 403
    zh = "须由没有录入或修改过这份草稿的人复核,未做任何更改。"
    en = "A draft is checked by somebody who has not written in it. Nothing was changed."


class DraftChanged(Conflict):
    code = "draft_changed"
    zh = "这份草稿在您查看期间有改动,未做任何更改,请刷新后重新核对。"
    en = "The draft has changed since you looked. Nothing was changed; refresh and check again."


class DraftClosed(Conflict):
    code = "draft_closed"
    zh = "这份草稿已经办结,未做任何更改。"
    en = "This draft is already decided. Nothing was changed."


class DraftReturned(Conflict):
    code = "draft_returned"
    zh = "这份草稿已退回,修改并重新提交之后才能复核。"
    en = "This draft was sent back. It can be checked once it has been changed and handed in again."


class DraftWaiting(Conflict):
    code = "draft_waiting"
    zh = "代码 {product_code} 已有一份未办结的草稿,请在那一份上修改,或先撤回它。"
    en = "There is an open draft for {product_code}. Change that one, or withdraw it first."


class CodeTaken(Conflict):
    code = "code_taken"
    zh = "产品代码 {product_code} 已被使用,请换一个,或在原产品上修改。"
    en = "The product code {product_code} is taken. Choose another, or change the product that has it."


class QuotaBelowUsed(Conflict):
    code = "quota_below_used"
    zh = "额度不能低于已售出的 {used} 元,未做任何更改。"
    en = "The quota cannot be less than what has been sold, ¥ {used}. Nothing was changed."


class SaleAsItIs(Conflict):
    code = "sale_as_it_is"
    zh = "产品的销售状态已经如此,无需更改。"
    en = "The product is already so. There is nothing to change."


class FileNotReadable(Invalid):
    code = "file_not_readable"
    zh = "只接受 UTF-8 编码的文本文件或 PDF,未保存。"
    en = "Only a text file in UTF-8 or a PDF is taken. It was not kept."


class FileTooLarge(Invalid):
    code = "file_too_large"
    status = 413
    zh = "文件不能超过 {most_mib} MB,未保存。"
    en = "A file has at most {most_mib} MB. It was not kept."


class AccountHasOrders(Conflict):
    code = "account_has_orders"
    zh = "这个账户还有未完结的理财委托,等它完结再销户。没有销户。"
    en = "An order for a wealth product is still open on this account, so the account stays open."


class AccountHasHoldings(Conflict):
    code = "account_has_holdings"
    zh = "用这个账户购买的理财还在持有中,款项将回到这里,暂不能销户。没有销户。"
    en = "Wealth products bought from this account are still held and pay back into it, so it stays open."
