"""People at the doors of service accounts, and one service account to try."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from officials import actions
from officials.models import Official
from rongliao.demo import World
from tests.support.caller import Caller

MENU = [
    {"key": "hours", "name": "营业时间", "action": {"kind": "reply", "text": "周一至周五 9:00–17:00。"}},
    {
        "key": "more",
        "name": "更多",
        "entries": [
            {"key": "wealth", "name": "看产品", "action": {"kind": "view", "path": "/wealth"}},
            {"key": "phone", "name": "电话", "action": {"kind": "reply", "text": "95588-0"}},
        ],
    },
]


@pytest.fixture
def caller(world: World) -> Callable[[str], Caller]:
    """caller("su"): that person of the demo world, signed in."""
    return lambda name: Caller(world.people[name])


def make_official(code: str = "test-news", **more: Any) -> Official:
    """A service account with a menu, a greeting, an automatic reply and a keyword."""
    return actions.ensure_official(
        code,
        "测试服务号",
        description="只在测试里。",
        raw_menu=MENU,
        greeting="欢迎关注。",
        auto_reply="收到,稍后回复。",
        keywords={"网点": "最近的网点在城西。"},
        **more,
    )


@pytest.fixture
def official(world: World) -> Official:
    return make_official()


def article_body(**more: Any) -> dict[str, Any]:
    """What an operator sends for a new article."""
    return {
        "id": str(uuid.uuid4()),
        "revision": 0,
        "title": "年末资金安排三问",
        "summary": "写成了一页。",
        "cover_id": None,
        "blocks": [
            {"kind": "heading", "text": "一问"},
            {"kind": "paragraph", "text": "钱什么时候要用?"},
        ],
        **more,
    }


def draft(operator: Caller, code: str = "test-news", **more: Any) -> dict[str, Any]:
    """Writes a draft; answers it."""
    answer = operator.put(f"/api/officials/operations/{code}/articles", article_body(**more))
    assert answer.status_code == 200, answer.content
    return answer.json()  # type: ignore[no-any-return]  # JSON


def messages(who: Caller, conversation_id: str) -> list[dict[str, Any]]:
    """What was said in a conversation, oldest first, without the notices of the house."""
    answer = who.get(f"/api/chat/conversations/{conversation_id}/messages?limit=100")
    assert answer.status_code == 200, answer.content
    shown = sorted(answer.json()["items"], key=lambda item: item["seq"])
    return [item for item in shown if item["kind"] != "notice"]


def follow(who: Caller, code: str = "test-news") -> str:
    """Follows; answers the conversation."""
    answer = who.put(f"/api/officials/{code}/follow")
    assert answer.status_code == 200, answer.content
    return str(answer.json()["conversation_id"])
