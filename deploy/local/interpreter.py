"""Which of this machine's Pythons the checkout's environment is made of.

A Python that was compiled without a profile of its own running, as version managers do where nobody asks for one, takes
a third longer for everything. Distributions compile theirs with one. How an interpreter was compiled cannot be read
off reliably, so a loop is timed.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

QUICKER = 1.1
"""So many times as quick must another be to be taken instead of the one that runs this."""
ROUNDS = 3
FOLDERS = ("/usr/bin", "/usr/local/bin")
LIMIT_S = 20

_PROBE = """
import inspect, io, json, sys, time, tokenize
import ctypes, ensurepip, ssl, venv, zlib
source = inspect.getsource(tokenize)
took = []
for _ in range(30):
    began = time.process_time()
    for _ in tokenize.generate_tokens(io.StringIO(source[:9000]).readline): pass
    took.append(time.process_time() - began)
print(json.dumps([sys.base_prefix, min(took)]))
"""


@dataclass(frozen=True)
class Found:
    """An interpreter: where it is at home, and the seconds of processor that the loop took."""

    path: str
    home: str
    took_s: float


def tried(path: str) -> Found | None:
    """How quick an interpreter is; None if it does not run, or lacks a module that an environment needs."""
    try:
        done = subprocess.run([path, "-I", "-c", _PROBE], capture_output=True, text=True, check=True, timeout=LIMIT_S)
        home, took_s = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Found(path, home, took_s)


def others() -> list[str]:
    """Paths of interpreters of the running version that may be on this machine, each once."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = [*os.environ.get("PATH", "").split(os.pathsep), *FOLDERS]
    paths = [path for one in folders if one and (path := shutil.which(name, path=one))]
    found = {os.path.realpath(path): path for path in paths}
    found.pop(os.path.realpath(sys.executable), None)
    return list(found.values())


def quickest() -> str:
    """The running interpreter, or another of its version that is clearly quicker."""
    own = tried(sys.executable)
    known = {found.home: found for found in map(tried, others()) if found is not None}
    if own is None or not known.keys() - {own.home}:
        return sys.executable
    known[own.home] = own
    # Turn about, and the best of each: what else the machine does falls on one turn or another.
    for _ in range(ROUNDS):
        for home, before in known.items():
            again = tried(before.path)
            if again is not None and again.took_s < before.took_s:
                known[home] = again
    best = min(known.values(), key=lambda found: found.took_s)
    return best.path if best.took_s * QUICKER <= known[own.home].took_s else sys.executable
