"""A conversation of 20,000 messages in a browser: few rows exist, the place is kept, the newest is one tap away."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from playwright.sync_api import Locator, Page, Route, expect

from tests.support.site import Site

LENGTH = 20_000
ROWS_AT_MOST = 90
"""Rows that may exist at once on a phone: what is in sight and a little above and below, each at least a line high."""
BEGUN = datetime(2025, 1, 1, tzinfo=UTC)


def message(site: Site, conversation: str, seq: int) -> dict[str, Any]:
    """A message of the long conversation: one line, several lines, or a picture, in turn."""
    words = f"第 {seq} 条" + ",把话说得长一点,好占去几行" * (seq % 5)
    picture = {"id": str(UUID(int=seq)), "width": 600, "height": 400 + seq % 3 * 200} if seq % 50 == 0 else None
    return {
        "id": str(UUID(int=seq)),
        "conversation_id": conversation,
        "seq": seq,
        "version": seq,
        "client_id": str(UUID(int=seq)),
        "sender_id": str(site.world.people["lin" if seq % 3 else "su"]),
        "kind": "picture" if picture else "text",
        "text": "" if picture else words,
        "picture": picture,
        "card": None,
        "notice": None,
        "warning": None,
        "at": (BEGUN + timedelta(minutes=seq)).isoformat(),
        "recalled": False,
    }


def open_long(page: Page, site: Site, *, page_size: int) -> Locator:
    """Opens a conversation that the network says is LENGTH messages long, in pages of `page_size`."""
    conversation = str(site.world.conversations["lin-su"])
    everything = [message(site, conversation, seq) for seq in range(LENGTH, 0, -1)]

    def history(route: Route) -> None:
        before = parse_qs(urlsplit(route.request.url).query).get("before")
        last = int(before[0]) - 1 if before else LENGTH
        first = max(1, last - page_size + 1)
        items = everything[LENGTH - last : LENGTH - first + 1]
        body = {"items": items, "people": [], "next": str(first) if first > 1 else None, "version": LENGTH}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    def nothing_new(route: Route) -> None:
        answer = {"conversations": [], "marks": [], "changes": [], "gone": [], "people": [], "more": False}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(answer))

    page.route("**/api/chat/conversations/*/messages?*", history)
    page.route("**/api/chat/pictures/*", lambda route: route.fulfill(status=404))
    page.get_by_role("link").filter(has=page.get_by_text("林晓舟", exact=True)).wait_for()
    page.route("**/api/chat/sync", nothing_new)
    page.get_by_role("link").filter(has=page.get_by_text("林晓舟", exact=True)).click()
    log = page.get_by_role("log")
    expect(log.get_by_text(f"第 {LENGTH - 1} 条")).to_be_in_viewport(timeout=30_000)
    return log


# What is in sight: the seqs from top to bottom, the place of each, and how many rows exist.
SEEN = """(log) => {
  const box = log.parentElement;
  const { top, bottom } = box.getBoundingClientRect();
  const all = [...log.querySelectorAll("[data-seq]")];
  const rows = all.map((row) => ({ seq: Number(row.dataset.seq), ...row.getBoundingClientRect().toJSON() }))
    .filter((row) => row.bottom > top && row.top < bottom).sort((one, other) => one.top - other.top);
  const covered = rows.reduce((sum, row) => sum + Math.min(row.bottom, bottom) - Math.max(row.top, top), 0);
  return { rows: rows.map(({ seq, top }) => ({ seq, top })), mounted: all.length, empty: bottom - top - covered };
}"""


def test_few_rows_exist_however_far_one_scrolls_and_none_is_missing(new_phone: Callable[..., Page], site: Site) -> None:
    page = new_phone("su")
    log = open_long(page, site, page_size=LENGTH)
    for share in (1, 0.999, 0.75, 0.5, 0.25, 0.001, 0.5, 1):
        log.evaluate("(log, share) => { log.parentElement.scrollTop = log.parentElement.scrollHeight * share; }", share)
        page.wait_for_timeout(150)
        seen = log.evaluate(SEEN)
        assert 0 < seen["mounted"] <= ROWS_AT_MOST, (share, seen["mounted"])
        seqs = [row["seq"] for row in seen["rows"]]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), share
        assert seen["empty"] < 80, (share, seen)
    page.mouse.move(190, 400)
    for _ in range(30):
        page.mouse.wheel(0, -400)
    page.wait_for_timeout(300)
    seen = log.evaluate(SEEN)
    assert seen["mounted"] <= ROWS_AT_MOST
    page.get_by_role("button", name="回到最新").click()
    expect(log.get_by_text(f"第 {LENGTH - 1} 条")).to_be_in_viewport()


FRAMES = 180
FRAME_MS = 1_000 / 60
# Scrolls a good deal in every frame, as a finger that throws the list; answers how long each frame took.
THROWN = """(log, frames) => new Promise((done) => {
  const box = log.parentElement;
  const took = [];
  let before = performance.now();
  const step = (now) => {
    took.push(now - before);
    before = now;
    box.scrollTop -= 90;
    if (took.length < frames) requestAnimationFrame(step);
    else done(took.slice(1));
  };
  requestAnimationFrame(step);
})"""


def test_20000_messages_are_thrown_past_with_60_frames_a_second(new_phone: Callable[..., Page], site: Site) -> None:
    page = new_phone("su")
    log = open_long(page, site, page_size=LENGTH)
    log.evaluate(THROWN, 30)
    devtools = page.context.new_cdp_session(page)
    # Processor time of the page's own thread: what others do on the machine meanwhile is not in it.
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_s() -> float:
        found = devtools.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))

    before = busy_s()
    took = sorted(log.evaluate(THROWN, FRAMES))
    each_ms = (busy_s() - before) * 1_000 / FRAMES
    assert 0 < each_ms < FRAME_MS * 0.75, f"{each_ms:.1f} ms of processor a frame; frames took {took}"
    print(
        f"scrolling 20,000: {each_ms:.1f} ms of processor a frame, half of the frames within {took[FRAMES // 2]:.1f} ms"
    )


def test_what_is_in_sight_stays_there_when_older_pages_arrive(new_phone: Callable[..., Page], site: Site) -> None:
    page = new_phone("su")
    log = open_long(page, site, page_size=40)
    page.wait_for_timeout(500)
    oldest = LENGTH - 40
    page.mouse.move(190, 400)
    for _ in range(12):
        page.mouse.wheel(0, -600)
        page.wait_for_timeout(250)
        before = log.evaluate(SEEN)
        page.wait_for_timeout(250)
        after = log.evaluate(SEEN)
        assert before["rows"], "something is in sight"
        places = {row["seq"]: row["top"] for row in after["rows"]}
        for row in before["rows"][:3]:
            assert abs(places.get(row["seq"], 1e9) - row["top"]) <= 2, (row, after)
        assert after["mounted"] <= ROWS_AT_MOST
    assert after["rows"][0]["seq"] < oldest, "older pages came"
    page.get_by_role("button", name="回到最新").click()
    expect(log.get_by_text(f"第 {LENGTH - 1} 条")).to_be_in_viewport()


def test_the_arrow_keys_go_from_message_to_message_and_the_focus_is_not_lost(
    new_phone: Callable[..., Page], site: Site
) -> None:
    page = new_phone("su")
    log = open_long(page, site, page_size=40)
    log.get_by_text(f"第 {LENGTH - 1} 条").locator("..").focus()
    focused = "document.activeElement.closest('[data-seq]')?.dataset.seq"
    for step in range(1, 16):
        page.keyboard.press("ArrowUp")
        for _ in range(100):
            if page.evaluate(focused) == str(LENGTH - 1 - step):
                break
            page.wait_for_timeout(30)
        assert page.evaluate(focused) == str(LENGTH - 1 - step)
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") > 0
    page.mouse.move(190, 400)
    for _ in range(6):
        page.mouse.wheel(0, -900)
    page.wait_for_timeout(300)
    assert page.evaluate(focused) == str(LENGTH - 16)
