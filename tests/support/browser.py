"""Phones and desks of the demo world's people, in Debian's Chromium. A page that complains fails its test."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, sync_playwright

from rongliao.demo import PASSWORD
from tests.support import obtain
from tests.support.site import Site

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]
SIGN_IN = "/api/session"
PHONES = {
    **{
        name: f"1380000000{index}"
        for index, name in enumerate(("su", "lin", "tao", "shen", "xu", "jiang", "he", "bai"), 1)
    },
    **{name: f"1390000000{index}" for index, name in enumerate(("zhou", "song", "fang", "qin", "liang"), 1)},
}
PHONE = (390, 844)
DESK = (1280, 800)
STEP_LIMIT_MS = 10_000
# A refusal with a 4xx is an answer that the page handles; Chromium logs it all the same.
ANSWERED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
CUT = re.compile(r"net::ERR_|WebSocket|status of 50[23]|Failed to fetch|NetworkError")
IMAGES = Path(__file__).resolve().parents[2] / "var" / "test-failures"


@dataclass
class Phones:
    """Opens browsers' windows on a site and keeps what they complain about."""

    site: Site
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    pages: list[tuple[str, Page]] = field(default_factory=list)

    def open(
        self,
        name: str,
        *,
        size: tuple[int, int] = PHONE,
        path: str = "/",
        language: str = "zh-CN",
        dark: bool = False,
        service_workers: Literal["allow", "block"] = "block",
    ) -> Page:
        """A new browser of its own (own cookies), at the path, not signed in."""
        phone = size == PHONE
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            timezone_id="Asia/Shanghai",
            base_url=self.site.origin,
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            is_mobile=phone,
            reduced_motion="reduce",
            service_workers=service_workers,
        )
        context.set_default_timeout(STEP_LIMIT_MS)
        self._listen(name, context)
        page = context.new_page()
        page.goto(path)
        self.pages.append((name, page))
        return page

    def sign_in(
        self,
        name: str,
        *,
        signed_in: bool = True,
        size: tuple[int, int] = PHONE,
        path: str = "/",
        language: str = "zh-CN",
        dark: bool = False,
    ) -> Page:
        """A new browser in the hand of that person of the demo world, signed in through the API's door."""
        page = self.open(name, size=size, path="/healthz", language=language, dark=dark)
        if signed_in:
            answer = page.request.post(
                SIGN_IN,
                headers={"Origin": self.site.origin, "Accept-Language": language},
                data={"phone": PHONES[name], "password": PASSWORD},
            )
            assert answer.ok, f"{name} cannot sign in: {answer.status} {answer.text()}"
        page.goto(path)
        return page

    def _listen(self, name: str, context: BrowserContext) -> None:
        ours = {urlsplit(self.site.origin).netloc, urlsplit(self.site.bank_origin).netloc}

        def on_console(message: ConsoleMessage) -> None:
            if message.type != "error" or ANSWERED.search(message.text):
                return
            if self.site.disrupted and CUT.search(message.text):
                return
            self.complaints.append(f"{name}: console: {message.text}")

        def on_request(request: Request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc not in ours:
                self.complaints.append(f"{name}: a request left for {request.url}")

        context.on("console", on_console)
        context.on("weberror", lambda error: self.complaints.append(f"{name}: {error.error}"))
        context.on("request", on_request)

    def photograph(self, label: str) -> None:
        """Keeps pictures of every open page, for a test that failed."""
        IMAGES.mkdir(parents=True, exist_ok=True)
        for index, (name, page) in enumerate(self.pages):
            if not page.is_closed():
                page.screenshot(path=IMAGES / f"{label}-{index}-{name}.png")


class Running:
    """Playwright and the Chromiums that it runs for consecutive tests; every test has contexts of its own."""

    def __init__(self) -> None:
        self._driver: Playwright | None = None
        self._browsers: dict[Path, Browser] = {}

    def browser(self, program: Path | None = None) -> Browser:
        """Chromium (this program of it), started unless it runs."""
        if self._driver is None:
            # Playwright's own loop runs in this thread; Django would take it for ours.
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
            self._driver = sync_playwright().start()
        path = program or obtain.headless_chromium()
        found = self._browsers.get(path)
        if found is None or not found.is_connected():
            found = self._driver.chromium.launch(executable_path=str(path), args=ARGUMENTS)
            self._browsers[path] = found
        return found

    def end(self) -> None:
        """Ends all of it: Playwright's loop must not run under tests with loops of their own."""
        for browser in self._browsers.values():
            browser.close()
        self._browsers.clear()
        if self._driver:
            self._driver.stop()
            self._driver = None
            os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
