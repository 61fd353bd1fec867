"""The command that checks receipts, as one file, with nothing beside it but the libraries that it names."""

import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from deploy import verifier
from tests.finance.bank_session.conftest import Bench
from tests.finance.bank_session.test_passkeys import added, signed
from tests.finance.bank_session.test_receipts import KEY, confirmed, fetched
from tests.finance.bank_session.test_sm2 import installed, pair
from tests.support.bank import Sheet
from tests.support.caller import Caller

# Whatever speaks with a network, or looks for an address, ends the program.
ALONE = """
import runpy, sys
def heard(event, given):
    if event.startswith("socket.") or event in ("subprocess.Popen", "os.system"):
        raise SystemExit(f"outside: {event}")
sys.addaudithook(heard)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Elsewhere:
    """A machine without the server: Python's own library, and what verify-receipt.txt names."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.libraries = folder, folder / "libraries"
        self.libraries.mkdir()
        self.program = verifier.build(folder)
        for name in re.findall(r"^([a-z0-9-]+)==", self.program.with_suffix(".txt").read_text(), re.M):
            self._install(name)

    def _install(self, name: str) -> None:
        """The installed distribution's files, and no other's of this environment."""
        for file in metadata.files(name) or []:
            if ".." in file.parts or not file.locate().is_file():
                continue  # a program, or bytecode that is not there
            copy = self.libraries / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(file.locate())

    def python(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        """`-S`: without this environment's packages. It stands in an empty folder."""
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.libraries), "PYTHONSAFEPATH": "1"}
        command = [sys.executable, "-S", *map(str, words)]
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)

    def check(self, file: bytes, key: bytes) -> "subprocess.CompletedProcess[str]":
        (self.folder / "receipt.json").write_bytes(file)
        (self.folder / "key").write_bytes(key)
        return self.python("-c", ALONE, self.program, self.folder / "receipt.json", "--key", self.folder / "key")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path)


def altered(file: bytes) -> list[bytes]:
    """Another amount; another signature; another statement under the same hash."""
    written = json.loads(file)
    value = written["signature"]["value"]
    return [
        file.replace(b"10.00", b"90.00"),
        file.replace(value.encode(), (value[:20] + ("A" if value[20] != "A" else "B") + value[21:]).encode()),
        json.dumps({**written, "receipt": written["receipt"].replace("8823", "8824")}, ensure_ascii=False).encode(),
    ]


def test_it_holds_its_own_modules_alone_and_where_it_runs_there_is_nothing_of_the_server(elsewhere: Elsewhere) -> None:
    packed = {name for name in zipfile.ZipFile(elsewhere.program).namelist() if not name.endswith("/")}
    assert packed == {
        "__main__.py",
        "finance/__init__.py",
        "finance/bank_session/__init__.py",
        "finance/bank_session/sm2.py",
        "finance/bank_session/verify_receipt.py",
    }
    pins = elsewhere.program.with_suffix(".txt").read_text()
    assert all("--hash=sha256:" in pin for pin in re.split(r"^(?=[a-z])", pins, flags=re.M) if pin)
    for module in ("django", "rest_framework", "psycopg", "kernel", "accounts", "finance", "rongliao"):
        missing = elsewhere.python("-c", f"import {module}")
        assert missing.returncode == 1 and "ModuleNotFoundError" in missing.stderr, missing
    heard = elsewhere.python("-c", ALONE, elsewhere.folder / "talks.py")
    assert heard.returncode == 1
    (elsewhere.folder / "talks.py").write_text("import socket; socket.create_connection(('127.0.0.1', 9))")
    assert "outside: socket." in elsewhere.python("-c", ALONE, elsewhere.folder / "talks.py").stderr


@pytest.mark.parametrize("proof", ["pin", "passkey"])
def test_it_takes_a_good_receipt_and_no_altered_one(bench: Bench, elsewhere: Elsewhere, proof: str) -> None:
    if proof == "pin":
        intent_id = confirmed(bench)
    else:
        key, sheet = added(bench), Sheet(bench.prepare().handoff_url)
        assert signed(sheet, key).status_code == 200
        intent_id = sheet.intent_id
    file = fetched(bench, intent_id).content
    served = Caller(None).get("/api/finance/receipts/key").content

    for key_given in (KEY, served):
        good = elsewhere.check(file, key_given)
        assert good.returncode == 0 and good.stdout.startswith("VALID: signed by"), good.stderr
        assert "¥ 10.00" in good.stdout and f"proof: {proof}" in good.stdout
    for forged in altered(file):
        assert forged != file
        bad = elsewhere.check(forged, KEY)
        assert (bad.returncode, bad.stdout) == (1, "") and bad.stderr.startswith("NOT VALID: "), bad
    assert elsewhere.check(file, pair().certificate).returncode == 1


def test_it_takes_one_signed_with_sm2(bench: Bench, elsewhere: Elsewhere, settings: Any, tmp_path: Path) -> None:
    files = installed(tmp_path, settings, pair(begins=timedelta(days=-1), ends=timedelta(days=9)))
    file = fetched(bench, confirmed(bench)).content
    assert elsewhere.check(file, files.certificate).returncode == 0
    assert {elsewhere.check(forged, files.certificate).returncode for forged in altered(file)} == {1}
    assert elsewhere.check(file, KEY).returncode == 1
