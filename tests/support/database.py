"""One private PostgreSQL for the whole run; a database of its own for whoever asks.

Nothing is flushed: each worker, fresh database and site is a copy of a template that was migrated as the owner.
The migrated data folder is kept in var/test-cache between runs, under a name made of what it was made from.
"""

import json
import os
import secrets
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from psycopg import sql

from deploy.local import install, state
from deploy.local.postgres import APP, OWNER, ROLES_SQL, SUPERUSER, Cluster, unprivileged_account
from deploy.local.processes import Children, Failed, tail
from deploy.local.run import copy_programs, wheel_binaries
from tests.support import obtain, run

MIGRATED = "template_migrated"
PEOPLE = "template_people"
DEMO = "template_demo"
CACHED = 3


@dataclass(frozen=True)
class Server:
    """Where the run's PostgreSQL listens, and its roles' passwords."""

    netloc: str
    query: str
    superuser: str
    superuser_password: str
    owner_password: str
    app_password: str

    def url(self, role: str, database: str) -> str:
        password = {OWNER: self.owner_password, APP: self.app_password}.get(role, self.superuser_password)
        return f"postgresql://{role}:{password}@{self.netloc}/{database}{self.query}"

    def app_url(self, database: str) -> str:
        return self.url(APP, database)

    def owner_url(self, database: str) -> str:
        return self.url(OWNER, database)

    def admin(self, *statements: sql.Composable | str, database: str = "postgres") -> None:
        """Runs statements as the superuser, each by itself."""
        with psycopg.connect(self.url(self.superuser, database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]  # psycopg asks for a literal


def server() -> Server:
    """The run's server; the first who asks starts it, with the migrated template in it."""
    return Server(**run.once("postgres", _given if os.environ.get("TEST_DATABASE_URL") else _start))


def template(name: str) -> Path:
    """Makes sure that a template exists, and returns the file with the names of what is in it."""
    found = server()
    names = run.folder() / f"{name}.names.json"

    def make() -> dict[str, str]:
        _create(found, name, MIGRATED)
        only = ["--only", "accounts"] if name == PEOPLE else []
        values = {**environment(found, name), "VAR_DIR": str(run.folder() / f"{name}-var")}
        manage(values, "demo_fill", *only, "--names", str(names))
        return {}

    run.once(name, make)
    return names


def clone(source: str) -> str:
    """A new database with the content of a template. The migrated one comes with the server and holds nobody."""
    if source != MIGRATED:
        template(source)
    name = f"t_{uuid.uuid4().hex[:16]}"
    _create(server(), name, source)
    return name


def drop(name: str) -> None:
    """Removes a database, ending whoever still uses it."""
    server().admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def environment(found: Server, database: str) -> dict[str, str]:
    """What a process of the product reads to work on that database."""
    return {
        **{name: value for name, value in os.environ.items() if name != "REDIS_URL"},
        "DEMO": "1",
        "PASSWORD_HASH_KIB": str(settings.PASSWORD_HASH_KIB),
        "PIN_HASH_KIB": str(settings.PIN_HASH_KIB),
        "DATABASE_URL": found.app_url(database),
        "DATABASE_OWNER_URL": found.owner_url(database),
        "DJANGO_SETTINGS_MODULE": "rongliao.settings",
    }


def manage(values: dict[str, str], *words: str) -> str:
    """Runs a command of manage.py and returns what it printed. Raises Failed with its last lines."""
    done = subprocess.run(
        [str(install.PYTHON), "manage.py", *words],
        cwd=run.ROOT,
        env=values,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"manage.py {' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-6000:]}")
    return done.stdout


def _create(found: Server, name: str, source: str) -> None:
    found.admin(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER {}").format(
            sql.Identifier(name), sql.Identifier(source), sql.Identifier(OWNER)
        )
    )


