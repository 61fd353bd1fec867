"""`make verifier`: the command that checks a receipt as one file, for machines that have nothing else of ours.

var/verify-receipt.pyz holds the command's own modules and no other; var/verify-receipt.txt pins the libraries that it
needs, with their hashes, for pip.
"""

import ast
import re
import shutil
import sys
import tempfile
import zipapp
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from deploy.local import install, state

COMMAND = "finance.bank_session.verify_receipt"
_OURS = COMMAND.partition(".")[0]
_PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==.*$(?:\n    --hash=.*$)*", re.M)


def _imported(module: Path) -> set[str]:
    """What a module names in its imports, `from a import b` as a and as a.b: b may be a module."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return named


def _file_of(name: str) -> Path | None:
    """A module of ours, by its dotted name."""
    path = install.ROOT / name.replace(".", "/")
    return next((found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file()), None)


def modules() -> tuple[list[Path], set[str]]:
    """The command's own files, packages included, and the tops of what else is imported."""
    files: set[Path] = set()
    others: set[str] = set()
    waiting = {COMMAND}
    while waiting:
        name = waiting.pop()
        if not name.startswith(f"{_OURS}."):
            others.add(name.partition(".")[0])
            continue
        parts = name.split(".")
        chain = [_file_of(".".join(parts[:end])) for end in range(1, len(parts) + 1)]
        new = {file for file in chain if file} - files
        files |= new
        for file in new:
            waiting |= _imported(file)
    return sorted(files), others - sys.stdlib_module_names


def libraries(tops: set[str]) -> list[str]:
    """The distributions that bring these packages, and what those need in turn, by their names in the lock."""
    known = metadata.packages_distributions()
    waiting = [known[top][0] for top in tops if find_spec(top)]
    found: set[str] = set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for other systems or versions than this one
        found.add(name)
        waiting += [re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0] for need in needs if "extra ==" not in need]
    return sorted(found)


def build(folder: Path) -> Path:
    """Writes both files; answers the command's."""
    files, tops = modules()
    target = folder / "verify-receipt.pyz"
    with tempfile.TemporaryDirectory() as packed:
        for file in files:
            copy = Path(packed) / file.relative_to(install.ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        zipapp.create_archive(
            packed, target, interpreter="/usr/bin/env python3", main=f"{COMMAND}:run", compressed=True
        )
    lock = {pin[1]: pin[0] for pin in _PIN.finditer((install.ROOT / "requirements-production.lock").read_text())}
    pins = "".join(f"{lock[name]}\n" for name in libraries(tops))
    (folder / "verify-receipt.txt").write_text(pins)
    return target


def main() -> int:
    """Builds into var/ and says what to do with it."""
    state.prepare()
    made = build(state.VAR)
    print(f"{made}\n  python3 -m pip install --require-hashes -r {made.with_suffix('.txt')}")
    print(f"  python3 {made.name} receipt.json --key key.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
