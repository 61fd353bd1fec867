"""`make screenshots`: the README's pictures, taken from the demo world as it stands after a first start."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.journeys.test_4_buying import order_from_card
from tests.support.browser import DESK
from tests.support.paying import sheet_of

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SETTLED_MS = 2_500
GAP, BETWEEN = 24, "#8b8f95"


def keep(page: Page, name: str) -> None:
    """Saves what the page shows once pictures and fonts are there."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(SETTLED_MS)
    IMAGES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=IMAGES / f"{name}.png")


def side_by_side(name: str, shown: list[str]) -> None:
    """The picture at the head of the README."""
    pictures = [Image.open(IMAGES / f"{one}.png") for one in shown]
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    sheet = Image.new("RGB", (width, max(picture.height for picture in pictures)), BETWEEN)
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + GAP
    sheet.save(IMAGES / f"{name}.png", optimize=True)


def talk(page: Page, name: str) -> None:
    page.get_by_role("listitem").filter(has=page.get_by_text(name, exact=True)).get_by_role("link").click()
    expect(page.get_by_role("log")).to_be_visible()


def test_the_tour(new_phone: Callable[..., Page]) -> None:
    keep(new_phone("guest", signed_in=False, path="/sign-in"), "sign-in")
    su = new_phone("su")
    keep(su, "messages")
    for tab in ("contacts", "moments", "wealth", "me"):
        su.goto(f"/{tab}")
        keep(su, tab)
    zhou = new_phone("zhou", size=DESK, path="/desk/")
    zhou.get_by_role("link", name="苏禾").click()
    zhou.get_by_text("远山稳进 90 天 12 号").first.wait_for()
    zhou.locator("li", has_text="远山稳进 90 天 12 号").get_by_role("button", name="发卡片").click()
    zhou.get_by_role("alertdialog").get_by_role("button", name="发卡片").click()
    keep(zhou, "desk")
    su.goto("/")
    talk(su, "周经理")
    expect(su.get_by_role("article", name="远山稳进 90 天 12 号").last).to_be_visible()
    keep(su, "conversation")
    order_from_card(su, "20000")
    expect(sheet_of(su).get_by_text("¥ 20,000.00").first).to_be_visible()
    keep(su, "bank-sheet")
    su.goto("/")
    talk(su, "账户变动")
    keep(su, "alerts")
    keep(new_phone("su", dark=True, path="/wealth"), "wealth-dark")
    song = new_phone("song", size=DESK, path="/desk/")
    keep(song, "service")
    side_by_side("overview", ["messages", "conversation", "bank-sheet", "wealth"])
