"""The demo's shelf: seven products with documents and NAVs, what everybody's risk class is, and who holds what."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from uuid import UUID

from django.conf import settings

from finance.wealth import actions
from finance.wealth.actions import history
from finance.wealth.calendar import is_trading_day, trading_days_back
from finance.wealth.questionnaire import QUESTIONS
from kernel.clock import business_date
from kernel.ids import new_id
from kernel.money import yuan
from rongliao import demo

TRADING_DAYS = 190
YI = 10_000_000_000
"""A hundred million yuan, in fen."""


@dataclass(frozen=True)
class Walk:
    """A NAV's way: where it starts, its mean step and its widest swing per trading day, in 1e-8 of the value."""

    start: int
    drift: int
    swing: int
    seed: int = 0


PRODUCTS: dict[str, tuple[actions.Facts, Walk]] = {
    "YSXJ01": (
        actions.Facts(
            code="YSXJ01",
            name="远山现金宝",
            name_en="Yuanshan Cash Treasure",
            issuer="远山理财有限责任公司",
            issuer_en="Yuanshan Wealth Management",
            issuer_risk=1,
            seller_risk=1,
            kind="cash",
            benchmark_low_bp=140,
            benchmark_high_bp=190,
            min_fen=100,
            step_fen=1,
            open_days="每个交易日",
            open_days_en="Every trading day",
            management_fee_bp=15,
            custody_fee_bp=5,
            registration_code="Z7003924000118",
            quota_fen=50 * YI,
            nav_scale=1_000_000,
            shelf_order=10,
        ),
        Walk(1_021_000, 4_600, 500),
    ),
    "YSWJ90-12": (
        actions.Facts(
            code="YSWJ90-12",
            name="远山稳进 90 天 12 号",
            name_en="Yuanshan Steady 90 Days No. 12",
            issuer="远山理财有限责任公司",
            issuer_en="Yuanshan Wealth Management",
            issuer_risk=2,
            seller_risk=2,
            kind="closed",
            benchmark_low_bp=265,
            benchmark_high_bp=310,
            min_fen=1_000_000,
            step_fen=100_000,
            term_days=90,
            open_days="封闭 90 天,到期自动兑付",
            open_days_en="Closed for 90 days, paid out at maturity",
            management_fee_bp=20,
            custody_fee_bp=3,
            registration_code="Z7003926000212",
            quota_fen=5 * YI,
            shelf_order=20,
        ),
        Walk(10_000, 7_900, 12_000),
    ),
    "YSWJ180-3": (
        actions.Facts(
            code="YSWJ180-3",
            name="远山稳进 180 天 3 号",
            name_en="Yuanshan Steady 180 Days No. 3",
            issuer="远山理财有限责任公司",
            issuer_en="Yuanshan Wealth Management",
            issuer_risk=2,
            seller_risk=2,
            kind="closed",
            benchmark_low_bp=280,
            benchmark_high_bp=325,
            min_fen=1_000_000,
            step_fen=100_000,
            term_days=180,
            open_days="封闭 180 天,到期自动兑付",
            open_days_en="Closed for 180 days, paid out at maturity",
            management_fee_bp=20,
            custody_fee_bp=3,
            registration_code="Z7003926000303",
            quota_fen=8 * YI,
            shelf_order=30,
        ),
        Walk(10_000, 8_300, 14_000),
    ),
    "YSJH1Y": (
        actions.Facts(
            code="YSJH1Y",
            name="远山均衡 1 年",
            name_en="Yuanshan Balanced 1 Year",
            issuer="远山理财有限责任公司",
            issuer_en="Yuanshan Wealth Management",
            issuer_risk=3,
            seller_risk=3,
            kind="closed",
            benchmark_low_bp=320,
            benchmark_high_bp=450,
            min_fen=1_000_000,
            step_fen=100_000,
            term_days=365,
            open_days="每年 3 月、9 月各开放 5 个工作日",
            open_days_en="Five working days each March and September",
            subscription_fee_bp=20,
            management_fee_bp=40,
            custody_fee_bp=5,
            registration_code="Z7003925000401",
            quota_fen=6 * YI,
            shelf_order=40,
        ),
        Walk(10_180, 10_500, 90_000),
    ),
    "HSJX-A": (
        actions.Facts(
            code="HSJX-A",
            name="沪深精选指数 A",
            name_en="CSI Select Index A",
            issuer="云岭基金管理有限公司",
            issuer_en="Yunling Fund Management",
            issuer_risk=3,
            # The seller rates index funds one step higher; the higher stands.
            seller_risk=4,
            kind="index",
            min_fen=1_000,
            step_fen=1,
            open_days="每个交易日",
            open_days_en="Every trading day",
            subscription_fee_bp=10,
            management_fee_bp=50,
            custody_fee_bp=10,
            registration_code="F0091324000501",
            quota_fen=30 * YI,
            shelf_order=50,
        ),
        Walk(11_460, 18_000, 1_350_000, seed=2739),
    ),
    "KCXF": (
        actions.Facts(
            code="KCXF",
            name="科创先锋",
            name_en="Sci-Tech Pioneer",
            issuer="云岭基金管理有限公司",
            issuer_en="Yunling Fund Management",
            issuer_risk=5,
            seller_risk=5,
            kind="index",
            min_fen=1_000,
            step_fen=1,
            open_days="每个交易日",
            open_days_en="Every trading day",
            subscription_fee_bp=15,
            management_fee_bp=120,
            custody_fee_bp=20,
            registration_code="F0091325000602",
            quota_fen=20 * YI,
            shelf_order=60,
        ),
        Walk(9_210, 31_000, 2_600_000),
    ),
    "YSWJ90-11": (
        actions.Facts(
            code="YSWJ90-11",
            name="远山稳进 90 天 11 号",
            name_en="Yuanshan Steady 90 Days No. 11",
            issuer="远山理财有限责任公司",
            issuer_en="Yuanshan Wealth Management",
            issuer_risk=2,
            seller_risk=2,
            kind="closed",
            benchmark_low_bp=270,
            benchmark_high_bp=315,
            min_fen=1_000_000,
            step_fen=100_000,
            term_days=90,
            open_days="封闭 90 天,到期自动兑付",
            open_days_en="Closed for 90 days, paid out at maturity",
            management_fee_bp=20,
            custody_fee_bp=3,
            registration_code="Z7003926000211",
            quota_fen=5 * YI,
            shelf_order=70,
        ),
        Walk(10_000, 8_000, 12_000),
    ),
}
SOLD_OUT = "YSWJ90-11"

