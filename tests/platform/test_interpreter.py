import os
import sys
from pathlib import Path

import pytest

from deploy.local import interpreter

NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path for one more interpreter; the machine's other ones are out of sight."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/nowhere")
    monkeypatch.setattr(interpreter, "FOLDERS", ())
    return tmp_path / NAME


def put(path: Path, says: str) -> None:
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)


def test_another_that_is_clearly_quicker_is_taken(another: Path) -> None:
    put(another, "echo '[\"/elsewhere\", 0.000001]'")
    assert interpreter.quickest() == str(another)


def test_another_that_is_slower_is_not(another: Path) -> None:
    put(another, "echo '[\"/elsewhere\", 9]'")
    assert interpreter.quickest() == sys.executable


@pytest.mark.parametrize("says", ["exit 1", "echo nonsense", "echo '[\"/elsewhere\"]'"])
def test_another_that_does_not_do_is_passed_over(another: Path, says: str) -> None:
    put(another, says)
    assert interpreter.tried(str(another)) is None
    assert interpreter.quickest() == sys.executable


def test_a_second_name_of_the_running_one_is_not_another(another: Path) -> None:
    another.symlink_to(sys.executable)
    assert interpreter.others() == []
    assert interpreter.quickest() == sys.executable


def test_a_folder_that_this_user_may_not_enter_is_passed_over(another: Path) -> None:
    put(another, "echo '[\"/elsewhere\", 0.000001]'")
    another.parent.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        assert interpreter.others() == []
    finally:
        os.seteuid(user)
        another.parent.chmod(0o700)
