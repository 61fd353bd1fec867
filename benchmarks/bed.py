"""What is compared stands on one PostgreSQL with its durability on; every server is a process of its own."""

import contextlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local import install
from deploy.local.install import PYTHON, ROOT
from deploy.local.postgres import APP, OWNER, SUPERUSER, Cluster, free_ports, unprivileged_account
from deploy.local.processes import Children, Failed, end, tail
from deploy.local.run import copy_programs, wheel_binaries
from tests.support import obtain

PEERS = Path(__file__).resolve().parent / "peers"
START_LIMIT_S = 60
RUN_LIMIT_S = 300
TEMPLATE = "migrated"
LOG_FILES = 100
"""So many files of the write-ahead log are there before anything is measured, as on a server that has run for a while.
Making one stops all commits for some thirty milliseconds."""


@dataclass
class Bed:
    """A folder, a cluster and the processes on it."""

    folder: Path
    cluster: Cluster
    children: Children
    owner_password: str
    app_password: str
    networks_port: int
    servers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    migrated: bool = False

    def environment(self, database: str, ports: Sequence[int] = (8000, 8001), **extra: str) -> dict[str, str]:
        """What a process of the product reads. The limit on a socket's frames is lifted: it is what is measured."""
        return {
            **{name: value for name, value in os.environ.items() if name != "REDIS_URL"},
            "DEMO": "1",
            # What a person may do in a minute or a day is no measure of the machine.
            "PREPARES_PER_MINUTE": "1000000000",
            "NEW_DEVICE_DAY_FEN": "1000000000000",
            "VAR_DIR": str(self.folder / "var"),
            "DATABASE_URL": self.cluster.url(APP, self.app_password, database),
            "DATABASE_OWNER_URL": self.cluster.url(OWNER, self.owner_password, database),
            "APP_ORIGIN": f"http://localhost:{ports[0]}",
            "BANK_ORIGIN": f"http://localhost:{ports[1]}",
            "NETWORKS_URL": f"http://127.0.0.1:{self.networks_port}",
            "DJANGO_SETTINGS_MODULE": "rongliao.settings",
            "CHAT_FRAMES_PER_SECOND": "1000000",
            "LOG_LEVEL": "WARNING",
            **extra,
        }

    def run(self, command: Sequence[str | Path], env: dict[str, str], given: str = "") -> str:
        """Runs a program to its end and returns what it printed. Raises Failed with its last words."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env=env,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_LIMIT_S,
        )
        if done.returncode != 0:
            raise Failed(f"{command[0]} {command[1]} failed:\n{done.stdout[-1500:]}{done.stderr[-4000:]}")
        return done.stdout

    def product_database(self, name: str) -> None:
        """An empty, migrated database of the product: a copy of one that is migrated once."""
        if not self.migrated:
            self.cluster.make_database(TEMPLATE)
            environment = self.environment(TEMPLATE, DATABASE_ROLE="owner", DATABASE_POOL="0")
            self.run([PYTHON, "manage.py", "migrate", "--no-input", "--verbosity", "0"], environment)
            self.migrated = True
        self.cluster.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER {OWNER};")

    def serve(self, name: str, command: Sequence[str | Path], env: dict[str, str], port: int, **more: Any) -> None:
        """Starts a server and waits for its port."""
        log = self.folder / f"{name}.log"
        self.servers[name] = self.children.start(command, log=log, cwd=ROOT, env=env, **more)
        until = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until:
            if self.servers[name].poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.1)
        raise Failed(f"{name} did not start:\n{tail(log, 30)}")

    def end(self, name: str) -> None:
        """Stops a server that is measured no more."""
        end(self.servers.pop(name), signal.SIGTERM)

    def end_all(self) -> None:
        """Stops every server that still runs."""
        for name in list(self.servers):
            self.end(name)

    def cpu_s(self, name: str) -> float:
        """Seconds of processor that the server and its children took so far; "postgres" is the database's."""
        ticks = 0
        for pid in self._tree((self.cluster.server if name == "postgres" else self.servers[name]).pid):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                # With those of its children that have ended: a database's backends end with who speaks with them.
                ticks += sum(int(each) for each in fields[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_kib(self, name: str) -> int:
        """Resident memory of the server and its children."""
        total = 0
        for pid in self._tree(self.servers[name].pid):
            with contextlib.suppress(OSError):
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * (os.sysconf("SC_PAGE_SIZE") // 1024)
        return total

    def own_memory_kib(self, name: str) -> int:
        """Memory that the server's processes have to themselves: without files, and without what they share."""
        total = 0
        for pid in self._tree((self.cluster.server if name == "postgres" else self.servers[name]).pid):
            with contextlib.suppress(OSError):
                found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
                total += int(found.group(1)) if found else 0
        return total

    def _tree(self, pid: int) -> list[int]:
        children: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(stat.parent.name))

        def under(one: int) -> list[int]:
            return [one, *(found for child in children.get(one, ()) for found in under(child))]

        return under(pid)

    def load(self, plan: dict[str, Any]) -> dict[str, Any]:
        """One run of the load generator."""
        executable, _ = install.node()
        return dict(json.loads(self.run([executable, PEERS / "load.mjs"], dict(os.environ), json.dumps(plan))))

    @contextlib.contextmanager
    def staying(self, plan: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
        """A load that only stays connected while the block runs; what it printed of its connecting."""
        executable, _ = install.node()
        command = [str(executable), str(PEERS / "load.mjs")]
        with (
            (self.folder / "idle.log").open("wb") as log,
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as client,
        ):
            assert client.stdin
            assert client.stdout
            client.stdin.write(json.dumps({**plan, "stay": True}))
            client.stdin.close()
            try:
                said = client.stdout.readline()
                if not said:
                    raise Failed(f"{name}: the connections were not made\n{tail(self.folder / 'idle.log')}")
                yield dict(json.loads(said))
            finally:
                client.kill()

    def redis(self) -> str:
        """A Redis for the processes of the product to speak over; its URL."""
        (port,) = free_ports(1)
        command = [
            obtain.redis_server(),
            "--port",
            str(port),
            "--save",
            "",
            "--appendonly",
            "no",
            "--bind",
            "127.0.0.1",
        ]
        self.serve("redis", command, dict(os.environ), port)
        return f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def make() -> Iterator[Bed]:
    """The bed, and its end: every process, the cluster and the folder."""
    folder = Path(tempfile.mkdtemp(prefix="rlb-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "var").mkdir()
    account = unprivileged_account()
    binaries = obtain.postgres_binaries() or wheel_binaries()
    if account is not None and binaries.is_relative_to(ROOT):
        binaries = copy_programs(binaries, folder)
    children = Children()
    port, networks_port = free_ports(2)
    cluster = Cluster(
        folder / "postgres",
        binaries,
        secrets.token_urlsafe(16),
        children,
        folder / "postgres.log",
        account=account,
        port=port,
        settings={
            "max_connections": "200",
            "shared_buffers": "512MB",
            "min_wal_size": f"{LOG_FILES * 16}MB",
            "max_wal_size": "4GB",
        },
        short=folder,
    )

    def stop(number: int, frame: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    try:
        cluster.initialise()
        cluster.start()
        owner, app = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        cluster.make_roles(owner, app)
        # Each is begun and left; the checkpoint keeps them for what is written from now on.
        cluster.sql("SELECT pg_logical_emit_message(false, 'bench', 'x'), pg_switch_wal();\n" * LOG_FILES)
        cluster.sql("CHECKPOINT")
        yield Bed(folder, cluster, children, owner, app, networks_port)
    finally:
        children.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


def peer_packages(children: Children, log: Path) -> None:
    """The packages of the Node reference and of the load generator, from their lock."""
    executable, npm = install.node()
    stamp = PEERS / "node_modules" / ".lock-stamp"
    content = install.digest([PEERS / "package-lock.json"], str(executable))
    if not install.is_stamped(stamp, content):
        command: list[str | Path] = [executable, npm, "ci", "--no-audit", "--no-fund"]
        if children.run(command, log=log, cwd=PEERS, env=install.node_environment(executable)) != 0:
            raise Failed(f"npm ci in benchmarks/peers failed:\n{tail(log)}")
        stamp.write_text(content)


def ejabberd(bed: Bed, users: Sequence[str], name: str = "ejabberd") -> int:
    """Debian's ejabberd with its archive on the same PostgreSQL, in a database of its own; returns its port."""
    if shutil.which("ejabberdctl") is None:
        if os.geteuid() != 0:
            raise Failed("ejabberd is not on this machine: apt-get install ejabberd (as root make bench does it)")
        obtain.apt(["ejabberd", "erlang-p1-pgsql"])
    password = secrets.token_hex(12)
    bed.cluster.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}';\nCREATE DATABASE {name} OWNER {name};")
    schema = Path("/usr/share/ejabberd/sql/pg.sql").read_text()
    bed.cluster.sql(f"SET ROLE {name};\n{schema}", name)
    rows = ", ".join(f"('{user}', 'secret')" for user in users)
    bed.cluster.sql(f"INSERT INTO users (username, password) VALUES {rows}", name)
    (port,) = free_ports(1)
    home = bed.folder / name
    home.mkdir()
    text = (PEERS / "ejabberd.yml").read_text()
    for place, value in (
        ("@PORT@", port),
        ("@DATABASE@", name),
        ("@DB_PORT@", bed.cluster.port),
        ("@DB_PASSWORD@", password),
    ):
        text = text.replace(place, str(value))
    (home / "ejabberd.yml").write_text(text)
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("ejabberd").pw_uid
        subprocess.run(["chown", "-R", "ejabberd", str(home)], check=True)
    environment = {
        **{word: os.environ[word] for word in ("PATH", "LANG") if word in os.environ},
        "HOME": str(home),
        "EJABBERD_CONFIG_PATH": str(home / "ejabberd.yml"),
        "EJABBERD_LOG_PATH": str(home / "ejabberd.log"),
        "ERL_LIBS": next(str(path.parent) for path in Path("/usr/lib").glob("*/ejabberd-*")),
    }
    command = ["erl", "+K", "true", "+P", "250000", "-noinput", "-mnesia", "dir", f'"{home}/mnesia"', "-s", "ejabberd"]
    bed.serve(name, command, environment, port, user=user)
    return port


def prosody(bed: Bed, users: Sequence[str], name: str = "prosody") -> int:
    """Debian's prosody with its archive on the same PostgreSQL, in a database of its own; returns its port."""
    if shutil.which("prosody") is None:
        if os.geteuid() != 0:
            raise Failed("prosody is not on this machine: apt-get install prosody lua-dbi-postgresql")
        obtain.apt(["prosody", "lua-dbi-postgresql"])
    password = secrets.token_hex(12)
    bed.cluster.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}';\nCREATE DATABASE {name} OWNER {name};")
    (port,) = free_ports(1)
    home = bed.folder / name
    accounts = home / "data" / "bench%2elocal" / "accounts"
    accounts.mkdir(parents=True)
    for user in users:
        (accounts / f"{user}.dat").write_text('return { ["password"] = "secret"; };\n')
    text = (PEERS / "prosody.cfg.lua").read_text()
    places = {"@PORT@": port, "@HOME@": home, "@DATABASE@": name, "@DB_PORT@": bed.cluster.port}
    for place, value in (places | {"@DB_PASSWORD@": password}).items():
        text = text.replace(place, str(value))
    (home / "prosody.cfg.lua").write_text(text)
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("prosody").pw_uid
        subprocess.run(["chown", "-R", "prosody", str(home)], check=True)
    command = ["prosody", "--config", home / "prosody.cfg.lua", "-F"]
    bed.serve(name, command, {**os.environ, "HOME": str(home)}, port, user=user)
    return port


def naive(bed: Bed, name: str = "naive") -> int:
    """The stack as its parts come: Daphne, a Channels consumer, the core Redis layer, one INSERT; returns its port."""
    bed.cluster.sql(f"CREATE DATABASE {name}")
    (port,) = free_ports(1)
    url = f"postgresql://{SUPERUSER}:{bed.cluster.password}@127.0.0.1:{bed.cluster.port}/{name}"
    environment = {word: value for word, value in os.environ.items() if not word.startswith("DJANGO")}
    environment |= {"DATABASE_URL": url, "REDIS_URL": bed.redis(), "PYTHONPATH": str(PEERS)}
    command = [PYTHON, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0", "naive_chat:application"]
    bed.serve(name, command, environment, port)
    return port


def node_reference(bed: Bed, name: str = "node", **more: str) -> int:
    """The Node server of benchmarks/peers on the same PostgreSQL, in a database of its own; returns its port."""
    executable, _ = install.node()
    bed.cluster.sql(f"CREATE DATABASE {name}")
    (port,) = free_ports(1)
    environment = {**os.environ, "PORT": str(port), "NODE_ENV": "production", **more}
    environment["DATABASE_URL"] = f"postgresql://{SUPERUSER}:{bed.cluster.password}@127.0.0.1:{bed.cluster.port}/{name}"
    bed.serve(name, [executable, PEERS / "server.mjs"], environment, port)
    return port


def product(bed: Bed, name: str, database: str, *, server: str, **more: str) -> tuple[int, str]:
    """The product on a server: uvicorn as in production, Daphne with the worker inside as in make run; any other word
    is a WebSocket implementation of uvicorn's own.
    """
    ports = free_ports(2)
    environment = bed.environment(database, ports) | more
    command: list[str | Path]
    if server == "daphne":
        command = [PYTHON, "-m", "deploy.local.serve"]
    else:
        command = [PYTHON, "-m", "uvicorn", "rongliao.asgi:application", "--host", "127.0.0.1", "--port", str(ports[0])]
        ours = ["--http", "rongliao.http:PunctualProtocol", "--ws", "rongliao.http:PunctualSocket"]
        command += ["--loop", "uvloop", *(ours if server == "uvicorn" else ["--ws", server])]
        command += ["--ws-per-message-deflate", "false"]
        command += ["--lifespan", "off", "--no-access-log", "--log-level", "warning", "--ws-max-size", "65536"]
    bed.serve(name, command, environment, ports[0])
    return ports[0], environment["APP_ORIGIN"]
