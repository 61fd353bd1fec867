"""What the systemd units of deploy/ start, for tests that run the product as a bank does."""

import re
import shlex
from pathlib import Path

from deploy.local.install import PYTHON, ROOT


def unit_command(name: str, port: int, folder: Path) -> list[str]:
    """The command of the unit, on this checkout's packages and on a port and folder of the test's own."""
    text = (ROOT / f"deploy/systemd/rongliao-{name}.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.M)
    words = shlex.split(line)
    if "--port" in words:
        words[words.index("--port") + 1] = str(port)
    moved = {"/opt/rongliao/.venv/bin/": f"{PYTHON.parent}/", "/run/rongliao/": f"{folder}/"}
    for old, new in moved.items():
        words = [word.replace(old, new) for word in words]
    return words
