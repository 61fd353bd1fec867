"""Journey 9: a second browser in step; kill -9 in the middle of sending."""

import re
import threading
import time
from collections.abc import Callable

import psycopg
from playwright.sync_api import Page, expect

from tests.journeys.test_2_talking import newest, open_talk, row_of, say, whole_log
from tests.support.browser import DESK
from tests.support.site import Site

BACK_MS = 30_000
"""A page tries again after eight seconds at most, and what it sent without an answer it sends once more."""


def test_a_second_browser_has_everything_and_stays_in_step(new_phone: Callable[..., Page]) -> None:
    first, lin = new_phone("su"), new_phone("lin")
    open_talk(first, "林晓舟")
    second = new_phone("su", size=DESK)
    open_talk(second, "林晓舟")
    for page in (first, second):
        newest(page, "收到啦,谢谢!")
    say(first, "从手机上说的")
    newest(second, "从手机上说的")
    say(second, "从电脑上说的")
    newest(first, "从电脑上说的")
    expect(first.get_by_role("log").get_by_text("从电脑上说的")).to_have_count(1)

    first.get_by_role("button", name="返回").click()
    second.get_by_role("link", name="周末爬山小队").click()
    open_talk(lin, "苏禾")
    say(lin, "两边都没看")
    for page in (first, second):
        expect(row_of(page, "林晓舟").get_by_text("1 条未读")).to_have_count(1)
    open_talk(first, "林晓舟")
    newest(first, "两边都没看")
    expect(row_of(second, "林晓舟").get_by_text("条未读")).to_have_count(0)


def test_what_was_acknowledged_is_there_once_after_kill_9_in_the_middle_of_sending(
    new_phone: Callable[..., Page], site: Site
) -> None:
    su, lin = new_phone("su"), new_phone("lin")
    open_talk(su, "林晓舟")
    open_talk(lin, "苏禾")
    for page in (su, lin):
        newest(page, "收到啦,谢谢!")
    killer = threading.Timer(1.0, site.restart)
    killer.start()
    sent = 0
    until = time.monotonic() + 2.5
    while time.monotonic() < until and sent < 60:
        say(su, f"第{sent}句")
        sent += 1
    killer.join()
    expect(lin.get_by_role("log").get_by_text(f"第{sent - 1}句")).to_be_visible(timeout=BACK_MS)
    expect(su.get_by_text(re.compile("发送中|未送出"))).to_have_count(0, timeout=BACK_MS)
    wanted = [f"第{number}句" for number in range(sent)]
    for page in (su, lin):
        shown = whole_log(page)
        assert [text for text in shown if re.fullmatch(r"第\d+句", text)] == wanted
    with psycopg.connect(site.database_url) as connection:
        rows = connection.execute(
            "SELECT text, seq FROM chat_message WHERE conversation_id = %s AND text ~ '^第[0-9]+句$' ORDER BY seq",
            [site.world.conversations["lin-su"]],
        ).fetchall()
        gaps = connection.execute(
            "SELECT count(*) FROM chat_conversation c WHERE c.seq <> (SELECT count(*) FROM chat_message m "
            "WHERE m.conversation_id = c.id)"
        ).fetchone()
    assert [text for text, _ in rows] == wanted
    assert gaps == (0,)
