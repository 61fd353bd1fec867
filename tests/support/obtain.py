"""Finds what the tests need on this machine, and as root on Debian installs what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.processes import Failed

REDIS_PLACES = ("/usr/bin/redis-server", "/usr/local/bin/redis-server", "/opt/homebrew/bin/redis-server")
CHROMIUM_PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
HEADLESS_PLACES = ("/usr/bin/chromium-headless-shell",)
CHINESE_FONTS = Path("/usr/share/fonts/opentype/noto")


def found(name: str, places: tuple[str, ...]) -> Path | None:
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    return next((Path(place) for place in places if Path(place).exists()), None)


def redis_server() -> Path:
    """redis-server, installed if need be. Raises Failed with what to install."""
    return _obtain("redis-server", REDIS_PLACES, ["redis-server"], "or give REDIS_URL")


def chromium() -> Path:
    """Debian's Chromium, with fonts for Chinese. Raises Failed with what to install."""
    packages = ["chromium", "chromium-headless-shell", "fonts-noto-cjk"]
    return _obtain("chromium", CHROMIUM_PLACES, packages, "or give CHROMIUM=/path/to/chromium")


def headless_chromium() -> Path:
    """The build without a desktop's parts, which takes half of the processor's time; the whole one where it is not.

    It shows no notifications.
    """
    light = None if "CHROMIUM" in os.environ else found("chromium-headless-shell", HEADLESS_PLACES)
    return light or chromium()


def postgres_binaries() -> Path | None:
    """A Debian server's programs, the newest from 15 on; None where there is none (then the wheel's are used)."""
    versions = sorted(
        (int(path.parent.name), path)
        for path in Path("/usr/lib/postgresql").glob("*/bin")
        if path.parent.name.isdigit() and int(path.parent.name) >= 15 and (path / "initdb").exists()
    )
    return versions[-1][1] if versions else None


def _obtain(name: str, places: tuple[str, ...], packages: list[str], otherwise: str) -> Path:
    given = os.environ.get(name.upper().replace("-", "_"))
    path = Path(given) if given else found(name, places)
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        apt(packages)
        path = found(name, places)
    if path is None or not path.exists():
        raise Failed(
            f"The tests need {name}, which is not on this machine. Install it (Debian: apt-get install "
            f"{' '.join(packages)}; run make test once as root and it is done for you) {otherwise}."
        )
    return path


def apt(packages: list[str]) -> None:
    """Installs Debian packages. Raises Failed with apt's words."""
    print(f"installing {' '.join(packages)} from Debian", file=sys.stderr, flush=True)
    wait = "-oDPkg::Lock::Timeout=300"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", wait, "-q", "update"],
        # Services that a package would start are not wanted: the tests start their own.
        ["apt-get", wait, "-q", "-y", "--no-install-recommends", "-oDpkg::Use-Pty=0", "install", *packages],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"apt-get install {' '.join(packages)} failed:\n{done.stdout[-500:]}{done.stderr[-1500:]}")


def main() -> int:
    """Before the run, so that no two workers install at once."""
    try:
        if not os.environ.get("REDIS_URL"):
            redis_server()
        chromium()
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
