"""What each class of account may do, with whom, and how much: one table, read by payments and wealth alike.

Classes I, II, III and their limits: 《中国人民银行关于落实个人银行账户分类管理制度的通知》(银发〔2016〕302号), with the
figures for class III of 银发〔2018〕16号. Amounts are whole fen; days and years are those of Asia/Shanghai.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from django.conf import settings

from kernel.money import yuan

AccountClass = Literal["I", "II", "III"]
Direction = Literal["in", "out"]
Counterpart = Literal["bound", "own", "other", "wealth"]
"""The account's own bound card or account; another account of the same owner; somebody else's; a wealth product."""

CLASS_II_DAY_FEN = 10_000_00
CLASS_II_YEAR_FEN = 200_000_00
CLASS_III_DAY_FEN = 2_000_00
CLASS_III_YEAR_FEN = 50_000_00
CLASS_III_CEILING_FEN = 2_000_00
SOURCE_ZH = "银发〔2016〕302号"
SOURCE_EN = "PBoC notice Yinfa (2016) No. 302"
PIN_SOURCE_ZH = "本行对支付密码授权的限额"
PIN_SOURCE_EN = "our limit for what the PIN authorises"
PASSKEY_SOURCE_ZH = "本行对通行密钥签署的限额"
PASSKEY_SOURCE_EN = "our limit for what passkeys sign"


@dataclass(frozen=True)
class Rule:
    """One row: whether this is allowed, and up to how much a day and a year (None: no limit of its own)."""

    allowed: bool
    day_fen: int | None = None
    year_fen: int | None = None
    zh: str = ""
    en: str = ""
    source_zh: str = SOURCE_ZH
    source_en: str = SOURCE_EN


FREE = Rule(True)
_BY_FACTOR = Rule(True)
"""As much a day as the bank lets the factor authorise: no rule of a regulator's, but settings of the bank's own."""
_II = Rule(True, CLASS_II_DAY_FEN, CLASS_II_YEAR_FEN)
_III = Rule(True, CLASS_III_DAY_FEN, CLASS_III_YEAR_FEN)
_II_UNBOUND = Rule(
    False,
    zh="线上开立的 II 类账户只能从它绑定的账户收款",
    en="A class II account opened online takes money only from the account that is bound to it",
)
_III_WEALTH = Rule(
    False,
    zh="III 类账户只用于小额收付,不能购买理财产品",
    en="A class III account is for small payments and does not buy wealth products",
)

TABLE: dict[tuple[AccountClass, bool, Direction, Counterpart], Rule] = {
    # (class, opened remotely, direction, counterpart)
    ("I", False, "in", "bound"): FREE,
    ("I", False, "in", "own"): FREE,
    ("I", False, "in", "other"): FREE,
    ("I", False, "in", "wealth"): FREE,
    ("I", False, "out", "bound"): FREE,
    ("I", False, "out", "own"): FREE,
    ("I", False, "out", "other"): _BY_FACTOR,
    ("I", False, "out", "wealth"): FREE,
    ("II", False, "in", "bound"): FREE,
    ("II", False, "in", "own"): _II,
    ("II", False, "in", "other"): _II,
    ("II", False, "in", "wealth"): FREE,
    ("II", False, "out", "bound"): FREE,
    ("II", False, "out", "own"): _II,
    ("II", False, "out", "other"): _II,
    ("II", False, "out", "wealth"): FREE,
    ("II", True, "in", "bound"): FREE,
    ("II", True, "in", "own"): _II_UNBOUND,
    ("II", True, "in", "other"): _II_UNBOUND,
    ("II", True, "in", "wealth"): FREE,
    ("II", True, "out", "bound"): FREE,
    ("II", True, "out", "own"): _II,
    ("II", True, "out", "other"): _II,
    ("II", True, "out", "wealth"): FREE,
    ("III", False, "in", "bound"): FREE,
    ("III", False, "in", "own"): _III,
    ("III", False, "in", "other"): _III,
    ("III", False, "in", "wealth"): _III_WEALTH,
    ("III", False, "out", "bound"): FREE,
    ("III", False, "out", "own"): _III,
    ("III", False, "out", "other"): _III,
    ("III", False, "out", "wealth"): _III_WEALTH,
    ("III", True, "in", "bound"): FREE,
    ("III", True, "in", "own"): _III,
    ("III", True, "in", "other"): _III,
    ("III", True, "in", "wealth"): _III_WEALTH,
    ("III", True, "out", "bound"): FREE,
    ("III", True, "out", "own"): _III,
    ("III", True, "out", "other"): _III,
    ("III", True, "out", "wealth"): _III_WEALTH,
}
"""A class I account is opened at a counter: there is no remote row for it, and asking for one is refused."""

CEILINGS_FEN: dict[AccountClass, int | None] = {"I": None, "II": None, "III": CLASS_III_CEILING_FEN}
"""The most that an account of the class may hold."""

REMOTE_CLASSES: tuple[AccountClass, ...] = ("II", "III")
"""What can be opened with a card of another bank and its four-element check. Class I is opened at a counter."""


@dataclass(frozen=True)
class Side:
    """The account in question, with what it holds and has used of its limits in this direction (holds included)."""

    account_class: AccountClass
    opened_remotely: bool
    balance_fen: int = 0
    used_day_fen: int = 0
    used_year_fen: int = 0
    signed: bool = False
    """By a passkey, not only authorised by the PIN."""


@dataclass(frozen=True)
class Decision:
    """Yes or no. A no names its rule: `code` for programs, the sentence for people, and what would still fit."""

    ok: bool
    code: str = ""
    zh: str = ""
    en: str = ""
    fits_fen: int | None = None
    """The largest amount that the limits leave now; None where nothing limits it."""


def rule_for(side: Side, direction: Direction, counterpart: Counterpart) -> Rule:
    """The row of the table for this account; what the table does not name is refused."""
    rule = TABLE.get(
        (side.account_class, side.opened_remotely, direction, counterpart),
        Rule(False, zh="I 类账户只能在柜面开立", en="A class I account is opened at a branch, not remotely"),
    )
    if rule is not _BY_FACTOR:
        return rule
    if side.signed:
        return Rule(True, settings.PASSKEY_DAY_FEN, source_zh=PASSKEY_SOURCE_ZH, source_en=PASSKEY_SOURCE_EN)
    return Rule(True, settings.PIN_DAY_FEN, source_zh=PIN_SOURCE_ZH, source_en=PIN_SOURCE_EN)


class _Room(NamedTuple):
    """What one limit leaves."""

    code: str
    limit_fen: int
    left_fen: int


def allows(account_class: str | None, opened_remotely: bool, direction: Direction, counterpart: Counterpart) -> bool:
    """Whether an account of this class may do this at all, whatever the amount. One of the bank's own may not."""
    match account_class:
        case "I" | "II" | "III" as known:
            return rule_for(Side(known, opened_remotely), direction, counterpart).allowed
    return False


