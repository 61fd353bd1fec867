"""What the desk refuses."""

from kernel.errors import Refusal


class CaseTaken(Refusal):
    code = "case_taken"
    status = 409
    zh = "这位客户已由另一位同事接待,未做更改。"
    en = "A colleague is already with this customer. Nothing was changed."


class CaseNotActive(Refusal):
    code = "case_not_active"
    status = 409
    zh = "这次服务已经结束或尚未开始,未做更改。"
    en = "This case is closed or has not begun. Nothing was changed."


class TooManyCases(Refusal):
    code = "too_many_cases"
    status = 409
    zh = "您已在接待 {limit} 位客户,请先结束一位再接入。"
    en = "You are already with {limit} customers. Close one before you take another."


class NotCustomerOfYours(Refusal):
    code = "not_your_customer"
    status = 404
    zh = "没有找到这位客户,或这位客户不由您负责。"
    en = "No such customer, or not one of yours."


class ForbiddenWords(Refusal):
    code = "forbidden_words"
    status = 422
    zh = "未发送:内容含「{word}」,不能这样描述理财产品。可改为「{instead}」。"
    en = "Not sent: “{word}” may not describe a wealth product. Try “{instead}”."