# One letter per question, in their order.
ANSWERS = {
    "C1": "dabdaaaaaa",
    "C2": "bbbcbbabbb",
    "C3": "bbbdbbbccb",
    "C4": "bcccccccbc",
    "C5": "bdddddddcd",
}
CLASSES = {"su": "C2", "lin": "C3", "shen": "C1", "xu": "C4", "he": "C3", "bai": "C2"}

# Who, what, how much in fen, how many trading days ago.
ORDERS = (
    ("su", "YSXJ01", 8_100_000, 150),
    ("su", "HSJX-A", 1_800_000, 132),
    ("su", "YSWJ90-11", 5_000_000, 44),
    ("su", "YSWJ180-3", 3_000_000, 61),
    ("xu", "HSJX-A", 6_000_000, 140),
    ("xu", "YSJH1Y", 10_000_000, 96),
    ("he", "YSJH1Y", 3_000_000, 52),
    ("shen", "YSXJ01", 12_000_000, 120),
    ("bai", "YSXJ01", 2_000_000, 70),
)
EARLIER_CLASS_OF_SU = ("C4", 140)
"""Before the index fund; last month's assessment found C2, so that she holds more risk than her class."""


def _answers(person_class: str) -> dict[str, str]:
    return {question.key: letter for question, letter in zip(QUESTIONS, ANSWERS[person_class], strict=True)}


def _percent(bp: int) -> str:
    return f"{bp // 100}.{bp % 100:02d}%"