def _rooms(side: Side, rule: Rule, direction: Direction) -> list[_Room]:
    counted = (("day_limit", rule.day_fen, side.used_day_fen), ("year_limit", rule.year_fen, side.used_year_fen))
    rooms = [_Room(code, limit, max(0, limit - used)) for code, limit, used in counted if limit is not None]
    ceiling = CEILINGS_FEN[side.account_class]
    if direction == "in" and ceiling is not None:
        rooms.append(_Room("ceiling", ceiling, max(0, ceiling - side.balance_fen)))
    return rooms


_PERIODS = {"day_limit": ("每日", "a day"), "year_limit": ("每年", "a year")}


def _too_much(room: _Room, side: Side, rule: Rule, direction: Direction, fits_fen: int | None) -> Decision:
    """That it does not fit, in words."""
    name, limit, left = side.account_class, f"¥ {yuan(room.limit_fen)}", f"¥ {yuan(room.left_fen)}"
    way_zh, way_en = ("转入", "take in") if direction == "in" else ("转出", "pay out")
    if room.code == "ceiling":
        zh = f"{name} 类账户余额最多 {limit},目前还可收 {left}"
        en = f"A class {name} account holds at most {limit}; {left} more fits"
    else:
        period_zh, period_en = _PERIODS[room.code]
        zh = f"{name} 类账户{period_zh}累计{way_zh}最多 {limit},目前还可{way_zh} {left}"
        en = f"A class {name} account may {way_en} at most {limit} {period_en}; {left} is left"
    return Decision(False, room.code, f"{zh}({rule.source_zh})。", f"{en} ({rule.source_en}).", fits_fen)


def decide(side: Side, direction: Direction, counterpart: Counterpart, amount_fen: int) -> Decision:
    """Whether the account may take or give this much, by the table. Pure: everything it weighs is in `side`."""
    rule = rule_for(side, direction, counterpart)
    if not rule.allowed:
        return Decision(
            False, "class_forbids", f"{rule.zh}({rule.source_zh})。", f"{rule.en} ({rule.source_en}).", fits_fen=0
        )
    rooms = _rooms(side, rule, direction)
    fits = min((room.left_fen for room in rooms), default=None)
    for room in rooms:
        if amount_fen > room.left_fen:
            return _too_much(room, side, rule, direction, fits)
    return Decision(True, fits_fen=fits)


def may_open(account_class: AccountClass, *, verified: bool, cards: int, opened: bool) -> Decision:
    """Whether the proof that a person has given opens an account of this class remotely.

    `verified`: name and ID number confirmed by a bank. `cards`: class I accounts or credit cards of other banks that
    the four-element check bound. `opened`: there is one already; one of each class is enough.
    """
    if account_class not in REMOTE_CLASSES:
        return Decision(
            False,
            "counter_only",
            f"I 类账户只能在柜面开立({SOURCE_ZH})。",
            f"A class I account is opened at a branch, not remotely ({SOURCE_EN}).",
        )
    if opened:
        return Decision(
            False,
            "opened_already",
            f"您已有 {account_class} 类账户。",
            f"You have a class {account_class} account already.",
        )
    if not verified or not cards:
        return Decision(
            False,
            "proof_needed",
            f"开立 {account_class} 类账户需要先绑定本人的 I 类账户或信用卡({SOURCE_ZH})。",
            f"A class {account_class} account needs a bound class I account or credit card of your own ({SOURCE_EN}).",
        )
    return Decision(True)
