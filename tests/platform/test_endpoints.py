"""What machines and engineers ask the server."""

import io
import json
import logging
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client, override_settings
from jsonschema import Draft202012Validator
from playwright.sync_api import expect

from chat import wire
from deploy.local.install import ROOT
from rongliao import logs
from tests.support.browser import DESK, Phones

APP = {"HTTP_HOST": "localhost:8000"}


@pytest.fixture
def caller() -> Client:
    return Client(raise_request_exception=False, **APP)


def test_healthz_needs_nothing_but_the_process(caller: Client) -> None:
    assert caller.get("/healthz").json() == {"status": "alive"}


@pytest.mark.parametrize("page", ["index.html", "desk.html", "bank.html"])
def test_a_page_carries_the_banks_own_names(page: str, caller: Client, settings: Any, tmp_path: Path) -> None:
    (tmp_path / page).write_text("<title>融聊</title><title>two</title>", encoding="utf-8")
    settings.FRONTEND_DIST = tmp_path
    settings.BRAND, settings.BANK_NAME = r"青川 \1 <script>", '青川"银行'
    host = "localhost:8001" if page == "bank.html" else APP["HTTP_HOST"]
    path = {"index.html": "/", "desk.html": "/desk/", "bank.html": "/"}[page]
    text = caller.get(path, HTTP_HOST=host).content.decode()
    assert text.startswith(r"<title>青川 \1 &lt;script&gt;</title>")
    written = re.search(r'name="rl-site" content="([^"]*)"', text)
    assert written is not None
    assert json.loads(unescape(written[1])) == {
        "brand": settings.BRAND,
        "brand_en": settings.BRAND_EN,
        "bank": settings.BANK_NAME,
        "bank_en": settings.BANK_NAME_EN,
        "demo": False,
    }
    assert text.endswith("<title>two</title>")


@pytest.mark.parametrize(
    ("path", "host", "policy"),
    [
        ("/", "localhost:8000", "same-origin-allow-popups"),
        ("/me", "localhost:8000", "same-origin-allow-popups"),
        ("/desk/", "localhost:8000", "same-origin"),
        ("/api/session", "localhost:8000", "same-origin"),
        ("/sheet/", "localhost:8001", "unsafe-none"),
        ("/api/bank/config", "localhost:8001", "same-origin"),
    ],
)
def test_only_the_app_and_the_sheet_may_know_of_each_others_windows(
    db: None, path: str, host: str, policy: str, caller: Client
) -> None:
    answer = caller.get(path, HTTP_HOST=host)
    assert answer.headers["Cross-Origin-Opener-Policy"] == policy
    if path == "/sheet/":
        assert "frame-ancestors http://localhost:8000;" in answer.headers["Content-Security-Policy"] + ";"


@pytest.mark.parametrize("host", ["localhost:8000", "localhost:8001"])
def test_no_page_is_served_beside_the_views_without_their_policies(host: str, caller: Client) -> None:
    """Such a page of the bank's could be framed by anybody, and run anything."""
    found = [path for finder in finders.get_finders() for path, _ in finder.list([])]
    pages = [path for path in found if re.search(r"\.x?html?$", path, re.IGNORECASE)]
    assert {"dist/bank.html", "dist/index.html", "dist/desk.html"} <= set(pages)
    for path in pages:
        assert caller.get(f"/static/{path}", HTTP_HOST=host).status_code == 404, path
    drawn = caller.get("/static/admin/img/icon-yes.svg", HTTP_HOST=host)
    assert drawn.status_code == 200 and "sandbox" in drawn.headers["Content-Security-Policy"]
    style = caller.get("/static/admin/css/base.css", HTTP_HOST=host)
    assert style.status_code == 200 and not style.headers["Content-Type"].startswith("text/html")