def _manual(facts: actions.Facts) -> str:
    benchmark = (
        f"业绩比较基准为年化 {_percent(facts.benchmark_low_bp)}–{_percent(facts.benchmark_high_bp or 0)}。"
        "业绩比较基准由管理人根据投资范围与市场情况测算,不是预期收益,也不构成对收益的承诺。"
        if facts.benchmark_low_bp
        else "本产品不设业绩比较基准,净值随所跟踪的指数涨跌。"
    )
    term = (
        f"封闭期 {facts.term_days} 天,自份额确认日起算。封闭期内不能赎回。"
        if facts.term_days
        else "无封闭期,开放日可以申购和赎回。"
    )
    return f"""{facts.name}产品说明书

产品代码 {facts.code},登记编码 {facts.registration_code}。

一、管理人与销售机构
本产品由{facts.issuer}发行并管理,由{settings.BANK_NAME}代理销售。{settings.BANK_NAME}不对产品的业绩作任何保证。

二、风险等级
管理人评定为 R{facts.issuer_risk},销售机构评定为 R{facts.seller_risk}。\
两者不一致时,以较高者为准,即 R{max(facts.issuer_risk, facts.seller_risk)}。

三、投资与业绩
{benchmark}

四、期限与开放日
{term}开放安排:{facts.open_days}。

五、金额
起购金额 {yuan(facts.min_fen)} 元,超过部分以 {yuan(facts.step_fen)} 元递增。

六、费用
认购费 {_percent(facts.subscription_fee_bp)},从认购金额中扣除;\
管理费每年 {_percent(facts.management_fee_bp)},\
托管费每年 {_percent(facts.custody_fee_bp)},按日计提,已反映在净值中。

七、受理与确认
交易日 15:00 之前受理的委托,按当日净值计算份额,于下一交易日确认;\
15:00 及以后或非交易日受理的,视为下一交易日的委托。\
确认之前款项在您的账户中冻结。截止时间之前可以撤销,款项随即解冻。

八、份额计算
份额 =(认购金额 − 认购费)÷ 当日净值,保留两位小数,以下部分舍去,归入产品资产。
"""


def _agreement(facts: actions.Facts) -> str:
    return f"""{facts.name}投资协议书

一、双方
投资者通过{settings.BRAND}向{settings.BANK_NAME}提交认购委托,{settings.BANK_NAME}受{facts.issuer}委托办理销售。

二、委托的成立
投资者在银行会话中核对确认内容并以支付密码或通行密钥确认后,委托即告成立。确认内容的摘要与凭证由双方共同保存。

三、投资者的陈述
投资者以自有资金认购,资金来源合法;风险测评的回答真实、完整;已经打开并阅读说明书、本协议与风险揭示书。

四、适当性
产品风险等级高于投资者风险承受能力等级的,{settings.BANK_NAME}不受理认购,也不作推荐。测评有效期为十二个月。

五、款项
委托受理后,认购款项在付款账户中冻结;份额确认时划付;委托撤销或未成交时即时解冻。

六、信息披露
净值于每个交易日之后发布。重大事项通过{settings.BRAND}的服务号告知。

七、争议
双方协商不成的,由{settings.BANK_NAME}所在地人民法院管辖。
"""


def _disclosure(facts: actions.Facts) -> str:
    risk = max(facts.issuer_risk, facts.seller_risk)
    worst = {
        1: "本金损失的可能性很小,但收益会随市场利率下降。",
        2: "市场利率上升或债券发行人违约时,净值可能下跌,本金可能有小幅损失。",
        3: "股票与债券市场同时下跌时,净值可能明显下跌。以往类似组合一年内最大跌幅约为 6%。",
        4: "净值随股票指数波动。以往类似指数一年内最大跌幅约为 30%。",
        5: "净值大幅波动。以往类似指数一年内最大跌幅超过 45%,极端情况下可能损失大部分本金。",
    }[risk]
    liquidity = (
        f"产品封闭 {facts.term_days} 天,封闭期内不能取回资金。"
        if facts.term_days
        else "巨额赎回时,管理人可能暂停或延期办理赎回。"
    )
    return f"""{facts.name}风险揭示书

理财非存款,产品有风险,投资须谨慎。

一、本金与收益
本产品不保证本金和收益。{worst}

二、流动性
{liquidity}

三、信用与利率
所投资产的发行人可能违约;利率变动会影响所投债券的价格。

四、管理与技术
管理人的判断可能有误;通讯或系统故障可能使委托不能及时受理。

五、政策
法律法规与监管要求的变化可能影响产品的运作。

六、适合的投资者
本产品风险等级为 R{risk},适合风险承受能力为 C{risk} 及以上的投资者。

我已阅读以上内容,愿意自行承担投资风险。
"""


