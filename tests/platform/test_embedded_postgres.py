"""The launcher's PostgreSQL, over what crashes leave behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local.postgres import Cluster, unprivileged_account
from deploy.local.processes import Children
from deploy.local.run import copy_programs, wheel_binaries
from tests.support import obtain, run


@pytest.fixture(scope="module")
def binaries() -> Path:
    found = obtain.postgres_binaries() or wheel_binaries()
    return copy_programs(found, run.folder()) if os.geteuid() == 0 and found.is_relative_to(run.ROOT) else found


@pytest.fixture
def cluster(binaries: Path) -> Iterator[Cluster]:
    home = run.folder() / "路 径" / os.urandom(4).hex()
    home.mkdir(parents=True)
    made = another(binaries, home)
    made.initialise()
    yield made
    made.clear_leftovers()


def another(binaries: Path, home: Path) -> Cluster:
    children = Children()
    return Cluster(home, binaries, "secret", children, home / "log", unprivileged_account(), short=run.folder())


def start(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.server
    run.register(cluster.server.pid)


def test_it_lets_nobody_in_without_the_password_and_runs_as_no_root(cluster: Cluster) -> None:
    start(cluster)
    assert cluster.sql("SELECT 1") == "1"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(cluster.superuser_url().replace("secret", "guess"))
    assert cluster.server
    assert Path(f"/proc/{cluster.server.pid}").stat().st_uid != 0
    cluster.stop()


def test_it_starts_over_a_server_that_was_killed_and_that_nobody_has_reaped(cluster: Cluster, binaries: Path) -> None:
    start(cluster)
    cluster.sql("CREATE TABLE kept AS SELECT 7 AS n")
    assert cluster.server
    os.kill(cluster.server.pid, signal.SIGKILL)  # a zombie until this process waits for it
    second = another(binaries, cluster.home)
    start(second)
    assert second.sql("SELECT n FROM kept") == "7"
    second.stop()
    cluster.server.wait()


def test_it_starts_over_an_orphan_that_still_runs(cluster: Cluster, binaries: Path) -> None:
    start(cluster)
    cluster.sql("CREATE TABLE kept AS SELECT 7 AS n")
    second = another(binaries, cluster.home)
    start(second)
    assert cluster.server
    assert cluster.server.wait(5) == 0
    assert second.sql("SELECT n FROM kept") == "7"
    second.stop()


def test_it_leaves_a_stranger_alone_who_got_the_old_servers_number(cluster: Cluster, binaries: Path) -> None:
    start(cluster)
    cluster.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (cluster.data / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster.data}\n")
        second = another(binaries, cluster.home)
        start(second)
        assert stranger.poll() is None
        second.stop()
        stranger.terminate()