def test_collectstatic_gathers_no_page(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    assert (tmp_path / "dist" / "manifest.json").is_file() and not list(tmp_path.rglob("*.html"))


def test_under_https_no_neighbouring_page_can_plant_a_cookie() -> None:
    """`__Host-`: of this very host, over https, for all of it. A cookie of another name is none of ours."""
    environment = {
        **os.environ,
        "APP_ORIGIN": "https://chat.bank.example",
        "BANK_ORIGIN": "https://confirm.bank.example",
        "PYTHONPATH": str(ROOT),
    }
    asked = (
        "import pytest; from rongliao import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.BANK_COOKIE_NAME, s.BANK_COOKIE_PATH, s.SECURE_COOKIES)"
    )
    said = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["__Host-rl_session", "__Host-rl_csrf", "__Host-rl_bank", "/", "True"]


def test_an_api_path_that_does_not_exist_answers_like_any_refusal(caller: Client) -> None:
    for ask in (caller.get, caller.post):
        answer = ask("/api/nothing/here", headers={"Origin": "http://localhost:8000"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.django_db
def test_readyz_names_the_worker_that_is_missing(caller: Client) -> None:
    answer = caller.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "checks": {"database": True, "layer": True, "worker": False}}


def test_metrics_are_for_this_machine_alone(db: None, caller: Client) -> None:
    caller.get("/healthz")
    assert b"django_http_requests_total_by_method_total" in caller.get("/metrics").content
    assert caller.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 404
    assert caller.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


def test_the_schema_is_openapi_and_names_both_origins_paths(caller: Client) -> None:
    answer = caller.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"].startswith("3.")


def test_the_sockets_contract_names_every_frame_and_resolves_every_reference(caller: Client) -> None:
    contract = caller.get("/api/asyncapi.json").json()
    assert contract["asyncapi"] == "3.0.0"
    assert {"Send", "Ack", "Pushed", "MessageEnvelope"} <= contract["components"]["schemas"].keys()
    text = json.dumps(contract)
    for reference in re.findall(r'"#/([^"]+)"', text):
        found = contract
        for step in reference.split("/"):
            found = found[step]


def test_a_validator_takes_the_frames_schema_and_it_says_what_the_server_does(caller: Client) -> None:
    schema = caller.get("/api/frames.json").json()
    Draft202012Validator.check_schema(schema)
    assert f"?v={wire.PROTOCOL_VERSION}" in schema["$id"]
    assert caller.get("/api/asyncapi.json").json()["info"]["version"] == str(wire.PROTOCOL_VERSION)
    sent = Draft202012Validator({"$ref": "#/$defs/AnyClientFrame", "$defs": schema["$defs"]})
    ids = {"conversation_id": str(uuid4()), "client_id": str(uuid4())}
    for frame in (
        {"type": "send", **ids, "text": "在吗"},
        {"type": "send", "v": 1, **ids, "text": ""},
        {"type": "ping"},
        {"type": "ping", "n": -1},
        {"type": "ping", "v": 0},
        {"type": "send", **ids},
        {"type": "send", **ids, "text": 7},
        {"type": "send", **ids, "text": "x", "mood": "fine"},
        {"type": "song"},
        {"type": "read", "conversation_id": ids["conversation_id"], "seq": 2**53},
        {"type": "probed", "n": 2**53 - 1},
        {"text": "x"},
    ):
        try:
            wire.decode(json.dumps(frame))
            understood = True
        except msgspec.DecodeError:
            understood = False
        assert sent.is_valid(frame) is understood, frame


def test_the_schema_says_one_thing_under_one_name() -> None:
    with redirect_stderr(io.StringIO()) as said:
        call_command("spectacular", file=os.devnull, urlconf="rongliao.urls_described")
    guilty = [line for line in said.getvalue().splitlines() if "arning" in line and "ENUM_NAME_OVERRIDES" not in line]
    assert [line for line in guilty if not line.startswith("Warnings:")] == []


def test_the_api_page_reads_itself_without_a_foreign_request_or_an_inline_script(phones: Phones) -> None:
    page = phones.open("engineer", size=DESK, path="/api/docs/")
    expect(page.get_by_role("heading", name="融聊 API")).to_be_visible()


def test_a_log_line_is_one_json_object_and_a_traceback_stays_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    configuration = logs.configuration(level="INFO", as_json=True)
    formatter = configuration["formatters"]["line"]
    made = formatter.pop("()")(**formatter)
    try:
        raise ValueError("转账")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "a %s", ("b",), exc_info=sys.exc_info())
    line = made.format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["event"], said["level"], said["logger"]) == ("a b", "error", "x")
    assert "转账" in said["exception"]


@pytest.mark.parametrize("seen", [{"REMOTE_ADDR": "192.168.1.9"}, {"headers": {"X-Forwarded-For": "192.168.1.9"}}])
def test_a_demonstration_answers_this_machine_alone(caller: Client, seen: dict[str, Any]) -> None:
    with override_settings(DEMO=True):
        assert caller.get("/healthz").status_code == 200
        assert caller.get("/healthz", **seen).status_code == 403
    assert caller.get("/healthz", **seen).status_code == 200
