"""A PostgreSQL server of our own, out of given binaries, in a given folder.

It listens on a Unix socket in a private folder with SCRAM (and on loopback where a port is asked for), runs as an
unprivileged account where we are root, and a server or pid file that a crash left behind is cleared first.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.processes import Children, Failed, alive, as_user, end, tail, wait_gone

START_LIMIT_S = 60
SHORT_TEMP = Path("/tmp")  # noqa: S108 - a socket's path has 107 bytes at most; mkdtemp makes the folder private
FAST_STOP_S = 10
SUPERUSER = "postgres"
OWNER = "rongliao_owner"
APP = "rongliao_app"
ROLES_SQL = Path(__file__).resolve().parents[1] / "roles.sql"
# "data" is the server's own; a password file lies beside it only while initdb runs.
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "unix_socket_permissions": "0700",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def unprivileged_account() -> int | None:
    """The account that runs PostgreSQL where we are root, which it refuses; None where we are somebody."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise Failed("PostgreSQL does not run as root, and there is neither an account postgres nor nobody here.")


def permitted(account: int | None, test: str, path: Path) -> bool:
    """Whether that account may do what the shell's `test` names (-x, -w) with the path."""
    done = subprocess.run(["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)], check=False, **as_user(account))
    return done.returncode == 0


@dataclass
class Cluster:
    """One data folder and the server that runs on it."""

    home: Path
    binaries: Path
    password: str
    children: Children
    log: Path
    account: int | None = None
    durable: bool = True
    port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    short: Path | None = SHORT_TEMP if SHORT_TEMP.is_dir() else None
    """Where the folder of the socket is made; its path must be short."""
    sockets: Path | None = None
    server: "subprocess.Popen[bytes] | None" = None

    @property
    def data(self) -> Path:
        return self.home / "data"

    def initialise(self) -> None:
        """initdb, unless it was finished before; a half-made data folder is made anew."""
        if (self.data / "PG_VERSION").exists() and (self.home / "initialised").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.home.mkdir(parents=True, exist_ok=True)
        secret = self.home / "password"
        secret.unlink(missing_ok=True)
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(self.password)
        if self.account is not None:
            os.chown(self.home, self.account, -1)
            os.chown(secret, self.account, -1)
        command: list[str | Path] = [
            *(self.binaries / "initdb", "-D", self.data, "-U", SUPERUSER, "--auth=scram-sha-256"),
            *(f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--data-checksums"),
        ]
        if not self.durable:
            command.append("--no-sync")
        code = self.children.run(command, log=self.log, cwd=Path("/"), user=self.account)
        secret.unlink()
        if code != 0:
            raise Failed(f"PostgreSQL's data folder was not made. The last lines of {self.log}:\n{tail(self.log)}")
        (self.home / "initialised").write_text("")

    def start(self) -> None:
        """Starts the server and waits until it takes connections."""
        self.clear_leftovers()
        self.sockets = Path(tempfile.mkdtemp(prefix="rl-", dir=self.short))
        if self.account is not None:
            os.chown(self.sockets, self.account, -1)
        (self.home / "sockets").write_text(str(self.sockets))
        chosen = {
            **SETTINGS,
            **({} if self.durable else NOT_DURABLE),
            "listen_addresses": "127.0.0.1" if self.port else "",
            "port": str(self.port or 5432),
            "unix_socket_directories": str(self.sockets),
            **self.settings,
        }
        command: list[str | Path] = [self.binaries / "postgres", "-D", self.data]
        for name, value in chosen.items():
            command += ["-c", f"{name}={value}"]
        until = time.monotonic() + START_LIMIT_S
        while not self._ready(until, command):
            # The last server's children hold its shared memory for a moment after it was killed.
            time.sleep(0.3)

    def _ready(self, until: float, command: list[str | Path]) -> bool:
        self.server = self.children.start(
            command, log=self.log, cwd=Path("/"), user=self.account, stop_signal=signal.SIGINT
        )
        while time.monotonic() < until:
            if self.server.poll() is not None:
                if "shared memory block" in tail(self.log, 6):
                    return False
                break
            with contextlib.suppress(OSError, IndexError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                if lines[0] == str(self.server.pid) and lines[7].strip() == "ready":
                    return True
            time.sleep(0.02)
        raise Failed(f"PostgreSQL did not start. The last lines of {self.log}:\n{tail(self.log)}")

    def stop(self) -> None:
        """Ends the sessions and the server, the data being written out."""
        if self.server:
            end(self.server, signal.SIGINT)
            self.server = None
        if self.sockets:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def kill(self) -> None:
        """kill -9 of the server, for fault runs."""
        assert self.server
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.wait()

    def clear_leftovers(self) -> None:
        """Stops a server that an earlier launcher left on this data, and removes its socket folder."""
        pid_file = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, IndexError, ValueError):
            first, _, rest = pid_file.read_text().partition("\n")
            pid = int(first)
            if alive(pid) and str(self.data) in command_line(pid):
                for sig, limit_s in ((signal.SIGINT, FAST_STOP_S), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
                    os.kill(pid, sig)
                    if wait_gone(pid, limit_s):
                        break
            # A killed server that nobody has reaped, or somebody else under its number, looks alive to PostgreSQL.
            # Its parent's number does not; and the rest of the file lets it wait for the last of its old children.
            if pid_file.exists():
                pid_file.write_text(f"{os.getpid()}\n{rest}")
        with contextlib.suppress(OSError):
            left = Path((self.home / "sockets").read_text())
            if left.name.startswith("rl-"):
                shutil.rmtree(left, ignore_errors=True)

    def url(self, role: str, password: str, database: str, *, on_socket: bool = False) -> str:
        """A libpq address, on the Unix socket where that is asked for or there is no port. Passwords here are made of
        letters, digits, - and _.
        """
        if self.port and not on_socket:
            return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"
        port = f"&port={self.port}" if self.port else ""
        return f"postgresql://{role}:{password}@/{database}?host={self.sockets}{port}"

    def superuser_url(self, database: str = "postgres", *, on_socket: bool = False) -> str:
        """The same for the cluster's superuser."""
        return self.url(SUPERUSER, self.password, database, on_socket=on_socket)

    def sql(self, text: str, database: str = "postgres") -> str:
        """Runs statements as the superuser and returns what they print. Raises Failed with the server's words."""
        done = subprocess.run(
            [
                str(self.binaries / "psql"),
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                self.superuser_url(database),
            ],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Failed(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.strip()

    def make_roles(self, owner_password: str, app_password: str) -> None:
        """The two roles; run again it only sets the passwords."""
        for role, password in ((OWNER, owner_password), (APP, app_password)):
            self.sql(
                f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
                f"CREATE ROLE {role} LOGIN; END IF; END $$;\n"
                f"ALTER ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{password}';"
            )

    def make_database(self, name: str) -> None:
        """An empty database in which the owner may create and the server's role may work."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE);")
        self.sql(f"CREATE DATABASE {name} OWNER {OWNER};")
        self.sql(ROLES_SQL.read_text(), name)


def command_line(pid: int) -> str:
    """The command of a running process, or nothing."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    done = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return done.stdout


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody uses now, all different."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
