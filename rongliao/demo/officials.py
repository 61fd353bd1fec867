"""Service accounts of the demo: wealth news, card bills, the mall; who follows them, and what they said."""

import io
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from chat.actions import PastCard
from kernel.clock import BANK_ZONE, now
from kernel.ids import new_id
from officials import actions
from officials.actions import Past
from rongliao import demo
from rongliao.demo.drawing import draw

BILLS, MALL = "card-bills", "mall"
_HOUSE, _HOUSE_EN = settings.BANK_NAME.removesuffix("银行"), settings.BANK_NAME_EN.removesuffix(" Bank")

_BILLS_MENU = [
    {
        "key": "bill",
        "name": "本期账单",
        "action": {"kind": "reply", "text": "11 月账单 ¥ 3,406.18,最低还款 ¥ 340.62,12 月 5 日到期。"},
    },
    {
        "key": "repay",
        "name": "怎么还款",
        "entries": [
            {
                "key": "auto",
                "name": "自动还款",
                "action": {"kind": "reply", "text": "到期日当天从您的储蓄卡自动扣款,请在前一天晚上留足余额。"},
            },
            {
                "key": "early",
                "name": "提前还款",
                "action": {"kind": "reply", "text": "账单日之后随时可以还,多还的留作下期。"},
            },
        ],
    },
    {"key": "accounts", "name": "我的账户", "action": {"kind": "view", "path": "/wealth/accounts"}},
]
_MALL_MENU = [
    {
        "key": "order",
        "name": "我的订单",
        "action": {"kind": "reply", "text": "最近一单:手冲咖啡壶,已付款,预计明日送达。"},
    },
    {
        "key": "help",
        "name": "售后",
        "entries": [
            {
                "key": "return",
                "name": "退换货",
                "action": {"kind": "reply", "text": "签收 7 天内可退换,运费由商城承担。"},
            },
            {
                "key": "invoice",
                "name": "开发票",
                "action": {"kind": "reply", "text": "在订单详情里选“开发票”,一个工作日内发到您的邮箱。"},
            },
        ],
    },
]

_YEAR_END: dict[str, Any] = {
    "title": "年末资金安排三问",
    "summary": "什么时候要用、能等多久、跌一点能不能接受。",
    "cover": "hills gold 91",
    "body": (
        ("paragraph", "每到年末,很多客户会问:手里这笔钱放哪里合适?答案不在产品里,在三个问题里。"),
        ("heading", "一问:什么时候要用"),
        ("paragraph", "三个月内要用的钱,放在随时可取的地方;过年要用的,不要放进封闭到明年春天的产品。"),
        ("picture", "water lake 92"),
        ("heading", "二问:能等多久"),
        ("paragraph", "等得越久,选择越多。但“等得起”要留出余地:先留好半年的生活开支,剩下的再谈期限。"),
        ("heading", "三问:跌一点能不能接受"),
        (
            "paragraph",
            "风险测评不是考试,如实填写,系统才不会给您看不合适的产品。\n业绩比较基准不是收益承诺,理财非存款、产品有风险、投资须谨慎。",
        ),
    ),
}
_NAV: dict[str, Any] = {
    "title": "看懂净值:一张图讲清楚",
    "summary": "单位净值、累计净值、年化,到底看哪个。",
    "cover": "hills lake 93",
    "body": (
        ("paragraph", "净值是产品一份值多少钱。今天 1.0234,就是当初的一元现在值一元零二分三。"),
        ("heading", "涨跌看区间"),
        ("paragraph", "一天的涨跌说明不了什么。看三个月、半年的走势,再看它与比较基准的距离。"),
        ("heading", "年化是折算"),
        ("paragraph", "把一段时间的收益折算成一年,方便比较,但不代表未来一年真能拿到。"),
    ),
}
_DRAFT: dict[str, Any] = {
    "title": "元旦前后的交易日安排",
    "summary": "哪天截止、哪天确认,提前看好。",
    "cover": "hills snow 94",
    "body": (
        ("paragraph", "元旦假期不是交易日。假期前最后一个交易日 15:00 之后提交的委托,按节后第一个交易日的净值确认。"),
        ("heading", "要用钱的,早两天"),
        ("paragraph", "赎回到账需要时间,节前要用的钱请提前两个交易日办理。"),
    ),
}

