"""Names that people give themselves: what may look like the bank is refused."""

import unicodedata

from django.conf import settings

from kernel.text import is_name

# Letters that look like Latin ones, and characters that read as the ones in a reserved word.
_LOOKALIKES = str.maketrans(
    {
        **dict(zip("аеорсухіјѕԁһӏкмтвн", "aeopcyxijsdhlkmtbh", strict=True)),
        **dict(zip("αβεικνορτυχ", "abeiknoptux", strict=True)),
        **dict(zip("銀遠戶經務帳號櫃臺證監財資專屬員門衛", "银远户经务账号柜台证监财资专属员门卫", strict=True)),
        **dict(zip("0134578@$", "oleastbas", strict=True)),
        "ı": "i",
        "ł": "l",
        "锒": "银",
        "垠": "银",
        "艮": "银",
        "宫": "官",
        "菅": "官",
        "夂": "客",
        "|": "l",
    }
)

_RESERVED = (
    "银行",
    "客服",
    "客户经理",
    "客户服务",
    "经理",
    "官方",
    "服务号",
    "服务台",
    "服务中心",
    "在线服务",
    "工作人员",
    "理财师",
    "理财顾问",
    "风控",
    "银监",
    "账户变动",
    "认证",
    "系统消息",
    "管理员",
    "柜员",
    "customerservice",
    "relationshipmanager",
    "official",
    "support",
    "admin",
    "bank",
)


def folded(name: str) -> str:
    """The name as the eye takes it: compatibility forms, case, accents, gaps, ornaments and lookalikes undone."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name)).casefold()
    kept = "".join(character for character in plain if unicodedata.category(character)[0] in "LN" or character in "@$|")
    return kept.translate(_LOOKALIKES)


def _reserved() -> set[str]:
    own = (settings.BANK_NAME, settings.BANK_NAME_EN, settings.BRAND, settings.BRAND_EN)
    return {folded(word) for word in (*_RESERVED, *own)}


def may_call_oneself(name: str) -> bool:
    """Whether somebody who is not the bank may show this name."""
    return is_name(name) and bool(folded(name)) and not any(word in folded(name) for word in _reserved())
