"""How a service account comes to be."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts import actions as accounts
from kernel.clock import now
from officials import menu
from officials.models import Keyword, Official

_MAKING = 0x6F666669  # "offi"
_HOUSE, _HOUSE_EN = settings.BANK_NAME.removesuffix("银行"), settings.BANK_NAME_EN.removesuffix(" Bank")

WEALTH_NEWS = "wealth-news"
# Service accounts that the bank's own areas write from: there as soon as one of them has something to say.
STANDARD: dict[str, dict[str, Any]] = {
    WEALTH_NEWS: {
        "name": f"{_HOUSE}财富",
        "name_en": f"{_HOUSE_EN} Wealth",
        "hue": 3,
        "description": "产品动态、市场观察,以及您的委托进展。",
        "greeting": "您好,这里是财富服务号。产品有变化、委托有进展,我们会在这里告诉您。",
        "auto_reply": "您的留言已收到。需要人工解答,请联系您的客户经理或在线客服。",
        "keywords": {"净值": "净值在每个交易日晚间更新,请在“财富”中查看您持有的产品。"},
        "raw_menu": [
            {
                "key": "products",
                "name": "看产品",
                "entries": [
                    {"key": "shelf", "name": "全部产品", "action": {"kind": "view", "path": "/wealth/products"}},
                    {"key": "holdings", "name": "我的持有", "action": {"kind": "view", "path": "/wealth/holdings"}},
                    {"key": "assessment", "name": "风险测评", "action": {"kind": "view", "path": "/wealth/assessment"}},
                ],
            },
            {
                "key": "hours",
                "name": "交易时间",
                "action": {
                    "kind": "reply",
                    "text": "交易日 15:00 前提交的委托按当日净值确认,之后的按下一交易日净值。确认前可以撤单。",
                },
            },
            {
                "key": "fees",
                "name": "费用说明",
                "action": {
                    "kind": "reply",
                    "text": "每只产品的认购、管理、托管费率都写在产品页和说明书里,确认购买前会再次列出。",
                },
            },
        ],
    },
}


@transaction.atomic
def ensure_official(
    code: str,
    name: str,
    *,
    name_en: str = "",
    title: str = "服务号",
    title_en: str = "Service account",
    hue: int = 168,
    description: str = "",
    raw_menu: Any = (),
    greeting: str = "",
    auto_reply: str = "",
    keywords: Mapping[str, str] | None = None,
    always_on: bool = False,
    listed: bool = True,
) -> Official:
    """The service account with this code, made with these facts if there is none. Raises MenuBroken."""
    found = Official.objects.filter(code=code).first()
    if found is not None:
        return found
    with connection.cursor() as cursor:
        # Two at once would make two persons for one code.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING])
    found = Official.objects.filter(code=code).first()
    if found is not None:
        return found
    parsed = menu.parse(list(raw_menu))
    made = Official.objects.create(
        code=code,
        person_id=accounts.create_official(name=name, name_en=name_en, title=title, title_en=title_en, hue=hue),
        description=description,
        menu=menu.dump(parsed),
        greeting=greeting,
        auto_reply=auto_reply,
        always_on=always_on,
        listed=listed,
        created_at=now(),
    )
    Keyword.objects.bulk_create(
        Keyword(official=made, word=word.lower(), reply=reply) for word, reply in (keywords or {}).items()
    )
    return made


def ensure_standard(code: str) -> Official:
    """The service account of STANDARD with this code."""
    return ensure_official(code, **STANDARD[code])


def official_of(code: str) -> Official:
    """The service account with this code; one of STANDARD is made at need. Raises Official.DoesNotExist."""
    if code in STANDARD:
        return ensure_standard(code)
    return Official.objects.get(code=code)
