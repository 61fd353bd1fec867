"""What every test may ask for. Nothing here is faked: servers are found, installed or started."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser, Page
from pytest_django.plugin import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

from deploy.local.postgres import free_ports
from kernel.memory import settle
from rongliao.demo import World
from tests.support import database, obtain, run, static_files
from tests.support.browser import Phones, Running
from tests.support.site import Site, make_site

_OUTCOME: pytest.StashKey[dict[str, pytest.TestReport]] = pytest.StashKey()
_browsers = Running()


_NESTED = "RONGLIAO_TEST_NESTED" in os.environ
"""A run inside another's: it uses that one's folder and servers, and leaves them."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not _NESTED:
        run.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not _NESTED:
        run.clean(run.folder())


def pytest_collection_finish() -> None:
    settle()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and marker.kwargs.get("transaction"):
            raise pytest.UsageError(f"{item.nodeid}: the server's role cannot flush; ask for fresh_database instead")
    # What takes long begins first, so that no worker is alone with it at the end; browsers' tests share a Chromium.
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("long"):
        return 0
    served = {"browser", "start_site"} & set(getattr(item, "fixturenames", ()))
    return 1 if served or item.path.parent.name == "faults" else 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: Any = yield
    item.stash.setdefault(_OUTCOME, {})[report.when] = report
    return report


def _point_at(url: str) -> dict[str, Any]:
    """Has Django connect there, in every thread; returns what was before."""
    parts = urlsplit(url)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    target = connections["default"].settings_dict
    before = {name: target[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    target.update(
        NAME=parts.path.lstrip("/"),
        USER=parts.username or "",
        PASSWORD=unquote(parts.password or ""),
        HOST=options.get("host") or parts.hostname or "",
        PORT=str(parts.port or ""),
    )
    return before


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's database: this worker's copy of the template, as the server's role."""
    name = database.clone(database.PEOPLE)
    with django_db_blocker.unblock():
        connections["default"].close()
        _point_at(database.server().app_url(name))
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    database.drop(name)


@pytest.fixture(scope="session", autouse=True)
def _own_var() -> None:
    """Files that the product writes go to the run's folder."""
    folder = run.folder() / os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder.mkdir(exist_ok=True)
    settings.VAR_DIR = folder
    settings.MEDIA_ROOT = folder / "media"


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", static_files.add_files)
        yield


@pytest.fixture
def world(db: None) -> World:
    """The names of the demo world's people (the accounts area), who are in every test's database."""
    return World.load(database.template(database.PEOPLE))


@dataclass(frozen=True)
class FreshDatabase:
    """A database of the test's own, with real commits."""

    name: str
    url: str
    owner_url: str
    environment: dict[str, str]
    world: World


@pytest.fixture
def fresh_database(django_db_blocker: DjangoDbBlocker) -> Iterator[FreshDatabase]:
    """A copy of the template that Django works on for this test, from every thread; other processes use its URL."""
    yield from _fresh(django_db_blocker, database.PEOPLE)


@pytest.fixture
def demo_database(django_db_blocker: DjangoDbBlocker) -> Iterator[FreshDatabase]:
    """The same with the whole demo world in it."""
    yield from _fresh(django_db_blocker, database.DEMO)


def _fresh(blocker: DjangoDbBlocker, template: str) -> Iterator[FreshDatabase]:
    names = database.template(template)
    name = database.clone(template)
    found = database.server()
    with blocker.unblock():
        connections["default"].close()
        before = _point_at(found.app_url(name))
        try:
            yield FreshDatabase(
                name, found.app_url(name), found.owner_url(name), database.environment(found, name), World.load(names)
            )
        finally:
            connections.close_all()
            connections["default"].settings_dict.update(before)
    database.drop(name)


@pytest.fixture(scope="session")
def _redis() -> str:
    given = os.environ.get("REDIS_URL")
    if given:
        return given
    (port,) = free_ports(1)
    folder = run.folder() / f"redis-{port}"
    folder.mkdir()
    run.spawn(
        [
            obtain.redis_server(),
            *("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)),
        ],
        log=folder / "redis.log",
    )
    return f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def redis_url(_redis: str) -> str:
    """A private, empty Redis."""
    import redis
    from redis.backoff import ConstantBackoff
    from redis.retry import Retry

    with redis.Redis.from_url(
        _redis, retry=Retry(ConstantBackoff(0.05), 100), retry_on_error=[redis.ConnectionError]
    ) as client:
        client.flushall()
    return _redis


@pytest.fixture
def start_site() -> Iterator[Callable[..., Site]]:
    """Starts installations with settings of the test's own: start_site(REDIS_URL=redis_url)."""
    started: list[Site] = []

    def start(**extra: str) -> Site:
        started.append(make_site(**extra))
        return started[-1]

    yield start
    for site in started:
        site.stop()
        database.drop(site.database_name)


@pytest.fixture
def site(start_site: Callable[..., Site], request: pytest.FixtureRequest) -> Iterator[Site]:
    """A running installation with the whole demo world; its log is shown where the test fails."""
    running = start_site()
    yield running
    if _failed(request):
        print(f"--- {running.log}\n" + "\n".join(running.log.read_text(errors="replace").splitlines()[-60:]))
        kept = settings.BASE_DIR / "var" / "test-failures"
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copy(running.log, kept / f"{request.node.name[:80]}.server.log")


def _failed(request: pytest.FixtureRequest) -> bool:
    reports = request.node.stash.get(_OUTCOME, {})
    return any(report.failed for report in reports.values())


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Debian's Chromium; the whole of it for tests marked `notifications`. What the test opens is closed after it."""
    running = _browsers.browser(obtain.chromium() if request.node.get_closest_marker("notifications") else None)
    yield running
    for context in running.contexts:
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """The next test goes on with the same Chromium if it wants one."""
    try:
        return (yield)
    finally:
        if "browser" not in getattr(nextitem, "fixturenames", ()):
            _browsers.end()


@pytest.fixture
def phones(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Phones]:
    """Opens windows on the site; console errors and requests to foreign origins fail the test."""
    opened = Phones(site, browser)
    yield opened
    if _failed(request):
        opened.photograph(request.node.name[:80].replace("/", "-"))
    assert not opened.complaints, "\n".join(opened.complaints)


@pytest.fixture
def new_phone(phones: Phones) -> Callable[..., Page]:
    """new_phone("su"): a phone in that person's hand, signed in; new_phone("guest", signed_in=False): at the door."""
    return phones.sign_in
