"""Journey 8: a post with pictures; a friend sees, likes and comments; a stranger and bank staff do not see it."""

from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect

from tests.moments.conftest import png

COLOURS = ("#2a7f62", "#b5352a", "#4f6d8a")


def post_of(page: Page, words: str) -> Locator:
    return page.get_by_role("article").filter(has_text=words)


def publish(page: Page, words: str, pictures: int = 0) -> None:
    page.get_by_role("link", name="发动态").click()
    page.get_by_role("textbox", name="动态内容").fill(words)
    if pictures:
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="添加图片").click()
        chooser.value.set_files(
            [
                {"name": f"{index}.png", "mimeType": "image/png", "buffer": png(240, 180, COLOURS[index % 3])}
                for index in range(pictures)
            ]
        )
    page.get_by_role("button", name="发表", exact=True).click()
    expect(page.get_by_role("heading", name="朋友圈")).to_be_visible()


def test_a_friend_sees_likes_and_comments_and_nobody_else_sees_anything(new_phone: Callable[..., Page]) -> None:
    words = f"初雪 {uuid4().hex[:6]}"
    su, lin = new_phone("su", path="/moments"), new_phone("lin", path="/moments")
    expect(lin.get_by_role("article").first).to_be_visible()
    publish(su, words, pictures=3)
    mine = post_of(su, words)
    expect(mine.get_by_role("button", name="查看图片")).to_have_count(3)

    lin.get_by_role("button", name="1 条新动态").click()
    theirs = post_of(lin, words)
    expect(theirs).to_be_visible()
    theirs.get_by_role("button", name="查看图片,第 1 张").click()
    viewer = lin.get_by_role("dialog", name="图片 1 / 3")
    expect(viewer).to_be_visible()
    lin.keyboard.press("ArrowRight")
    expect(lin.get_by_role("dialog", name="图片 2 / 3")).to_be_visible()
    lin.keyboard.press("Escape")
    theirs.get_by_role("button", name="赞", exact=True).click()
    expect(theirs.get_by_role("button", name="取消赞")).to_be_visible()
    theirs.get_by_role("button", name="评论", exact=True).click()
    lin.get_by_role("textbox", name="评论内容").fill("哪里拍的?")
    lin.get_by_role("button", name="发送").click()
    expect(theirs.get_by_text("哪里拍的?")).to_be_visible()

    expect(mine.get_by_role("button", name="林晓舟:哪里拍的?")).to_be_visible()
    expect(mine.get_by_role("img", name="1 人觉得很赞")).to_be_visible()
    mine.get_by_role("button", name="林晓舟:哪里拍的?").click()
    su.get_by_role("textbox", name="评论内容").fill("北高峰")
    su.get_by_role("button", name="发送").click()
    expect(theirs.get_by_text("北高峰")).to_be_visible()

    picture = mine.get_by_role("img").first
    address = su.evaluate(
        "() => document.querySelector('article img[src*=\"/moments/pictures/\"]').getAttribute('src')"
    )
    assert picture and su.request.get(address).status == 200
    person = su.request.get("/api/me").json()["id"]
    for name in ("bai", "zhou", "song", "liang"):
        other = new_phone(name, path="/moments")
        expect(other.get_by_role("heading", name="朋友圈")).to_be_visible()
        expect(post_of(other, words)).to_have_count(0)
        assert other.request.get(address).status == 404
        assert other.request.get(f"/api/moments/persons/{person}/posts").status == 404


def test_a_post_for_some_is_seen_by_those_and_the_draft_is_not_lost_by_a_slip(new_phone: Callable[..., Page]) -> None:
    words = f"只给小舟 {uuid4().hex[:6]}"
    su = new_phone("su", path="/moments/new")
    su.get_by_role("textbox", name="动态内容").fill(words)
    su.get_by_role("button", name="返回").click()
    su.get_by_role("alertdialog").get_by_role("button", name="继续写").click()
    su.get_by_role("button", name="谁可以看").click()
    sheet = su.get_by_role("dialog", name="谁可以看")
    sheet.get_by_text("部分可见").click()
    sheet.get_by_text("林晓舟").click()
    sheet.get_by_role("button", name="完成").click()
    su.get_by_role("button", name="发表", exact=True).click()
    expect(post_of(su, words)).to_contain_text("部分好友可见")
    lin, tao = new_phone("lin", path="/moments"), new_phone("tao", path="/moments")
    expect(post_of(lin, words)).to_be_visible()
    expect(post_of(lin, words)).not_to_contain_text("部分好友可见")
    expect(tao.get_by_role("article").first).to_be_visible()
    expect(post_of(tao, words)).to_have_count(0)
    post_of(su, words).get_by_role("button", name="删除").click()
    su.get_by_role("alertdialog").get_by_role("button", name="删除").click()
    expect(post_of(su, words)).to_have_count(0)
    lin.reload()
    expect(lin.get_by_role("article").first).to_be_visible()
    expect(post_of(lin, words)).to_have_count(0)


def test_a_file_that_is_no_picture_stays_out_and_one_that_failed_can_be_tried_again(
    new_phone: Callable[..., Page],
) -> None:
    su = new_phone("su", path="/moments/new")
    refuse = {"on": True}

    def flaky(route: object) -> None:
        if refuse.pop("on", False):
            route.fulfill(status=413, json={"error": {"code": "too_large", "message": "太大", "params": {}}})  # type: ignore[attr-defined]  # Playwright types it as object
        else:
            route.continue_()  # type: ignore[attr-defined]  # Playwright types it as object

    su.route("**/api/moments/pictures", flaky)
    for name, kind, content in (("x.svg", "image/svg+xml", b"<svg/>"), ("y.png", "image/png", png())):
        with su.expect_file_chooser() as chooser:
            su.get_by_role("button", name="添加图片").click()
        chooser.value.set_files({"name": name, "mimeType": kind, "buffer": content})
    expect(su.get_by_text("只能上传 JPEG、PNG 或 WebP 图片")).to_be_visible()
    expect(su.get_by_role("button", name="发表", exact=True)).to_be_disabled()
    su.get_by_role("button", name="上传失败,点此重试").click()
    expect(su.get_by_role("button", name="发表", exact=True)).to_be_enabled()
    su.get_by_role("button", name="移除第 1 张图片").click()
    expect(su.get_by_role("button", name="发表", exact=True)).to_be_disabled()
