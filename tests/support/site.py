"""A running installation: own ports, own copy of the demo world, own var/; its worker inside, or apart as banks do."""

import contextlib
import http.client
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from deploy.local import install, state
from deploy.local.postgres import free_ports
from deploy.local.processes import Children, Failed, tail
from rongliao.demo import World
from tests.support import database, run
from tests.support.nursery import Forked
from tests.support.units import unit_command

READY_LIMIT_S = 60
UNITS = ("server", "worker", "beat")


@dataclass
class Site:
    """What a browser, a program or a fault meets."""

    database_name: str
    folder: Path
    environment: dict[str, str]
    app_port: int
    bank_port: int
    world: World
    disrupted: bool = False
    apart: bool = False
    """The units' commands: one server process for both origins, worker and beat beside it. Needs a Redis."""
    _processes: dict[str, "subprocess.Popen[bytes] | Forked"] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The address of the app."""
        return self.environment["APP_ORIGIN"]

    @property
    def bank_origin(self) -> str:
        """The address of the bank sheet."""
        return self.environment["BANK_ORIGIN"]

    @property
    def socket_url(self) -> str:
        return f"ws://localhost:{self.app_port}/ws/"

    @property
    def database_url(self) -> str:
        """The database as the server's role, for looking at what was kept."""
        return self.environment["DATABASE_URL"]

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self) -> None:
        """Starts what does not run, and waits until it is ready."""
        if not self._alive("networks"):
            self._processes["networks"] = run.spawn(
                [install.PYTHON, "-m", "finance.networks.simulator"],
                log=self.folder / "networks.log",
                env=self.environment,
            )
        if self.apart:
            for unit in UNITS:
                if not self._alive(unit):
                    command = unit_command(unit, self.app_port, self.folder)
                    log = self.folder / f"{unit}.log"
                    self._processes[unit] = run.spawn(command, log=log, env=self.environment)
        elif not self._alive("server"):
            self._processes["server"] = Forked("deploy.local.serve", log=self.log, env=self.environment)
        self.wait_ready()

    def wait_ready(self) -> None:
        """Until /readyz says yes. Raises Failed with the server's last words."""
        until = time.monotonic() + READY_LIMIT_S
        said = b""
        while time.monotonic() < until:
            if not self._alive("server"):
                raise Failed(f"The server ended by itself:\n{tail(self.log, 40)}")
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", self.app_port, timeout=5)
                connection.request("GET", "/readyz", headers={"Host": f"localhost:{self.app_port}"})
                answer = connection.getresponse()
                said = answer.read()
                connection.close()
                if answer.status == 200:
                    return
            time.sleep(0.05)
        raise Failed(f"Not ready after {READY_LIMIT_S} s: {said!r}\n{tail(self.log, 40)}")

    def pid(self, name: str = "server") -> int:
        """The process of that name."""
        return int(self._processes[name].pid)

    def kill9(self, name: str = "server") -> None:
        """The process gets no chance to finish anything."""
        self.disrupted = True
        process = self._processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def ended(self) -> list[str]:
        """The processes that do not run though they were started."""
        return [name for name in self._processes if not self._alive(name)]

    def restart(self) -> None:
        """kill -9, then start again on the same data and ports."""
        if self._alive("server"):
            self.kill9()
        self.start()

    def stop(self) -> None:
        """Ends its processes as an operator would."""
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def manage(self, *words: str) -> str:
        """Runs a command of manage.py on this installation."""
        return database.manage(self.environment, *words)

    def _alive(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.poll() is None


def make_site(**extra: str) -> Site:
    """A site that runs; `extra` is put into its environment (REDIS_URL, for one)."""
    run.once("front-end", build_front_end)
    names = database.template(database.DEMO)
    name = database.clone(database.DEMO)
    folder = run.folder() / f"site-{uuid4().hex[:8]}"
    folder.mkdir()
    media = run.folder() / f"{database.DEMO}-var"
    if media.exists():
        subprocess.run(["cp", "-R", str(media), str(folder / "var")], check=True)
    app_port, bank_port, networks_port = free_ports(3)
    environment = {
        **database.environment(database.server(), name),
        "VAR_DIR": str(folder / "var"),
        "APP_ORIGIN": f"http://localhost:{app_port}",
        "BANK_ORIGIN": f"http://localhost:{bank_port}",
        "NETWORKS_URL": f"http://127.0.0.1:{networks_port}",
        "PYTHONUNBUFFERED": "1",
        **extra,
    }
    (folder / "var").mkdir(exist_ok=True)
    site = Site(name, folder, environment, app_port, bank_port, World.load(names))
    site.start()
    return site


def build_front_end() -> dict[str, str]:
    """Runs the front end's build; ask for it through `run.once`."""
    children = Children()
    try:
        install.front_end(children, state.log("front-end"), lambda text: None)
    finally:
        children.stop_all()
    return {}
