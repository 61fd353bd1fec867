"""What the front end's build leaves: light enough, and asking nothing of other origins."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from deploy.local.install import FRONTEND, node, node_environment
from tests.support import run
from tests.support.site import build_front_end

FOREIGN = re.compile(rb"""(?:url\(|@import|src=|href=)\s*["']?(?:https?:)?//""")


@pytest.fixture
def dist() -> Path:
    run.once("front-end", build_front_end)
    return Path(settings.FRONTEND_DIST)


def test_the_first_screen_of_each_entry_weighs_less_than_its_limit(dist: Path) -> None:
    executable, _ = node()
    done = subprocess.run(
        [str(executable), "scripts/bundle.mjs"],
        cwd=FRONTEND,
        env=node_environment(executable),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == 3


LIMIT_BYTES = 150 * 1024
WORTH_BYTES = 4 * 1024
CODE = frozenset({"Document", "Script", "Stylesheet", "Font"})


def test_a_browser_fetches_less_than_150_kb_for_the_first_screen(new_phone: Callable[..., Page]) -> None:
    page = new_phone("su", path="/healthz")
    devtools = page.context.new_cdp_session(page)
    weights: dict[str, int] = {}
    plain: list[str] = []

    def answered(event: dict[str, Any]) -> None:
        if event["type"] not in CODE:
            return
        headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
        name = event["response"]["url"].rpartition("/")[2]
        weights[name] = int(headers["content-length"])
        if weights[name] > WORTH_BYTES and headers.get("content-encoding") not in {"br", "gzip"}:
            plain.append(name)

    devtools.on("Network.responseReceived", answered)
    devtools.send("Network.enable")
    page.goto("/")
    expect(page.get_by_role("link").filter(has_text="林晓舟").first).to_be_visible()
    by_weight = sorted(weights.items(), key=lambda one: -one[1])
    assert 50 * 1024 < sum(weights.values()) < LIMIT_BYTES, by_weight
    assert [name for name in plain if name.endswith((".js", ".css"))] == []
    print(f"the first screen: {sum(weights.values()) / 1024:.1f} KB in {len(weights)} files")


def test_no_built_page_or_style_names_another_origin(dist: Path) -> None:
    files = [*dist.glob("*.html"), *dist.rglob("*.css")]
    assert len(files) > 5
    guilty = [file.name for file in files if FOREIGN.search(file.read_bytes())]
    assert guilty == []


def test_no_built_page_has_script_or_style_of_its_own(dist: Path) -> None:
    for file in dist.glob("*.html"):
        page = file.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=", page), file.name
        assert all(re.search(r"\ssrc=", tag) for tag in re.findall(r"<script[^>]*>", page)), file.name


def test_the_bank_sheet_shares_no_code_of_the_app_s_own_views(dist: Path) -> None:
    manifest = json.loads((dist / "manifest.json").read_text())

    def reach(key: str, found: set[str]) -> set[str]:
        if key not in found:
            found.add(key)
            for following in manifest[key].get("imports", []):
                reach(following, found)
        return found

    guilty = {key for key in reach("bank.html", set()) if "/app/" in key or "/chat/" in key or "router" in key}
    assert guilty == set()