FOLLOWERS = {
    actions.WEALTH_NEWS: ("su", "lin", "xu", "he", "bai", "jiang"),
    BILLS: ("su", "lin", "xu"),
    MALL: ("su", "shen", "he"),
}


def _at(days: int, hour: int, minute: int) -> datetime:
    day = (now() - timedelta(days=days)).astimezone(BANK_ZONE).date()
    return datetime.combine(day, time(hour, minute), BANK_ZONE)


def _article(operator: UUID, code: str, told: dict[str, Any]) -> UUID:
    def picture(name: str) -> UUID:
        return actions.upload_picture(operator_id=operator, code=code, upload=io.BytesIO(draw(name))).pk

    cover = picture(told["cover"])
    blocks = [
        {"kind": kind, "picture_id": str(picture(words))} if kind == "picture" else {"kind": kind, "text": words}
        for kind, words in told["body"]
    ]
    article = actions.save_article(
        operator_id=operator,
        code=code,
        article_id=new_id(),
        revision=0,
        title=told["title"],
        summary=told["summary"],
        cover_id=cover,
        raw_blocks=blocks,
    )
    return article.pk


def _published(world: demo.World, told: dict[str, Any], at: datetime) -> None:
    operator = world.people["fang"]
    article = actions.publish(operator_id=operator, article_id=_article(operator, actions.WEALTH_NEWS, told), at=at)
    card = PastCard("article", article.pk, "published", actions.article_payload(article), article.revision)
    for name in FOLLOWERS[actions.WEALTH_NEWS]:
        said = [Past(f"demo:article:{article.pk}", at, card=card)]
        actions.bring_past(code=actions.WEALTH_NEWS, person_id=world.people[name], said=said)


def _make() -> None:
    actions.ensure_standard(actions.WEALTH_NEWS)
    actions.ensure_official(
        BILLS,
        "信用卡账单",
        name_en="Card bills",
        hue=0,
        description="每月账单、还款提醒。",
        raw_menu=_BILLS_MENU,
        greeting="已为您开通账单提醒,账单日当天推送。",
        auto_reply="请点下方菜单查看账单,或在线客服咨询。",
        keywords={"账单": "11 月账单 ¥ 3,406.18,12 月 5 日到期。", "还款": "到期日当天自动还款,请留足余额。"},
    )
    actions.ensure_official(
        MALL,
        f"{_HOUSE}商城",
        name_en=f"{_HOUSE_EN} Mall",
        hue=4,
        description="订单、物流和售后。",
        raw_menu=_MALL_MENU,
        greeting="欢迎光临,订单动态会在这里告诉您。",
        auto_reply="客服工作时间 9:00–21:00,我们会尽快回复。",
    )


def fill(world: demo.World) -> None:
    """Makes the accounts and their past; two articles are out, one waits as a draft."""
    people, operator = world.people, world.people["fang"]
    _make()
    su = people["su"]
    actions.bring_past(
        code=MALL,
        person_id=su,
        said=[
            Past("demo:mall:1", _at(2, 15, 20), "订单已提交:手冲咖啡壶 × 1,合计 ¥ 168.00。"),
            Past("demo:mall:2", _at(1, 18, 6), "订单已付款,预计明日送达。"),
        ],
    )
    actions.bring_past(
        code=BILLS,
        person_id=su,
        said=[
            Past("demo:bills:1", _at(33, 9, 0), "10 月账单 ¥ 2,871.40 已还清,感谢您按时还款。"),
            Past("demo:bills:2", _at(3, 9, 0), "11 月账单 ¥ 3,406.18,12 月 5 日到期,将从储蓄卡 尾号 8823 自动还款。"),
        ],
    )
    for code, names in FOLLOWERS.items():
        for name in names:
            actions.follow(person_id=people[name], code=code, quietly=True)
    _article(operator, actions.WEALTH_NEWS, _DRAFT)
    for told, days in ((_NAV, 12), (_YEAR_END, 2)):
        _published(world, told, _at(days, 10, 30))
