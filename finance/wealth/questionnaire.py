"""The risk questionnaire: questions, scores, and the class that follows.

After 《商业银行理财产品销售管理办法》 art. 28 it covers age, finances, experience, aims, horizon, liquidity, attitude
to risk and the loss that can be borne. Two answers cap the class whatever the score, since no sum of points may
turn somebody who can bear no loss into an investor in shares.
"""

from dataclasses import dataclass

VERSION = 1
VALID_MONTHS = 12
MOST_A_DAY = 2
MOST_A_YEAR = 8

CLASS_NAMES = {
    1: ("保守型", "Conservative"),
    2: ("稳健型", "Steady"),
    3: ("平衡型", "Balanced"),
    4: ("成长型", "Growth"),
    5: ("进取型", "Aggressive"),
}
RISK_NAMES = {
    1: ("低风险", "low risk"),
    2: ("中低风险", "lower-medium risk"),
    3: ("中风险", "medium risk"),
    4: ("中高风险", "higher-medium risk"),
    5: ("高风险", "high risk"),
}
_LEAST_SCORE = ((5, 83), (4, 65), (3, 46), (2, 26), (1, 0))


@dataclass(frozen=True)
class Option:
    """An answer, its points, and the highest class that it leaves open."""

    key: str
    zh: str
    en: str
    points: int
    cap: int = 5


@dataclass(frozen=True)
class Question:
    """A question with its answers; exactly one is chosen."""

    key: str
    zh: str
    en: str
    options: tuple[Option, ...]


def _options(*rows: tuple[str, str, int] | tuple[str, str, int, int]) -> tuple[Option, ...]:
    return tuple(Option("abcdef"[index], *row) for index, row in enumerate(rows))


QUESTIONS = (
    Question(
        "age",
        "您的年龄是?",
        "How old are you?",
        _options(
            ("18–30 岁", "18–30", 8),
            ("31–50 岁", "31–50", 10),
            ("51–64 岁", "51–64", 6),
            ("65 岁及以上", "65 or older", 2, 3),
        ),
    ),
    Question(
        "income",
        "您的家庭年收入(折合人民币)是?",
        "What is your household's yearly income (in CNY)?",
        _options(
            ("10 万元以下", "Below 100,000", 2),
            ("10–30 万元", "100,000–300,000", 5),
            ("30–100 万元", "300,000–1,000,000", 8),
            ("100 万元以上", "Above 1,000,000", 10),
        ),
    ),
    Question(
        "share",
        "可用于投资的部分(不含自住房)占家庭总资产的比例是?",
        "Which part of your household's assets (own home aside) can be invested?",
        _options(
            ("10% 以下", "Below 10%", 2),
            ("10%–25%", "10%–25%", 5),
            ("25%–50%", "25%–50%", 8),
            ("50% 以上", "Above 50%", 10),
        ),
    ),
    Question(
        "debts",
        "您目前是否有尚未清偿的数额较大的债务?",
        "Do you have larger debts at present?",
        _options(
            ("有,来自亲友或民间借贷", "Yes, from friends or private lenders", 0),
            ("有,信用卡或消费信贷", "Yes, credit cards or consumer credit", 3),
            ("有,住房抵押贷款", "Yes, a mortgage", 7),
            ("没有", "None", 10),
        ),
    ),
    Question(
        "knowledge",
        "以下哪项最符合您的投资知识?",
        "Which describes your knowledge of investing best?",
        _options(
            ("只了解存款和国债", "Deposits and government bonds only", 1),
            ("了解理财产品和债券基金", "Wealth products and bond funds", 5),
            ("了解股票和混合基金及其风险", "Shares and mixed funds, with their risks", 8),
            ("了解期货、期权等复杂产品", "Futures, options and the like", 10),
        ),
    ),
    Question(
        "experience",
        "您投资股票、基金、外汇等风险资产的经验有多久?",
        "How long have you invested in shares, funds, currencies and the like?",
        _options(
            ("没有经验", "Never", 0),
            ("少于 2 年", "Less than 2 years", 4),
            ("2–5 年", "2–5 years", 7),
            ("5 年以上", "More than 5 years", 10),
        ),
    ),
    Question(
        "aim",
        "您投资的主要目的是?",
        "What do you invest for?",
        _options(
            ("本金安全,不愿有波动", "Keeping my money safe, without ups and downs", 0, 2),
            ("稳健增值,可接受少量波动", "Steady growth with small ups and downs", 5),
            ("较高收益,可接受一定波动", "Higher returns with some ups and downs", 8),
            ("高收益,可接受大幅波动", "High returns with large ups and downs", 10),
        ),
    ),
    Question(
        "horizon",
        "这笔资金您预计多久之内不会动用?",
        "For how long will you not need this money?",
        _options(
            ("随时可能用到", "I may need it any time", 1),
            ("1 年以内", "Up to a year", 4),
            ("1–3 年", "1–3 years", 7),
            ("3 年以上", "More than 3 years", 10),
        ),
    ),
    Question(
        "attitude",
        "以下哪种情形您最愿意接受?",
        "Which would you rather accept?",
        _options(
            ("收益约 2%,几乎不会亏损", "About 2%, hardly ever a loss", 1),
            ("可能赚 5%,也可能亏 1%", "Perhaps 5% up, perhaps 1% down", 5),
            ("可能赚 15%,也可能亏 8%", "Perhaps 15% up, perhaps 8% down", 8),
            ("可能赚 40%,也可能亏 25%", "Perhaps 40% up, perhaps 25% down", 10),
        ),
    ),
    Question(
        "loss",
        "投资出现多大的亏损时,您会明显焦虑?",
        "At which loss would you become clearly anxious?",
        _options(
            ("本金出现任何亏损", "Any loss at all", 0, 1),
            ("亏损 10% 以内", "Up to 10%", 4, 3),
            ("亏损 10%–30%", "10%–30%", 8),
            ("亏损 30% 以上", "Above 30%", 10),
        ),
    ),
)


def assess(answers: dict[str, str]) -> tuple[int, int] | None:
    """Score (0..100) and class (1..5) of a full set of answers {question: option}; None if it is not one."""
    if set(answers) != {question.key for question in QUESTIONS}:
        return None
    score, cap = 0, 5
    for question in QUESTIONS:
        chosen = next((option for option in question.options if option.key == answers[question.key]), None)
        if chosen is None:
            return None
        score += chosen.points
        cap = min(cap, chosen.cap)
    by_score = next(person_class for person_class, least in _LEAST_SCORE if score >= least)
    return score, min(by_score, cap)