def _documents(facts: actions.Facts) -> list[actions.DocumentText]:
    return [
        actions.DocumentText("manual", f"{facts.name}产品说明书", "Product manual", _manual(facts)),
        actions.DocumentText("agreement", f"{facts.name}投资协议书", "Investment agreement", _agreement(facts)),
        actions.DocumentText("risk", f"{facts.name}风险揭示书", "Risk disclosure", _disclosure(facts)),
    ]


def _navs(code: str, walk: Walk, days: list[date]) -> list[history.PastNav]:
    """A walk that is the same at every filling: whole numbers from a seed of the product's code."""
    chance = Random(f"nav:{code}:{walk.seed}")  # noqa: S311 - a curve to look at, no secret
    hundred_millionth = 10**8
    precise = walk.start * hundred_millionth
    navs, before = [], days[0]
    for day in days:
        gone = (day - before).days or 1
        step = walk.drift * gone + chance.randint(-walk.swing, walk.swing)
        precise += precise * step // hundred_millionth
        navs.append(history.PastNav(day, precise // hundred_millionth))
        before = day
    return navs


def _trading_day_before(day: date, count: int) -> date:
    return trading_days_back(day, count + 1)[0]


def _shelve(world: demo.World) -> None:
    newest = business_date() - timedelta(days=1)
    while not is_trading_day(newest):
        newest -= timedelta(days=1)
    days = trading_days_back(newest, TRADING_DAYS)
    for code, (facts, walk) in PRODUCTS.items():
        product = actions.put_on_shelf(facts=facts, documents=_documents(facts), actor_id=world.people["fang"])
        world.products[code] = product.pk
        history.bring_navs(
            product_id=product.pk,
            navs=_navs(code, walk, days),
            maker_id=world.people["fang"],
            checker_id=world.people["qin"],
        )


def _assess(world: demo.World) -> None:
    today = business_date()
    earlier, days_ago = EARLIER_CLASS_OF_SU
    history.bring_assessment(
        person_id=world.people["su"], answers=_answers(earlier), taken_on=_trading_day_before(today, days_ago)
    )
    for short, person_class in CLASSES.items():
        history.bring_assessment(
            person_id=world.people[short], answers=_answers(person_class), taken_on=today - timedelta(days=36)
        )


def _propose(world: demo.World) -> None:
    """A change that waits for the checker."""
    facts, _ = PRODUCTS["KCXF"]
    actions.enter_draft(
        draft_id=new_id(),
        maker_id=world.people["fang"],
        purpose="change",
        product_id=world.products["KCXF"],
        wanted=actions.Wanted(facts=replace(facts, management_fee_bp=100), documents=(), note="管理人下调管理费"),
    )


def fill(world: demo.World) -> None:
    """Puts the products on the shelf with their past, assesses the people, and enters what they hold."""
    _shelve(world)
    _assess(world)
    today = business_date()
    for short, code, amount_fen, days_ago in sorted(ORDERS, key=lambda order: -order[3]):
        person_id: UUID = world.people[short]
        history.bring_order(
            person_id=person_id,
            product_id=world.products[code],
            account_id=world.accounts[short],
            amount_fen=amount_fen,
            trading_day=_trading_day_before(today, days_ago),
            funds_from="demo-opening",
        )
    actions.stop_sale(product_id=world.products[SOLD_OUT], actor_id=world.people["fang"])
    _propose(world)