def _given() -> dict[str, str]:
    """A server that the developer named: the roles and the template are made on it."""
    parts = urlsplit(os.environ["TEST_DATABASE_URL"])
    netloc = parts.netloc.rpartition("@")[2]
    found = Server(
        netloc=netloc,
        query=f"?{parts.query}" if parts.query else "",
        superuser=parts.username or SUPERUSER,
        superuser_password=parts.password or "",
        owner_password=secrets.token_urlsafe(16),
        app_password=secrets.token_urlsafe(16),
    )
    for role, password in ((OWNER, found.owner_password), (APP, found.app_password)):
        found.admin(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} LOGIN; END IF; END $$",
            f"ALTER ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{password}'",
        )
    found.admin(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (DEMO, PEOPLE, MIGRATED)))
    _migrate(found)
    return vars(found)


def _migrate(found: Server) -> None:
    _create(found, MIGRATED, "template0")
    found.admin(ROLES_SQL.read_text(), database=MIGRATED)
    values = {**environment(found, MIGRATED), "DATABASE_ROLE": "owner"}
    manage(values, "migrate", "--no-input", "--verbosity", "0")


def _start() -> dict[str, str]:
    """Our own server: from the cache where the same migrations ran before."""
    home = run.folder() / "postgres"
    home.mkdir()
    account = unprivileged_account()
    binaries = obtain.postgres_binaries() or wheel_binaries()
    if account is not None and binaries.is_relative_to(run.ROOT):
        binaries = copy_programs(binaries, run.folder())
    cached = _cached(binaries)
    password_file = cached.with_suffix(".json")
    fresh = not (cached.exists() and password_file.exists())
    passwords = (
        {name: secrets.token_urlsafe(16) for name in ("superuser", "owner", "app")}
        if fresh
        else json.loads(password_file.read_text())
    )
    cluster = Cluster(
        home,
        binaries,
        passwords["superuser"],
        Children(),
        home / "postgres.log",
        account=account,
        durable=False,
        settings={"max_connections": "300"},
        short=run.folder(),
    )
    if not fresh:
        unpack(cached, home)
        _give(home, account)
    cluster.initialise()
    cluster.start()
    assert cluster.server
    run.register(cluster.server.pid)
    found = Server(
        netloc="",
        query=f"?host={cluster.sockets}",
        superuser=SUPERUSER,
        superuser_password=cluster.password,
        owner_password=passwords["owner"],
        app_password=passwords["app"],
    )
    if fresh:
        cluster.make_roles(passwords["owner"], passwords["app"])
        _migrate(found)
        cluster.stop()
        state.write_private(password_file, json.dumps(passwords))
        _keep(home, cached)
        cluster.start()
        assert cluster.server
        run.register(cluster.server.pid)
        return {**vars(found), "query": f"?host={cluster.sockets}"}
    return vars(found)


def unpack(cached: Path, home: Path) -> None:
    """Puts a kept data folder there. What we packed ourselves is trusted; Python 3.11.3 has no word for that."""
    with tarfile.open(cached) as archive:
        archive.extraction_filter = lambda member, path: member
        archive.extractall(home)


def _cached(binaries: Path) -> Path:
    sources = [
        path
        for pattern in ("**/migrations/*.py", "**/models.py", "**/models/*.py", "**/settings.py", "**/*.sql")
        for path in run.ROOT.glob(f"*/{pattern}" if not pattern.startswith("**/settings") else "rongliao/settings.py")
        if not {".venv", "node_modules", "var"} & set(path.relative_to(run.ROOT).parts)
    ]
    version = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True)
    return state.VAR / "test-cache" / f"{install.digest({*sources, install.LOCK}, version.stdout)[:24]}.tar"


def _keep(home: Path, cached: Path) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    draft = cached.with_suffix(f".{os.getpid()}")
    with tarfile.open(draft, "w") as archive:
        archive.add(home / "data", "data")
        archive.add(home / "initialised", "initialised")
    draft.replace(cached)
    kept: Sequence[Path] = sorted(cached.parent.glob("*.tar"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in kept[CACHED:]:
        old.unlink(missing_ok=True)
        old.with_suffix(".json").unlink(missing_ok=True)


def _give(folder: Path, account: int | None) -> None:
    if account is None:
        return
    os.chown(folder, account, -1)
    for path in folder.rglob("*"):
        shutil.chown(path, account)


def log_tail() -> str:
    """The last lines of the run's PostgreSQL."""
    return tail(run.folder() / "postgres" / "postgres.log")
